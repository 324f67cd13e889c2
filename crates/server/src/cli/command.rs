//! The command line: its commands, with the settings they share.

use clap::{Args, Parser, Subcommand};

use crate::cli::backup::{Backup, Restore};
use crate::cli::completions::Completions;
use crate::cli::gc::Gc;
use crate::cli::import::Import;
use crate::cli::jobs::Jobs;
use crate::cli::keys::Keys;
use crate::cli::man::Man;
use crate::cli::migrate::Migrate;
use crate::cli::process::Process;
use crate::cli::serve::Serve;
use crate::cli::work::Work;
use crate::config::Settings;

/// Backend of record for turning recordings into clips.
///
/// Settings are read from flags, environment variables and the file .env in the
/// data directory, in this order of precedence.
#[derive(Debug, Parser)]
#[command(
    name = "lectern",
    version,
    about,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// The command; `serve` by default.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Settings of all commands.
    #[command(flatten)]
    pub settings: Settings,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Applies pending migrations and serves requests [the default]
    Serve(Serve),
    /// Runs the stages of jobs as a worker
    Work(Work),
    /// Lists, shows, watches, cancels, retries or deletes jobs of a server
    Jobs(Jobs),
    /// Turns a recording into clips
    Process(Process),
    /// Makes, lists, revokes and rotates the keys that callers need
    #[command(subcommand)]
    Keys(Keys),
    /// Migrates or checks the tables of the database
    #[command(subcommand)]
    Migrate(Migrate),
    /// Copies the SQLite database to a file, while servers run
    Backup(Backup),
    /// Replaces the SQLite database by a backup
    Restore(Restore),
    /// Moves objects that no job needs to the trash, and empties it
    Gc(Gc),
    /// Imports the jobs of a database that SQLAlchemy models made
    Import(Import),
    /// Prints the completions of a shell
    Completions(Completions),
    /// Prints the manual page, or writes the pages of all commands to a directory
    Man(Man),
    /// Prints the help of a command, or the settings of a topic
    Help(Help),
}

/// Arguments of `lectern help`.
#[derive(Debug, Clone, Args)]
pub struct Help {
    /// A topic of `lectern --help`, `settings` for all topics, or a command
    #[arg(value_name = "TOPIC")]
    pub words: Vec<String>,
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
            cli.settings.server_config().http_threads
        };
        assert_eq!(threads(&[]), None);
        assert_eq!(threads(&["--http-threads=2"]), Some(2));
        assert_eq!(threads(&["--workers=3"]), Some(3));
        assert_eq!(threads(&["--workers=3", "--http-threads=2"]), Some(2));
    }
}
