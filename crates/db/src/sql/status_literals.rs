//! The names of statuses and stages for handwritten SQL, from the enumerations of
//! the domain.
//!
//! The names are literals and not parameters, because a partial index is used only for a
//! condition that is known when the statement is planned.

use lectern_domain::{JobStatus, Stage, StageRunStatus};

pub(crate) const JOB_QUEUED: &str = JobStatus::Queued.as_str();
pub(crate) const JOB_RUNNING: &str = JobStatus::Running.as_str();

pub(crate) const RUN_WAITING: &str = StageRunStatus::Waiting.as_str();
pub(crate) const RUN_READY: &str = StageRunStatus::Ready.as_str();
pub(crate) const RUN_RUNNING: &str = StageRunStatus::Running.as_str();
pub(crate) const RUN_COMPLETED: &str = StageRunStatus::Completed.as_str();
pub(crate) const RUN_FAILED: &str = StageRunStatus::Failed.as_str();
pub(crate) const RUN_CANCELLED: &str = StageRunStatus::Cancelled.as_str();
pub(crate) const RUN_SKIPPED: &str = StageRunStatus::Skipped.as_str();

pub(crate) const UPLOADING: &str = Stage::Uploading.as_str();
