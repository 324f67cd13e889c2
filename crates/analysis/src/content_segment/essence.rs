//! What a segment is about: its keywords, phrases and central sentences.

use std::collections::BTreeMap;

use lectern_domain::{BoundedText, Invalid, Keyword, LongText, Topic};
use unicode_segmentation::UnicodeSegmentation;

use super::lexicon::{Lexicon, TermId};
use super::unit::Unit;
use crate::term::{Term, terms};

const MOST_KEYWORDS: usize = 8;
/// What weighs less than this share of the heaviest is no keyword.
const LIGHT: f64 = 0.3;
const MOST_CONCEPTS: usize = 5;
/// How many keywords make a headline.
const HEADLINE: usize = 3;
/// How many sentences make a description, and the most characters of each.
const SENTENCES: usize = 2;
const SENTENCE_CHARACTERS: usize = 300;

/// What a segment is about.
#[derive(Debug)]
pub(super) struct Essence {
    pub(super) topic: Topic,
    pub(super) description: LongText,
    pub(super) keywords: Vec<Keyword>,
    pub(super) concepts: Vec<Keyword>,
}

impl Essence {
    /// Reads a segment: units that follow each other.
    ///
    /// A term weighs `f × f / F × naming`: it stands in `f` units of the
    /// segment and in `F` of the lecture, so it is frequent here, rare
    /// elsewhere, and rather long ([`Lexicon::naming`]).
    pub(super) fn of(units: &[Unit], lexicon: &Lexicon) -> Result<Self, Invalid> {
        let weights = weights(units, lexicon);
        let ranked = ranked(&weights, units, lexicon);
        let heaviest = ranked.first().map_or(0.0, |(id, _)| weights[id]);
        let (heavy, keywords): (Vec<TermId>, Vec<&str>) = ranked
            .into_iter()
            .take_while(|(id, _)| weights[id] >= LIGHT * heaviest)
            .take(MOST_KEYWORDS)
            .unzip();
        let concepts = phrases(units, lexicon, &weights, &heavy);
        let sentences = central_sentences(units, lexicon, &weights);
        let topic = match keywords.as_slice() {
            [] => sentences.first().cloned().unwrap_or_default(),
            words => capitalized(&words[..words.len().min(HEADLINE)].join(", ")),
        };
        Ok(Self {
            topic: fitting(&topic)?,
            description: LongText::new(sentences.join(" "))?,
            keywords: keywords
                .into_iter()
                .map(fitting)
                .collect::<Result<_, _>>()?,
            concepts: concepts
                .into_iter()
                .map(fitting)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn weights(units: &[Unit], lexicon: &Lexicon) -> BTreeMap<TermId, f64> {
    let mut found: BTreeMap<TermId, f64> = BTreeMap::new();
    for &id in units.iter().flat_map(|unit| &unit.terms) {
        *found.entry(id).or_default() += 1.0;
    }
    for (&id, count) in &mut found {
        *count *= *count / lexicon.spread(id) * lexicon.naming(id);
    }
    found
}

/// The terms that can be keywords, heaviest first, each as it is mostly
/// written here.
fn ranked<'a>(
    weights: &BTreeMap<TermId, f64>,
    units: &'a [Unit],
    lexicon: &Lexicon,
) -> Vec<(TermId, &'a str)> {
    let mut written: BTreeMap<TermId, BTreeMap<&str, usize>> = BTreeMap::new();
    for term in units.iter().flat_map(|unit| terms(&unit.text)) {
        if let Some(id) = lexicon
            .find(&term)
            .filter(|_| names_something(term.surface))
        {
            *written
                .entry(id)
                .or_default()
                .entry(term.surface)
                .or_default() += 1;
        }
    }
    // Of equally frequent spellings the last in code point order is in lower case.
    let mostly = written.into_iter().filter_map(|(id, spellings)| {
        let (surface, _) = spellings.into_iter().max_by_key(|(_, count)| *count)?;
        Some((id, surface))
    });
    let mut ranked: Vec<(TermId, &str)> = mostly.collect();
    ranked.sort_by(|(a, _), (b, _)| weights[b].total_cmp(&weights[a]).then(a.cmp(b)));
    ranked
}

/// Whether a word may be a keyword: two letters at least, and no hiragana,
/// which is what Japanese writes its grammar in.
fn names_something(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    letters > 1 && !word.chars().any(|c| ('\u{3041}'..='\u{309f}').contains(&c))
}

/// Two or three terms in a row that stand here at least twice and begin and
/// end with a heavy one, heaviest first; none that is part of another.
fn phrases<'a>(
    units: &'a [Unit],
    lexicon: &Lexicon,
    weights: &BTreeMap<TermId, f64>,
    heavy: &[TermId],
) -> Vec<&'a str> {
    let mut found: BTreeMap<Vec<TermId>, (usize, &str)> = BTreeMap::new();
    for unit in units {
        let terms = terms(&unit.text);
        for (first, last) in (0..terms.len()).flat_map(|i| [(i, i + 1), (i, i + 2)]) {
            let Some(row) = terms.get(first..=last) else {
                continue;
            };
            let ids: Vec<TermId> = row.iter().filter_map(|term| lexicon.find(term)).collect();
            let Some(surface) = phrase(&unit.text, row) else {
                continue;
            };
            if heavy.contains(&ids[0])
                && heavy.contains(&ids[ids.len() - 1])
                && ids[0] != ids[ids.len() - 1]
            {
                found.entry(ids).or_insert((0, surface)).0 += 1;
            }
        }
    }
    let weight = |ids: &[TermId]| ids.iter().map(|id| weights[id]).sum::<f64>();
    let mut repeated: Vec<_> = found
        .into_iter()
        .filter(|(_, (count, _))| *count > 1)
        .collect();
    repeated.sort_by(|(a, _), (b, _)| weight(b).total_cmp(&weight(a)).then_with(|| a.cmp(b)));
    let mut phrases: Vec<&str> = Vec::new();
    for (_, (_, surface)) in repeated {
        if phrases.len() < MOST_CONCEPTS && !phrases.iter().any(|longer| longer.contains(surface)) {
            phrases.push(surface);
        }
    }
    phrases
}

/// The text from the first to the last of these terms, if nothing but spaces
/// and hyphens parts them.
fn phrase<'a>(text: &'a str, row: &[Term<'_>]) -> Option<&'a str> {
    let joined = row.windows(2).all(|pair| {
        let end = pair[0].at + pair[0].surface.len();
        pair[1].at <= end || text[end..pair[1].at].chars().all(|c| c == ' ' || c == '-')
    });
    let (first, last) = (row.first()?, row.last()?);
    joined.then(|| &text[first.at..last.at + last.surface.len()])
}

/// The sentences nearest to the segment as a whole, in the order they are
/// said: by the cosine between the terms of the sentence and the weights of
/// the segment's (the centroid of Radev et al. 2004).
fn central_sentences(
    units: &[Unit],
    lexicon: &Lexicon,
    weights: &BTreeMap<TermId, f64>,
) -> Vec<String> {
    let mut scored: Vec<(usize, f64, &str)> = units
        .iter()
        .flat_map(|unit| unit.text.split_sentence_bounds())
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
        .enumerate()
        .map(|(i, sentence)| {
            let mut ids: Vec<TermId> = terms(sentence)
                .iter()
                .filter_map(|term| lexicon.find(term))
                .collect();
            ids.sort_unstable();
            ids.dedup();
            let common: f64 = ids.iter().filter_map(|id| weights.get(id)).sum();
            (i, common / (ids.len().max(1) as f64).sqrt(), sentence)
        })
        .collect();
    scored.sort_by(|(i, a, _), (j, b, _)| b.total_cmp(a).then(i.cmp(j)));
    scored.truncate(SENTENCES);
    scored.sort_by_key(|(i, ..)| *i);
    let cut = |(_, _, sentence)| shortened(sentence, SENTENCE_CHARACTERS);
    scored.into_iter().map(cut).collect()
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

fn fitting<T: BoundedText>(text: impl AsRef<str>) -> Result<T, Invalid> {
    T::from_text(shortened(text.as_ref(), T::MAX))
}

/// At most `most` characters of the text, ending after a word with an ellipsis
/// when there were more.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    let whole_words = kept
        .rsplit_once(' ')
        .map_or(kept.as_str(), |(words, _)| words);
    format!("{}…", whole_words.trim_end())
}
