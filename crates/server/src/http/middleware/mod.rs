//! What happens to every request before and after its handler.

pub(crate) mod access_log;
pub(crate) mod compress;
pub(crate) mod cors;
