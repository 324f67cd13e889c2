//! Access to the database from asynchronous code.

pub(crate) mod admission;
mod batched;
pub(crate) mod failure_log;
pub(crate) mod handle;
mod job_queue;
pub(crate) mod pages;
