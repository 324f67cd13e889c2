//! What comes of a job.

use std::collections::BTreeMap;

use crate::{Clip, Job, JobStatus, LayoutAnalysis, TranscriptSegment};

/// A job with everything its owner wants to see.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResults {
    /// The job itself.
    pub job: Job,
    /// Its clips by their order.
    pub clips: Vec<Clip>,
    /// Its transcript by time.
    pub transcript: Vec<TranscriptSegment>,
    /// Its layout analysis, if there is one.
    pub layout: Option<LayoutAnalysis>,
}

impl JobResults {
    /// Seconds from the making of the job to its completion.
    pub fn processing_duration_seconds(&self) -> Option<f64> {
        let took = self.job.completed_at? - self.job.created_at;
        // Microseconds since a job was made fit an f64 exactly for 285 years.
        took.num_microseconds().map(|micros| micros as f64 / 1e6)
    }
}

/// Numbers over all jobs, taken at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobMetrics {
    /// How many jobs there are of each status; every status is there.
    pub by_status: BTreeMap<JobStatus, i64>,
    /// Sum of the known sizes of all recordings, in bytes.
    pub bytes_stored: i64,
    /// Jobs made in the last 24 hours.
    pub created_last_24h: i64,
    /// Jobs made in the last 7 days.
    pub created_last_7d: i64,
    /// Jobs made in the last 30 days.
    pub created_last_30d: i64,
}
