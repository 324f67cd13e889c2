//! The server as a whole: what it is built of, how it starts, runs and stops.

pub(crate) mod maintenance;
pub mod open_files;
pub(crate) mod server;
pub(crate) mod state;
pub(crate) mod tcp;

pub(crate) use server::ServerConfig;
