//! Partial changes of a job.

use crate::{Filename, JobStatus, JsonObject, LongText, Patch, StorageKey, TaskId, VideoDuration};

/// A partial change of a job: what is not mentioned stays as it is.
///
/// A `status` is a transition and has to be an allowed one; what else a
/// transition changes is told at [`JobStatus`] and in the data model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobUpdate {
    /// A new name.
    pub filename: Option<Filename>,
    /// The next status.
    pub status: Option<JobStatus>,
    /// Why the job failed.
    pub error_message: Patch<LongText>,
    /// Length of the recording.
    pub video_duration: Patch<VideoDuration>,
    /// What is known of the recording, replaced as a whole.
    pub video_metadata: Option<JsonObject>,
    /// What the owner keeps with the job, replaced as a whole.
    pub extra_metadata: Option<JsonObject>,
    /// Which of the waiting jobs comes first.
    pub priority: Option<i32>,
    /// Id of the task in an outside queue.
    pub celery_task_id: Patch<TaskId>,
    /// Where the highlight video lies in the storage.
    pub compiled_video_s3_key: Patch<StorageKey>,
}
