//! The queue of claims that wait for work.

pub(crate) mod stage_poller;
pub(crate) mod waiting_claims;
