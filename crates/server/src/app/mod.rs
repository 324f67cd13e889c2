//! Builds the handles, starts and stops the server, runs its background tasks.

pub(crate) mod config;
mod listener;
mod maintenance;
pub mod open_files;
pub(crate) mod server;
pub(crate) mod service;
mod tcp;
