//! Workers that hold leases, and what they hold.

use chrono::{DateTime, Utc};

use crate::id::JobId;
use crate::stage::Stage;
use crate::value::{Page, PageLimit, Percent, WorkerName};

/// A worker that holds leases now.
///
/// A worker is known by its name: programs that use the same one are one worker.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveWorker {
    /// Its name.
    pub worker: WorkerName,
    /// The number of its leases.
    pub lease_count: i64,
    /// Its leases, the oldest attempt first; at most [`ActiveWorker::MAX_LEASES`].
    pub leases: Vec<HeldLease>,
}

impl ActiveWorker {
    /// The greatest number of leases that are listed for one worker.
    pub const MAX_LEASES: i64 = 100;

    /// When it last claimed a run or sent a heartbeat, as its listed leases show.
    pub fn last_seen_at(&self) -> Option<DateTime<Utc>> {
        self.leases.iter().map(|lease| lease.last_seen_at).max()
    }

    /// The stages of its listed leases, in the order of the default pipeline.
    pub fn stages(&self) -> Vec<Stage> {
        let holds = |stage: &&Stage| self.leases.iter().any(|lease| lease.stage == **stage);
        Stage::WORK.iter().filter(holds).copied().collect()
    }
}

/// A lease of a worker. The id of the lease is left out, because whoever knows it can write
/// under the lease.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldLease {
    /// The job of the run.
    pub job_id: JobId,
    /// The stage of the run.
    pub stage: Stage,
    /// Which attempt this is, counted from 1.
    pub attempt: i32,
    /// How often the stage may be attempted.
    pub max_attempts: i32,
    /// How much of the stage is done.
    pub percent: Percent,
    /// When the run was claimed.
    pub claimed_at: DateTime<Utc>,
    /// When the worker claimed the run or last extended the lease, or earlier: the end of the
    /// allowed time of an attempt shortens its last lease.
    pub last_seen_at: DateTime<Utc>,
    /// When the lease expires unless it is extended.
    pub expires_at: DateTime<Utc>,
}

/// A request for a page of the workers, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkerPageRequest {
    /// The greatest number of workers.
    pub limit: PageLimit,
    /// The last worker of the previous page; `None` for the first page.
    pub after: Option<WorkerName>,
}

/// A page of the workers.
pub type WorkerPage = Page<ActiveWorker, WorkerName>;
