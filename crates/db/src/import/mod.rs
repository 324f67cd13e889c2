//! Imports a database whose tables were made by SQLAlchemy models: `lectern import`.
//!
//! `source` reads rows as texts, `values` and `mapping` turn them into values of the domain and
//! note each difference, `plan` compares the jobs with those of earlier imports, and `store`
//! writes them, each with everything that belongs to it in one transaction.

mod compare;
mod digest;
mod mapping;
mod plan;
mod source;
mod store;
mod url;
mod values;

use std::collections::BTreeMap;

use self::mapping::MappedJob;
use self::source::{JobReader, Next, Source};
pub use self::url::SourceUrl;
use crate::connection::{Database, Tx};
use crate::error::{Error, Source as Cause};

/// The greatest number of jobs per transaction.
const JOBS_PER_TRANSACTION: usize = 50;

/// The number of rows of other tables after which a transaction takes no further job.
const ROWS_PER_TRANSACTION: usize = 5_000;

/// Why an import ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The source cannot be opened or read.
    #[error("could not {doing} of the source")]
    Source {
        /// What failed.
        doing: &'static str,
        /// The driver's error.
        #[source]
        source: Cause,
    },
    /// The source has no table `jobs` with a column `job_id`.
    #[error("the source has no table `jobs` with a column `job_id`")]
    NoJobs,
    /// The jobs cannot be stored.
    #[error(transparent)]
    Target(#[from] Error),
    /// A note cannot be written.
    #[error("cannot write the report")]
    Report(#[from] std::io::Error),
}

/// What became of a row or of one of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImportAction {
    /// A value was changed, or is not imported. The row is.
    Changed,
    /// The row is not imported.
    Dropped,
    /// The row is new in the source, and was added to a job of an earlier import.
    Added,
    /// The row has changed in the source, and so it was changed here.
    Updated,
    /// The row is gone from the source, and so it was deleted here.
    Removed,
    /// The row is not in the state of the source, because its job was changed or deleted here
    /// after an earlier import.
    NotTaken,
}

impl ImportAction {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Dropped => "dropped",
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Removed => "removed",
            Self::NotTaken => "not taken",
        }
    }
}

/// A difference between a row of the source and what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportNote {
    /// The table of the row.
    pub table: &'static str,
    /// The id of the row in the source.
    pub id: String,
    /// The id of its job in the source.
    pub job_id: String,
    /// The column of the value; `None` for the whole row.
    pub column: Option<&'static str>,
    /// What became of it.
    pub action: ImportAction,
    /// Why, always in the same words for the same reason.
    pub reason: &'static str,
    /// The beginning of the value in the source.
    pub value: Option<String>,
}

/// The number of rows of a table. Each row that is read is added, updated, present, not
/// taken, or dropped. After a dry run, what would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableCounts {
    /// Rows of the source.
    pub read: u64,
    /// Rows that were not here.
    pub added: u64,
    /// Rows that have changed in the source since an earlier import.
    pub updated: u64,
    /// Rows that an earlier import has stored, and that have not changed in the source.
    pub present: u64,
    /// Rows of earlier imports that the source does not have any more.
    pub removed: u64,
    /// Rows that are new or have changed in the source, of jobs that were changed or deleted
    /// here after an earlier import.
    pub not_taken: u64,
    /// Rows that are not imported.
    pub dropped: u64,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// By table.
    pub tables: BTreeMap<&'static str, TableCounts>,
    /// How often each reason was noted, by table, column (empty: the whole row) and reason.
    pub reasons: BTreeMap<(&'static str, &'static str, ImportAction, &'static str), u64>,
    /// The columns of the source that are not imported, as `table.column`.
    pub unknown_columns: Vec<String>,
}

impl ImportSummary {
    fn table(&mut self, table: &'static str) -> &mut TableCounts {
        self.tables.entry(table).or_default()
    }

    fn note(&mut self, note: &ImportNote) {
        let key = (
            note.table,
            note.column.unwrap_or_default(),
            note.action,
            note.reason,
        );
        *self.reasons.entry(key).or_default() += 1;
        if note.action == ImportAction::Dropped {
            self.table(note.table).dropped += 1;
        }
    }
}

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// Stores the jobs.
    Store,
    /// Only reports.
    DryRun,
}

impl SourceUrl {
    /// Checks that the database can be read and has jobs, before another one is made for
    /// them.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or has no table `jobs` with a column `job_id`.
    pub fn check(&self) -> Result<(), ImportError> {
        Source::open(self).map(drop)
    }
}

impl Database {
    /// Imports the jobs of another database, with everything that belongs to them. The source
    /// is only read, in one snapshot. `report` receives each difference after the jobs
    /// concerned are stored.
    ///
    /// A job that an earlier import has stored, and that has changed in the source since, is
    /// brought to the state of the source, unless it was changed here, too: then it is left as
    /// it is, and each row that differs is reported. A job that was deleted here is not
    /// imported again. An import that was interrupted is completed by the next one.
    ///
    /// # Errors
    ///
    /// When the source cannot be read, or the jobs cannot be stored. The jobs of earlier
    /// transactions stay.
    pub fn import(
        &self,
        source: &SourceUrl,
        mode: ImportMode,
        mut report: impl FnMut(&ImportNote) -> std::io::Result<()>,
    ) -> Result<ImportSummary, ImportError> {
        let pipelines = self.read(|conn| Ok::<_, Error>(conn.context.pipelines.clone()))?;
        let mut summary = ImportSummary::default();
        let mut source = Source::open(source)?;
        summary.unknown_columns = source.unknown_columns();
        for table in source.tables() {
            summary.table(table);
        }
        let mut jobs = JobReader::new(&mut source)?;
        let mut batch: Vec<MappedJob> = Vec::new();
        let mut rows = 0;
        loop {
            let next = jobs.next()?;
            let is_last = matches!(next, Next::End);
            let mut notes = jobs.take_notes();
            for table in jobs.take_read() {
                summary.table(table.0).read += table.1;
            }
            if let Next::Job(job) = next {
                let mapped = mapping::map(job, &pipelines, self.clock().now(), &mut notes);
                if let Some(mapped) = mapped {
                    rows += mapped.rows();
                    batch.push(mapped);
                }
            }
            for note in &notes {
                report(note)?;
                summary.note(note);
            }
            let is_full = batch.len() >= JOBS_PER_TRANSACTION || rows >= ROWS_PER_TRANSACTION;
            if !batch.is_empty() && (is_full || is_last) {
                rows = 0;
                let stored = match mode {
                    ImportMode::Store => self.write(|tx| {
                        let lock = |tx: &mut Tx<'_>, job_id| tx.lock_job(job_id).map(drop);
                        let plan = plan::plan(tx, batch.clone(), lock)?;
                        store::store(tx, &plan)?;
                        Ok::<_, Error>(plan)
                    })?,
                    ImportMode::DryRun => {
                        self.read(|conn| plan::plan(conn, batch.clone(), |_, _| Ok(())))?
                    }
                };
                batch.clear();
                for (table, counted) in &stored.counts {
                    // Tables that the source does not have are not listed.
                    if *counted == TableCounts::default() {
                        continue;
                    }
                    let counts = summary.table(table);
                    counts.added += counted.added;
                    counts.updated += counted.updated;
                    counts.present += counted.present;
                    counts.removed += counted.removed;
                    counts.not_taken += counted.not_taken;
                }
                for note in &stored.notes {
                    report(note)?;
                    summary.note(note);
                }
            }
            if is_last {
                return Ok(summary);
            }
        }
    }
}
