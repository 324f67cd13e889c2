//! Domain values for the tests of this crate.

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::{
    AgentName, Backoff, Clip, ClipId, Clock, ContentType, Cut, FileSize, Filename, Job, JobId,
    JobProgress, JobResults, JobStatus, JsonObject, Lease, LeaseDuration, LeaseId, LongText,
    ManualClock, NewClip, NewTranscriptSegment, NonNegativeInt, NoteLevel, NoteOfStage, NoteText,
    Percent, ProcessingConfig, Progress, ProgressMessage, Stage, StageNote, StageNotes, StageRun,
    StageRunId, StageRunStatus, StorageKey, TaskId, TimeRange, TranscriptSegment,
    TranscriptSegmentId, WorkerName,
};
use serde_json::json;

/// 2026-01-01T00:00:00Z.
pub(crate) fn new_year() -> DateTime<Utc> {
    ManualClock::default().now()
}

/// A job that was completed 90.5 seconds after its creation.
pub(crate) fn completed_job() -> Job {
    Job {
        job_id: JobId::new(&ManualClock::default()),
        owner_id: None,
        filename: Filename::new("talk.mp4").unwrap(),
        file_size: Some(FileSize::new(2 << 30).unwrap()),
        content_type: ContentType::new("video/mp4").unwrap(),
        original_s3_key: Some(StorageKey::new("uploads/talk.mp4").unwrap()),
        source_job_id: None,
        transcript_source: None,
        compiled_video_s3_key: None,
        video_duration: None,
        video_metadata: JsonObject::default(),
        status: JobStatus::Completed,
        error_message: None,
        celery_task_id: Some(TaskId::new("secret-task").unwrap()),
        progress: Some(JobProgress {
            stage: Stage::Complete,
            progress: Progress::new(Percent::DONE),
            agent_name: Some(AgentName::new("worker-1").unwrap()),
        }),
        processing_config: Some(
            ProcessingConfig::try_from(json!({ "processing_mode": "audio" })).unwrap(),
        ),
        extra_metadata: JsonObject::try_from(json!({ "course": "ML 101" })).unwrap(),
        priority: 5,
        version: 7,
        last_seq: 12,
        created_at: new_year(),
        updated_at: new_year(),
        completed_at: Some(new_year() + TimeDelta::milliseconds(90_500)),
    }
}

/// A stage run in its second attempt.
pub(crate) fn leased_run() -> StageRun {
    let job = completed_job();
    StageRun {
        run_id: StageRunId::new(&ManualClock::default()),
        job_id: job.job_id,
        stage: Stage::Transcription,
        status: StageRunStatus::Running,
        waits_for: Vec::new(),
        attempt: 2,
        max_attempts: StageRun::MAX_ATTEMPTS,
        timeout: None,
        backoff: Backoff::default(),
        worker: Some(WorkerName::new("whisper-1").unwrap()),
        lease: Some(Lease {
            lease_id: LeaseId::new(&ManualClock::default()),
            expires_at: new_year() + TimeDelta::minutes(4),
            duration: LeaseDuration::default(),
        }),
        available_at: None,
        progress: Progress {
            percent: Percent::new(41.0).unwrap(),
            message: Some(ProgressMessage::new("minute 3").unwrap()),
            eta_seconds: Some(NonNegativeInt::new(9).unwrap()),
        },
        error: Some(LongText::new("out of memory").unwrap()),
        notes: StageNotes::new(vec![a_note()]).unwrap(),
        started_at: Some(new_year()),
        finished_at: None,
        created_at: new_year(),
    }
}

fn a_note() -> StageNote {
    let message = NoteText::new("taken from talk.srt").unwrap();
    StageNote::new(NoteLevel::Info, message)
}

/// The completed job with a clip and a transcript segment.
pub(crate) fn results() -> JobResults {
    let job = completed_job();
    let clock = ManualClock::default();
    let time = TimeRange::new(1.5, 4.0).unwrap();
    JobResults {
        clips: vec![Clip {
            clip_id: ClipId::new(&clock),
            job_id: job.job_id,
            data: NewClip::new("Gradient descent", time).unwrap(),
            cut: Cut::default(),
            created_at: new_year(),
        }],
        transcript: vec![TranscriptSegment {
            segment_id: TranscriptSegmentId::new(&clock),
            job_id: job.job_id,
            data: NewTranscriptSegment::new("Welcome back.", time).unwrap(),
            created_at: new_year(),
        }],
        layout: None,
        notes: vec![NoteOfStage {
            stage: Stage::Transcription,
            note: a_note(),
        }],
        job,
    }
}
