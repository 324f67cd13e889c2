//! Wire types for tests.

use lectern_api::{EventCursor, JobResponse};
use lectern_domain::{EventPosition, JobStatus, Stage};
use serde_json::Value;

/// A running job, with other values for some fields.
pub(crate) fn a_job(change: &Value) -> JobResponse {
    let mut job = lectern_domain::Job {
        job_id: "0197a0d2-0000-7000-8000-000000000001".parse().unwrap(),
        owner_id: None,
        filename: lectern_domain::Filename::new("lecture.mp4").unwrap(),
        file_size: Some(lectern_domain::FileSize::new(2_147_483_648).unwrap()),
        content_type: lectern_domain::ContentType::new("video/mp4").unwrap(),
        original_s3_key: None,
        source_job_id: None,
        compiled_video_s3_key: None,
        video_duration: Some(lectern_domain::VideoDuration::new(3_723.0).unwrap()),
        video_metadata: lectern_domain::JsonObject::default(),
        status: JobStatus::Running,
        error_message: None,
        celery_task_id: None,
        progress: Some(lectern_domain::JobProgress {
            stage: Stage::Transcription,
            progress: lectern_domain::Progress {
                percent: lectern_domain::Percent::new(41.9).unwrap(),
                message: None,
                eta_seconds: None,
            },
            agent_name: None,
        }),
        processing_config: None,
        transcript_source: None,
        extra_metadata: lectern_domain::JsonObject::default(),
        priority: 0,
        version: 1,
        last_seq: 0,
        created_at: "2026-03-04T05:06:07Z".parse().unwrap(),
        updated_at: "2026-03-04T05:06:07Z".parse().unwrap(),
        completed_at: None,
    };
    if let Some(name) = change["filename"].as_str() {
        job.filename = lectern_domain::Filename::new(name).unwrap();
    }
    if let Some(status) = change["status"].as_str() {
        job.status = status.parse().unwrap();
    }
    if let (Some(stage), Some(progress)) = (change["stage"].as_str(), &mut job.progress) {
        progress.stage = stage.parse().unwrap();
    }
    if let Some(error) = change["error"].as_str() {
        job.error_message = Some(lectern_domain::LongText::new(error).unwrap());
    }
    if let Some(owner) = change["owner"].as_str() {
        job.owner_id = Some(lectern_domain::OwnerName::new(owner).unwrap());
    }
    job.into()
}

/// A position in the events of all jobs.
pub(crate) fn a_cursor() -> EventCursor {
    EventCursor(EventPosition {
        generation: 1,
        transaction_id: 2,
        id: 3,
    })
}

/// A page without the contents of its `style` elements, whose words say nothing about what is on
/// the page.
pub(crate) fn without_styles(page: &str) -> String {
    let mut parts = page.split("<style>");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, after) = part.split_once("</style>").unwrap();
        rest.push_str(after);
    }
    rest
}
