//! Access to the database from asynchronous code.

pub(crate) mod admission;
mod api_keys;
mod batched;
pub(crate) mod caller_database;
pub(crate) mod failure_log;
pub(crate) mod handle;
pub(crate) mod pages;
mod per_job_queues;
pub(crate) mod sessions;
pub(crate) mod stored_sets;
