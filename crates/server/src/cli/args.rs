//! What the program can be told to do.

use clap::{Parser, Subcommand};

use crate::cli::gc::Gc;
use crate::cli::migrate::Migrate;
use crate::cli::process::Process;
use crate::cli::serve::Serve;
use crate::config::{Settings, WorkerSettings};

/// The backend of record for turning recordings into clips.
///
/// Every setting is a flag, or else a variable of the environment, or else a
/// line of the file .env in the working directory.
#[derive(Debug, Parser)]
#[command(name = "lectern", version, about, max_term_width = 100)]
pub struct Cli {
    /// What is to be done; `lectern` serves when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How it is to be done.
    #[command(flatten)]
    pub settings: Settings,
}

/// What is to be done.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Applies pending migrations and answers requests [the default]
    Serve(Serve),
    /// Works on the stages of jobs
    Work(WorkerSettings),
    /// Makes clips of a recording
    Process(Process),
    /// Changes, shows or checks the tables of the database
    #[command(subcommand)]
    Migrate(Migrate),
    /// Removes objects whose job is gone, and what is left of broken uploads
    Gc(Gc),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn http_threads_can_be_set_by_their_former_name() {
        let threads = |arguments: &[&str]| {
            let arguments = [&["lectern", "serve"], arguments].concat();
            let cli = Cli::try_parse_from(arguments).unwrap();
            cli.settings.server().http_threads
        };
        assert_eq!(threads(&[]), None);
        assert_eq!(threads(&["--http-threads=2"]), Some(2));
        assert_eq!(threads(&["--workers=3"]), Some(3));
        assert_eq!(threads(&["--workers=3", "--http-threads=2"]), Some(2));
    }
}
