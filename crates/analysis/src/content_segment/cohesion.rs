//! Where the words change.

use std::ops::Range;

use super::lexicon::{Lexicon, TermId};
use super::unit::Unit;

/// How many words the lecture as a whole may weigh against those of a segment.
const PRIOR_WORDS: [f64; 3] = [240.0, 960.0, 3840.0];
/// The longest segment, in seconds; only a single unit may be longer.
const LONGEST: f64 = 480.0;
/// The most units of a segment, whatever their times say.
const MOST_UNITS: usize = 240;
/// How far lengths stray from the typical one: the deviation of their
/// logarithm, that is two in three between 0.6 and 1.6 times as long.
const STRAY: f64 = 0.5;

/// The likeliest division of the lecture into segments that each have words of
/// their own, by dynamic programming over all of them (Utiyama & Isahara, "A
/// statistical model for domain-independent text segmentation", 2001): nothing
/// is compared with a threshold, and the number of segments follows.
///
/// The words of a segment are priced as in Eisenstein & Barzilay, "Bayesian
/// unsupervised topic segmentation" (2008), each by those before it (a Pólya
/// urn): when `f` of the `n` words so far were `w`, which is a share `p` of the
/// lecture, then `w` costs `-ln((f + A p) / (n + A))`. A segment thus begins
/// with the lecture's own statistics and gets cheaper the more it repeats
/// itself; words that stand everywhere cost the same wherever the boundaries
/// are, which is why no list of stop words is needed. Words of a single unit
/// are left out, since they connect nothing.
///
/// How much the lecture weighs, `A`, is not known: it is small when subjects
/// share few words. Of [`PRIOR_WORDS`] the one is taken whose cheapest division
/// is the cheapest (empirical Bayes), but none above half the words there are,
/// of which a short talk has too few to tell.
///
/// On top come two priors. One of `u` units begins a segment at a price of
/// `ln u`, less `ln(1 + s)` after a pause of `s` seconds. And lengths are taken
/// as log-normal around [`typical_length`].
pub(super) fn divide(units: &[Unit], lexicon: &Lexicon) -> Vec<Range<usize>> {
    let talk = Talk::new(units, lexicon);
    let said: usize = talk.connecting.iter().map(Vec::len).sum();
    let [least, more @ ..] = PRIOR_WORDS;
    let more = more.into_iter().filter(|&prior| prior <= said as f64 / 2.0);
    let divisions = std::iter::once(least)
        .chain(more)
        .map(|prior| talk.divide(prior));
    let cheapest = divisions.min_by(|(a, _), (b, _)| a.total_cmp(b));
    cheapest.map(|(_, ranges)| ranges).unwrap_or_default()
}

/// What a division is priced by.
struct Talk<'a> {
    units: &'a [Unit],
    /// The terms of each unit that stand in others too.
    connecting: Vec<Vec<TermId>>,
    /// Of each term its share in all of those.
    shares: Vec<f64>,
    /// The length of a topic, in seconds.
    typical: f64,
}

impl<'a> Talk<'a> {
    fn new(units: &'a [Unit], lexicon: &Lexicon) -> Self {
        let connects = |id: &TermId| lexicon.spread(*id) > 1.0;
        let connecting: Vec<Vec<TermId>> = units
            .iter()
            .map(|unit| unit.terms.iter().copied().filter(connects).collect())
            .collect();
        let total: usize = connecting.iter().map(Vec::len).sum();
        let share = |id| lexicon.spread(id) / total.max(1) as f64;
        Self {
            units,
            connecting,
            shares: (0..lexicon.len()).map(share).collect(),
            typical: typical_length(units),
        }
    }

    /// The cheapest division when the lecture weighs as much as so many words,
    /// and its price.
    fn divide(&self, prior_words: f64) -> (f64, Vec<Range<usize>>) {
        let units = self.units;
        let beginning = (units.len() as f64).ln();
        // best[i]: the price of all before unit i, and where its last segment begins.
        let mut best = vec![(f64::INFINITY, 0); units.len() + 1];
        best[0] = (0.0, 0);
        let mut weights: Vec<f64> = self
            .shares
            .iter()
            .map(|share| prior_words * share)
            .collect();
        for (start, unit) in units.iter().enumerate() {
            let mut price = best[start].0 + beginning - unit.pause.ln_1p();
            let mut words = prior_words;
            let mut end = start;
            while end < units.len() && end - start < MOST_UNITS {
                let length = units[end].span.end - unit.span.start;
                if end > start && length > LONGEST {
                    break;
                }
                // One logarithm for as many factors as surely do not underflow.
                for ids in self.connecting[end].chunks(24) {
                    let mut likelihood = 1.0;
                    for &id in ids {
                        let weight = &mut weights[id];
                        likelihood *= *weight / words;
                        *weight += 1.0;
                        words += 1.0;
                    }
                    price -= f64::ln(likelihood);
                }
                end += 1;
                let stray = (length.max(1.0) / self.typical).ln() / STRAY;
                let whole = price + stray * stray / 2.0;
                if whole < best[end].0 {
                    best[end] = (whole, start);
                }
            }
            for &id in self.connecting[start..end].iter().flatten() {
                weights[id] = prior_words * self.shares[id];
            }
        }

        let mut ranges = Vec::new();
        let mut end = units.len();
        while end > 0 {
            let start = best[end].1;
            ranges.push(start..end);
            end = start;
        }
        ranges.reverse();
        (best[units.len()].0, ranges)
    }
}

/// How long a topic of such a lecture is thought to last, in seconds: 80 in a
/// talk of three minutes, two and a half minutes in one of ten, four minutes
/// from 25 minutes on.
fn typical_length(units: &[Unit]) -> f64 {
    let start = units.first().map_or(0.0, |unit| unit.span.start);
    let end = units.iter().map(|unit| unit.span.end).fold(start, f64::max);
    let minutes = (end - start) / 60.0;
    60.0 * (0.8 * minutes.sqrt()).clamp(0.5, 4.0)
}
