//! Shares what is scarce between callers, so that one of them cannot keep others from it.
//!
//! A [`CallerShare`] names whose request the current task handles. Where requests wait, such as
//! for a database connection or for memory, a [`FairSemaphore`] lets callers take turns. What is
//! held for long, such as the slot of a watcher, a caller loses to another one that has less, if
//! none is left ([`FairSlots`]).

mod caller_share;
mod fair_semaphore;
mod fair_slots;

pub(crate) use caller_share::CallerShare;
pub(crate) use fair_semaphore::{FairPermit, FairSemaphore};
pub(crate) use fair_slots::{FairSlot, FairSlots, NoSlot};
