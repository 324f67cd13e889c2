//! The results of a job.

use crate::clip::Clip;
use crate::job::Job;
use crate::layout_analysis::LayoutAnalysis;
use crate::stage_note::NoteOfStage;
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
    /// The notes of the stages, in the order of the pipeline.
    pub notes: Vec<NoteOfStage>,
}

impl JobResults {
    /// Seconds from the creation of the job to its completion.
    pub fn processing_duration_seconds(&self) -> Option<f64> {
        let took = self.job.completed_at? - self.job.created_at;
        // An f64 holds the microseconds of 285 years exactly.
        took.num_microseconds().map(|micros| micros as f64 / 1e6)
    }
}
