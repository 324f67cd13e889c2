//! How much a segment matters.

use lectern_domain::{Invalid, Ratio};

use super::lexicon::Lexicon;
use super::unit::Unit;

/// The importance of each segment, 0 to 1:
///
/// ```text
/// 0.5 × centrality + 0.3 × density + 0.2 × speech
/// ```
///
/// - centrality: the cosine between the terms of the segment and those of the
///   whole lecture, each weighted by its frequency and rarity (tf-idf);
/// - density: the rarities of its different terms per second, as a share of
///   the densest segment's;
/// - speech: the share of its time in which somebody speaks.
///
/// It compares segments of one lecture, not lectures.
pub(super) fn importance(segments: &[&[Unit]], lexicon: &Lexicon) -> Result<Vec<Ratio>, Invalid> {
    let whole: Vec<f64> = (0..lexicon.len())
        .map(|id| lexicon.spread(id) * lexicon.rarity(id))
        .collect();
    let measured: Vec<Measured> = segments
        .iter()
        .map(|units| Measured::of(units, &whole, lexicon))
        .collect();
    let densest = measured
        .iter()
        .map(|segment| segment.density)
        .fold(0.0, f64::max);
    measured
        .iter()
        .map(|segment| {
            let density = if densest > 0.0 {
                segment.density / densest
            } else {
                0.0
            };
            let score = 0.5 * segment.centrality + 0.3 * density + 0.2 * segment.speech;
            // Rounding may carry a sum of shares past its bounds.
            Ratio::new(score.clamp(0.0, 1.0))
        })
        .collect()
}

struct Measured {
    centrality: f64,
    density: f64,
    speech: f64,
}

impl Measured {
    fn of(units: &[Unit], whole: &[f64], lexicon: &Lexicon) -> Self {
        let mut here = vec![0.0; lexicon.len()];
        for &id in units.iter().flat_map(|unit| &unit.terms) {
            here[id] += lexicon.rarity(id);
        }
        let told: f64 = (0..here.len())
            .filter(|&id| here[id] > 0.0)
            .map(|id| lexicon.rarity(id))
            .sum();
        let start = units.first().map_or(0.0, |unit| unit.span.start);
        let end = units.iter().map(|unit| unit.span.end).fold(start, f64::max);
        // A transcript without times is as if each segment lasted a second.
        let seconds = (end - start).max(1.0);
        let speech: f64 = units.iter().map(|unit| unit.speech).sum();
        Self {
            centrality: cosine(&here, whole),
            density: told / seconds,
            speech: (speech / seconds).min(1.0),
        }
    }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 {
        dot(a, b) / lengths
    } else {
        0.0
    }
}
