//! Text search.
//!
//! Done in Rust because the databases differ: SQLite's `LIKE` folds the case of
//! ASCII only, PostgreSQL's `ILIKE` by the locale of the cluster. The number of
//! rows is bounded: they belong to one job.

/// The rows whose text contains `words`, ignoring case.
pub(crate) fn containing<T>(rows: Vec<T>, words: &str, text: impl Fn(&T) -> &str) -> Vec<T> {
    let words = words.to_lowercase();
    rows.into_iter()
        .filter(|row| text(row).to_lowercase().contains(&words))
        .collect()
}
