//! Builds the handles, starts and stops the server, runs its background tasks.

mod expect_continue;
mod maintenance;
pub mod open_files;
pub(crate) mod server;
pub(crate) mod server_config;
pub(crate) mod service;
pub(crate) mod tcp_listener;
