//! Sentence boundaries in text without punctuation.
//!
//! Each place between two words gets the log-odds that a sentence ends there: from the
//! pause, and from the words around it (`boundary_cues`). A lecturer also hesitates within
//! sentences, often for longer than between them, but mostly before words with which a
//! sentence continues. Together with the log-likelihoods of the sentences' lengths, these are a
//! semi-Markov model. Dynamic programming finds its most probable boundaries, and the forward
//! and backward sums give the probability of each. The running time is linear in the number of
//! words, times [`MAX_WORDS`].

use super::boundary_cues::BoundaryCues;
use super::word::Word;
use crate::language::Lexicon;

/// The log-odds that a sentence ends after a word about which nothing is known but that there
/// is a pause, without the weight of the pause.
const PRIOR: f64 = -3.0;
/// The weight of a pause between words whose times are known, and of one that is assigned to a place
/// between words by its time. The latter is multiplied by its certainty, which underrates it.
const KNOWN_PAUSE: f64 = 2.2;
const ASSIGNED_PAUSE: f64 = 2.4;
/// The weight of each second of a pause after the first [`LONG_PAUSE`] seconds.
const LONG_PAUSE_PER_SECOND: f64 = 2.5;
const LONG_PAUSE: f64 = 0.9;
/// The prior where a pause may be, and where none was found although silences are known.
const UNKNOWN_PRIOR: f64 = -2.2;
const NO_SILENCE_PRIOR: f64 = -3.2;
/// The same where the times of both words are known, and there is no pause.
const NO_PAUSE_PRIOR: f64 = -4.5;
/// The median length of a sentence in a lecture, in words.
const MEDIAN_WORDS: f64 = 14.0;
/// The standard deviation of the logarithm of the length.
const LOG_LENGTH_DEVIATION: f64 = 0.5;
/// The maximum length of a sentence, in words.
const MAX_WORDS: usize = 60;
/// The shortest known pause that is a sign of a boundary, in seconds.
const MIN_PAUSE: f64 = 0.25;
/// A shorter one is none.
const NO_PAUSE: f64 = 0.12;

/// A place of at least this certainty is a boundary.
const MIN_CERTAINTY: f64 = 0.4;

/// A sentence boundary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Boundary {
    /// Index of the first word after it.
    pub(super) word: usize,
    /// The probability that a sentence begins there, 0 to 1.
    pub(super) certainty: f64,
}

/// The boundaries inside `words`, whose times are known; not the one at their start. `words`
/// begin with the word `first` of the cues. `missing_silences` is the fraction of pauses for
/// which no silence is known.
pub(super) fn split(
    words: &[Word<'_>],
    cues: &BoundaryCues,
    first: usize,
    lexicon: &Lexicon,
    missing_silences: f64,
) -> Vec<Boundary> {
    let unknown = NO_SILENCE_PRIOR + missing_silences * (UNKNOWN_PRIOR - NO_SILENCE_PRIOR);
    let log_odds: Vec<f64> = (1..words.len())
        .map(|i| {
            let normalized = words[i].normalized();
            // A function word with a capital letter begins a sentence in running text.
            let is_capitalized = words[i].is_capitalized()
                && normalized != "i"
                && lexicon.is_function_word(&normalized);
            let capital = if is_capitalized { 4.0 } else { 0.0 };
            pause_log_odds(&words[i - 1], &words[i], unknown) + cues.start(first + i) + capital
        })
        .collect();
    let model = Model {
        log_odds: &log_odds,
        cues,
        first,
        count: words.len(),
        lengths: (0..=MAX_WORDS).map(length_log_likelihood).collect(),
    };
    model.boundaries()
}

/// What the pause between two words says, with the prior.
fn pause_log_odds(word: &Word<'_>, next: &Word<'_>, unknown: f64) -> f64 {
    let pause = next.start - word.end;
    if word.pause_certainty > 0.0 && pause >= MIN_PAUSE {
        // One of more than a second is hardly ever within a sentence.
        let length = LONG_PAUSE_PER_SECOND * (pause - LONG_PAUSE).clamp(0.0, 1.5);
        let weight = if word.is_next_contiguous {
            KNOWN_PAUSE
        } else {
            ASSIGNED_PAUSE
        };
        PRIOR + word.pause_certainty * (weight + length)
    } else if word.is_next_contiguous && pause <= NO_PAUSE {
        NO_PAUSE_PRIOR
    } else {
        unknown
    }
}

/// A semi-Markov model of the sentences of a text.
struct Model<'a> {
    /// Of a boundary before each word but the first.
    log_odds: &'a [f64],
    cues: &'a BoundaryCues,
    first: usize,
    count: usize,
    /// The log-likelihood of each length, in words.
    lengths: Vec<f64>,
}

