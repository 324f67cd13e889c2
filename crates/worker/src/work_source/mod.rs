//! What a worker takes from the service that has the jobs: stages, and what earlier stages have
//! stored.

mod database;
mod error;

use std::sync::Arc;

use lectern_domain::{
    Backoff, Claim, ClaimRequest, Clip, ContentSegment, Heartbeat, Job, JobId, LayoutAnalysis,
    LeaseId, SilenceRegion, Stage, StageFailure, StageNotes, TranscriptSegment, TranscriptSource,
};
use lectern_media::CancellationToken;

pub use self::database::DatabaseWork;
pub use self::error::WorkError;
use crate::job_objects::JobObjects;
use crate::stage_output::OutputRows;

/// The service whose stages a worker runs: a [database](DatabaseWork), or a server.
pub trait WorkSource: Send + Sync {
    /// Claims stages, of one job if it is given. May wait for stages, until `cancellation`;
    /// returns nothing if none is ready.
    fn claim(
        &self,
        request: &ClaimRequest,
        only_job: Option<JobId>,
        cancellation: &CancellationToken,
    ) -> Result<Vec<ClaimedStage>, WorkError>;

    /// Extends a lease and reports progress. Returns whether the job was cancelled.
    fn heartbeat(&self, lease_id: LeaseId, heartbeat: &Heartbeat) -> Result<bool, WorkError>;

    /// Completes a stage and stores its output. Either both happen, or the stage is not
    /// completed.
    fn complete(
        &self,
        claim: &ClaimedStage,
        rows: &OutputRows,
        notes: &StageNotes,
    ) -> Result<(), WorkError>;

    /// Reports that the attempt has failed.
    fn fail(&self, lease_id: LeaseId, failure: &StageFailure) -> Result<(), WorkError>;

    /// Gives a stage back: another worker can claim it at once.
    fn release(&self, lease_id: LeaseId) -> Result<(), WorkError>;

    /// Reads what is stored of a claimed stage's job, of these kinds.
    fn stored(
        &self,
        claim: &ClaimedStage,
        kinds: &[OutputKind],
    ) -> Result<StoredOutputs, WorkError>;

    /// The objects of a claimed stage's job.
    fn objects(&self, claim: &ClaimedStage) -> Arc<dyn JobObjects>;
}

/// A stage that was leased to the worker.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedStage {
    /// The job, as it was when the stage was claimed.
    pub job: Job,
    /// The stage to run.
    pub stage: Stage,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// The number of attempts after which the job fails.
    pub max_attempts: i32,
    /// The pauses between attempts.
    pub backoff: Backoff,
    /// The id of the lease.
    pub lease_id: LeaseId,
}

impl From<Claim> for ClaimedStage {
    fn from(claim: Claim) -> Self {
        Self {
            job: claim.job,
            stage: claim.run.stage,
            attempt: claim.run.attempt,
            max_attempts: claim.run.max_attempts,
            backoff: claim.run.backoff,
            lease_id: claim.lease_id,
        }
    }
}

/// A kind of what stages store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputKind {
    /// Who made the transcript.
    TranscriptSource,
    /// The transcript.
    Transcript,
    /// Silences.
    SilenceRegions,
    /// The analysis of the picture.
    LayoutAnalysis,
    /// Topics.
    ContentSegments,
    /// Clips.
    Clips,
}

/// What is stored of a job. Kinds that were not asked for are empty.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct StoredOutputs {
    /// Who made the transcript.
    pub transcript_source: Option<TranscriptSource>,
    /// The transcript.
    pub transcript: Vec<TranscriptSegment>,
    /// Silences.
    pub silence_regions: Vec<SilenceRegion>,
    /// The analysis of the picture.
    pub layout_analysis: Option<LayoutAnalysis>,
    /// Topics.
    pub content_segments: Vec<ContentSegment>,
    /// Clips.
    pub clips: Vec<Clip>,
}
