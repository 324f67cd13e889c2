//! What is measured: Lectern, the stack it replaces, and their databases.

mod cluster;
mod fill;
mod lectern;
mod peer;
mod server;

pub(crate) use cluster::Cluster;
pub(crate) use fill::{Database, Dialect};
pub(crate) use lectern::{Lectern, workspace};
pub(crate) use peer::{Peers, WORKERS};
pub(crate) use server::{Server, System};
