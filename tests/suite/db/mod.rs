//! The database crate through its public interface, on both databases.

mod backup;
mod connection;
mod constraints;
mod events;
mod import;
mod migrations;
mod repositories;
mod support;
mod work;
