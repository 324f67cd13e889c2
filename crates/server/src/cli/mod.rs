//! The command line: one file per command, signals, and what a process sets up first.

pub mod backup;
pub mod command;
pub mod completions;
pub mod gc;
pub mod help;
pub mod import;
pub mod jobs;
pub mod keys;
pub mod man;
pub mod migrate;
mod open;
pub mod process;
pub mod serve;
mod server_address;
mod signals;
mod stage_progress;
pub mod startup;
mod stdout;
mod text;
pub mod work;
