//! The sample rates of a track, from the times of windows with the same number of samples.

use std::collections::BTreeSet;

/// The number of windows between two measurements: about a second.
const RUN_WINDOWS: u32 = 25;
/// Windows that are further apart than this do not follow each other, in microseconds.
const MAX_STEP_MICROSECONDS: f64 = 200_000.0;
/// How much a measured rate may differ from the true one. Timestamps are rounded to a millisecond
/// in some containers.
const TOLERANCE: f64 = 0.005;
/// The rates of codecs, in samples per second.
const RATES: [u32; 15] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 37_800, 44_100, 48_000, 64_000, 88_200,
    96_000, 176_400, 192_000,
];

/// Finds the sample rates of a track.
#[derive(Debug, Clone)]
pub(super) struct RateMeter {
    /// Samples in each window.
    window_samples: u32,
    /// The time of the last window, in microseconds.
    last: f64,
    /// The time of the first window of the current run, and how many windows followed it.
    run: Option<(f64, u32)>,
    /// The rate of the last run.
    candidate: Option<u32>,
    /// Rates of at least two runs one after the other, so that a run in which the rate changes does
    /// not count.
    rates: BTreeSet<u32>,
}

impl RateMeter {
    pub(super) fn new(window_samples: u32) -> Self {
        Self {
            window_samples,
            last: 0.0,
            run: None,
            candidate: None,
            rates: BTreeSet::new(),
        }
    }

    /// Adds the time of the next window.
    pub(super) fn push(&mut self, microseconds: f64) {
        let step = microseconds - self.last;
        self.last = microseconds;
        let follows = step > 0.0 && step < MAX_STEP_MICROSECONDS;
        let Some((start, windows)) = self.run.filter(|_| follows) else {
            self.run = Some((microseconds, 0));
            return;
        };
        let windows = windows + 1;
        self.run = Some((start, windows));
        if windows == RUN_WINDOWS {
            let samples = f64::from(self.window_samples) * f64::from(windows);
            let rate = known_rate(samples * 1e6 / (microseconds - start));
            if rate == self.candidate {
                self.rates.extend(rate);
            }
            self.candidate = rate;
            self.run = Some((microseconds, 0));
        }
    }

    /// The rates in samples per second, in ascending order.
    pub(super) fn rates(&self) -> Vec<u32> {
        self.rates.iter().copied().collect()
    }
}

fn known_rate(measured: f64) -> Option<u32> {
    let is_near = |rate: &u32| (measured / f64::from(*rate) - 1.0).abs() <= TOLERANCE;
    RATES.into_iter().find(is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates that are found in parts with their seconds and rates. Windows have 1,920
    /// samples, and times are rounded to milliseconds.
    fn rates(parts: &[(f64, u32)]) -> Vec<u32> {
        let mut meter = RateMeter::new(1920);
        let mut time = 0.0;
        for (seconds, rate) in parts {
            let end = time + seconds;
            while time < end {
                meter.push((time * 1000.0_f64).round() * 1000.0);
                time += 1920.0 / f64::from(*rate);
            }
        }
        meter.rates()
    }

    #[test]
    fn a_rate_that_lasts_for_some_seconds_is_found() {
        assert_eq!(rates(&[(60.0, 48_000)]), [48_000]);
        assert_eq!(rates(&[(60.0, 44_100)]), [44_100]);
        assert_eq!(rates(&[(10.7, 48_000), (10.0, 44_100)]), [44_100, 48_000]);
        assert_eq!(rates(&[(10.5, 48_000), (10.0, 32_000)]), [32_000, 48_000]);
        assert_eq!(
            rates(&[(10.0, 48_000), (1.0, 44_100), (9.0, 48_000)]),
            [48_000]
        );
    }

    #[test]
    fn gaps_and_unknown_rates_do_not_count() {
        let mut meter = RateMeter::new(1920);
        for window in 0..200 {
            // Half a second is missing after every second.
            meter.push(f64::from(window + window / 25 * 12) * 40_000.0);
        }
        assert!(meter.rates().is_empty());
        let mut meter = RateMeter::new(1920);
        for window in 0..200 {
            meter.push(f64::from(window) * 30_000.0);
            meter.push(f64::NAN);
        }
        assert!(meter.rates().is_empty());
        assert!(rates(&[(60.0, 51_000)]).is_empty());
    }
}
