//! What those who watch a job are told.

mod commits;
mod log;
