//! Scores how important each segment is within its lecture.
//!
//! The score combines how typical the vocabulary of a segment is for the
//! lecture, how much new information the segment has per second, and how much of
//! its time is speech. Scores compare segments of one lecture only. The running time is
//! linear in the number of segments times the size of the vocabulary.

use lectern_domain::{Invalid, Ratio};

use super::utterance::{Utterance, total_span};
use super::vocabulary::Vocabulary;

/// Returns the importance of each segment, 0 to 1:
///
/// ```text
/// 0.5 × centrality + 0.3 × density + 0.2 × speech ratio
/// ```
///
/// - centrality: the cosine similarity between the tf-idf vectors of the
///   segment and of the whole lecture;
/// - density: the sum of the idf of the segment's distinct terms, divided by its
///   length, relative to the densest segment;
/// - speech ratio: the fraction of its time that is speech.
pub(super) fn importance_scores(
    segments: &[&[Utterance]],
    vocabulary: &Vocabulary,
) -> Result<Vec<Ratio>, Invalid> {
    let lecture_vector: Vec<f64> = (0..vocabulary.len())
        .map(|id| vocabulary.utterance_count(id) * vocabulary.idf(id))
        .collect();
    let features: Vec<Features> = segments
        .iter()
        .map(|utterances| Features::of(utterances, &lecture_vector, vocabulary))
        .collect();
    let max_density = features
        .iter()
        .map(|segment| segment.density)
        .fold(0.0, f64::max);
    features
        .iter()
        .map(|segment| {
            let density = if max_density > 0.0 {
                segment.density / max_density
            } else {
                0.0
            };
            let score = 0.5 * segment.centrality + 0.3 * density + 0.2 * segment.speech_ratio;
            // Rounding may carry the sum above 1.
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
}

impl Features {
    fn of(utterances: &[Utterance], lecture_vector: &[f64], vocabulary: &Vocabulary) -> Self {
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
        Self {
            centrality: cosine_similarity(&vector, lecture_vector),
            density: information / seconds,
            speech_ratio: (speech_time / seconds).min(1.0),
        }
    }
}

/// 0 if either vector is zero.
fn cosine_similarity(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
