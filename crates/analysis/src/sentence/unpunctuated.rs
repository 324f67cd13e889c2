//! Sentence boundaries in text without punctuation.
//!
//! Each place between two words gets the log-odds that a sentence ends there: from the
//! pause, and from the words before and after it. A lecturer also hesitates within
//! sentences, often for longer than between them, but mostly before words with which a
//! sentence continues. Dynamic programming finds the boundaries with the highest sum of
//! log-odds and of log-likelihoods of the sentences' lengths. The running time is linear in
//! the number of words, times [`MAX_WORDS`].

use super::word::Word;
use crate::language::Lexicon;

/// The log-odds that a sentence ends after a word about which nothing is known.
const PRIOR: f64 = -3.0;
/// The median length of a sentence in a lecture, in words.
const MEDIAN_WORDS: f64 = 14.0;
/// The standard deviation of the logarithm of the length.
const LOG_LENGTH_DEVIATION: f64 = 0.5;
/// The maximum length of a sentence, in words.
const MAX_WORDS: usize = 60;
/// The shortest known pause that is a sign of a boundary, in seconds.
const MIN_PAUSE: f64 = 0.25;

/// A sentence boundary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Boundary {
    /// Index of the first word after it.
    pub(super) word: usize,
    /// The probability that a sentence begins there, 0 to 1.
    pub(super) certainty: f64,
}

/// The log-odds that a sentence ends between two words, by the words alone. Both are in
/// lower case. 0 if the words say nothing.
pub(super) fn boundary_log_odds(word: &str, next: &str, lexicon: &Lexicon) -> f64 {
    let start = lexicon.sentence_starts.get(next).copied().unwrap_or(0.0);
    let end = lexicon.sentence_ends.get(word).copied().unwrap_or(0.0);
    start + end
}

