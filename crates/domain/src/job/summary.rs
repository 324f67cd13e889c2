//! Jobs in lists.

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::job::{
    FileSize, Filename, JobProgress, JobStatus, ProcessingConfig, ProcessingMode, VideoDuration,
};
use crate::value::{ContentType, JsonObject, LongText, StorageKey};

/// A job as an item of a list: without its internal fields, and without JSON of unbounded
/// size.
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
    /// Settings of the job. `None`: defaults, or more than
    /// [`MAX_JSON`](Self::MAX_JSON) bytes.
    pub processing_config: Option<ProcessingConfig>,
    /// Jobs with a higher priority are claimed first.
    pub priority: i32,
    /// Key of the recording in the storage.
    pub original_s3_key: Option<StorageKey>,
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
    /// `None` if the list was requested without metadata.
    pub metadata: Option<SummaryMetadata>,
}

/// The metadata of a job in a list. A value of more than [`JobSummary::MAX_JSON`] bytes is
/// `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryMetadata {
    /// Properties of the recording.
    pub video: Option<JsonObject>,
    /// Free for the owner's use.
    pub extra: Option<JsonObject>,
}

impl JobSummary {
    /// Upper bound of each JSON value of a job in a list, in bytes as stored.
    pub const MAX_JSON: usize = 16 << 10;
}
