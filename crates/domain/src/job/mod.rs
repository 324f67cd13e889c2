//! A job: one recording on its way to clips.

pub(crate) mod filter;
pub(crate) mod processing;
pub(crate) mod progress;
pub(crate) mod status;
pub(crate) mod update;

use chrono::{DateTime, Utc};

use crate::{
    At, ContentType, FileSize, Filename, Invalid, JobId, JobProgress, JobStatus, JsonObject,
    LongText, ProcessingConfig, Stage, StorageKey, TaskId, VideoDuration,
};

/// A job as it is stored.
///
/// Never serialized: what may be told to whom is decided where the wire types
/// are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Public id.
    pub job_id: JobId,
    /// Name of the recording as its owner knows it.
    pub filename: Filename,
    /// Size of the recording in bytes, once it is known.
    pub file_size: Option<FileSize>,
    /// Media type of the recording.
    pub content_type: ContentType,
    /// Where the recording lies in the storage.
    pub original_s3_key: Option<StorageKey>,
    /// Where the highlight video lies in the storage.
    pub compiled_video_s3_key: Option<StorageKey>,
    /// Length of the recording, once it is known.
    pub video_duration: Option<VideoDuration>,
    /// What is known of the recording (codecs, size of the picture, …).
    pub video_metadata: JsonObject,
    /// Where the job stands.
    pub status: JobStatus,
    /// Why the job failed.
    pub error_message: Option<LongText>,
    /// Id of the task in an outside queue; internal, on no wire.
    pub celery_task_id: Option<TaskId>,
    /// How far the job has come, from the first report on.
    pub progress: Option<JobProgress>,
    /// How the recording is to be worked on; `None` leaves it all to the
    /// defaults.
    pub processing_config: Option<ProcessingConfig>,
    /// Whatever the owner wants to keep with the job.
    pub extra_metadata: JsonObject,
    /// Of two jobs the one of higher priority is worked on first.
    pub priority: i32,
    /// Counts the changes of this job, from 1.
    pub version: i64,
    /// Number of the last event of this job; 0 when there was none.
    pub last_seq: i64,
    /// When the job was made.
    pub created_at: DateTime<Utc>,
    /// When the job was changed last.
    pub updated_at: DateTime<Utc>,
    /// When the job was completed; set if and only if it is.
    pub completed_at: Option<DateTime<Utc>>,
}

impl Job {
    /// The keys there are.
    pub fn keys(&self) -> impl Iterator<Item = &StorageKey> {
        let keys = [&self.original_s3_key, &self.compiled_video_s3_key];
        keys.into_iter().flatten()
    }
}

/// A job to be made. A filename is enough:
///
/// ```
/// use lectern_domain::{FileSize, NewJob};
///
/// let simple = NewJob::new("lecture.mp4")?;
/// let detailed = NewJob { file_size: Some(FileSize::new(2 << 30)?), ..NewJob::new("lecture.mp4")? };
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Name of the recording as its owner knows it.
    pub filename: Filename,
    /// Size of the recording in bytes; `None`: not known yet.
    pub file_size: Option<FileSize>,
    /// Media type of the recording; `video/mp4` unless said otherwise.
    pub content_type: ContentType,
    /// Where the recording lies in the storage.
    pub original_s3_key: Option<StorageKey>,
    /// [`JobStatus::Queued`] unless said otherwise; of the others only
    /// [`JobStatus::Pending`] makes sense for a new job.
    pub status: NewJobStatus,
    /// How the recording is to be worked on.
    pub processing_config: Option<ProcessingConfig>,
    /// Of two jobs the one of higher priority is worked on first; 0 unless said
    /// otherwise.
    pub priority: i32,
    /// Whatever the owner wants to keep with the job.
    pub extra_metadata: JsonObject,
}

/// The two statuses a job can begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewJobStatus {
    /// The recording is still to be uploaded; the job stands at
    /// [`Stage::Uploading`].
    Pending,
    /// Ready for a worker.
    #[default]
    Queued,
}

impl From<NewJobStatus> for JobStatus {
    fn from(status: NewJobStatus) -> Self {
        match status {
            NewJobStatus::Pending => Self::Pending,
            NewJobStatus::Queued => Self::Queued,
        }
    }
}

impl NewJob {
    /// A queued job with defaults for everything but its filename.
    pub fn new(filename: impl Into<String>) -> Result<Self, Invalid> {
        Ok(Self {
            filename: Filename::new(filename).at("filename")?,
            file_size: None,
            content_type: ContentType::new("video/mp4")?,
            original_s3_key: None,
            status: NewJobStatus::Queued,
            processing_config: None,
            priority: 0,
            extra_metadata: JsonObject::default(),
        })
    }

    /// The stage the job begins at, if it begins at one.
    pub fn stage(&self) -> Option<Stage> {
        match self.status {
            NewJobStatus::Pending => Some(Stage::Uploading),
            NewJobStatus::Queued => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filename_alone_makes_a_job() {
        let job = NewJob::new("talk.mp4").unwrap();
        assert_eq!(job.content_type.as_str(), "video/mp4");
        assert_eq!(JobStatus::from(job.status), JobStatus::Queued);
        let error = NewJob::new("").unwrap_err();
        assert_eq!(error.errors()[0].field, "filename");
    }
}
