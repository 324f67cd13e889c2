//! How many runs of each stage were ready and running over time, how many ended, and how long they
//! took.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use crate::stage::Stage;
use crate::value::Invalid;

/// How far a history reaches back, 1 hour to 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPeriod(u16);

impl HistoryPeriod {
    /// The longest period, in hours.
    pub const MAX: i64 = 30 * 24;

    /// Checks the bounds.
    pub fn new(hours: i64) -> Result<Self, Invalid> {
        match u16::try_from(hours) {
            Ok(hours @ 1..=720) => Ok(Self(hours)),
            _ => Err(Invalid::new("must be between 1 and 720")),
        }
    }

    /// The number of hours.
    pub fn hours(self) -> u16 {
        self.0
    }
}

impl Default for HistoryPeriod {
    /// A day.
    fn default() -> Self {
        Self(24)
    }
}

/// The parts of equal length into which a period is divided, the last of which ends now.
///
/// They begin at multiples of their length since 1970, so that two histories of the same period
/// have the same parts, except for the first and the last ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryBuckets {
    first: DateTime<Utc>,
    /// In seconds.
    width: i64,
    now: DateTime<Utc>,
}

/// The greatest length of a period, in buckets.
const LONGEST: i64 = 180;

/// Lengths of buckets, in seconds.
const WIDTHS: [i64; 9] = [60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400];

impl HistoryBuckets {
    /// The greatest number of buckets: one more than fit into the period, because it begins within
    /// the first one.
    pub const MAX: usize = 181;

    /// The buckets of the period that ends at `now`.
    pub fn new(period: HistoryPeriod, now: DateTime<Utc>) -> Self {
        let now = now.trunc_subsecs(6);
        let seconds = i64::from(period.hours()) * 3_600;
        let [.., longest] = WIDTHS;
        let fits = |width: &i64| seconds <= width * LONGEST;
        let width = WIDTHS.into_iter().find(fits).unwrap_or(longest);
        let start = now - TimeDelta::seconds(seconds);
        let first = start.timestamp().div_euclid(width) * width;
        Self {
            first: DateTime::from_timestamp(first, 0).unwrap_or(start),
            width,
            now,
        }
    }

    /// The start of the first bucket, which is in the period or less than a bucket before it.
    pub fn first(&self) -> DateTime<Utc> {
        self.first
    }

    /// The end of the last bucket.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The length of each bucket but the last in seconds.
    pub fn width(&self) -> i64 {
        self.width
    }

    /// The number of buckets, at least one.
    pub fn count(&self) -> usize {
        let micros = micros(self.now - self.first);
        // What ends at the end of a bucket needs no other one.
        let last = (micros - 1).max(0) / (self.width * MICROS);
        usize::try_from(last + 1).unwrap_or(1).min(Self::MAX)
    }

    /// The start of a bucket.
    pub fn start(&self, bucket: usize) -> DateTime<Utc> {
        let bucket = i64::try_from(bucket).unwrap_or(i64::MAX);
        self.first + TimeDelta::seconds(self.width.saturating_mul(bucket))
    }

    /// The start and the end of a bucket in microseconds since the start of the first one.
    fn bounds(&self, bucket: usize) -> (i64, i64) {
        let width = self.width * MICROS;
        let start = width * i64::try_from(bucket).unwrap_or(0);
        (start, (start + width).min(micros(self.now - self.first)))
    }
}

/// Microseconds of a second.
const MICROS: i64 = 1_000_000;

fn micros(duration: TimeDelta) -> i64 {
    duration.num_microseconds().unwrap_or(i64::MAX)
}

/// What the times of runs say about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// The run can be claimed. Its earlier attempts are not counted here.
    Ready,
    /// A worker is processing it.
    Running,
    /// It was completed.
    Completed,
    /// It has failed.
    Failed,
    /// It was cancelled or skipped, before or during an attempt.
    Closed,
    /// An attempt has failed, and there may be another one: the times are those of the attempt.
    FailedAttempt,
}

