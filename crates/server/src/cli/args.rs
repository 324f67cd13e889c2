//! What the program can be told to do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cli::process::Process;
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

/// What answers requests.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Works on the stages of jobs as well [default: where ffmpeg is found and the database is
    /// SQLite]
    #[arg(
        long,
        env = "LECTERN_WITH_WORKER",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true",
    )]
    pub with_worker: Option<bool>,

    /// How it works on them.
    #[command(flatten)]
    pub worker: WorkerSettings,
}

/// What is to be cleared away.
#[derive(Debug, Clone, Copy, Args)]
pub struct Gc {
    /// Only tells which objects it would remove
    #[arg(long)]
    pub dry_run: bool,
    /// Leaves alone what is younger than this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub older_than: u32,
}

/// What is to be done with the tables.
#[derive(Debug, Clone, Subcommand)]
pub enum Migrate {
    /// Applies all pending migrations
    Up,
    /// Reverts the last migrations
    Down {
        /// How many
        #[arg(default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        n: u32,
    },
    /// Reverts the last migration and applies it again
    Redo,
    /// Lists all migrations and tells which are applied
    Status,
    /// Compares the live tables with those this program expects; exits with 1 if they differ
    Check,
    /// Makes the folders of a new migration, one per database
    New {
        /// What it does, such as `add_clips_rating`
        #[arg(value_parser = crate::cli::migrate::name)]
        name: String,
        /// Where the folders `postgres` and `sqlite` are
        #[arg(long, default_value = "migrations")]
        dir: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