impl Model<'_> {
    /// The score of a boundary before the word `i`; 0 at both ends.
    fn boundary(&self, i: usize) -> f64 {
        if i > 0 && i < self.count {
            self.log_odds[i - 1]
        } else {
            0.0
        }
    }

    fn sentence(&self, start: usize, end: usize) -> f64 {
        self.lengths[end - start]
            + self
                .cues
                .whole_sentence(self.first + start..self.first + end)
    }

    fn boundaries(&self) -> Vec<Boundary> {
        let count = self.count;
        // best[i]: the highest score of the words before i, if a boundary is there, and the
        // boundary before; sums[i]: the logarithm of the sum over all ways to divide them.
        let mut best: Vec<(f64, usize)> = vec![(f64::NEG_INFINITY, 0); count + 1];
        let mut before = vec![f64::NEG_INFINITY; count + 1];
        (best[0].0, before[0]) = (0.0, 0.0);
        for end in 1..=count {
            let mut sum = LogSum::default();
            for start in end.saturating_sub(MAX_WORDS)..end {
                let score = self.sentence(start, end) + self.boundary(end);
                if best[start].0 + score > best[end].0 {
                    best[end] = (best[start].0 + score, start);
                }
                sum.add(before[start] + score);
            }
            before[end] = sum.log();
        }
        let mut after = vec![f64::NEG_INFINITY; count + 1];
        after[count] = 0.0;
        for start in (0..count).rev() {
            let ends = start + 1..=count.min(start + MAX_WORDS);
            let mut sum = LogSum::default();
            ends.map(|end| self.sentence(start, end) + self.boundary(end) + after[end])
                .for_each(|score| sum.add(score));
            after[start] = sum.log();
        }
        let mut is_best = vec![false; count];
        let mut end = count;
        while best[end].1 > 0 {
            end = best[end].1;
            is_best[end] = true;
        }
        // A probable boundary may be missing from the best division, if another one that
        // excludes it has many variants.
        let certainty = |i: usize| (before[i] + after[i] - before[count]).exp().min(1.0);
        (1..count)
            .map(|word| Boundary {
                word,
                certainty: certainty(word),
            })
            .filter(|boundary| is_best[boundary.word] || boundary.certainty >= MIN_CERTAINTY)
            .collect()
    }
}

/// A sum of exponentials, as a logarithm.
#[derive(Debug)]
struct LogSum {
    highest: f64,
    /// Relative to the highest.
    sum: f64,
}

impl Default for LogSum {
    fn default() -> Self {
        Self {
            highest: f64::NEG_INFINITY,
            sum: 0.0,
        }
    }
}

impl LogSum {
    fn add(&mut self, value: f64) {
        if value > self.highest {
            self.sum = self.sum * (self.highest - value).exp() + 1.0;
            self.highest = value;
        } else if value > f64::NEG_INFINITY {
            self.sum += (value - self.highest).exp();
        }
    }

    fn log(&self) -> f64 {
        self.highest + self.sum.ln()
    }
}

/// 0 for the median length, and negative infinity for no words.
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
