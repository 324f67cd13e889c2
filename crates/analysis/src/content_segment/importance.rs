//! Scores how important each segment is within its lecture.
//!
//! The scores are relative: they compare the segments of one lecture, and have the same
//! range in every lecture. The most important segment with content has the score 1, the least
//! important one [`LOWEST_CONTENT`]; if there is only one, it has 1. Housekeeping has at most
//! [`HIGHEST_HOUSEKEEPING`], so it is always less important than content. The running time
//! is linear in the number of segments times the size of the vocabulary.

use lectern_domain::{Invalid, Ratio};

use super::segment::Segment;
use super::utterance::{Utterance, total_span};
use super::vocabulary::Vocabulary;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// The score of the least important of several segments with content.
const LOWEST_CONTENT: f64 = 0.3;
/// The score of housekeeping that is about the same as the lecture.
const HIGHEST_HOUSEKEEPING: f64 = 0.1;

/// Returns the importance of each segment, 0 to 1. It increases with
///
/// ```text
/// 0.4 × centrality + 0.25 × density + 0.2 × speech ratio + 0.15 × emphasis
/// ```
///
/// - centrality: the cosine similarity between the tf-idf vectors of the
///   segment and of the whole lecture;
/// - density: the sum of the idf of the segment's distinct terms, divided by its
///   length, relative to the densest segment;
/// - speech ratio: the fraction of its time that is speech;
/// - emphasis: the number of words per second that mark definitions, reasons and
///   conclusions, relative to the segment with the most.
pub(super) fn importance_scores(
    segments: &[Segment<'_>],
    vocabulary: &Vocabulary,
    lexicon: &Lexicon,
) -> Result<Vec<Ratio>, Invalid> {
    let lecture_vector: Vec<f64> = (0..vocabulary.len())
        .map(|id| vocabulary.utterance_count(id) * vocabulary.idf(id))
        .collect();
    let features: Vec<Features> = segments
        .iter()
        .map(|segment| Features::of(segment.utterances, &lecture_vector, vocabulary, lexicon))
        .collect();
    let max = |feature: fn(&Features) -> f64| features.iter().map(feature).fold(0.0, f64::max);
    let (max_density, max_emphasis) = (max(|of| of.density), max(|of| of.emphasis));
    let relative = |value: f64, max: f64| if max > 0.0 { value / max } else { 0.0 };
    let raw: Vec<f64> = features
        .iter()
        .map(|segment| {
            0.4 * segment.centrality
                + 0.25 * relative(segment.density, max_density)
                + 0.2 * segment.speech_ratio
                + 0.15 * relative(segment.emphasis, max_emphasis)
        })
        .collect();
    let is_content = |i: usize| segments[i].housekeeping.is_none();
    let content = || (0..raw.len()).filter(|&i| is_content(i)).map(|i| raw[i]);
    let lowest = content().fold(f64::INFINITY, f64::min);
    let highest = content().fold(f64::NEG_INFINITY, f64::max);
    (0..raw.len())
        .map(|i| {
            let score = if !is_content(i) {
                HIGHEST_HOUSEKEEPING * features[i].centrality
            } else if highest > lowest {
                let position = (raw[i] - lowest) / (highest - lowest);
                LOWEST_CONTENT + (1.0 - LOWEST_CONTENT) * position
            } else {
                1.0
            };
            // Rounding may carry the score above 1.
            Ratio::new(score.clamp(0.0, 1.0))
        })
        .collect()
}

struct Features {
    /// 0 to 1.
    centrality: f64,
    /// Idf per second.
    density: f64,
    /// 0 to 1.
    speech_ratio: f64,
    /// Words per second.
    emphasis: f64,
}

impl Features {
    fn of(
        utterances: &[Utterance],
        lecture_vector: &[f64],
        vocabulary: &Vocabulary,
        lexicon: &Lexicon,
    ) -> Self {
        let mut vector = vec![0.0; vocabulary.len()];
        for &id in utterances.iter().flat_map(|utterance| &utterance.terms) {
            vector[id] += vocabulary.idf(id);
        }
        let information: f64 = (0..vector.len())
            .filter(|&id| vector[id] > 0.0)
            .map(|id| vocabulary.idf(id))
            .sum();
        // At least a second, so that a transcript without times has a density.
        let seconds = total_span(utterances).length().max(1.0);
        let speech_time: f64 = utterances
            .iter()
            .map(|utterance| utterance.speech_time)
            .sum();
        let words = utterances
            .iter()
            .flat_map(|utterance| utterance.text.split_whitespace());
        let emphatic_words = words
            .filter(|word| lexicon.emphasis.contains(normalize(word).as_str()))
            .count();
        Self {
            centrality: cosine_similarity(&vector, lecture_vector),
            density: information / seconds,
            speech_ratio: (speech_time / seconds).min(1.0),
            emphasis: emphatic_words as f64 / seconds,
        }
    }
}

/// 0 if either vector is zero.
fn cosine_similarity(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
