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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_values_is_between_them() {
        assert_eq!(
            median(vec![4.0, 1.0, 3.0, 2.0]).to_bits(),
            2.5_f64.to_bits()
        );
        assert_eq!(median(vec![]).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let mut latencies = Latencies::default();
        for milliseconds in (1..=200).rev() {
            latencies.add(Duration::from_millis(milliseconds));
        }
        assert_eq!(latencies.percentile(50).to_bits(), 100.0_f64.to_bits());
        assert_eq!(latencies.percentile(99).to_bits(), 198.0_f64.to_bits());
        assert_eq!(
            Latencies::default().percentile(50).to_bits(),
            0.0_f64.to_bits()
        );
    }
}
