//! Results and metrics of jobs.

use std::collections::BTreeMap;

use crate::clip::Clip;
use crate::job::{Job, JobStatus};
use crate::layout_analysis::LayoutAnalysis;
use crate::transcript_segment::TranscriptSegment;

/// A job with all of its results.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResults {
    /// The job, completed or not.
    pub job: Job,
    /// By `clip_order`.
    pub clips: Vec<Clip>,
    /// By time.
    pub transcript: Vec<TranscriptSegment>,
    /// `None` when the layout was not analysed.
    pub layout: Option<LayoutAnalysis>,
}

impl JobResults {
    /// Seconds from the creation of the job to its completion.
    pub fn processing_duration_seconds(&self) -> Option<f64> {
        let took = self.job.completed_at? - self.job.created_at;
        // An f64 holds the microseconds of 285 years exactly.
        took.num_microseconds().map(|micros| micros as f64 / 1e6)
    }
}

/// Metrics of all jobs, from one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobMetrics {
    /// The number of jobs by status; every status has an entry.
    pub by_status: BTreeMap<JobStatus, i64>,
    /// Sum of the known sizes of all recordings, in bytes.
    pub bytes_stored: i64,
    /// Jobs created in the last 24 hours.
    pub created_last_24h: i64,
    /// Jobs created in the last 7 days.
    pub created_last_7d: i64,
    /// Jobs created in the last 30 days.
    pub created_last_30d: i64,
}
