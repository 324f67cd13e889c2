//! Term statistics of one lecture.
//!
//! Each utterance is a document: the document frequency of a term is the number
//! of utterances that contain the term. There is no stop word list and no dictionary;
//! function words are recognized by their high document frequency, in any
//! language.

use std::collections::HashMap;

use crate::term::Term;

/// Index of a term in the [`Vocabulary`], in order of first occurrence.
pub(super) type TermId = usize;

/// All terms of a lecture with their document frequencies.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    ids: HashMap<String, TermId>,
    entries: Vec<Entry>,
    documents: u32,
}

#[derive(Debug)]
struct Entry {
    utterance_count: u32,
    /// Length of the word at its first occurrence, in characters.
    length: usize,
}

impl Vocabulary {
    /// Counts the terms of an utterance and returns the distinct ones, in
    /// ascending order.
    ///
    /// A repetition within the utterance does not count: a word that is
    /// repeated in one sentence is no sign of a longer topic.
    pub(super) fn add_document(&mut self, terms: &[Term<'_>]) -> Vec<TermId> {
        self.documents += 1;
        let mut distinct: Vec<TermId> = terms.iter().map(|term| self.intern(term)).collect();
        distinct.sort_unstable();
        distinct.dedup();
        for &id in &distinct {
            self.entries[id].utterance_count += 1;
        }
        distinct
    }

    fn intern(&mut self, term: &Term<'_>) -> TermId {
        if let Some(&id) = self.ids.get(&term.key) {
            return id;
        }
        let id = self.entries.len();
        self.ids.insert(term.key.clone(), id);
        self.entries.push(Entry {
            utterance_count: 0,
            length: term.surface.chars().count(),
        });
        id
    }

    pub(super) fn find(&self, term: &Term<'_>) -> Option<TermId> {
        self.ids.get(&term.key).copied()
    }

    /// The number of distinct terms.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of utterances that contain the term.
    pub(super) fn utterance_count(&self, id: TermId) -> f64 {
        f64::from(self.entries[id].utterance_count)
    }

    /// The inverse document frequency (Spärck Jones, "A statistical
    /// interpretation of term specificity and its application in retrieval",
    /// 1972), `ln((N + 1) / df)`; positive even for a term of all utterances.
    pub(super) fn idf(&self, id: TermId) -> f64 {
        (f64::from(self.documents + 1) / self.utterance_count(id)).ln()
    }

    /// The inverse document frequency multiplied by `ln(1 + length)`: in any
    /// language, the most frequent words are short (Zipf's law of
    /// abbreviation), so a long word is more likely a keyword.
    pub(super) fn length_weighted_idf(&self, id: TermId) -> f64 {
        self.idf(id) * (self.entries[id].length as f64).ln_1p()
    }
}
