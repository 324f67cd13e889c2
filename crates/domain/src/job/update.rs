//! Partial changes of a job.

use crate::job::status::JobStatus;
use crate::value::{Filename, JsonObject, LongText, Patch, StorageKey, TaskId, VideoDuration};

/// A partial change of a job: `None` and [`Patch::Keep`] keep the stored value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobUpdate {
    /// Name of the recording.
    pub filename: Option<Filename>,
    /// The new status, which needs a [`Transition`](crate::Transition) from the
    /// current one.
    pub status: Option<JobStatus>,
    /// Why the job failed.
    pub error_message: Patch<LongText>,
    /// Length of the recording.
    pub video_duration: Patch<VideoDuration>,
    /// Replaces the whole object.
    pub video_metadata: Option<JsonObject>,
    /// Replaces the whole object.
    pub extra_metadata: Option<JsonObject>,
    /// Jobs with a higher priority are claimed first.
    pub priority: Option<i32>,
    /// Id of the task in an external queue.
    pub celery_task_id: Patch<TaskId>,
    /// Key of the highlight video in the storage.
    pub compiled_video_s3_key: Patch<StorageKey>,
}
