//! Compares the times of two implementations.

use std::time::Instant;

use anyhow::Result;

/// Seconds per call of both sides, one entry per round.
pub(crate) struct Comparison {
    rounds: Vec<(f64, f64)>,
}

impl Comparison {
    /// Median over the rounds of our time to the bare side's.
    pub(crate) fn ratio(&self) -> f64 {
        percentile(self.ratios(), 0.5)
    }

    /// The 10th and the 90th percentile of the ratios.
    pub(crate) fn spread(&self) -> (f64, f64) {
        (
            percentile(self.ratios(), 0.1),
            percentile(self.ratios(), 0.9),
        )
    }

    /// Median of our side, in seconds per call.
    pub(crate) fn ours(&self) -> f64 {
        percentile(self.rounds.iter().map(|round| round.0), 0.5)
    }

    /// Median of the bare side, in seconds per call.
    pub(crate) fn bare(&self) -> f64 {
        percentile(self.rounds.iter().map(|round| round.1), 0.5)
    }

    fn ratios(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|(ours, bare)| ours / bare)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a short list"
)]
fn percentile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Alternates both sides, and which of them runs first in a round. The first round
/// fills caches and is not counted. Both sides get the baseline's connection, for
/// preparations.
pub(crate) fn alternate<B>(
    rounds: usize,
    mut ours: impl FnMut(&mut B) -> Result<f64>,
    mut bare: impl FnMut(&mut B) -> Result<f64>,
    conn: &mut B,
) -> Result<Comparison> {
    let mut measured = Vec::with_capacity(rounds);
    for round in 0..=rounds {
        let pair = if round % 2 == 0 {
            let first = ours(conn)?;
            (first, bare(conn)?)
        } else {
            let first = bare(conn)?;
            (ours(conn)?, first)
        };
        if round > 0 {
            measured.push(pair);
        }
    }
    Ok(Comparison { rounds: measured })
}

/// Seconds per call of a batch.
pub(crate) fn per_call(calls: usize, mut call: impl FnMut(usize) -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    for i in 0..calls {
        call(i)?;
    }
    Ok(start.elapsed().as_secs_f64() / calls as f64)
}