/// The boundaries inside `words`, whose times are known; not the one at their start.
pub(super) fn split(words: &[Word<'_>], lexicon: &Lexicon) -> Vec<Boundary> {
    let normalized: Vec<String> = words.iter().map(Word::normalized).collect();
    let log_odds: Vec<f64> = (1..words.len())
        .map(|i| {
            let pause = words[i].start - words[i - 1].end;
            let is_pause = words[i - 1].is_pause_known && pause >= MIN_PAUSE;
            let pause = if is_pause { pause_log_odds(pause) } else { 0.0 };
            let by_words = boundary_log_odds(&normalized[i - 1], &normalized[i], lexicon);
            // A function word with a capital letter begins a sentence in running text.
            let is_capitalized = words[i].is_capitalized()
                && normalized[i] != "i"
                && lexicon.is_function_word(&normalized[i]);
            PRIOR + pause + by_words + if is_capitalized { 4.0 } else { 0.0 }
        })
        .collect();
    // best[i]: the highest score of the words before i, if a boundary is there.
    let mut best: Vec<(f64, usize)> = vec![(f64::NEG_INFINITY, 0); words.len() + 1];
    best[0].0 = 0.0;
    for end in 1..=words.len() {
        let boundary = if end < words.len() {
            log_odds[end - 1]
        } else {
            0.0
        };
        for start in end.saturating_sub(MAX_WORDS)..end {
            let score = best[start].0 + boundary + length_log_likelihood(end - start);
            if score > best[end].0 {
                best[end] = (score, start);
            }
        }
    }
    let mut boundaries = Vec::new();
    let mut end = words.len();
    while best[end].1 > 0 {
        end = best[end].1;
        boundaries.push(Boundary {
            word: end,
            certainty: 1.0 / (1.0 + (-log_odds[end - 1] - 0.5).exp()),
        });
    }
    boundaries.reverse();
    boundaries
}

/// A known pause of the given length is a sign of a boundary; one of more than a second
/// is hardly ever within a sentence.
fn pause_log_odds(seconds: f64) -> f64 {
    2.2 + 2.5 * (seconds - 0.9).clamp(0.0, 1.5)
}

fn length_log_likelihood(words: usize) -> f64 {
    let deviation = (words as f64 / MEDIAN_WORDS).ln() / LOG_LENGTH_DEVIATION;
    -deviation * deviation / 2.0
}

#[cfg(test)]
mod tests {
    use lectern_domain::TimeRange;

    use super::super::{Sentence, split};
    use super::MAX_WORDS;
    use crate::language::Lexicon;
    use crate::segment_ref::TranscriptSegmentRef;

    /// Words of 0.4 s each; `|` is a pause of 0.8 s.
    fn sentences(text: &str) -> Vec<Sentence> {
        let mut time = 0.0;
        let mut segments = Vec::new();
        for word in text.split_whitespace() {
            if word == "|" {
                time += 0.8;
                continue;
            }
            segments.push(TranscriptSegmentRef {
                time: TimeRange::new(time, time + 0.4).unwrap(),
                text: word,
                words: &[],
            });
            time += 0.4;
        }
        split(&segments, &[], Lexicon::of([text].into_iter()))
    }

    const ENGLISH: &str = "now we turn to the delta | which is the place where a river meets the sea | \
        the sand settles first close to the shore | and the fine clay drifts far out into the | deep water | \
        this is why the river has to find its way across its own deposit | then it splits into several arms | \
        each of these arms builds a tongue of land | because the sand is heavy | and the water is slow";
    const GERMAN: &str = "kommen wir nun zur wärme | die immer vom heißen zum kalten körper fließt | \
        dabei stoßen schnelle teilchen ihre nachbarn an | und geben so energie weiter an die | anderen | \
        darum leiten metalle die wärme so gut | denn ihre elektronen sind frei beweglich in dem metall | \
        im holz ist das nicht so | weil es dort keine freien elektronen gibt | und die luft auch schlecht leitet";

    fn starts(text: &str) -> Vec<String> {
        let first_words = |sentence: &Sentence| {
            sentence
                .text
                .split(' ')
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        };
        sentences(text).iter().map(first_words).collect()
    }

    #[test]
    fn sentences_begin_after_a_pause_at_words_that_begin_sentences() {
        let starts = starts(ENGLISH);
        for start in ["now we", "the sand", "this is", "then it"] {
            assert!(
                starts.iter().any(|found| found == start),
                "{start}: {starts:?}"
            );
        }
        for inside in ["and the", "deep water", "because the", "which is"] {
            assert!(
                !starts.iter().any(|found| found == inside),
                "{inside}: {starts:?}"
            );
        }
    }

    #[test]
    fn german_sentences_do_not_begin_with_conjunctions() {
        let starts = starts(GERMAN);
        for start in ["kommen wir", "dabei stoßen", "darum leiten", "im holz"] {
            assert!(
                starts.iter().any(|found| found == start),
                "{start}: {starts:?}"
            );
        }
        for inside in ["und geben", "anderen darum", "denn ihre", "weil es"] {
            assert!(
                !starts.iter().any(|found| found == inside),
                "{inside}: {starts:?}"
            );
        }
    }

    #[test]
    fn the_certainty_tells_a_clear_boundary_from_an_unclear_one() {
        let found = sentences(ENGLISH);
        let certainty = |start: &str| {
            let sentence = found
                .iter()
                .find(|sentence| sentence.text.starts_with(start));
            sentence.unwrap().certainty
        };
        assert!(certainty("this is") > 0.5);
        assert!(certainty("this is") > certainty("the sand"));
    }

    #[test]
    fn text_without_pauses_is_divided_into_sentences_of_limited_length() {
        let words: Vec<String> = (0..300).map(|i| format!("tree{i}")).collect();
        let text = words.join(" ");
        let found = sentences(&text);
        assert!(found.len() >= 5);
        assert!(
            found
                .iter()
                .all(|sentence| (3..=MAX_WORDS).contains(&sentence.words))
        );
    }
}