/// An event of several runs that happened in the same bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTimes {
    /// The number of the bucket from 0; negative: before all of them.
    pub bucket: i64,
    /// The sum of the times, in microseconds since the start of the first bucket.
    pub sum: i64,
}

/// Runs of a stage with the same outcome, whose times are in the same buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunGroup {
    /// Their outcome.
    pub outcome: RunOutcome,
    /// The number of runs.
    pub runs: i64,
    /// When they could be claimed; `None`: that is not known.
    pub ready: Option<RunTimes>,
    /// When they were claimed.
    pub started: Option<RunTimes>,
    /// When they ended.
    pub finished: Option<RunTimes>,
    /// Whether they were claimed after they were ready. The claim of a run that was ready again and
    /// then cancelled was before.
    pub is_claimed: bool,
    /// The longest time between claim and end, in microseconds.
    pub longest: Option<i64>,
}

/// What is known of a stage in a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistoryPoint {
    /// The start of the bucket.
    pub start: DateTime<Utc>,
    /// The mean number of runs that could be claimed.
    pub ready: f64,
    /// The mean number of runs that were processed.
    pub running: f64,
    /// The number of runs that were completed.
    pub completed: i64,
    /// The number of runs that failed.
    pub failed: i64,
    /// How long the completed runs took from their last claim to their end; `None`: there are none.
    pub duration: Option<MeanAndMax>,
}

/// Durations in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanAndMax {
    /// The mean.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
}

/// The history of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageHistory {
    /// The stage.
    pub stage: Stage,
    /// Its points, the oldest first. Those that more than [`StageHistory::MAX_RUNS`] runs hide are
    /// left out.
    pub points: Vec<HistoryPoint>,
}

/// The history of all stages.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkHistory {
    /// The buckets of the points.
    pub buckets: HistoryBuckets,
    /// The stages of [`Stage::WORK`], in this order.
    pub stages: Vec<StageHistory>,
}

impl StageHistory {
    /// How many runs of a stage are read of those that have ended, the latest, and of those that are
    /// ready. So the time does not grow with the number of runs.
    pub const MAX_RUNS: i64 = 10_000;

    /// The history that these runs have.
    pub fn of(stage: Stage, groups: &[RunGroup], buckets: &HistoryBuckets) -> Self {
        let count = buckets.count();
        let (mut ready, mut running) = (Level::new(buckets), Level::new(buckets));
        let mut ended: Vec<Ended> = vec![Ended::default(); count];
        let mut runs_read = 0;
        let mut oldest_end: Option<i64> = None;
        for group in groups {
            let runs = group.runs;
            let (starts, ends) = (group.started, group.finished);
            let is_ready_again = group.outcome == RunOutcome::FailedAttempt;
            if let Some(from) = group.ready.filter(|_| !is_ready_again) {
                match group.outcome {
                    RunOutcome::Ready => ready.change(runs, from),
                    _ if group.is_claimed => ready.between(runs, Some(from), starts),
                    RunOutcome::Closed => ready.between(runs, Some(from), ends),
                    _ => {}
                }
            }
            let ended_unclaimed =
                group.outcome == RunOutcome::Closed && group.ready.is_some() && !group.is_claimed;
            match (group.outcome, starts) {
                (RunOutcome::Running, Some(from)) => running.change(runs, from),
                (RunOutcome::Ready, _) => {}
                _ if ended_unclaimed => {}
                _ => running.between(runs, starts, ends),
            }
            if matches!(group.outcome, RunOutcome::Ready | RunOutcome::Running) {
                continue;
            }
            let Some(end) = ends else { continue };
            runs_read += runs;
            oldest_end = Some(oldest_end.map_or(end.bucket, |oldest| oldest.min(end.bucket)));
            if let Some(ended) = ended.get_mut(index(end.bucket, count)) {
                ended.add(group, starts, end);
            }
        }
        // The oldest bucket with a run may have others that were not read.
        let hidden = match oldest_end {
            Some(oldest) if runs_read >= Self::MAX_RUNS => index(oldest, count) + 1,
            _ => 0,
        };
        let (ready, running) = (ready.means(), running.means());
        let points = ended.iter().zip(ready.zip(running)).enumerate();
        let points = points
            .skip(hidden)
            .map(|(bucket, (ended, (ready, running)))| HistoryPoint {
                start: buckets.start(bucket),
                ready,
                running,
                completed: ended.completed,
                failed: ended.failed,
                duration: ended.duration(),
            });
        Self {
            stage,
            points: points.collect(),
        }
    }
}

