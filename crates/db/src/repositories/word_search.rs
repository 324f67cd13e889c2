//! Searches texts for words.
//!
//! The search is done in Rust because the databases differ: SQLite's `LIKE` folds the
//! case of ASCII only, and PostgreSQL's `ILIKE` folds case by the locale of the cluster.
//! The number of rows is bounded, because all rows belong to one job.

/// Words to search for.
#[derive(Debug)]
pub(crate) struct Words(Option<String>);

impl Words {
    /// `None` matches every text.
    pub(crate) fn new(words: Option<&str>) -> Self {
        Self(words.map(str::to_lowercase))
    }

    /// Whether `text` contains the words, ignoring case.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        let words = self.0.as_ref();
        words.is_none_or(|words| text.to_lowercase().contains(words))
    }
}
