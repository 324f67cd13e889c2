//! Lists of jobs: their conditions, their order and pages, and the jobs in them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::job::{
    FileSize, Filename, JobProgress, JobStatus, ProcessingConfig, ProcessingMode, VideoDuration,
};
use crate::owner::OwnerName;
use crate::stage::Stage;
use crate::transcript_source::TranscriptSource;
use crate::value::string_enum::string_enum;
use crate::value::text::{bounded_texts, check_no_nul};
use crate::value::{
    ContentType, Cursor, Direction, InField, Invalid, JsonObject, LongText, PageLimit, StorageKey,
};

/// Conditions on a list of jobs; all that are set must hold.
///
/// ```
/// use lectern_domain::{FilenamePart, JobFilter, JobStatus};
///
/// let lectures = JobFilter {
///     statuses: vec![JobStatus::Queued, JobStatus::Running],
///     filename: Some(FilenamePart::new("lecture")?),
///     ..JobFilter::default()
/// };
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobFilter {
    /// Jobs with one of these statuses. Empty: with any status.
    pub statuses: Vec<JobStatus>,
    /// Jobs with this current stage.
    pub stage: Option<Stage>,
    /// Jobs whose filename contains this text, in upper or lower case.
    pub filename: Option<FilenamePart>,
    /// Jobs whose `extra_metadata` has these values.
    pub metadata: MetadataFilter,
    /// Jobs created at this time or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Jobs created before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Jobs changed at this time or later.
    pub updated_after: Option<DateTime<Utc>>,
    /// Jobs completed at this time or later.
    pub completed_after: Option<DateTime<Utc>>,
}

bounded_texts! {
    /// A part of a filename, at most 255 characters.
    FilenamePart: 0 to 255;
}

/// Values that the `extra_metadata` of a job has, by key.
///
/// A key is a key of the object itself, not of an object within it. A value is that of the
/// key if it is the same text, or if it spells the same number, `true`, `false` or `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetadataFilter(BTreeMap<String, String>);

impl MetadataFilter {
    /// The greatest number of keys.
    pub const MAX_KEYS: usize = 10;

    /// Checks the number of keys, and that there is no NUL; the error names the key.
    pub fn new(values: BTreeMap<String, String>) -> Result<Self, Invalid> {
        if values.len() > Self::MAX_KEYS {
            return Err(Invalid::new(format!(
                "must have at most {} keys",
                Self::MAX_KEYS
            )));
        }
        for (key, value) in &values {
            check_no_nul(key)
                .and_then(|()| check_no_nul(value))
                .in_field(key)?;
        }
        Ok(Self(values))
    }

    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

string_enum! {
    /// The time by which a list of jobs is sorted.
    JobOrder {
        /// The time of creation.
        CreatedAt = "created_at",
        /// The time of the last change.
        UpdatedAt = "updated_at",
        /// The time of completion. In both directions, the jobs that are not completed come
        /// last, sorted by their time of creation.
        CompletedAt = "completed_at",
    }
}

/// A position in a list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCursor {
    /// The order of the list.
    pub order: JobOrder,
    /// The direction of the list.
    pub direction: Direction,
    /// The time by which the list is sorted, and the id of the last job of a page.
    pub position: Cursor,
    /// In the order of completion, whether the last job of the page is not completed. The
    /// time is then that of its creation.
    pub is_uncompleted: bool,
}

/// A request for one page of a list of jobs. By default, the newest jobs come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPageRequest {
    /// The greatest number of jobs.
    pub limit: PageLimit,
    /// The time by which the list is sorted.
    pub order: JobOrder,
    /// Whether the list begins with the oldest or with the newest job.
    pub direction: Direction,
    /// [`Page::next`](crate::Page::next) of the previous page, which must have the same
    /// order and direction; `None` for the first page.
    pub after: Option<JobCursor>,
}

impl Default for JobPageRequest {
    fn default() -> Self {
        Self {
            limit: PageLimit::default(),
            order: JobOrder::CreatedAt,
            direction: Direction::Descending,
            after: None,
        }
    }
}

impl JobPageRequest {
    /// Whether the cursor, if there is one, is from a list of the same order and direction.
    pub fn has_matching_cursor(&self) -> bool {
        let matches =
            |after: JobCursor| after.order == self.order && after.direction == self.direction;
        self.after.is_none_or(matches)
    }
}

/// A job as an item of a list: without its internal fields, and without JSON of unbounded
/// size.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSummary {
    /// Public id.
    pub job_id: JobId,
    /// See [`Job::owner_id`](crate::Job::owner_id).
    pub owner_id: Option<OwnerName>,
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
    /// See [`Job::source_job_id`](crate::Job::source_job_id).
    pub source_job_id: Option<JobId>,
    /// See [`Job::transcript_source`](crate::Job::transcript_source).
    pub transcript_source: Option<TranscriptSource>,
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
