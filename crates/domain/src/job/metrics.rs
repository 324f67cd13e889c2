//! Metrics of all jobs.

use std::collections::BTreeMap;

use crate::job::status::JobStatus;

/// Metrics of all jobs, from one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobMetrics {
    /// The number of jobs by status; every status has an entry.
    pub by_status: BTreeMap<JobStatus, i64>,
    /// Sum of the known sizes of all recordings that have arrived, and of what has arrived of
    /// others by resumable upload, in bytes. A recording that several jobs share is counted
    /// once.
    pub bytes_stored: i64,
    /// Jobs created in the last 24 hours.
    pub created_last_24h: i64,
    /// Jobs created in the last 7 days.
    pub created_last_7d: i64,
    /// Jobs created in the last 30 days.
    pub created_last_30d: i64,
}
