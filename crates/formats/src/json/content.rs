//! What is found in a file.

use crate::entry::Entry;
use crate::word_grouping::WordSeparator;

/// The entries of a file.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) entries: Vec<Entry>,
    /// Set if the entries are words.
    pub(super) words_to_join: Option<WordSeparator>,
    /// The length of the recording that the file names.
    pub(super) duration_ms: Option<u64>,
}

impl Content {
    pub(super) fn segments(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            ..Self::default()
        }
    }

    /// Words, which are joined later.
    pub(super) fn words(entries: Vec<Entry>) -> Self {
        Self {
            words_to_join: Some(WordSeparator::of(&entries)),
            entries,
            ..Self::default()
        }
    }

    pub(super) fn has_text(&self) -> bool {
        let has_text = |entry: &Entry| !entry.text.trim().is_empty();
        self.entries.iter().any(has_text)
    }

    pub(super) fn has_times(&self) -> bool {
        self.entries.iter().any(|entry| entry.start_ms.is_some())
    }
}
