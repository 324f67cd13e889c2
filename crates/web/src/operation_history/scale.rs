//! Axes with round ticks.

use chrono::{DateTime, Utc};

/// The most parts into which the ticks of a vertical axis divide it.
const MAX_PARTS: f64 = 4.0;

/// A vertical axis from zero.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    /// The values with ticks, from zero on.
    pub(crate) ticks: Vec<f64>,
}

impl Scale {
    /// An axis of numbers, with ticks at whole ones: 1, 2 or 5 times a power of ten apart.
    pub(crate) fn of_counts(max: f64) -> Self {
        let steps = (0..15).flat_map(|exponent| {
            let power = 10_f64.powi(exponent);
            [power, 2.0 * power, 5.0 * power]
        });
        Self::with_step(max, steps)
    }

    /// An axis of durations in seconds, with ticks as clocks have them. No step gives a tick of two
    /// units, such as 1 min 30 s, which would be too long beside the axis.
    pub(crate) fn of_durations(max: f64) -> Self {
        const MINUTE: f64 = 60.0;
        const HOUR: f64 = 3_600.0;
        const DAY: f64 = 86_400.0;
        let steps = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0];
        let minutes = [1.0, 2.0, 5.0, 10.0, 15.0].map(|minutes| minutes * MINUTE);
        let hours = [1.0, 2.0, 3.0, 6.0].map(|hours| hours * HOUR);
        let days = (0..12).flat_map(|exponent| {
            let power = 10_f64.powi(exponent) * DAY;
            [power, 2.0 * power, 5.0 * power]
        });
        let steps = steps.into_iter().chain(minutes).chain(hours).chain(days);
        Self::with_step(max, steps)
    }

    /// The axis to the first multiple of a step that is not below `max`, with the smallest step
    /// that does not divide it into too many parts.
    fn with_step(max: f64, steps: impl Iterator<Item = f64>) -> Self {
        let mut last = 1.0;
        for step in steps {
            last = step;
            if max <= step * MAX_PARTS {
                break;
            }
        }
        let parts = (max / last).ceil().clamp(1.0, MAX_PARTS);
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX_PARTS")]
        let parts = parts as i32;
        Self {
            ticks: (0..=parts).map(|part| f64::from(part) * last).collect(),
        }
    }

    /// The greatest value of the axis.
    pub(crate) fn top(&self) -> f64 {
        self.ticks.last().copied().unwrap_or(1.0)
    }
}

/// Distances between ticks of a time axis, in seconds: minutes, hours, days and weeks.
const TIME_STEPS: [i64; 13] = [
    300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800,
];

/// The times with ticks between `from` and `to`, at most six, and whether days are apart.
pub(crate) fn time_ticks(from: DateTime<Utc>, to: DateTime<Utc>) -> (Vec<DateTime<Utc>>, bool) {
    let [.., longest] = TIME_STEPS;
    let (from, to) = (from.timestamp(), to.timestamp());
    let step = TIME_STEPS.into_iter().find(|step| to - from <= step * 5);
    let step = step.unwrap_or(longest);
    // The first multiple that is not before the axis.
    let first = -(-from).div_euclid(step) * step;
    let ticks = (0..6).map(|tick| first + tick * step);
    let ticks = ticks.take_while(|tick| *tick <= to);
    let ticks = ticks.filter_map(|tick| DateTime::from_timestamp(tick, 0));
    (ticks.collect(), step >= 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_at_most_five_round_ticks_that_reach_the_greatest_one() {
        for (max, ticks) in [
            (0.0, &[0.0, 1.0][..]),
            (0.3, &[0.0, 1.0]),
            (1.0, &[0.0, 1.0]),
            (3.2, &[0.0, 1.0, 2.0, 3.0, 4.0]),
            (7.0, &[0.0, 2.0, 4.0, 6.0, 8.0]),
            (8.1, &[0.0, 5.0, 10.0]),
            (40.0, &[0.0, 10.0, 20.0, 30.0, 40.0]),
            (20_000.0, &[0.0, 5_000.0, 10_000.0, 15_000.0, 20_000.0]),
        ] {
            assert_eq!(Scale::of_counts(max).ticks, ticks, "{max}");
        }
        for max in 1..2_000 {
            let scale = Scale::of_counts(f64::from(max));
            assert!(
                scale.top() >= f64::from(max) && scale.ticks.len() <= 5,
                "{max}"
            );
        }
    }

    #[test]
    fn durations_have_ticks_as_clocks_have_them() {
        for (max, ticks) in [
            (0.0, &[0.0, 0.1][..]),
            (1.7, &[0.0, 0.5, 1.0, 1.5, 2.0]),
            (45.0, &[0.0, 15.0, 30.0, 45.0]),
            (61.0, &[0.0, 60.0, 120.0]),
            (5_000.0, &[0.0, 3_600.0, 7_200.0]),
            (1_000.0, &[0.0, 300.0, 600.0, 900.0, 1_200.0]),
            (15_000.0, &[0.0, 7_200.0, 14_400.0, 21_600.0]),
            (2_000_000.0, &[0.0, 864_000.0, 1_728_000.0, 2_592_000.0]),
        ] {
            assert_eq!(Scale::of_durations(max).ticks, ticks, "{max}");
        }
    }

    #[test]
    fn times_have_at_most_six_ticks_at_round_times_of_utc() {
        let at = |time: &str| -> DateTime<Utc> { time.parse().unwrap() };
        let ticks = |from, to| {
            let (ticks, are_days) = time_ticks(at(from), at(to));
            let ticks: Vec<_> = ticks
                .iter()
                .map(|tick| tick.format("%d %H:%M").to_string())
                .collect();
            (ticks.join(", "), are_days)
        };
        assert_eq!(
            ticks("2026-03-04T11:00:00Z", "2026-03-04T12:00:30Z"),
            (
                "04 11:00, 04 11:15, 04 11:30, 04 11:45, 04 12:00".to_owned(),
                false
            )
        );
        assert_eq!(
            ticks("2026-03-03T12:10:00Z", "2026-03-04T12:15:00Z"),
            ("03 18:00, 04 00:00, 04 06:00, 04 12:00".to_owned(), false)
        );
        assert_eq!(
            ticks("2026-03-01T12:00:00Z", "2026-03-08T12:15:00Z"),
            ("02 00:00, 04 00:00, 06 00:00, 08 00:00".to_owned(), true)
        );
        let (month, _) = time_ticks(at("2026-02-01T12:00:00Z"), at("2026-03-03T12:00:00Z"));
        assert!((4..=6).contains(&month.len()), "{month:?}");
    }
}
