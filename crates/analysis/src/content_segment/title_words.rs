//! What titles are made with, and their bounds.

use super::vocabulary::{TermId, Vocabulary};
use super::word_use::WordUse;
use crate::language::Lexicon;
use crate::term::tokenize;

/// The fewest words of a title of phrases.
pub(super) const MIN_WORDS: usize = 3;
/// The most words of a title.
pub(super) const MAX_WORDS: usize = 8;

/// The words of the recording and of its language.
pub(super) struct Titles<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) word_use: &'a WordUse,
    pub(super) lexicon: &'static Lexicon,
}

impl Titles<'_> {
    /// The terms of a text that the recording has.
    pub(super) fn ids(&self, text: &str) -> Vec<TermId> {
        let terms = tokenize(text);
        let mut ids: Vec<TermId> = terms
            .iter()
            .filter_map(|term| self.vocabulary.find(term))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
