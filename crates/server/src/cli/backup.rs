//! `lectern backup` and `lectern restore`, for an SQLite database.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use lectern_db::{Backend, Database, DatabaseUrl};

use crate::cli::open::PrivateFiles;
use crate::cli::stdout::print_line;
use crate::config::Settings;

/// The page about backups with `pg_dump` and `pg_restore`.
const PAGE: &str = "docs/backup.md";

/// Arguments of `lectern backup`.
#[derive(Debug, Clone, Args)]
pub struct Backup {
    /// The new file
    pub file: PathBuf,
}

/// Arguments of `lectern restore`.
#[derive(Debug, Clone, Args)]
pub struct Restore {
    /// A file that `lectern backup` wrote
    pub file: PathBuf,
}

/// Copies the database to a file. Servers may run meanwhile.
///
/// # Errors
///
/// When the database is not an SQLite file, or the copy cannot be written.
pub fn back_up(backup: &Backup, settings: &Settings) -> anyhow::Result<()> {
    let url = settings.database_url()?;
    let database = sqlite_file(&url, "backup", "pg_dump")?;
    std::fs::metadata(database).with_context(|| format!("there is no database {url}"))?;
    let _private = PrivateFiles::begin(&settings.data_dir);
    settings.open_database()?.backup(&backup.file)?;
    print_line(&format!("{} is a backup of {url}", backup.file.display()))
}

/// Replaces the database by a backup, while no server runs.
///
/// # Errors
///
/// When the database is not an SQLite file or in use, or the backup is damaged.
pub fn restore(restore: &Restore, settings: &Settings) -> anyhow::Result<()> {
    let url = settings.database_url()?;
    sqlite_file(&url, "restore", "pg_restore")?;
    let _private = PrivateFiles::begin(&settings.data_dir);
    let replaced = Database::restore(&url, &restore.file)?;
    print_line(&format!(
        "{url} is restored from {}",
        restore.file.display()
    ))?;
    match replaced {
        Some(file) => print_line(&format!("the previous database is {}", file.display())),
        None => Ok(()),
    }
}

/// The file of an SQLite database. The error for a PostgreSQL database names `program`,
/// which does the same as `command`.
fn sqlite_file<'u>(
    url: &'u DatabaseUrl,
    command: &str,
    program: &str,
) -> anyhow::Result<&'u std::path::Path> {
    match url.file() {
        Some(file) => Ok(file),
        None if url.backend() == Backend::Postgres => {
            bail!("`lectern {command}` is for SQLite; use {program} for PostgreSQL, see {PAGE}")
        }
        None => bail!("`lectern {command}` needs a database in a file"),
    }
}
