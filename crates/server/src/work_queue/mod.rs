//! The queue of claims that wait for work.

pub(crate) mod poller;
pub(crate) mod waiting_claims;
