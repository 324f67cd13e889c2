//! Divides a lecture into topic segments.
//!
//! The segmentation with the highest likelihood is found by dynamic programming
//! over all segmentations (Utiyama & Isahara, "A statistical model for
//! domain-independent text segmentation", 2001). The terms of a segment are
//! modelled by a Dirichlet compound multinomial distribution (Eisenstein &
//! Barzilay, "Bayesian unsupervised topic segmentation", 2008). Neither a
//! similarity threshold nor the number of segments has to be chosen. The
//! input is the list of utterances, the output their index ranges. The running
//! time is `O(utterances × utterances per segment × terms per utterance)`, with
//! at most [`MAX_UTTERANCES`] per segment.
//!
//! # Cost of a segment
//!
//! The cost is a negative log-likelihood, the sum of three parts.
//!
//! - **Terms.** Each term is predicted from the terms before it in the segment (a
//!   Pólya urn). A segment starts as if it had `A` terms already, distributed as
//!   in the lecture; `A` is the strength of this prior. If `f` of the `n` terms
//!   so far are the term `t`, and `p` is the relative frequency of `t` in the
//!   lecture, then `t` costs `-ln((f + A p) / (n + A))`: each repetition is
//!   cheaper. Function words are equally frequent everywhere, so a boundary hardly
//!   changes their cost, and no stop word list is needed. Terms that occur in only
//!   one utterance are left out, because they connect no utterances. Repetitions
//!   within an utterance do not count.
//! - **Boundary.** In a lecture of `u` utterances, each start of a segment
//!   costs `ln u`, minus `ln(1 + s)` if it follows a pause of `s` seconds.
//! - **Length.** Segment lengths are log-normally distributed around
//!   [`expected_length`].
//!
//! # Fixed boundaries
//!
//! Some stretches are one segment each: housekeeping, and chapters that are short enough to be
//! one topic. What is before and after them is divided without them.
//!
//! # The strength of the prior
//!
//! The best `A` depends on the lecture: it is low if the topics share few terms.
//! The value whose best segmentation costs least is chosen from
//! [`PRIOR_STRENGTHS`] (empirical Bayes). The lowest value is always tried. A
//! higher value is tried only if the lecture has at least twice as many occurrences of
//! terms, because a short talk has too few for a reliable choice.

use std::ops::Range;

use super::utterance::{Utterance, total_span};
use super::vocabulary::{TermId, Vocabulary};

/// Candidates for the strength of the prior, as a number of terms.
const PRIOR_STRENGTHS: [f64; 3] = [240.0, 960.0, 3840.0];
/// The maximum length of a segment, in seconds; a single utterance may be
/// longer.
const MAX_LENGTH: f64 = 480.0;
/// The maximum number of utterances in a segment. Bounds the running time for
/// transcripts without times, which [`MAX_LENGTH`] does not.
const MAX_UTTERANCES: usize = 240;
/// The standard deviation of the logarithm of segment lengths: two thirds of
/// the segments are 0.6 to 1.6 times as long as expected.
const LOG_LENGTH_DEVIATION: f64 = 0.5;
/// How many probabilities are multiplied before a logarithm is taken: one
/// logarithm per factor would be slow, and more factors could underflow.
const FACTORS_PER_LOGARITHM: usize = 24;

/// Consecutive utterances that are divided without those before and after them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// Indices of the utterances.
    pub(super) utterances: Range<usize>,
    /// Whether they are one segment.
    pub(super) is_segment: bool,
}

/// Returns the utterances of each segment, in order. The stretches contain all utterances, in
/// order.
pub(super) fn segment(
    utterances: &[Utterance],
    vocabulary: &Vocabulary,
    stretches: &[Stretch],
) -> Vec<Range<usize>> {
    let segmenter = Segmenter::new(utterances, vocabulary, stretches);
    let term_count: usize = segmenter.shared_terms.iter().map(Vec::len).sum();
    let [lowest, higher @ ..] = PRIOR_STRENGTHS;
    let higher = higher
        .into_iter()
        .filter(|&strength| strength <= term_count as f64 / 2.0);
    std::iter::once(lowest)
        .chain(higher)
        .map(|strength| segmenter.best_segmentation(strength))
        .min_by(|a, b| a.cost.total_cmp(&b.cost))
        .map(|best| best.segments)
        .unwrap_or_default()
}

struct Segmentation {
    /// Negative log-likelihood, up to a constant.
    cost: f64,
    /// The utterances of each segment, in order.
    segments: Vec<Range<usize>>,
}

struct Segmenter<'a> {
    utterances: &'a [Utterance],
    /// For each utterance, its terms that also occur in other utterances.
    shared_terms: Vec<Vec<TermId>>,
    /// The relative frequency of each term among the shared terms of all utterances;
    /// not used for terms that are not shared.
    frequencies: Vec<f64>,
    /// For each utterance, its stretch.
    stretches: Vec<&'a Stretch>,
    /// In seconds.
    expected_length: f64,
}

