//! Lists of jobs: the conditions of a list, and its items.

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::job::{FileSize, Filename, JobProgress, JobStatus, ProcessingMode, VideoDuration};
use crate::stage::Stage;
use crate::value::{ContentType, JsonObject, LongText};

/// Conditions on a list of jobs; all that are set must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Jobs with this status.
    pub status: Option<JobStatus>,
    /// Jobs with this current stage.
    pub stage: Option<Stage>,
    /// Jobs created at this time or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Jobs created before this time.
    pub created_before: Option<DateTime<Utc>>,
}

/// A job as an item of a list: without the fields that only workers need, and without
/// JSON of unbounded size.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSummary {
    /// Public id.
    pub job_id: JobId,
    /// Status of the job.
    pub status: JobStatus,
    /// Name of the recording as its owner knows it.
    pub filename: Filename,
    /// `None` until the size is known.
    pub file_size: Option<FileSize>,
    /// Media type of the recording.
    pub content_type: ContentType,
    /// Which parts of the recording are analysed.
    pub processing_mode: ProcessingMode,
    /// `None` until the length is known.
    pub video_duration: Option<VideoDuration>,
    /// When the job was created.
    pub created_at: DateTime<Utc>,
    /// When the job was last changed.
    pub updated_at: DateTime<Utc>,
    /// When the job was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// `None` until the first report.
    pub progress: Option<JobProgress>,
    /// Why the job failed.
    pub error_message: Option<LongText>,
    /// Free for the owner's use; `None` if it is larger than
    /// [`MAX_EXTRA_METADATA`](Self::MAX_EXTRA_METADATA).
    pub extra_metadata: Option<JsonObject>,
}

impl JobSummary {
    /// Upper bound of the `extra_metadata` of a job in a list, in bytes as stored.
    pub const MAX_EXTRA_METADATA: usize = 16 << 10;
}
