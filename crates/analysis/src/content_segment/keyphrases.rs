//! Extracts the keywords and key phrases of a segment.
//!
//! A keyword is a term with a high weight ([`TermWeights`]): frequent in the
//! segment, rare in the lecture, and rather long. A key phrase is a sequence of
//! two or three terms that occurs at least twice, starts and ends with a
//! keyword, and has only spaces and hyphens between its words. Keywords and key
//! phrases are spelled as in the transcript. The running time is `O(n log n)` in the
//! number of words of the segment.

use std::collections::BTreeMap;

use super::utterance::Utterance;
use super::vocabulary::{TermId, Vocabulary};
use crate::language::Lexicon;
use crate::sentence::normalize;
use crate::term::{Term, tokenize};

const MAX_KEYWORDS: usize = 8;
/// The smallest weight of a keyword, as a fraction of the highest one.
const MIN_RELATIVE_WEIGHT: f64 = 0.3;
const MAX_PHRASES: usize = 5;

/// The weight of each term of a segment.
///
/// A term in `f` utterances of the segment and in `F` of the lecture has the weight
/// `f² / F`, multiplied by its [length-weighted idf](Vocabulary::length_weighted_idf).
#[derive(Debug)]
pub(super) struct TermWeights(BTreeMap<TermId, f64>);

impl TermWeights {
    pub(super) fn of(utterances: &[Utterance], vocabulary: &Vocabulary) -> Self {
        let mut frequencies: BTreeMap<TermId, f64> = BTreeMap::new();
        for &id in utterances.iter().flat_map(|utterance| &utterance.terms) {
            *frequencies.entry(id).or_default() += 1.0;
        }
        let weight = |id: TermId, frequency: f64| {
            let share = frequency / vocabulary.utterance_count(id);
            frequency * (share * vocabulary.length_weighted_idf(id))
        };
        Self(
            frequencies
                .into_iter()
                .map(|(id, frequency)| (id, weight(id, frequency)))
                .collect(),
        )
    }

    /// The highest weight; 0 without terms.
    pub(super) fn highest(&self) -> f64 {
        self.0.values().copied().fold(0.0, f64::max)
    }

    /// The weight of a term; 0 if the segment does not contain it.
    pub(super) fn get(&self, id: TermId) -> f64 {
        self.0.get(&id).copied().unwrap_or(0.0)
    }
}

/// Keywords and key phrases, each with the highest weight first.
#[derive(Debug)]
pub(super) struct Keyphrases<'a> {
    pub(super) keywords: Vec<&'a str>,
    pub(super) phrases: Vec<&'a str>,
}

impl<'a> Keyphrases<'a> {
    pub(super) fn extract(
        utterances: &'a [Utterance],
        vocabulary: &Vocabulary,
        weights: &TermWeights,
        lexicon: &Lexicon,
    ) -> Self {
        let ranked = ranked_terms(utterances, vocabulary, weights, lexicon);
        let highest = ranked.first().map_or(0.0, |(id, _)| weights.get(*id));
        let (keyword_ids, keywords): (Vec<TermId>, Vec<&str>) = ranked
            .into_iter()
            .take_while(|(id, _)| weights.get(*id) >= MIN_RELATIVE_WEIGHT * highest)
            .take(MAX_KEYWORDS)
            .unzip();
        let repeated = repeated_phrases(utterances, vocabulary, &keyword_ids);
        Self {
            keywords,
            phrases: best_phrases(repeated, weights),
        }
    }
}

/// The terms that may be keywords, highest weight first, each in its most
/// frequent spelling.
fn ranked_terms<'a>(
    utterances: &'a [Utterance],
    vocabulary: &Vocabulary,
    weights: &TermWeights,
    lexicon: &Lexicon,
) -> Vec<(TermId, &'a str)> {
    let mut spellings: BTreeMap<TermId, BTreeMap<&str, usize>> = BTreeMap::new();
    let terms = utterances
        .iter()
        .flat_map(|utterance| tokenize(&utterance.text));
    for term in terms.filter(|term| may_be_keyword(term.surface, lexicon)) {
        if let Some(id) = vocabulary.find(&term) {
            let counts = spellings.entry(id).or_default();
            *counts.entry(term.surface).or_default() += 1;
        }
    }
    let mut ranked: Vec<(TermId, &str)> = spellings
        .into_iter()
        .filter_map(|(id, counts)| {
            // Of equally frequent spellings, this takes the last in code point
            // order, which is the one in lower case.
            let (surface, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
            Some((id, surface))
        })
        .collect();
    ranked.sort_by(|(a, _), (b, _)| {
        let by_weight = weights.get(*b).total_cmp(&weights.get(*a));
        by_weight.then(a.cmp(b))
    });
    ranked
}

/// A keyword names a topic, has at least two letters, and no hiragana, in which Japanese
/// function words and endings are written.
fn may_be_keyword(word: &str, lexicon: &Lexicon) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let normalized = normalize(word);
    let is_general = lexicon.is_function_word(&normalized)
        || lexicon.general_words.contains(normalized.as_str());
    letters > 1 && !is_general && !word.chars().any(|c| ('\u{3041}'..='\u{309f}').contains(&c))
}

/// The sequences of two or three terms that start and end with two different
/// keywords and occur at least twice, each in its first spelling.
fn repeated_phrases<'a>(
    utterances: &'a [Utterance],
    vocabulary: &Vocabulary,
    keywords: &[TermId],
) -> Vec<(Vec<TermId>, &'a str)> {
    let mut found: BTreeMap<Vec<TermId>, (usize, &str)> = BTreeMap::new();
    for utterance in utterances {
        let terms = tokenize(&utterance.text);
        for sequence in terms.windows(2).chain(terms.windows(3)) {
            let Some(surface) = contiguous_text(&utterance.text, sequence) else {
                continue;
            };
            let ids: Vec<TermId> = sequence
                .iter()
                .filter_map(|term| vocabulary.find(term))
                .collect();
            let (first, last) = (ids[0], ids[ids.len() - 1]);
            if first != last && keywords.contains(&first) && keywords.contains(&last) {
                found.entry(ids).or_insert((0, surface)).0 += 1;
            }
        }
    }
    found
        .into_iter()
        .filter(|(_, (count, _))| *count > 1)
        .map(|(ids, (_, surface))| (ids, surface))
        .collect()
}

/// The text from the first to the last term, if there are only spaces and
/// hyphens between them.
fn contiguous_text<'a>(text: &'a str, terms: &[Term<'_>]) -> Option<&'a str> {
    let is_contiguous = terms.windows(2).all(|pair| {
        let end = pair[0].end();
        pair[1].start <= end
            || text[end..pair[1].start]
                .chars()
                .all(|c| c == ' ' || c == '-')
    });
    let (first, last) = (terms.first()?, terms.last()?);
    is_contiguous.then(|| &text[first.start..last.end()])
}

/// The phrases with the highest sums of term weights, without phrases that are
/// part of a better phrase.
fn best_phrases<'a>(
    mut phrases: Vec<(Vec<TermId>, &'a str)>,
    weights: &TermWeights,
) -> Vec<&'a str> {
    let weight = |ids: &[TermId]| ids.iter().map(|&id| weights.get(id)).sum::<f64>();
    phrases.sort_by(|(a, _), (b, _)| weight(b).total_cmp(&weight(a)).then_with(|| a.cmp(b)));
    let mut best: Vec<&str> = Vec::new();
    for (_, phrase) in phrases {
        if best.len() < MAX_PHRASES && !best.iter().any(|better| better.contains(phrase)) {
            best.push(phrase);
        }
    }
    best
}
