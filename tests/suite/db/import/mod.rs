//! Importing a database that SQLAlchemy models made.

mod again;
mod hostile;
mod mapping;
mod source;

use std::collections::BTreeMap;

use lectern_db::{Database, ImportAction, ImportMode, ImportNote, ImportSummary};
use lectern_domain::{
    Direction, Job, JobFilter, JobOrder, JobPageRequest, JobResults, MetadataFilter, PageLimit,
};

use self::source::SourceDb;

/// Imports, and returns the notes too.
fn import(source: &SourceDb, target: &Database) -> (ImportSummary, Vec<ImportNote>) {
    import_as(source, target, ImportMode::Store)
}

fn import_as(
    source: &SourceDb,
    target: &Database,
    mode: ImportMode,
) -> (ImportSummary, Vec<ImportNote>) {
    let mut notes = Vec::new();
    let summary = target.import(&source.url().parse().unwrap(), mode, |note| {
        notes.push(note.clone());
        Ok(())
    });
    (summary.unwrap(), notes)
}

/// The jobs with this id in the source.
fn with_legacy_id(target: &Database, old_id: &str) -> Vec<Job> {
    let metadata = BTreeMap::from([("legacy_id".to_owned(), old_id.to_owned())]);
    let filter = JobFilter {
        metadata: MetadataFilter::new(metadata).unwrap(),
        ..JobFilter::default()
    };
    let page = JobPageRequest {
        order: JobOrder::CreatedAt,
        direction: Direction::Descending,
        limit: PageLimit::new(100).unwrap(),
        after: None,
    };
    let page = target.read(|conn| conn.jobs().list(&filter, page));
    page.unwrap().items
}

#[track_caller]
fn imported(target: &Database, old_id: &str) -> Job {
    let mut jobs = with_legacy_id(target, old_id);
    assert_eq!(jobs.len(), 1, "{old_id}: {jobs:?}");
    jobs.remove(0)
}

#[track_caller]
fn results(target: &Database, old_id: &str) -> JobResults {
    let job_id = imported(target, old_id).job_id;
    let results = target.read(|conn| conn.jobs().results(job_id));
    results.unwrap().unwrap()
}

fn of<'n>(
    notes: &'n [ImportNote],
    table: &str,
    action: ImportAction,
) -> Vec<(&'n str, &'n str, &'n str)> {
    notes
        .iter()
        .filter(|note| note.table == table && note.action == action)
        .map(|note| {
            (
                note.id.as_str(),
                note.column.unwrap_or_default(),
                note.reason,
            )
        })
        .collect()
}
