//! The context that all repositories share within one closure of `Database`.

mod lease_renewal;
mod retention_clock;
mod unreadable_rows;

use std::cell::{Cell, RefCell};

use lectern_domain::{Actor, Clock, JobEvent, JobId, JobQuota, OwnerName, Pipelines, Stage};

use super::url::Backend;

pub(super) use self::lease_renewal::LeaseRenewal;
pub(super) use self::retention_clock::RetentionClock;
pub(super) use self::unreadable_rows::UnreadableRows;

/// The changes of a committed transaction that subscribers wait for; see
/// [`crate::Database::on_commit`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Committed {
    /// The recorded events; those of one job are in the order of their numbers.
    pub events: Vec<JobEvent>,
    /// Stages with a run that became claimable.
    pub ready: Vec<Stage>,
    /// Jobs that were deleted.
    pub deleted: Vec<JobId>,
}

impl Committed {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.ready.is_empty() && self.deleted.is_empty()
    }
}

/// Bytes of the largest value after which a connection to PostgreSQL is still reused:
/// libpq keeps its buffers as large as the largest value that it has transferred.
const MAX_VALUE: usize = 1 << 20;

/// The context of one closure.
pub(crate) struct TransactionContext<'c> {
    pub(crate) clock: &'c dyn Clock,
    /// The database that the closure works on.
    pub(crate) backend: Backend,
    /// The only owner whose jobs the closure finds and creates; `None`: it finds all, and
    /// creates jobs without an owner. The condition for queries is in `sql/owned.rs`.
    pub(crate) owner: Option<&'c OwnerName>,
    /// Whether row-level security applies to the statements of the closure, which excludes
    /// `COPY`.
    pub(crate) is_fenced: bool,
    /// Number of the transaction, unique in this process.
    pub(crate) transaction: u64,
    /// Whether `clock` was set by [`crate::Database::with_clock`].
    pub(crate) has_custom_clock: bool,
    pub(crate) pipelines: &'c Pipelines,
    pub(crate) job_quota: JobQuota,
    pub(crate) unreadable: &'c UnreadableRows,
    pub(crate) retention_clock: &'c RetentionClock,
    pub(crate) lease_renewal: &'c LeaseRenewal,
    /// The [`LeaseRenewal`] request for which this transaction has renewed all leases.
    pub(crate) renewed_leases: Cell<Option<u64>>,
    /// Whether a value of more than [`MAX_VALUE`] was transferred.
    pub(crate) has_large_value: Cell<bool>,
    /// Who makes the changes; `None`: they are not recorded in the audit.
    pub(crate) actor: Option<&'c Actor>,
    /// Published once the transaction is committed.
    pub(crate) committed: RefCell<Committed>,
}

impl TransactionContext<'_> {
    /// Adds changes that are published after the commit.
    pub(crate) fn publish(&self, add: impl FnOnce(&mut Committed)) {
        add(&mut self.committed.borrow_mut());
    }

    /// Records that a value of this size was sent to or received from the database; see
    /// [`MAX_VALUE`].
    pub(crate) fn record_value_size(&self, bytes: usize) {
        if bytes > MAX_VALUE {
            self.has_large_value.set(true);
        }
    }
}
