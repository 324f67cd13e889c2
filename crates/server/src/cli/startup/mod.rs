//! What a process sets up first: its allocator and its log.

pub mod allocator;
pub mod logging;
