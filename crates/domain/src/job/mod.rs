//! Jobs: the processing of one recording into clips.

mod list;
mod metrics;
mod option_value;
mod processing;
mod processing_options;
mod progress;
mod status;
mod update;

pub use list::{
    FilenamePart, JobCursor, JobFilter, JobOrder, JobPageRequest, JobSummary, MetadataFilter,
    SummaryMetadata,
};
pub use metrics::JobMetrics;
pub use option_value::{
    AudioTrack, ClipCount, ClipLayout, ClipSeconds, ClipShare, Loudness, OptionValue, Resolution,
    SilenceLevel,
};
pub use processing::{ProcessingConfig, ProcessingMode};
pub use processing_options::ProcessingOptions;
pub use progress::{JobProgress, Progress, ProgressReport};
pub use status::{JobStatus, Requirement, Transition};
pub use update::JobUpdate;

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::owner::OwnerName;
use crate::recording_type::RecordingType;
use crate::stage::Stage;
use crate::transcript_source::TranscriptSource;
use crate::value::{
    ContentType, FileSize, Filename, InField, Invalid, JsonObject, LongText, StorageKey, TaskId,
    VideoDuration,
};

/// A stored job.
///
/// A job is not serializable, because some fields are internal; the wire types select
/// the fields that clients see.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Public id.
    pub job_id: JobId,
    /// The owner; `None`: only callers without an owner find the job.
    pub owner_id: Option<OwnerName>,
    /// Name of the recording as its owner knows it.
    pub filename: Filename,
    /// `None` until the size is known.
    pub file_size: Option<FileSize>,
    /// Media type of the recording.
    pub content_type: ContentType,
    /// Key of the recording in the storage.
    pub original_s3_key: Option<StorageKey>,
    /// The job for which the recording was uploaded, if it was another one: also for a job that
    /// was made of a job that was made of it. Stays when that job is deleted, so that jobs with
    /// the same recording have the same id here.
    pub source_job_id: Option<JobId>,
    /// Key of the highlight video in the storage.
    pub compiled_video_s3_key: Option<StorageKey>,
    /// `None` until the length is known.
    pub video_duration: Option<VideoDuration>,
    /// Properties of the recording, such as its codecs and picture size.
    pub video_metadata: JsonObject,
    /// Changes only by a [`Transition`].
    pub status: JobStatus,
    /// Why the job failed.
    pub error_message: Option<LongText>,
    /// Id of the task in an external queue; internal, in no response.
    pub celery_task_id: Option<TaskId>,
    /// `None` until the first report.
    pub progress: Option<JobProgress>,
    /// Settings of the job; `None`: defaults.
    pub processing_config: Option<ProcessingConfig>,
    /// Who made the transcript; `None` if there is none, or it is from an earlier version.
    pub transcript_source: Option<TranscriptSource>,
    /// Free for the owner's use.
    pub extra_metadata: JsonObject,
    /// Jobs with a higher priority are claimed first.
    pub priority: i32,
    /// Counts the changes of the job, from 1.
    pub version: i64,
    /// Sequence number of the last event; 0 before the first event.
    pub last_seq: i64,
    /// When the job was created.
    pub created_at: DateTime<Utc>,
    /// When the job was last changed.
    pub updated_at: DateTime<Utc>,
    /// Set if and only if the status is [`JobStatus::Completed`].
    pub completed_at: Option<DateTime<Utc>>,
}

impl Job {
    /// The job for which the recording was uploaded, which has the object of the recording
    /// among its files.
    pub fn recording_owner(&self) -> JobId {
        self.source_job_id.unwrap_or(self.job_id)
    }

    /// The storage keys that are set.
    pub fn storage_keys(&self) -> impl Iterator<Item = &StorageKey> {
        let keys = [&self.original_s3_key, &self.compiled_video_s3_key];
        keys.into_iter().flatten()
    }
}

/// A job to be created. Only a filename is required:
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
    /// `None`: not known yet.
    pub file_size: Option<FileSize>,
    /// Default: that of the filename's extension, or `video/mp4` if it is unknown.
    pub content_type: ContentType,
    /// Key of the recording in the storage.
    pub original_s3_key: Option<StorageKey>,
    /// See [`Job::source_job_id`].
    pub source_job_id: Option<JobId>,
    /// Default: queued.
    pub status: NewJobStatus,
    /// Settings of the job; `None`: defaults.
    pub processing_config: Option<ProcessingConfig>,
    /// Jobs with a higher priority are claimed first. Default: 0.
    pub priority: i32,
    /// Free for the owner's use.
    pub extra_metadata: JsonObject,
}

/// A job to be created over the recording of another one, with which it shares the object.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJobOfSource {
    /// The job whose recording is processed again.
    pub source_job_id: JobId,
    /// `None`: that of the other job.
    pub filename: Option<Filename>,
    /// Settings of the job; `None`: defaults.
    pub processing_config: Option<ProcessingConfig>,
    /// Jobs with a higher priority are claimed first.
    pub priority: i32,
    /// Free for the owner's use.
    pub extra_metadata: JsonObject,
}

impl NewJobOfSource {
    /// The job over the recording of `source`. The error names `source_job_id`.
    pub fn of(&self, source: &Job) -> Result<NewJob, Invalid> {
        let Some(key) = source.original_s3_key.clone() else {
            let message = "must be a job with a recording";
            return Err(Invalid::field("source_job_id", message));
        };
        Ok(NewJob {
            filename: self.filename.as_ref().unwrap_or(&source.filename).clone(),
            file_size: source.file_size,
            content_type: source.content_type.clone(),
            original_s3_key: Some(key),
            source_job_id: Some(source.recording_owner()),
            status: NewJobStatus::Queued,
            processing_config: self.processing_config.clone(),
            priority: self.priority,
            extra_metadata: self.extra_metadata.clone(),
        })
    }
}

/// The initial status of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewJobStatus {
    /// The recording is not uploaded yet; the current stage is
    /// [`Stage::Uploading`].
    Pending,
    /// Ready for workers.
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
    /// A queued job with defaults for everything but its filename. The error names
    /// `filename`.
    pub fn new(filename: impl Into<String>) -> Result<Self, Invalid> {
        let filename = Filename::new(filename).in_field("filename")?;
        let known = RecordingType::of_file(&filename);
        Ok(Self {
            content_type: ContentType::new(known.map_or("video/mp4", |known| known.media_type))?,
            filename,
            file_size: None,
            original_s3_key: None,
            source_job_id: None,
            status: NewJobStatus::Queued,
            processing_config: None,
            priority: 0,
            extra_metadata: JsonObject::default(),
        })
    }

    /// The initial stage of the job, if any.
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
    fn a_job_needs_only_a_filename() {
        let job = NewJob::new("talk.mp4").unwrap();
        assert_eq!(job.content_type.as_str(), "video/mp4");
        let content_type = |filename| NewJob::new(filename).unwrap().content_type;
        assert_eq!(content_type("talk.MP3").as_str(), "audio/mpeg");
        assert_eq!(content_type("talk").as_str(), "video/mp4");
        assert_eq!(JobStatus::from(job.status), JobStatus::Queued);
        let error = NewJob::new("").unwrap_err();
        assert_eq!(error.errors()[0].field, "filename");
    }
}
