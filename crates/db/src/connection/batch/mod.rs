//! Executes operations that were requested at the same time together.
//!
//! Most of the cost of a small query is the round trip to the database and the change
//! between threads. So a few threads per kind of operation take everything that has
//! gathered since they last looked, and execute it with one statement, or in one
//! transaction. There is no timer: alone, an operation is executed at once.

mod batcher;
mod execute;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use lectern_domain::{
    Claim, ClaimRequest, Heartbeat, Job, JobId, LeaseId, LeaseState, NewJob, OwnerName,
    ProgressReport, StageNotes, StageRun,
};
use uuid::Uuid;

use self::batcher::Batcher;
use super::url::Backend;
use crate::error::{Error, Outage};

/// The outcome of each operation of a batch, in their order. An error means that none of
/// them was executed.
pub(crate) type Outcomes<T> = Result<Vec<Outcome<T>>, Error>;

/// The outcome of one operation of a batch.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Executed(Result<T, Error>),
    /// It has to be executed alone: another transaction has locked its job, for which the
    /// other operations must not wait, or its job is so large that a batch of such jobs
    /// would need too much memory.
    NotTogether,
    /// It has to be executed in a later batch. Each batch executes at least one operation.
    Later,
}

/// How operations are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In a batch: some may be [`Outcome::NotTogether`].
    Together,
    /// One operation, which waits for locks.
    Alone,
}

/// Executes operations.
pub(crate) type Execute<Op, T> = Arc<dyn Fn(&[Op], Mode) -> Outcomes<T> + Send + Sync>;

/// Receives the result of an operation, on the thread that executed it.
pub(crate) type Reply<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;

/// The operations of one database that are executed together.
pub(crate) struct Batchers {
    pub(crate) claims: Batcher<OfOwner<QueuedClaim>, Vec<Claim>>,
    pub(crate) finds: Batcher<OfOwner<JobId>, Option<Job>>,
    pub(crate) creations: Batcher<OfOwner<NewJob>, Job>,
    /// Two reports on a job are always in the same one, so that none of these waits for a
    /// job that another has locked.
    reports: Vec<Batcher<OfOwner<LeasedReport>, Job>>,
    pub(crate) heartbeats: Batcher<OfOwner<(LeaseId, Heartbeat)>, LeaseState>,
    pub(crate) completions: Batcher<OfOwner<(LeaseId, StageNotes)>, (Job, StageRun)>,
}

/// An operation with the owner whose jobs it finds; see [`super::Database::as_owner`].
pub(crate) struct OfOwner<Op> {
    pub(crate) owner: Option<Arc<OwnerName>>,
    pub(crate) op: Op,
}

/// A claim whose caller may give up before it is executed.
pub(crate) struct QueuedClaim {
    pub(crate) request: ClaimRequest,
    /// Whether the caller still waits for the result.
    pub(crate) is_wanted: Box<dyn Fn() -> bool + Send + Sync>,
}

/// A report of progress under a lease, if any.
pub(crate) struct LeasedReport {
    pub(crate) job_id: JobId,
    pub(crate) lease_id: Option<LeaseId>,
    pub(crate) report: ProgressReport,
}

impl Batchers {
    pub(crate) fn new(backend: Backend) -> Arc<Self> {
        // SQLite has one writer at a time.
        let writers = match backend {
            Backend::Sqlite => 1,
            Backend::Postgres => 2,
        };
        Arc::new(Self {
            // Two threads would pick the same runs, of which only one gets each.
            claims: Batcher::new(1, |_| Uuid::nil()),
            finds: Batcher::new(2, |find| find.op.as_uuid()),
            // A creation locks nothing.
            creations: Batcher::new(writers, |_| Uuid::nil()),
            reports: (0..writers)
                .map(|_| {
                    Batcher::new(1, |report: &OfOwner<LeasedReport>| {
                        report.op.job_id.as_uuid()
                    })
                })
                .collect(),
            // Two threads would find jobs locked by each other.
            heartbeats: Batcher::new(1, |heartbeat| heartbeat.op.0.as_uuid()),
            completions: Batcher::new(1, |completion| completion.op.0.as_uuid()),
        })
    }

    /// The batcher of the reports on a job.
    pub(crate) fn reports(&self, job_id: JobId) -> &Batcher<OfOwner<LeasedReport>, Job> {
        // The last byte of a UUID of version 7 is random.
        let [.., random] = job_id.as_uuid().into_bytes();
        &self.reports[usize::from(random) % self.reports.len()]
    }

    /// See [`Batcher::replace_threads`].
    pub(crate) fn replace_threads(&self) {
        self.claims.replace_threads();
        self.finds.replace_threads();
        self.creations.replace_threads();
        for reports in &self.reports {
            reports.replace_threads();
        }
        self.heartbeats.replace_threads();
        self.completions.replace_threads();
    }
}

/// The outcomes of operations that were all executed together.
pub(crate) fn executed<T>(results: impl IntoIterator<Item = Result<T, Error>>) -> Vec<Outcome<T>> {
    results.into_iter().map(Outcome::Executed).collect()
}

/// Submits an operation and waits for its result.
pub(crate) fn wait<T>(submit: impl FnOnce(Reply<T>)) -> Result<T, Error>
where
    T: Send + 'static,
{
    let (sender, receiver) = sync_channel(1);
    // Does not block: the channel has capacity 1.
    submit(Box::new(move |result| drop(sender.send(result))));
    receiver.recv().unwrap_or_else(|_| Err(interrupted()))
}

/// The error of an operation whose reply was dropped.
pub(crate) fn interrupted() -> Error {
    Error::Unavailable {
        doing: "the operation was interrupted".to_owned(),
        outage: Outage::Commit,
        source: "the thread that executed it ended".into(),
    }
}
