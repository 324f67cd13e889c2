//! `lectern man`: manual pages.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Command};

use crate::cli::stdout::print;

/// Arguments of `lectern man`.
#[derive(Debug, Clone, Args)]
pub struct Man {
    /// Directory for the pages of all commands; created when it is missing
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Man {
    /// Writes the pages of `command` and its subcommands to the directory, or prints the
    /// page of `command`.
    ///
    /// # Errors
    ///
    /// When a page cannot be written.
    pub fn write(&self, command: Command) -> anyhow::Result<()> {
        let Some(dir) = &self.dir else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            return print(&page);
        };
        let cannot_write = || format!("cannot write manual pages to {}", dir.display());
        fs::create_dir_all(dir).with_context(cannot_write)?;
        clap_mangen::generate_to(command, dir).with_context(cannot_write)
    }
}
