//! Client connections: how many there may be, and which are closed to make room.
//!
//! A connection without a request in flight costs a file descriptor and gives nothing.
//! At the limit, each new connection therefore closes the one that has been idle
//! longest; clients of HTTP expect that and connect again. Only when every connection
//! has a request in flight is a new one refused, with a 503.

mod client_stream;
mod connection;
mod idle;
mod limits;
mod registry;
mod state;

pub(crate) use client_stream::ClientStream;
pub(crate) use connection::{Connection, RequestGuard};
pub use limits::ConnectionLimits;
pub(crate) use registry::{Connections, MAX_REFUSED};
pub(crate) use state::Refusal;
