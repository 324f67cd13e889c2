//! Partial changes of a job.

use crate::job::Job;
use crate::job::status::JobStatus;
use crate::value::{
    Filename, InField as _, Invalid, LongText, ObjectUpdate, Patch, StorageKey, TaskId,
    VideoDuration,
};

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
    /// Properties of the recording.
    pub video_metadata: Option<ObjectUpdate>,
    /// Data of the owner.
    pub extra_metadata: Option<ObjectUpdate>,
    /// Jobs with a higher priority are claimed first.
    pub priority: Option<i32>,
    /// Id of the task in an external queue.
    pub celery_task_id: Patch<TaskId>,
    /// Key of the highlight video in the storage.
    pub compiled_video_s3_key: Patch<StorageKey>,
}

impl JobUpdate {
    /// This change, with its JSON objects as patches to be merged.
    pub fn merging(mut self) -> Self {
        self.video_metadata = self.video_metadata.map(ObjectUpdate::merging);
        self.extra_metadata = self.extra_metadata.map(ObjectUpdate::merging);
        self
    }

    /// Whether the change depends on objects of the stored job.
    pub fn merges(&self) -> bool {
        let objects = [&self.video_metadata, &self.extra_metadata];
        let is_merge = |update: &ObjectUpdate| update.replacement().is_none();
        objects.into_iter().flatten().any(is_merge)
    }

    /// The same change, with objects that replace those of `job`.
    ///
    /// # Errors
    ///
    /// Those of [`ObjectUpdate::applied_to`]; the error names the field.
    pub fn merged_into(&self, job: &Job) -> Result<Self, Invalid> {
        let mut update = self.clone();
        for (object, stored, field) in [
            (
                &mut update.video_metadata,
                &job.video_metadata,
                "video_metadata",
            ),
            (
                &mut update.extra_metadata,
                &job.extra_metadata,
                "extra_metadata",
            ),
        ] {
            if let Some(change) = object {
                let merged = change.applied_to(stored).in_field(field)?;
                *object = Some(ObjectUpdate::Replace(merged));
            }
        }
        Ok(update)
    }
}
