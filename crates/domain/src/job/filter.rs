//! Conditions on a list of jobs.

use chrono::{DateTime, Utc};

use crate::job::status::JobStatus;
use crate::stage::Stage;

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
