//! Test data.

use anyhow::Result;
use lectern_db::{Database, Error};
use lectern_domain::{
    FileSize, JobId, JsonObject, NewJob, NewJobStatus, NewTranscriptSegment, NonNegativeInt,
    Percent, ProcessingConfig, Progress, ProgressMessage, ProgressReport, Ratio, SpeakerId, Stage,
    StorageKey, TimeRange,
};
use serde_json::json;

/// A job with everything a client of the service sends.
pub(crate) fn new_job() -> Result<NewJob> {
    Ok(NewJob {
        file_size: Some(FileSize::new(734_003_200)?),
        original_s3_key: Some(StorageKey::new("uploads/2026/01/linear-algebra-07.mp4")?),
        processing_config: Some(ProcessingConfig::try_from(
            json!({ "processing_mode": "vision", "resolution": "1080p" }),
        )?),
        extra_metadata: JsonObject::try_from(
            json!({ "course": "18.06", "lecture": 7, "tags": ["algebra", "spring"] }),
        )?,
        ..NewJob::new("linear-algebra-07.mp4")?
    })
}

/// The same while its recording is uploaded: a job that has no runs yet.
pub(crate) fn new_upload() -> Result<NewJob> {
    Ok(NewJob {
        status: NewJobStatus::Pending,
        ..new_job()?
    })
}

/// Creates a job and returns its id.
pub(crate) fn create(db: &Database) -> Result<JobId> {
    let job = new_job()?;
    Ok(db.write(|tx| tx.jobs().create(&job))?.job_id)
}

/// Creates `n` running jobs and returns their ids.
pub(crate) fn fill(db: &Database, n: usize) -> Result<Vec<JobId>> {
    let job = new_job()?;
    let report = ProgressReport {
        stage: Stage::Transcription,
        progress: Progress {
            percent: Percent::new(42.5)?,
            message: Some(ProgressMessage::new("Transcribing 17:51 of 42:00")?),
            eta_seconds: Some(NonNegativeInt::new(95)?),
        },
        agent_name: None,
    };
    Ok(db.write(|tx| {
        (0..n)
            .map(|_| {
                let job_id = tx.jobs().create(&job)?.job_id;
                tx.jobs().report_progress(job_id, &report)?;
                Ok(job_id)
            })
            .collect::<Result<_, Error>>()
    })?)
}

/// A transcript of `n` segments, some 70 characters each.
pub(crate) fn segments(n: usize) -> Result<Vec<NewTranscriptSegment>> {
    (0..n)
        .map(|i| {
            let start = i as f64 * 3.2;
            let time = TimeRange::new(start, start + 3.1)?;
            let text =
                format!("Sentence {i}: the columns of a matrix span its column space, and so on.");
            Ok(NewTranscriptSegment {
                confidence: Some(Ratio::new(0.93)?),
                speaker_id: Some(SpeakerId::new("lecturer")?),
                ..NewTranscriptSegment::new(text, time)?
            })
        })
        .collect()
}