/// The bucket of a number that is not negative. What the clock of another server puts after the
/// last one is in the last one.
fn index(bucket: i64, count: usize) -> usize {
    usize::try_from(bucket).map_or(0, |bucket| bucket.min(count - 1))
}

/// How many runs are in a state, over time.
struct Level<'a> {
    buckets: &'a HistoryBuckets,
    /// Changes of the number before the first bucket.
    at_start: i64,
    /// By how much the number changes within each bucket.
    changes: Vec<i64>,
    /// What these changes add in the same bucket, in microseconds.
    within: Vec<i64>,
}

impl<'a> Level<'a> {
    fn new(buckets: &'a HistoryBuckets) -> Self {
        Self {
            buckets,
            at_start: 0,
            changes: vec![0; buckets.count()],
            within: vec![0; buckets.count()],
        }
    }

    /// Adds runs from these times on, or takes them away.
    fn change(&mut self, runs: i64, at: RunTimes) {
        if at.bucket < 0 {
            self.at_start += runs;
            return;
        }
        // What the clock of another server puts after the last bucket has not happened yet.
        let bucket = usize::try_from(at.bucket).unwrap_or(usize::MAX);
        if let (Some(change), Some(within)) =
            (self.changes.get_mut(bucket), self.within.get_mut(bucket))
        {
            let (_, end) = self.buckets.bounds(bucket);
            *change += runs;
            *within += runs * end - runs.signum() * at.sum;
        }
    }

    /// Adds runs between times, if both are known.
    fn between(&mut self, runs: i64, from: Option<RunTimes>, to: Option<RunTimes>) {
        if let (Some(from), Some(to)) = (from, to) {
            self.change(runs, from);
            self.change(-runs, to);
        }
    }

    /// The mean number in each bucket.
    fn means(self) -> impl Iterator<Item = f64> {
        let Self {
            buckets,
            mut at_start,
            changes,
            within,
        } = self;
        let changes = changes.into_iter().zip(within).enumerate();
        changes.map(move |(bucket, (change, within))| {
            let (start, end) = buckets.bounds(bucket);
            let length = (end - start).max(1);
            let sum = at_start * length + within;
            at_start += change;
            // A clock that was set back leaves attempts that end before they start.
            (sum as f64 / length as f64).max(0.0)
        })
    }
}

/// The runs that ended in a bucket.
#[derive(Debug, Clone, Copy, Default)]
struct Ended {
    completed: i64,
    failed: i64,
    /// The number of completed runs with a duration.
    measured: i64,
    /// In microseconds.
    sum: i64,
    /// In microseconds.
    longest: i64,
}

impl Ended {
    fn add(&mut self, group: &RunGroup, started: Option<RunTimes>, finished: RunTimes) {
        match group.outcome {
            RunOutcome::Completed => self.completed += group.runs,
            RunOutcome::Failed => self.failed += group.runs,
            _ => {}
        }
        if let (RunOutcome::Completed, Some(started)) = (group.outcome, started) {
            self.measured += group.runs;
            self.sum += (finished.sum - started.sum).max(0);
            self.longest = self.longest.max(group.longest.unwrap_or(0));
        }
    }

    fn duration(&self) -> Option<MeanAndMax> {
        let seconds = |micros: i64| micros as f64 / MICROS as f64;
        (self.measured > 0).then(|| MeanAndMax {
            mean: seconds(self.sum) / self.measured as f64,
            max: seconds(self.longest),
        })
    }
}

#[cfg(test)]
mod tests;
