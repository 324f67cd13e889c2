//! Domain values for the tests of this crate.

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::{
    Clip, ClipId, ClipMedia, Clock, ContentType, FileSize, Filename, Job, JobId, JobProgress,
    JobResults, JobStatus, JsonObject, ManualClock, Percent, ProcessingConfig, SpokenText, Stage,
    StorageKey, TaskId, TimeRange, Title, TranscriptSegment, TranscriptSegmentId, Whole,
};
use serde_json::json;

/// 2026-01-01T00:00:00Z.
pub(crate) fn new_year() -> DateTime<Utc> {
    ManualClock::default().now()
}

/// A job that was completed 90.5 seconds after it was made.
pub(crate) fn completed_job() -> Job {
    Job {
        job_id: JobId::new(&ManualClock::default()),
        filename: Filename::new("talk.mp4").unwrap(),
        file_size: Some(FileSize::new(2 << 30).unwrap()),
        content_type: ContentType::new("video/mp4").unwrap(),
        original_s3_key: Some(StorageKey::new("uploads/talk.mp4").unwrap()),
        compiled_video_s3_key: None,
        video_duration: None,
        video_metadata: JsonObject::default(),
        status: JobStatus::Completed,
        error_message: None,
        celery_task_id: Some(TaskId::new("secret-task").unwrap()),
        progress: Some(JobProgress {
            stage: Stage::Complete,
            percent: Percent::DONE,
            message: None,
            eta_seconds: None,
        }),
        processing_config: Some(
            ProcessingConfig::try_from(json!({ "processing_mode": "audio" })).unwrap(),
        ),
        extra_metadata: JsonObject::try_from(json!({ "course": "ML 101" })).unwrap(),
        version: 7,
        created_at: new_year(),
        updated_at: new_year(),
        completed_at: Some(new_year() + TimeDelta::milliseconds(90_500)),
    }
}

/// The same job with a clip and a segment of its transcript.
pub(crate) fn results() -> JobResults {
    let job = completed_job();
    let clock = ManualClock::default();
    let time = TimeRange::new(1.5, 4.0).unwrap();
    JobResults {
        clips: vec![Clip {
            clip_id: ClipId::new(&clock),
            job_id: job.job_id,
            content_segment_id: None,
            title: Title::new("Gradient descent").unwrap(),
            topic: None,
            importance_score: None,
            time,
            media: ClipMedia::default(),
            clip_order: Whole::new(0).unwrap(),
            extra_metadata: JsonObject::default(),
            created_at: new_year(),
        }],
        transcript: vec![TranscriptSegment {
            segment_id: TranscriptSegmentId::new(&clock),
            job_id: job.job_id,
            time,
            text: SpokenText::new("Welcome back.").unwrap(),
            confidence: None,
            speaker_id: None,
            created_at: new_year(),
        }],
        layout: None,
        job,
    }
}