impl<'a> Segmenter<'a> {
    fn new(utterances: &'a [Utterance], vocabulary: &Vocabulary, stretches: &'a [Stretch]) -> Self {
        let is_shared = |id: &TermId| vocabulary.utterance_count(*id) > 1.0;
        let shared_terms: Vec<Vec<TermId>> = utterances
            .iter()
            .map(|utterance| utterance.terms.iter().copied().filter(is_shared).collect())
            .collect();
        let total: usize = shared_terms.iter().map(Vec::len).sum();
        // A term occurs at most once in `utterance.terms`, so this count is
        // also the number of its occurrences.
        let frequency = |id| vocabulary.utterance_count(id) / total.max(1) as f64;
        Self {
            stretches: stretches
                .iter()
                .flat_map(|stretch| stretch.utterances.clone().map(move |_| stretch))
                .collect(),
            utterances,
            shared_terms,
            frequencies: (0..vocabulary.len()).map(frequency).collect(),
            expected_length: expected_length(utterances),
        }
    }

    fn best_segmentation(&self, prior_strength: f64) -> Segmentation {
        let count = self.utterances.len();
        let mut best = vec![BestPrefix::UNREACHED; count + 1];
        best[0].cost = 0.0;
        let mut urn = Urn::new(&self.frequencies, prior_strength);
        for start in 0..count {
            self.extend_from(start, &mut urn, &mut best);
        }
        let mut segments = Vec::new();
        let mut end = count;
        while end > 0 {
            let start = best[end].last_start;
            segments.push(start..end);
            end = start;
        }
        segments.reverse();
        Segmentation {
            cost: best[count].cost,
            segments,
        }
    }

    /// Tries every segment that starts at `start`. If the best segmentation up to the end
    /// of the segment becomes cheaper with it, updates `best`. The urn is empty before
    /// and after the call.
    fn extend_from(&self, start: usize, urn: &mut Urn<'_>, best: &mut [BestPrefix]) {
        let first = &self.utterances[start];
        let boundary_cost = (self.utterances.len() as f64).ln();
        let mut cost = best[start].cost + boundary_cost - first.pause_before.ln_1p();
        let stretch = self.stretches[start];
        let stretch_end = stretch.utterances.end;
        if stretch.is_segment {
            // Only the whole stretch. No segment ends inside it, so none starts there.
            if best[start].cost < best[stretch_end].cost {
                best[stretch_end] = BestPrefix {
                    cost: best[start].cost,
                    last_start: start,
                };
            }
            return;
        }
        let mut end = start;
        while end < stretch_end && end - start < MAX_UTTERANCES {
            let length = self.utterances[end].span.end - first.span.start;
            if end > start && length > MAX_LENGTH {
                break;
            }
            cost += urn.add(&self.shared_terms[end]);
            end += 1;
            let total = cost + self.length_cost(length);
            if total < best[end].cost {
                best[end] = BestPrefix {
                    cost: total,
                    last_start: start,
                };
            }
        }
        urn.clear(self.shared_terms[start..end].iter().flatten());
    }

    fn length_cost(&self, seconds: f64) -> f64 {
        let deviation = (seconds.max(1.0) / self.expected_length).ln() / LOG_LENGTH_DEVIATION;
        deviation * deviation / 2.0
    }
}

/// The best segmentation of the utterances before an index.
#[derive(Debug, Clone, Copy)]
struct BestPrefix {
    cost: f64,
    /// Where its last segment starts.
    last_start: usize,
}

impl BestPrefix {
    const UNREACHED: Self = Self {
        cost: f64::INFINITY,
        last_start: 0,
    };
}

/// A Pólya urn with the terms of the current segment.
struct Urn<'a> {
    frequencies: &'a [f64],
    prior_strength: f64,
    /// `f + A p` of each term.
    weights: Vec<f64>,
    /// `n + A`.
    total: f64,
}

impl<'a> Urn<'a> {
    fn new(frequencies: &'a [f64], prior_strength: f64) -> Self {
        Self {
            frequencies,
            prior_strength,
            weights: frequencies
                .iter()
                .map(|frequency| prior_strength * frequency)
                .collect(),
            total: prior_strength,
        }
    }

    /// Adds the terms and returns their cost.
    fn add(&mut self, terms: &[TermId]) -> f64 {
        let mut cost = 0.0;
        for terms in terms.chunks(FACTORS_PER_LOGARITHM) {
            let mut likelihood = 1.0;
            for &id in terms {
                likelihood *= self.weights[id] / self.total;
                self.weights[id] += 1.0;
                self.total += 1.0;
            }
            cost -= f64::ln(likelihood);
        }
        cost
    }

    /// Empties the urn; `terms` are all that it contains.
    fn clear<'t>(&mut self, terms: impl Iterator<Item = &'t TermId>) {
        for &id in terms {
            self.weights[id] = self.prior_strength * self.frequencies[id];
        }
        self.total = self.prior_strength;
    }
}

/// The expected length of a segment, in seconds. It grows with the square root
/// of the lecture's duration: 83 s in three minutes, 152 s in ten, and 240 s
/// from 25 minutes on.
fn expected_length(utterances: &[Utterance]) -> f64 {
    let minutes = total_span(utterances).length() / 60.0;
    60.0 * (0.8 * minutes.sqrt()).clamp(0.5, 4.0)
}
