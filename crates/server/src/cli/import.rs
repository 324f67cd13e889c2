//! `lectern import`: takes over the jobs of a database that SQLAlchemy models made.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use lectern_db::{Database, ImportMode, ImportNote, ImportSummary, MigrationStatus, SourceUrl};
use serde_json::json;

use crate::cli::open::{self, PrivateFiles};
use crate::cli::stdout::print_line;
use crate::config::Settings;

/// Arguments of `lectern import`.
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// The database to read: `postgresql://…` or `sqlite:///path`, as `SQLAlchemy` has it
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub from: String,
    /// Writes the changed and dropped rows to this file, as JSON lines, instead of stderr
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Reports without writing to the database
    #[arg(long)]
    pub dry_run: bool,
}

/// Imports the jobs, and prints the number of rows by table. An import that was interrupted
/// is completed by running it again.
///
/// # Errors
///
/// When a database cannot be opened, read or written, or the report cannot be written.
pub fn run(import: &Import, settings: &Settings) -> anyhow::Result<()> {
    let source: SourceUrl = import.from.parse().context("--from")?;
    if let Some(file) = source.file() {
        ensure!(file.exists(), "--from: there is no file {}", file.display());
    }
    // An address with a mistake in it makes no database.
    source.check()?;
    let mut report: Box<dyn Write> = match &import.report {
        Some(file) => {
            let file = File::create(file)
                .with_context(|| format!("cannot create the report {}", file.display()))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(BufWriter::new(io::stderr())),
    };
    let _private = PrivateFiles::begin(&settings.data_dir);
    let database = if import.dry_run {
        compared_database(settings)?
    } else {
        open::database(settings)?
    };
    let mode = if import.dry_run {
        ImportMode::DryRun
    } else {
        ImportMode::Store
    };
    let as_json = import.report.is_some();
    let summary = database.import(&source, mode, |note| {
        if as_json {
            writeln!(report, "{}", json_line(note))
        } else {
            writeln!(report, "{}", readable_line(note))
        }
    })?;
    report.flush().context("cannot write the report")?;
    print_summary(&summary, import.dry_run)
}

/// The database with which a dry run compares: an empty one if there is none yet.
fn compared_database(settings: &Settings) -> anyhow::Result<Database> {
    let url = settings.database_url()?;
    if url.file().is_none_or(Path::exists) {
        let database = settings.open_database()?;
        let migrations = database.migrations().status()?;
        let is_pending = |migration: &MigrationStatus| !migration.is_applied();
        if !migrations.iter().any(is_pending) {
            return Ok(database);
        }
        // What would become of the jobs of an earlier version cannot be known without changing
        // its tables.
        ensure!(
            migrations.iter().all(is_pending),
            "migrations are pending; `lectern migrate up` applies them"
        );
    }
    let empty = Database::open("sqlite::memory:")?;
    empty.migrate()?;
    Ok(empty)
}

fn json_line(note: &ImportNote) -> serde_json::Value {
    json!({
        "table": note.table,
        "id": note.id,
        "job_id": note.job_id,
        "column": note.column,
        "action": note.action.as_str(),
        "reason": note.reason,
        "value": note.value,
    })
}

fn readable_line(note: &ImportNote) -> String {
    let column = note
        .column
        .map(|column| format!(".{column}"))
        .unwrap_or_default();
    let of_job = match note.table {
        "jobs" => String::new(),
        _ => format!(" of job {:?}", note.job_id),
    };
    let value = note
        .value
        .as_ref()
        .map(|value| format!(" ({value:?})"))
        .unwrap_or_default();
    let action = note.action.as_str();
    format!(
        "{action} {}{column} of {:?}{of_job}: {}{value}",
        note.table, note.id, note.reason
    )
}

fn print_summary(summary: &ImportSummary, dry_run: bool) -> anyhow::Result<()> {
    for ((table, column, action, reason), count) in &summary.reasons {
        let column = match *column {
            "" => String::new(),
            column => format!(".{column}"),
        };
        print_line(&format!(
            "{} {table}{column}: {reason}: {count}",
            action.as_str()
        ))?;
    }
    for column in &summary.unknown_columns {
        print_line(&format!("not imported: the column {column}"))?;
    }
    let would = if dry_run { "would be " } else { "" };
    for (table, counts) in &summary.tables {
        print_line(&format!(
            "{table}: {} read, {} {would}added, {} {would}updated, {} {would}removed, \
             {} present, {} not taken, {} dropped",
            counts.read,
            counts.added,
            counts.updated,
            counts.removed,
            counts.present,
            counts.not_taken,
            counts.dropped
        ))?;
    }
    Ok(())
}
