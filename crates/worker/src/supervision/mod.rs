//! Threads that supervise a running stage: one renews its lease, one ends it at its
//! deadline.

mod deadline;
mod heartbeat;

pub(crate) use self::deadline::StageDeadline;
pub use self::deadline::StageTimeLimit;
pub(crate) use self::heartbeat::LeaseHeartbeat;
