//! The command line: one file per command, signals, logging and the allocator.

pub mod allocator;
pub mod backup;
pub mod command;
pub mod gc;
pub mod logging;
pub mod migrate;
mod open;
mod output;
pub mod process;
pub mod serve;
mod signals;
pub mod work;
