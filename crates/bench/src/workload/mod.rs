//! What is measured, one file per kind of load.

mod claims;
mod cold_start;
mod growth;
mod http;
mod observe;
mod queue_peer;
mod requests;
mod watchers;

pub(crate) use claims::{claims, ready_runs_for, workers};
pub(crate) use cold_start::{lectern as lectern_cold_start, peer as peer_cold_start};
pub(crate) use growth::growth;
pub(crate) use http::{HTTP, PUT_CONNECTIONS, RELAXED, http};
pub(crate) use queue_peer::queue_peer;
pub(crate) use watchers::watchers;
