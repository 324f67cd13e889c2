//! What all readers make of a file.

use lectern_domain::{LanguageTag, Ratio};

use crate::cue::Word;

/// An entry of a file, as it is written there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    /// Where the entry begins, counted from 1.
    pub(crate) line: usize,
    /// In milliseconds, possibly negative; `None` if the file does not say.
    pub(crate) start_ms: Option<i64>,
    pub(crate) end_ms: Option<i64>,
    pub(crate) text: String,
    pub(crate) speaker: Option<String>,
    pub(crate) confidence: Option<Ratio>,
    pub(crate) words: Vec<Word>,
    /// If it differs from that of the file.
    pub(crate) language: Option<LanguageTag>,
}
