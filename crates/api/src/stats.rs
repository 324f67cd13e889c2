//! Statistics over all jobs.

use lectern_domain::{JobMetrics, JobStatus};
use schemars::JsonSchema;
use serde::Serialize;

/// Statistics over all jobs, from one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatsResponse {
    /// Number of jobs.
    pub total: i64,
    /// Number of jobs by status.
    pub by_status: JobCounts,
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

/// Number of jobs by status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JobCounts {
    /// Jobs whose upload is not confirmed yet.
    pub pending: i64,
    /// Jobs that wait for a worker.
    pub queued: i64,
    /// Jobs that are being processed.
    pub running: i64,
    /// Jobs whose results can be read.
    pub completed: i64,
    /// Jobs that ended with an error.
    pub failed: i64,
    /// Jobs that a client cancelled.
    pub cancelled: i64,
}

impl From<JobMetrics> for StatsResponse {
    fn from(metrics: JobMetrics) -> Self {
        let count = |status| metrics.by_status.get(&status).copied().unwrap_or_default();
        Self {
            total: metrics.by_status.values().sum(),
            by_status: JobCounts {
                pending: count(JobStatus::Pending),
                queued: count(JobStatus::Queued),
                running: count(JobStatus::Running),
                completed: count(JobStatus::Completed),
                failed: count(JobStatus::Failed),
                cancelled: count(JobStatus::Cancelled),
            },
            bytes_stored: metrics.bytes_stored,
            created_last_24h: metrics.created_last_24h,
            created_last_7d: metrics.created_last_7d,
            created_last_30d: metrics.created_last_30d,
        }
    }
}
