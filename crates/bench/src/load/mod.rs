//! Clients that load a server: keep-alive HTTP/1.1 connections on one thread, because
//! they share the processors with what they measure.

mod closed_loop;
mod connection;
mod samples;

pub(crate) use closed_loop::{Load, Measured, Next};
pub(crate) use connection::{Connection, find, request};
pub(crate) use samples::{Latencies, median};
