//! `lectern migrate`: changes and checks the tables of the database.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use lectern_db::{Backend, Database, MigrationState};
use lectern_domain::{Clock as _, SystemClock};

use crate::cli::open::PrivateFiles;
use crate::cli::stdout::print_line;
use crate::config::Settings;

/// Subcommands of `lectern migrate`.
#[derive(Debug, Clone, Subcommand)]
pub enum Migrate {
    /// Applies all pending migrations
    Up,
    /// Reverts the last migrations
    Down {
        /// Number of migrations
        #[arg(default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        n: u32,
    },
    /// Reverts the last migration and applies it again
    Redo,
    /// Lists all migrations and whether they are applied
    Status,
    /// Compares the tables with the expected schema; exits with 1 if they differ
    Check,
    /// Creates the directories of a new migration, one per database
    New {
        /// Name of the change, such as `add_clips_rating`
        #[arg(value_parser = parse_name)]
        name: String,
        /// Directory that contains `postgres` and `sqlite`
        #[arg(long, default_value = "migrations")]
        dir: PathBuf,
    },
}

/// Runs a subcommand and prints what it did, line by line.
///
/// # Errors
///
/// When it failed, and for [`Migrate::Check`] when the tables differ from the
/// schema.
pub fn run(command: &Migrate, settings: &Settings) -> anyhow::Result<()> {
    if let Migrate::New { name, dir } = command {
        return create_migration(dir, name, SystemClock.now());
    }
    let _private = PrivateFiles::begin(&settings.data_dir);
    let database = settings.open_database()?;
    let migrations = database.migrations();
    match command {
        Migrate::Up => {
            let applied = migrations.up()?;
            database.enable_row_security()?;
            print_done("applied", &applied, "nothing to apply")
        }
        Migrate::Down { n } => print_done(
            "reverted",
            &migrations.down(*n as usize)?,
            "nothing to revert",
        ),
        Migrate::Redo => {
            let redone: Vec<_> = migrations.redo()?.into_iter().collect();
            database.enable_row_security()?;
            print_done("reverted and applied", &redone, "nothing to revert")
        }
        Migrate::Status => migrations.status()?.iter().try_for_each(|migration| {
            let name = &migration.name;
            print_line(&match migration.state {
                MigrationState::Applied => format!("applied  {name}"),
                MigrationState::Pending => format!("pending  {name}"),
                MigrationState::Foreign => {
                    format!("foreign  {name} (of another program or a newer lectern)")
                }
            })
        }),
        Migrate::Check => check(&database),
        Migrate::New { .. } => Ok(()),
    }
}

fn check(database: &Database) -> anyhow::Result<()> {
    let drift = database.drift()?;
    drift
        .iter()
        .try_for_each(|drift| print_line(&drift.to_string()))?;
    match drift.len() {
        0 => print_line("the database has the tables this program expects"),
        n => bail!("the database differs from what this program expects in {n} places"),
    }
}

/// Validates the name of a migration: words of lower-case letters and digits,
/// joined by `_`, beginning with a letter.
///
/// # Errors
///
/// The message describes a valid name.
fn parse_name(text: &str) -> Result<String, String> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let starts_with_letter = text.starts_with(|c: char| c.is_ascii_lowercase());
    if starts_with_letter && text.len() <= 60 && text.split('_').all(is_word) {
        Ok(text.to_owned())
    } else {
        Err(
            "must be words of lower-case letters and digits joined by _, such as \
             add_clips_rating, with at most 60 characters"
                .into(),
        )
    }
}

/// Creates `<dir>/{postgres,sqlite}/<timestamp>_<name>/{up,down}.sql`.
fn create_migration(dir: &Path, name: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
    let parents =
        [Backend::Postgres, Backend::Sqlite].map(|backend| (backend, dir.join(folder(backend))));
    for (_, parent) in &parents {
        let entries = fs::read_dir(parent).with_context(|| {
            format!(
                "cannot read {}; --dir must be the directory of the migrations",
                parent.display()
            )
        })?;
        for entry in entries {
            let existing = entry?.file_name().to_string_lossy().into_owned();
            let is_duplicate = existing
                .split_once('_')
                .is_some_and(|(_, existing_name)| existing_name == name);
            ensure!(
                !is_duplicate,
                "a migration with this name already exists: {}",
                parent.join(existing).display()
            );
        }
    }
    let migration = format!("{}_{name}", now.format("%Y-%m-%d-%H%M%S"));
    for (backend, parent) in &parents {
        let path = parent.join(&migration);
        let write_error = || format!("cannot create {}", path.display());
        fs::create_dir(&path).with_context(write_error)?;
        for file in ["up.sql", "down.sql"] {
            fs::write(path.join(file), skeleton(*backend, file)).with_context(write_error)?;
            print_line(&path.join(file).display().to_string())?;
        }
    }
    Ok(())
}

fn folder(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres => "postgres",
        Backend::Sqlite => "sqlite",
    }
}

fn skeleton(backend: Backend, file: &str) -> String {
    match file {
        "down.sql" => "-- Reverts up.sql.\n".to_owned(),
        _ => format!(
            "-- Why the tables change, in a sentence or two.\n\
             -- For {backend}. The migration of the same name for the other database must make the\n\
             -- same change.\n"
        ),
    }
}

fn print_done(action: &str, names: &[String], if_none: &str) -> anyhow::Result<()> {
    match names {
        [] => print_line(if_none),
        names => names
            .iter()
            .try_for_each(|name| print_line(&format!("{action} {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_words_and_digits() {
        for good in ["add_clips_rating", "create_jobs", "a", "add_v2"] {
            assert!(parse_name(good).is_ok(), "{good}");
        }
        let long = "a".repeat(61);
        for bad in [
            "",
            "Add",
            "add clips",
            "add-clips",
            "_a",
            "a_",
            "a__b",
            "2a",
            "../a",
            "é",
            &long,
        ] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_migration_has_a_twin_and_overwrites_nothing() {
        let dir = std::env::temp_dir().join(format!("lectern-migrate-{}", std::process::id()));
        for backend in ["postgres", "sqlite"] {
            fs::create_dir_all(dir.join(backend)).unwrap();
        }
        let now = DateTime::UNIX_EPOCH;
        create_migration(&dir, "add_rating", now).unwrap();
        for backend in ["postgres", "sqlite"] {
            let made = dir.join(backend).join("1970-01-01-000000_add_rating");
            assert!(made.join("up.sql").is_file() && made.join("down.sql").is_file());
        }
        assert!(create_migration(&dir, "add_rating", now + chrono::TimeDelta::days(1)).is_err());
        fs::remove_dir_all(&dir).unwrap();
    }
}
