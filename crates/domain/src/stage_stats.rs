//! What waits for each stage, and how fast workers get through it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::stage::Stage;

/// The state of one stage over all jobs, from one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct StageStats {
    /// The stage.
    pub stage: Stage,
    /// Since when claims of it give nothing; `None`: it is not paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// The numbers of its runs.
    pub runs: RunCounts,
    /// How long the oldest run that can be claimed has been ready, in seconds. `None`: there is
    /// none.
    pub oldest_ready_seconds: Option<f64>,
    /// How long the latest completed runs took; `None`: none was completed in the last hour.
    pub durations: Option<Durations>,
}

/// The numbers of a stage's runs. Each is counted up to [`RunCounts::MAX`], so that the time to
/// count does not grow with the backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunCounts {
    /// Runs that a worker can claim now.
    pub ready: i64,
    /// Runs that can be claimed after a pause, because their last attempt has failed.
    pub scheduled: i64,
    /// Runs whose stage waits for another one of the job.
    pub waiting: i64,
    /// Runs that a worker is processing.
    pub running: i64,
    /// Runs that have failed, and whose job was not retried.
    pub failed: i64,
    /// Runs that were completed in the last five minutes.
    pub completed_last_5m: i64,
    /// Runs that were completed in the last hour.
    pub completed_last_hour: i64,
}

impl RunCounts {
    /// The greatest number that is counted: there may be more.
    pub const MAX: i64 = 10_000;
}

/// How long runs took from their last claim to their end, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Durations {
    /// The number of runs that were measured, at most [`Durations::MAX_RUNS`].
    pub runs: usize,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// Of 20 runs, 19 took at most this long.
    pub p95: f64,
}

impl Durations {
    /// How many runs of a stage are measured: the latest that were completed within the last
    /// hour.
    pub const MAX_RUNS: i64 = 500;

    /// Summarizes durations; `None` if there are none. A duration below zero, which a clock that
    /// was set back leaves, counts as zero.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use lectern_domain::Durations;
    ///
    /// let durations = (1..=20).map(TimeDelta::seconds);
    /// let summary = Durations::of(durations).unwrap();
    /// assert_eq!((summary.mean, summary.p50, summary.p95), (10.5, 10.0, 19.0));
    /// assert_eq!(Durations::of([]), None);
    /// ```
    pub fn of(durations: impl IntoIterator<Item = TimeDelta>) -> Option<Self> {
        let seconds = durations.into_iter().map(seconds_of);
        let mut seconds: Vec<_> = seconds.collect();
        seconds.sort_by(f64::total_cmp);
        // The nearest rank: a duration that was measured, not one between two.
        let percentile = |percent: usize| {
            let rank = (seconds.len() * percent).div_ceil(100);
            seconds.get(rank.saturating_sub(1)).copied()
        };
        Some(Self {
            runs: seconds.len(),
            mean: seconds.iter().sum::<f64>() / seconds.len() as f64,
            p50: percentile(50)?,
            p95: percentile(95)?,
        })
    }
}

/// A duration in seconds, at least zero.
pub(crate) fn seconds_of(duration: TimeDelta) -> f64 {
    duration.as_seconds_f64().max(0.0)
}

impl StageStats {
    /// The time between `since` and `now` in seconds, at least zero.
    pub fn seconds_since(since: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
        seconds_of(now - since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measured_duration() {
        let of = |seconds: &[i64]| {
            let durations = seconds.iter().copied().map(TimeDelta::seconds);
            let summary = Durations::of(durations).unwrap();
            (summary.runs, summary.p50, summary.p95)
        };
        assert_eq!(of(&[7]), (1, 7.0, 7.0));
        assert_eq!(of(&[9, 1]), (2, 1.0, 9.0));
        assert_eq!(of(&[3, 1, 2]), (3, 2.0, 3.0));
        let hundred: Vec<_> = (1..=100).rev().collect();
        assert_eq!(of(&hundred), (100, 50.0, 95.0));
    }

    #[test]
    fn time_does_not_run_backwards() {
        let summary = Durations::of([TimeDelta::seconds(-3)]).unwrap();
        assert_eq!((summary.mean, summary.p95), (0.0, 0.0));
        let now = DateTime::UNIX_EPOCH;
        let later = now + TimeDelta::seconds(1);
        assert!(StageStats::seconds_since(later, now).abs() < f64::EPSILON);
    }
}
