//! The command line: one file per command, signals and logging.

pub mod command;
mod database;
pub mod gc;
pub mod logging;
pub mod migrate;
mod output;
pub mod process;
pub mod serve;
mod signals;
pub mod work;
