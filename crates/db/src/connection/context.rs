//! What is shared by all repositories within one closure of `Database`.

use std::cell::RefCell;

use super::unreadable::UnreadableRows;
use lectern_domain::{Clock, JobEvent, JobId, Pipelines, Stage};

/// What a transaction has done that others wait to hear of; see
/// [`crate::Database::on_commit`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Committed {
    /// What happened to jobs; of one job in the order it happened.
    pub events: Vec<JobEvent>,
    /// Stages of which a run became ready to be claimed.
    pub ready: Vec<Stage>,
    /// Jobs that are no more.
    pub deleted: Vec<JobId>,
}

impl Committed {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.ready.is_empty() && self.deleted.is_empty()
    }
}

/// The surroundings of a closure.
pub(crate) struct TransactionContext<'c> {
    pub(crate) clock: &'c dyn Clock,
    /// Unique in this process.
    pub(crate) transaction: u64,
    /// Whether the clock was brought by the caller.
    pub(crate) own_clock: bool,
    pub(crate) pipelines: &'c Pipelines,
    pub(crate) unreadable: &'c UnreadableRows,
    /// What is to be told once the transaction is committed.
    pub(crate) committed: RefCell<Committed>,
}

impl TransactionContext<'_> {
    /// Notes something to be told after the commit.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Committed)) {
        note(&mut self.committed.borrow_mut());
    }
}
