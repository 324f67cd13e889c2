//! Conditions on a list of jobs.

use chrono::{DateTime, Utc};

use crate::{JobStatus, Stage};

/// The jobs a list is about: those that fit every condition given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Jobs of this status.
    pub status: Option<JobStatus>,
    /// Jobs whose current stage is this one.
    pub stage: Option<Stage>,
    /// Jobs made at this time or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Jobs made before this time.
    pub created_before: Option<DateTime<Utc>>,
}
