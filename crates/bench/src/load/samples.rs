//! Medians and percentiles.

use std::time::Duration;

/// The median, 0 of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (half, count) = (values.len() / 2, values.len());
    match count {
        0 => 0.0,
        _ if count % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

/// The times that requests took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time in milliseconds that `percent` of the requests did not exceed.
    pub(crate) fn percentile(&mut self, percent: usize) -> f64 {
        self.0.sort_unstable();
        let place = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0
            .get(place)
            .map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}
