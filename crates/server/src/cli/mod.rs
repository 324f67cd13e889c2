//! The command line: its arguments and one file per command.

pub mod args;
pub mod gc;
pub mod logging;
pub mod migrate;
pub mod process;
pub mod serve;
pub mod work;
