use super::*;

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-03-04T{time}Z").parse().unwrap()
}

fn buckets(hours: i64, now: &str) -> HistoryBuckets {
    HistoryBuckets::new(HistoryPeriod::new(hours).unwrap(), at(now))
}

/// An hour in minutes, until 12:00:30.
fn an_hour() -> HistoryBuckets {
    buckets(1, "12:00:30")
}

/// The time of one run, in seconds since the first bucket, which begins at 11:00.
fn second(second: i64) -> RunTimes {
    RunTimes {
        bucket: second.div_euclid(60),
        sum: second * MICROS,
    }
}

fn run(outcome: RunOutcome, ready: i64, started: i64, finished: i64) -> RunGroup {
    RunGroup {
        outcome,
        runs: 1,
        ready: Some(second(ready)),
        started: Some(second(started)),
        finished: Some(second(finished)),
        is_claimed: started >= ready,
        longest: Some((finished - started) * MICROS),
    }
}

fn history(groups: &[RunGroup]) -> Vec<HistoryPoint> {
    StageHistory::of(Stage::Transcription, groups, &an_hour()).points
}

/// Ready and running runs of the first buckets.
fn levels(groups: &[RunGroup]) -> Vec<(f64, f64)> {
    let points = history(groups);
    let levels = points.iter().map(|point| (point.ready, point.running));
    levels.take(4).collect()
}

#[test]
fn every_period_has_at_most_181_buckets_that_begin_at_round_times() {
    for hours in 1..=HistoryPeriod::MAX {
        let buckets = buckets(hours, "12:34:56.789");
        let count = buckets.count();
        assert!(
            (45..=HistoryBuckets::MAX).contains(&count),
            "{hours} h: {count}"
        );
        assert_eq!(buckets.first().timestamp() % buckets.width(), 0);
        let start = buckets.now() - TimeDelta::hours(hours);
        assert!(
            buckets.start(0) <= start && start < buckets.start(1),
            "{hours} h"
        );
        assert!(buckets.start(count - 1) < buckets.now(), "{hours} h");
        assert!(buckets.now() <= buckets.start(count), "{hours} h");
    }
    let widths = [1, 24, 168, 720].map(|hours| buckets(hours, "12:00:00").width());
    assert_eq!(widths, [60, 600, 3_600, 14_400]);
    assert!(HistoryPeriod::new(0).is_err() && HistoryPeriod::new(721).is_err());
}

#[test]
fn a_period_that_ends_with_a_bucket_has_no_empty_one() {
    assert_eq!(buckets(1, "12:00:00").count(), 60);
    assert_eq!(buckets(1, "12:00:00.000001").count(), 61);
}

#[test]
fn levels_are_means_over_a_bucket() {
    use RunOutcome::{Completed, Failed};
    // Ready from 0:30 to 1:15, running until 3:00.
    let run_through = run(Completed, 30, 75, 180);
    assert_eq!(
        levels(&[run_through]),
        [(0.5, 0.0), (0.25, 0.75), (0.0, 1.0), (0.0, 0.0)]
    );
    // What begins and ends in the same bucket counts for its share of it.
    assert_eq!(levels(&[run(Failed, 0, 6, 36)])[0], (0.1, 0.5));
    // Before the first bucket.
    assert_eq!(
        levels(&[run(Completed, -900, -600, 30)])[..2],
        [(0.0, 0.5), (0.0, 0.0)]
    );
}

#[test]
fn open_runs_last_until_now() {
    let ready = RunGroup {
        started: None,
        finished: None,
        ..run(RunOutcome::Ready, 3_585, 0, 0)
    };
    let running = RunGroup {
        finished: None,
        ..run(RunOutcome::Running, 3_540, 3_600, 0)
    };
    let points = history(&[ready, running]);
    let [.., before, last] = &points[..] else {
        panic!("{points:?}")
    };
    assert_eq!((before.ready, before.running), (1.25, 0.0));
    // The last bucket has thirty seconds.
    assert_eq!((last.ready, last.running), (1.0, 1.0));
    assert_eq!(last.start, at("12:00:00"));
}

#[test]
fn a_run_that_is_cancelled_was_ready_until_then_or_running() {
    use RunOutcome::{Closed, FailedAttempt};
    let while_ready = RunGroup {
        started: None,
        is_claimed: false,
        ..run(Closed, 0, 0, 60)
    };
    assert_eq!(levels(&[while_ready])[..2], [(1.0, 0.0), (0.0, 0.0)]);
    // Its end is that of the pause after an earlier attempt.
    assert_eq!(
        levels(&[run(Closed, 60, 0, 120)])[..2],
        [(0.0, 0.0), (1.0, 0.0)]
    );
    assert_eq!(
        levels(&[run(Closed, 0, 60, 120)])[..2],
        [(1.0, 0.0), (0.0, 1.0)]
    );
    assert_eq!(
        levels(&[run(FailedAttempt, 60, 0, 60)])[..2],
        [(0.0, 1.0), (0.0, 0.0)]
    );
    let ended = history(&[while_ready, run(FailedAttempt, 60, 0, 60)]);
    assert!(
        ended
            .iter()
            .all(|point| point.completed + point.failed == 0)
    );
}

#[test]
fn ended_runs_are_counted_in_the_bucket_of_their_end() {
    use RunOutcome::{Completed, Failed};
    let points = history(&[
        run(Completed, 0, 10, 59),
        run(Completed, 0, 50, 60),
        run(Completed, 0, 0, 119),
        run(Failed, 0, 50, 119),
    ]);
    assert_eq!((points[0].completed, points[1].completed), (1, 2));
    assert_eq!((points[0].failed, points[1].failed), (0, 1));
    let of = |point: &HistoryPoint| point.duration.map(|duration| (duration.mean, duration.max));
    assert_eq!(of(&points[0]), Some((49.0, 49.0)));
    assert_eq!(of(&points[1]), Some((64.5, 119.0)));
    assert_eq!(of(&points[2]), None);
}

#[test]
fn a_clock_that_was_set_back_leaves_no_negative_numbers() {
    let points = history(&[run(RunOutcome::Completed, 200, 180, 60)]);
    let duration = points[1].duration.unwrap();
    assert_eq!((duration.mean, duration.max), (0.0, 0.0));
    assert!(
        points
            .iter()
            .all(|point| point.ready >= 0.0 && point.running >= 0.0)
    );
    // What another server's clock puts into the future ends now.
    let last = history(&[run(RunOutcome::Completed, 0, 10, 9_000)]);
    assert_eq!(last.last().unwrap().completed, 1);
}

#[test]
fn what_more_runs_hide_is_left_out() {
    let of_runs = |runs| {
        let group = RunGroup {
            runs,
            ..run(RunOutcome::Completed, 0, 0, 70)
        };
        history(&[group, run(RunOutcome::Completed, 0, 0, 130)])
    };
    assert_eq!(of_runs(StageHistory::MAX_RUNS - 2).len(), 61);
    let rest = of_runs(StageHistory::MAX_RUNS - 1);
    assert_eq!((rest.len(), rest[0].start), (59, at("11:02:00")));
}
