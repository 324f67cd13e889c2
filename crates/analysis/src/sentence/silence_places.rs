//! Between which words the silences of a segment are.
//!
//! The silences divide the segment into islands of speech, of which each has words. The running
//! time is linear in the number of words, because a silence is compared only with the
//! [`SEARCH_WORDS`] places around its time.

use super::word::{Ending, Word};
use crate::time_span::TimeSpan;

/// How many places before and after the expected one are compared for a silence.
const SEARCH_WORDS: usize = 6;
/// A silence this many seconds from the expected place, or less, is near it.
const MAX_NEAR: f64 = 0.7;

/// What is known about the pauses within a segment.
pub(super) struct Pauses<'a> {
    /// The log-odds that a speaker pauses before a word of the segment, by the words around.
    pub(super) log_odds: &'a dyn Fn(usize) -> f64,
    /// The standard deviation of the estimated time of a word, in seconds.
    pub(super) deviation: f64,
}

/// The end of an island.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    /// The index after its last word.
    pub(super) end: usize,
    /// The probability that the silence after it is there, and not at a place nearby.
    pub(super) certainty: f64,
}

/// A place between two words where a silence may be.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The index of the word after it.
    word: usize,
    /// Log-likelihood.
    fit: f64,
    /// The best log-likelihood of the silences up to this one, and the word of the one before.
    best: (f64, usize),
    /// The likelihood of all ways to place the silences before, and after.
    before: f64,
    after: f64,
}

/// The end of each island: the most probable places of the silences, by their squared distances
/// from the expected places, and by the log-odds that a speaker pauses there.
pub(super) fn split_into_islands(
    words: &[Word<'_>],
    islands: &[TimeSpan],
    pauses: &Pauses<'_>,
) -> Vec<Split> {
    let count = words.len();
    let last = Split {
        end: count,
        certainty: 1.0,
    };
    if islands.len() == 1 {
        return vec![last];
    }
    let total_time: f64 = islands.iter().map(|island| island.length()).sum();
    let total_letters: f64 = words.iter().map(Word::length_in_letters).sum();
    let seconds_per_letter = total_time / total_letters.max(1.0);
    // ends[i]: the speech time when word i has ended.
    let ends: Vec<f64> = words
        .iter()
        .scan(0.0, |sum, word| {
            *sum += word.length_in_letters() * seconds_per_letter;
            Some(*sum)
        })
        .collect();
    let mut layers: Vec<Vec<Place>> = Vec::new();
    let mut speech_times = Vec::new();
    let mut speech_time = 0.0;
    for (i, island) in islands[..islands.len() - 1].iter().enumerate() {
        speech_time += island.length();
        let expected = ends.partition_point(|end| *end < speech_time);
        // Each island has a word.
        let (lowest, highest) = (i + 1, count - (islands.len() - 1 - i));
        let from = expected.saturating_sub(SEARCH_WORDS).clamp(lowest, highest);
        let to = (expected + SEARCH_WORDS).clamp(lowest, highest);
        let layer = (from..=to).filter_map(|word| {
            let distance = (ends[word - 1] - speech_time) / pauses.deviation;
            let ending = words[word - 1].ending;
            let fit = pause_log_odds(ending, (pauses.log_odds)(word)) - distance * distance / 2.0;
            let (best, before) = match layers.last() {
                None => ((fit, 0), fit.exp()),
                Some(layer) => {
                    let earlier = || layer.iter().filter(|place| place.word < word);
                    let best = earlier().max_by(|a, b| a.best.0.total_cmp(&b.best.0))?;
                    let sum: f64 = earlier().map(|place| place.before).sum();
                    ((fit + best.best.0, best.word), fit.exp() * sum)
                }
            };
            Some(Place {
                word,
                fit,
                best,
                before,
                after: 1.0,
            })
        });
        let layer: Vec<Place> = layer.collect();
        if layer.is_empty() {
            // The islands are too crowded for this many words near each silence.
            return proportional_splits(count, islands.len());
        }
        layers.push(layer);
        speech_times.push(speech_time);
    }
    add_likelihoods_after(&mut layers);
    let best = layers.last().and_then(|layer| {
        let best = layer.iter().max_by(|a, b| a.best.0.total_cmp(&b.best.0));
        best.map(|place| place.word)
    });
    let mut splits = vec![last];
    let mut word = best;
    for (layer, speech_time) in layers.iter().zip(speech_times).rev() {
        let Some(found) = layer.iter().find(|place| Some(place.word) == word) else {
            return proportional_splits(count, islands.len());
        };
        let total: f64 = layer.iter().map(|place| place.before * place.after).sum();
        // Far from the expected place, it may also be another pause, in which no silence is known.
        let is_near = (ends[found.word - 1] - speech_time).abs() <= MAX_NEAR;
        let certainty = (found.before * found.after / total.max(f64::MIN_POSITIVE)).min(1.0);
        splits.push(Split {
            end: found.word,
            certainty: if is_near { certainty } else { 0.0 },
        });
        word = Some(found.best.1);
    }
    splits.reverse();
    splits
}

fn add_likelihoods_after(layers: &mut [Vec<Place>]) {
    for i in (1..layers.len()).rev() {
        let (earlier, later) = layers.split_at_mut(i);
        for place in &mut earlier[i - 1] {
            let after = later[0].iter().filter(|next| next.word > place.word);
            place.after = after.map(|next| next.fit.exp() * next.after).sum();
        }
    }
}

fn proportional_splits(words: usize, islands: usize) -> Vec<Split> {
    let split = |i: usize| Split {
        end: (i * words / islands).max(i),
        certainty: if i == islands { 1.0 } else { 0.0 },
    };
    (1..=islands).map(split).collect()
}

/// The log-odds that a speaker pauses between two words.
fn pause_log_odds(ending: Ending, by_words: f64) -> f64 {
    match ending {
        Ending::Sentence => 3.0,
        Ending::Clause => 1.5,
        Ending::Probable | Ending::None => by_words,
    }
}
