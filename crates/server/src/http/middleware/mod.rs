//! Middleware around every handler.

pub(crate) mod access_log;
pub(crate) mod compress;
pub(crate) mod cors;
pub(crate) mod excess_connections;
pub(crate) mod foreign_requests;
