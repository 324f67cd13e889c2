//! The words of one lecture, counted.

use std::collections::HashMap;

use crate::term::Term;

/// A term of the lecture: its place in the [`Lexicon`].
pub(super) type TermId = usize;

/// Every term of a lecture, with what its distribution tells. Nothing is known
/// here of any language: words that stand everywhere tell little, whichever
/// they are.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    ids: HashMap<String, TermId>,
    entries: Vec<Entry>,
    /// How many units were read.
    units: u32,
}

#[derive(Debug)]
struct Entry {
    /// In how many units the term stands.
    spread: u32,
    /// Length of the word in characters.
    length: usize,
}

impl Lexicon {
    /// Counts the terms of one unit, each once however often it stands there:
    /// a word said twice in a sentence is no sign of what comes after.
    pub(super) fn read(&mut self, terms: &[Term<'_>]) -> Vec<TermId> {
        self.units += 1;
        let mut distinct: Vec<TermId> = terms.iter().map(|term| self.intern(term)).collect();
        distinct.sort_unstable();
        distinct.dedup();
        for &id in &distinct {
            self.entries[id].spread += 1;
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
            spread: 0,
            length: term.surface.chars().count(),
        });
        id
    }

    /// The place of a term, if it was read.
    pub(super) fn find(&self, term: &Term<'_>) -> Option<TermId> {
        self.ids.get(&term.key).copied()
    }

    /// How many different terms there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// In how many units the term stands.
    pub(super) fn spread(&self, id: TermId) -> f64 {
        f64::from(self.entries[id].spread)
    }

    /// How much a term tells by standing somewhere: the inverse document
    /// frequency (Spärck Jones 1972) with a unit for a document, above 0 even
    /// for what stands in all of them.
    pub(super) fn rarity(&self, id: TermId) -> f64 {
        (f64::from(self.units + 1) / self.spread(id)).ln()
    }

    /// How well a term names what it stands in: its rarity, more for long
    /// words, since the short ones are those that are used everywhere, in any
    /// language (Zipf's law of abbreviation).
    pub(super) fn naming(&self, id: TermId) -> f64 {
        self.rarity(id) * (self.entries[id].length as f64).ln_1p()
    }
}
