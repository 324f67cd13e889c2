//! Stage runs: the state of each stage of a job.

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::{JobId, LeaseId, StageRunId};
use crate::job::Progress;
use crate::lease::{Lease, LeaseDuration};
use crate::retry_delay::Backoff;
use crate::stage::Stage;
use crate::stage_note::StageNotes;
use crate::value::string_enum::string_enum;
use crate::value::{AttemptTimeout, LongText, WorkerName};

string_enum! {
    /// Status of a stage run.
    StageRunStatus {
        /// A stage that the run depends on is not completed yet.
        Waiting = "waiting",
        /// A worker can claim it.
        Ready = "ready",
        /// A worker is processing it.
        Running = "running",
        /// Done.
        Completed = "completed",
        /// The last attempt failed.
        Failed = "failed",
        /// Cancelled with its job.
        Cancelled = "cancelled",
        /// The job was completed without this stage.
        Skipped = "skipped",
    }
}

impl StageRunStatus {
    /// Whether the run has not ended yet.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Ready | Self::Running)
    }

    /// Whether the output of the stage is there, or is not needed. Such a stage is not run
    /// again by a retry.
    pub fn needs_no_attempt(self) -> bool {
        matches!(self, Self::Completed | Self::Skipped)
    }
}

/// The stages that are run again from `first`: this stage and those that depend on it,
/// directly or through others. `dependencies` has each stage of the job with the stages that
/// it waits for. `None`: the job has no such stage.
///
/// ```
/// use lectern_domain::Stage::{Compilation, Segmentation, Transcription};
/// use lectern_domain::stages_from;
///
/// let dependencies = [
///     (Transcription, &[][..]),
///     (Segmentation, &[Transcription]),
///     (Compilation, &[Segmentation]),
/// ];
/// assert_eq!(stages_from(Segmentation, &dependencies), Some(vec![Segmentation, Compilation]));
/// ```
pub fn stages_from(first: Stage, dependencies: &[(Stage, &[Stage])]) -> Option<Vec<Stage>> {
    let mut stages: Vec<Stage> = Vec::new();
    loop {
        let is_next = |(stage, waits_for): &&(Stage, &[Stage])| {
            let depends = waits_for.iter().any(|other| stages.contains(other));
            !stages.contains(stage) && (*stage == first || depends)
        };
        let Some((next, _)) = dependencies.iter().find(is_next) else {
            return stages.contains(&first).then_some(stages);
        };
        stages.push(*next);
    }
}

/// A stored stage run; a job has one per stage of its pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRun {
    /// Public id.
    pub run_id: StageRunId,
    /// The job of the stage.
    pub job_id: JobId,
    /// Unique among the runs of a job.
    pub stage: Stage,
    /// See [`StageRunStatus`].
    pub status: StageRunStatus,
    /// The stages that must be completed before this stage is ready.
    pub waits_for: Vec<Stage>,
    /// Number of the current attempt, from 1; 0 before the first attempt.
    pub attempt: i32,
    /// The greatest number of attempts.
    pub max_attempts: i32,
    /// How long one attempt may last; `None`: as long as its lease is extended.
    pub timeout: Option<AttemptTimeout>,
    /// The pauses between failed attempts.
    pub backoff: Backoff,
    /// The worker of the current or the last attempt.
    pub worker: Option<WorkerName>,
    /// The last lease, which may have ended: see [`StageRun::live_lease`]. `None`
    /// before the first claim, and when progress was reported without a lease.
    pub lease: Option<Lease>,
    /// After a failed attempt, the earliest time of the next claim.
    pub available_at: Option<DateTime<Utc>>,
    /// How much of the stage is done.
    pub progress: Progress,
    /// Error of the last failed attempt.
    pub error: Option<LongText>,
    /// Notes of the completed attempt.
    pub notes: StageNotes,
    /// Start of the current or the last attempt.
    pub started_at: Option<DateTime<Utc>>,
    /// End of the last attempt, whatever its outcome.
    pub finished_at: Option<DateTime<Utc>>,
    /// When the run was created.
    pub created_at: DateTime<Utc>,
}

impl StageRun {
    /// Default of [`StageRun::max_attempts`].
    pub const MAX_ATTEMPTS: i32 = 3;

    /// The end of the current attempt at the latest, if it has a timeout. No lease lasts
    /// longer.
    pub fn times_out_at(&self) -> Option<DateTime<Utc>> {
        let timeout = TimeDelta::seconds(self.timeout?.get().into());
        Some(self.started_at? + timeout)
    }

    /// When a lease expires that is granted or extended at `now`. Not after `now` if the
    /// attempt has timed out.
    pub fn new_expiry(&self, lease: LeaseDuration, now: DateTime<Utc>) -> DateTime<Utc> {
        let expiry = now + TimeDelta::seconds(lease.seconds().into());
        self.times_out_at().map_or(expiry, |end| end.min(expiry))
    }

    /// The lease, if the run is running and the lease has not expired at `now`.
    pub fn live_lease(&self, now: DateTime<Utc>) -> Option<LeaseId> {
        let lease = self.lease.filter(|lease| lease.expires_at > now)?;
        (self.status == StageRunStatus::Running).then_some(lease.lease_id)
    }

    /// Whether the run is waiting although all stages that it waits for are completed or
    /// skipped. `all` are all runs of the job.
    pub fn can_start(&self, all: &[Self]) -> bool {
        let is_done = |stage: &Stage| {
            all.iter()
                .any(|run| run.stage == *stage && run.status.needs_no_attempt())
        };
        self.status == StageRunStatus::Waiting && self.waits_for.iter().all(is_done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pipeline;

    #[test]
    fn a_rerun_includes_all_dependents() {
        use Stage::{Compilation, ContentAnalysis, LayoutAnalysis, Segmentation};

        let default = Pipeline::default();
        let steps = default.steps().iter();
        let dependencies: Vec<_> = steps.map(|step| (step.stage, &step.after[..])).collect();
        let from = |first| stages_from(first, &dependencies);
        assert_eq!(from(Compilation), Some(vec![Compilation]));
        assert_eq!(
            from(LayoutAnalysis),
            Some(vec![
                LayoutAnalysis,
                ContentAnalysis,
                Segmentation,
                Compilation
            ])
        );
        assert_eq!(from(Stage::Uploading), None);
    }
}
