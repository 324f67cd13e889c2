//! Work on the stages of jobs: claims, leases, and how attempts end.

mod attempt;
mod claim;
mod lease;

use crate::connection::Tx;

/// What workers do: `tx.work()`.
///
/// Time is the database's clock, so that servers whose clocks differ agree on
/// when a lease ends.
#[derive(Debug)]
pub struct Work<'c>(pub(crate) Tx<'c>);

impl Tx<'_> {
    /// Claims and leases.
    pub fn work(&mut self) -> Work<'_> {
        Work(self.reborrow())
    }
}
