//! Finding words in text.
//!
//! Done here rather than by the databases, because they disagree: SQLite's
//! `LIKE` knows upper and lower case of ASCII only, PostgreSQL's `ILIKE` goes
//! by the locale the cluster was made with. The texts are those of one job.

/// The rows whose text holds `words`, whatever the case.
pub(crate) fn holding<T>(rows: Vec<T>, words: &str, text: impl Fn(&T) -> &str) -> Vec<T> {
    let words = words.to_lowercase();
    rows.into_iter()
        .filter(|row| text(row).to_lowercase().contains(&words))
        .collect()
}
