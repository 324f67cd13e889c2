//! The server as a whole: what it is built of, how it starts, runs and stops.

pub(crate) mod config;
mod maintenance;
pub mod open_files;
pub(crate) mod server;
pub(crate) mod service;
mod tcp;
