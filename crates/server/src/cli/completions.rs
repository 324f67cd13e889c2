//! `lectern completions`: completions of a shell.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::stdout::print;

/// Arguments of `lectern completions`.
#[derive(Debug, Clone, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

impl Completions {
    /// Prints a script that completes the arguments of `command`.
    ///
    /// # Errors
    ///
    /// When the standard output cannot be written.
    pub fn print(&self, mut command: Command) -> anyhow::Result<()> {
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        print(&script)
    }
}
