//! Work on the stages of jobs: claims, leases and attempts.

mod attempt;
mod batched;
mod claim;
mod completion;
mod expiry;
mod failure;
mod heartbeat;
mod lease_guard;
mod locked_jobs;
mod progress_reports;
mod release;
mod stage_results;
mod unreadable_jobs;

use crate::connection::Tx;

/// The operations of workers: `tx.work()`.
///
/// Leases expire by the database's clock, which all servers share.
#[derive(Debug)]
pub struct Work<'c>(pub(crate) Tx<'c>);

impl Tx<'_> {
    /// The operations of workers on stage runs.
    pub fn work(&mut self) -> Work<'_> {
        Work(self.reborrow())
    }
}
