//! The run of a stage: what has become of one stage of one job.

use chrono::{DateTime, Utc};

use crate::value::string_enum::string_enum;
use crate::{JobId, LeaseDuration, LeaseId, LongText, Progress, Stage, StageRunId, WorkerName};

string_enum! {
    /// Where the run of a stage stands.
    StageRunStatus {
        /// What it waits for is not completed yet.
        Waiting = "waiting",
        /// A worker can claim it.
        Ready = "ready",
        /// A worker is on it.
        Running = "running",
        /// Done.
        Completed = "completed",
        /// Given up after the last attempt.
        Failed = "failed",
        /// Called off with its job.
        Cancelled = "cancelled",
        /// The job was completed without it.
        Skipped = "skipped",
    }
}

impl StageRunStatus {
    /// Whether something is still to be done.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Ready | Self::Running)
    }
}

/// The right of one worker to one attempt at a stage, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// What the worker shows to prove it.
    pub lease_id: LeaseId,
    /// When it ends unless a heartbeat extends it.
    pub expires_at: DateTime<Utc>,
    /// By how much a heartbeat extends it.
    pub duration: LeaseDuration,
}

/// The run of a stage as it is stored; there is one per stage of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRun {
    /// Public id.
    pub run_id: StageRunId,
    /// The job.
    pub job_id: JobId,
    /// The stage.
    pub stage: Stage,
    /// Where it stands.
    pub status: StageRunStatus,
    /// What has to be completed before it.
    pub waits_for: Vec<Stage>,
    /// Which attempt this is, from 1; 0 before the first.
    pub attempt: i32,
    /// How many attempts there are at most.
    pub max_attempts: i32,
    /// Who is or was on it last.
    pub worker: Option<WorkerName>,
    /// The last lease: live while the run is running and the time has not come.
    /// A run that is only reported on has none.
    pub lease: Option<Lease>,
    /// After a failed attempt: when it may be claimed at the earliest.
    pub available_at: Option<DateTime<Utc>>,
    /// How much of the stage is done.
    pub progress: Progress,
    /// What went wrong last.
    pub error: Option<LongText>,
    /// When the last attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, one way or the other.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl StageRun {
    /// Attempts a stage gets.
    pub const MAX_ATTEMPTS: i32 = 3;

    /// The lease, if a worker has it right now.
    pub fn live_lease(&self, now: DateTime<Utc>) -> Option<LeaseId> {
        let lease = self.lease.filter(|lease| lease.expires_at > now)?;
        (self.status == StageRunStatus::Running).then_some(lease.lease_id)
    }

    /// Whether it waits and no longer has to, given all runs of its job.
    pub fn can_begin(&self, all: &[Self]) -> bool {
        let is_done = |stage: &Stage| {
            all.iter()
                .any(|run| run.stage == *stage && run.status == StageRunStatus::Completed)
        };
        self.status == StageRunStatus::Waiting && self.waits_for.iter().all(is_done)
    }
}
