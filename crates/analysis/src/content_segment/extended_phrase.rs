//! A phrase with what is said where or of what it is, such as "the yeast in the dough".

use super::noun_phrase::noun_phrases;
use super::title_candidate::Candidate;
use super::title_words::Titles;
use super::word_use::capitalize;
use crate::disfluency::{ends_clause, fluent_words};
use crate::sentence::normalize;

const MIN_WORDS: usize = 3;
const MAX_WORDS: usize = 6;
/// The minimum score of a phrase that is extended, as a fraction of the highest.
const MIN_SCORE: f64 = 0.5;

/// The best candidate with the preposition and the phrase that follow it in a sentence; with
/// `head`, only that one.
pub(super) fn extended_phrase(
    titles: &Titles<'_>,
    sentences: &[&str],
    candidates: &[Candidate],
    head: Option<&Candidate>,
) -> Option<String> {
    let lexicon = titles.lexicon;
    if titles.word_use.lacks_capitals {
        return None;
    }
    let highest = candidates.iter().map(|candidate| candidate.score);
    let highest = highest.fold(0.0, f64::max);
    let may_be_head = |candidate: &&Candidate| match head {
        Some(head) => candidate.text == head.text,
        None => candidate.is_nominative && candidate.score >= MIN_SCORE * highest,
    };
    let mut best: Option<(f64, String)> = None;
    for sentence in sentences {
        let words = fluent_words(sentence, lexicon);
        let text = words.join(" ");
        let phrases = noun_phrases(&text, titles.word_use, lexicon);
        for first in &phrases {
            let end = first.position + first.words;
            let Some(second) = followed_by(&words, end, &phrases) else {
                continue;
            };
            let ids = titles.ids(&first.text);
            let Some(candidate) = candidates
                .iter()
                .filter(may_be_head)
                .find(|candidate| candidate.ids == ids)
            else {
                continue;
            };
            let second_ids = titles.ids(&second.text);
            let is_other = second_ids.iter().all(|id| !ids.contains(id));
            let second_score = candidates
                .iter()
                .filter(|candidate| candidate.ids == second_ids)
                .map(|candidate| candidate.score)
                .fold(0.0, f64::max);
            let last = second.position + second.words;
            // The phrase may go on with a word that is not known.
            let is_whole = ends_clause(&words[last - 1])
                || words
                    .get(last)
                    .is_none_or(|next| lexicon.is_function_word(&normalize(next)));
            let is_participle = !lexicon.capitalizes_nouns && second.text.ends_with("ed");
            if !is_whole || is_participle {
                continue;
            }
            let rest = words[end..last].join(" ");
            let rest = rest.trim_end_matches(|c: char| !c.is_alphanumeric());
            let article = match candidate.article.as_deref() {
                Some("the") => "the ",
                _ => "",
            };
            let title = format!("{article}{} {rest}", candidate.text);
            let length = title.split(' ').count();
            let score = candidate.score + second_score;
            let is_better = best.as_ref().is_none_or(|(highest, _)| score > *highest);
            if is_other && (MIN_WORDS..=MAX_WORDS).contains(&length) && is_better {
                best = Some((score, capitalize(&title)));
            }
        }
    }
    best.map(|(_, title)| title)
}

/// The phrase after a preposition, and perhaps an article, at `at`.
fn followed_by<'p>(
    words: &[String],
    at: usize,
    phrases: &'p [super::noun_phrase::NounPhrase],
) -> Option<&'p super::noun_phrase::NounPhrase> {
    if at == 0 || ends_clause(&words[at - 1]) {
        return None;
    }
    let preposition = normalize(words.get(at)?);
    if !PREPOSITIONS.contains(&preposition.as_str()) {
        return None;
    }
    let next = normalize(words.get(at + 1)?);
    let has_article = ARTICLES.contains(&next.as_str());
    let start = at + 1 + usize::from(has_article);
    phrases
        .iter()
        .filter(|phrase| phrase.position == start)
        .max_by_key(|phrase| phrase.words)
}

const PREPOSITIONS: &[&str] = &[
    "of", "in", "for", "on", "between", "against", "without", "at", "from", "by", "von", "vom",
    "im", "in", "für", "gegen", "zwischen", "ohne", "aus", "auf", "am", "unter",
];

const ARTICLES: &[&str] = &[
    "the", "a", "an", "der", "die", "das", "den", "dem", "einem", "einer", "einen", "eine", "ein",
];
