//! Claims that wait for work.

pub(crate) mod waiting_claims;
