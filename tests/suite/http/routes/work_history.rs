//! What waited for each stage over time.

use std::fmt::Write as _;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use lectern_domain::Stage::{ContentAnalysis, SilenceDetection, Transcription};
use lectern_domain::{HistoryPeriod, NewApiKey, OwnerName, Role, Stage};
use lectern_tests::{
    Backend, Client, TestDb, TestServer, a_job, on_both_backends,
    on_both_backends_and_with_row_security, queries,
};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::job_path;
use crate::http::support::worker::{claim, create_job};
use crate::many_jobs::{insert_jobs, plan_with};
use crate::pseudo_random::PseudoRandom;

on_both_backends!(
    without_jobs_every_stage_has_points_of_zeros,
    every_period_has_few_points_at_round_times,
    a_run_is_ready_then_running_then_completed,
    failures_are_counted_until_they_are_tried_again,
    a_run_that_ends_with_its_job_was_ready_until_then,
    a_failed_attempt_was_running_and_is_not_a_failure,
    a_released_run_is_ready_from_then_on,
    the_means_are_those_of_the_stored_times,
    more_runs_than_are_read_shorten_the_history,
    the_history_is_read_from_indexes_that_begin_with_the_stage,
    times_that_another_program_wrote_do_no_harm,
);

on_both_backends_and_with_row_security!(an_owner_sees_the_history_of_its_jobs);

const HISTORY: &str = "/api/v1/work/stats/history";

fn history(client: &Client, hours: i64) -> Value {
    client
        .get(&format!("{HISTORY}?hours={hours}"))
        .expect(200)
        .json()
}

/// The points of a stage.
fn points(history: &Value, stage: Stage) -> Vec<Value> {
    let mut stages = history["stages"].as_array().unwrap().iter();
    let found = stages.find(|entry| entry["stage"] == stage.as_str());
    found.unwrap()["points"].as_array().unwrap().clone()
}

/// Ready and running runs, and those that were completed and that failed, in the last points of
/// the last hour.
fn last_points<const N: usize>(client: &Client, stage: Stage) -> [(f64, f64, i64, i64); N] {
    let points = points(&history(client, 1), stage);
    let last = &points[points.len() - N..];
    let values = last.iter().map(|point| {
        let mean = |name: &str| point[name].as_f64().unwrap();
        let count = |name: &str| point[name].as_i64().unwrap();
        (
            mean("ready"),
            mean("running"),
            count("completed"),
            count("failed"),
        )
    });
    values.collect::<Vec<_>>().try_into().unwrap()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// Lets the clock go on to the start of a minute.
fn to_the_minute(db: &TestDb) {
    let now = db.now();
    let next = now.timestamp().div_euclid(60) * 60 + 60;
    let next = DateTime::from_timestamp(next, 0).unwrap();
    db.clock().advance(next - now);
}

fn without_jobs_every_stage_has_points_of_zeros(server: TestServer) {
    let history = server.get(HISTORY).expect(200).json();
    assert_eq!(history["total"], json!(Stage::WORK.len()));
    let stages = history["stages"].as_array().unwrap().iter();
    let order: Vec<_> = stages.map(|entry| entry["stage"].clone()).collect();
    assert_eq!(json!(order), json!(Stage::WORK));
    let points = points(&history, Transcription);
    // A day in steps of ten minutes.
    assert!((144..=145).contains(&points.len()), "{}", points.len());
    for point in points {
        let empty = json!({
            "start": point["start"], "ready": 0.0, "running": 0.0, "completed": 0, "failed": 0,
            "duration": null,
        });
        assert_eq!(point, empty);
    }
}

fn every_period_has_few_points_at_round_times(server: TestServer) {
    for (hours, seconds) in [(1, 60), (24, 600), (168, 3_600), (720, 14_400)] {
        let history = history(&server, hours);
        assert_eq!(history["bucket_seconds"], json!(seconds));
        assert_eq!(time(&history["to"]), server.db().now().trunc_subsecs(6));
        let points = points(&history, Transcription);
        assert!(points.len() <= 181, "{hours} h: {}", points.len());
        assert_eq!(points[0]["start"], history["from"]);
        for pair in points.windows(2) {
            let step = time(&pair[1]["start"]) - time(&pair[0]["start"]);
            assert_eq!(step, TimeDelta::seconds(seconds));
        }
        assert_eq!(time(&history["from"]).timestamp() % seconds, 0);
        let begin = time(&history["to"]) - TimeDelta::hours(hours);
        let missing = time(&history["from"]) - begin;
        assert!(missing <= TimeDelta::zero(), "{missing}");
    }
}

fn a_run_is_ready_then_running_then_completed(server: TestServer) {
    let clock = server.db().clock();
    to_the_minute(server.db());
    create_job(&server, json!({}));
    clock.advance(TimeDelta::seconds(30));
    let claimed = claim(&server, &[Transcription]).unwrap();
    clock.advance(TimeDelta::seconds(45));
    claimed.send(&server, "complete", &json!({})).expect(200);
    clock.advance(TimeDelta::seconds(50));
    assert_eq!(
        last_points(&server, Transcription),
        [
            (0.0, 0.0, 0, 0),
            (0.5, 0.5, 0, 0),
            (0.0, 0.25, 1, 0),
            (0.0, 0.0, 0, 0)
        ]
    );
    let points = points(&history(&server, 1), Transcription);
    let duration = &points[points.len() - 2]["duration"];
    assert_eq!(*duration, json!({ "mean": 45.0, "max": 45.0 }));
    // The last point has five seconds.
    let still_ready = last_points(&server, SilenceDetection);
    assert_eq!(
        still_ready,
        [
            (0.0, 0.0, 0, 0),
            (1.0, 0.0, 0, 0),
            (1.0, 0.0, 0, 0),
            (1.0, 0.0, 0, 0)
        ]
    );
    let waiting = last_points(&server, ContentAnalysis);
    assert_eq!(waiting, [(0.0, 0.0, 0, 0); 4]);
}

fn failures_are_counted_until_they_are_tried_again(server: TestServer) {
    let clock = server.db().clock();
    to_the_minute(server.db());
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    clock.advance(TimeDelta::seconds(30));
    let end = json!({ "error": "no speech", "retryable": false });
    claimed.send(&server, "fail", &end).expect(200);
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(
        last_points(&server, Transcription),
        [(0.0, 0.5, 0, 1), (0.0, 0.0, 0, 0)]
    );
    // The other stages were cancelled with the job.
    assert_eq!(
        last_points(&server, SilenceDetection),
        [(0.5, 0.0, 0, 0), (0.0, 0.0, 0, 0)]
    );
    let retry = server.request("POST", &job_path(job_id, "/retry"));
    retry.send().expect(200);
    clock.advance(TimeDelta::seconds(30));
    assert_eq!(
        last_points(&server, Transcription),
        [(0.0, 0.0, 0, 0), (0.5, 0.0, 0, 0)]
    );
}

fn a_run_that_ends_with_its_job_was_ready_until_then(server: TestServer) {
    let clock = server.db().clock();
    to_the_minute(server.db());
    let job_id = create_job(&server, json!({}));
    claim(&server, &[Transcription]).unwrap();
    clock.advance(TimeDelta::seconds(15));
    let cancel = server.request("POST", &job_path(job_id, "/cancel"));
    cancel.send().expect(200);
    clock.advance(TimeDelta::seconds(45));
    assert_eq!(last_points(&server, Transcription), [(0.0, 0.25, 0, 0)]);
    assert_eq!(last_points(&server, SilenceDetection), [(0.25, 0.0, 0, 0)]);
    assert_eq!(last_points(&server, ContentAnalysis), [(0.0, 0.0, 0, 0)]);
}

fn a_failed_attempt_was_running_and_is_not_a_failure(server: TestServer) {
    let clock = server.db().clock();
    to_the_minute(server.db());
    create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    clock.advance(TimeDelta::seconds(15));
    let again = json!({ "error": "no memory", "retry_after_seconds": 15 });
    claimed.send(&server, "fail", &again).expect(200);
    clock.advance(TimeDelta::seconds(30));
    // Ready for fifteen of forty-five seconds, after the pause.
    let [point] = last_points(&server, Transcription);
    let third = 1.0 / 3.0;
    assert!(
        (point.0 - third).abs() < 1e-9 && (point.1 - third).abs() < 1e-9,
        "{point:?}"
    );
    assert_eq!((point.2, point.3), (0, 0));
    // The next attempt replaces the first one.
    claim(&server, &[Transcription]).unwrap();
    clock.advance(TimeDelta::seconds(15));
    assert_eq!(last_points(&server, Transcription), [(0.25, 0.25, 0, 0)]);
}

fn a_released_run_is_ready_from_then_on(server: TestServer) {
    let clock = server.db().clock();
    to_the_minute(server.db());
    create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    clock.advance(TimeDelta::seconds(30));
    claimed.send(&server, "release", &json!({})).expect(200);
    clock.advance(TimeDelta::seconds(30));
    assert_eq!(last_points(&server, Transcription), [(0.5, 0.0, 0, 0)]);
}

/// Times of a run.
#[derive(Debug, Clone, Copy)]
struct Run {
    status: &'static str,
    ready: DateTime<Utc>,
    started: DateTime<Utc>,
    finished: DateTime<Utc>,
}

fn sql_time(db: &TestDb, time: DateTime<Utc>) -> String {
    let time = time.format("%Y-%m-%dT%H:%M:%S%.6fZ");
    match db.backend() {
        Backend::Postgres => format!("timestamptz '{time}'"),
        Backend::Sqlite => format!("'{time}'"),
    }
}

/// Inserts runs of transcription, each of a job of its own.
fn insert_runs(db: &TestDb, runs: &[Run]) {
    insert_jobs(db, runs.len(), "status", "'queued'");
    let mut values = String::new();
    for (i, run) in runs.iter().enumerate() {
        let [ready, started, finished] =
            [run.ready, run.started, run.finished].map(|time| sql_time(db, time));
        let comma = if i > 0 { ", " } else { "" };
        let _ = write!(
            values,
            "{comma}({}, '{}', {ready}, {started}, {finished})",
            i + 1,
            run.status
        );
    }
    let insert = format!(
        "WITH v (n, status, ready_at, started_at, finished_at) AS (VALUES {values})
         INSERT INTO stage_runs (run_id, job_id, stage, status, created_at, ready_at, started_at, finished_at)
         SELECT j.job_id, j.job_id, 'transcription', v.status, v.ready_at, v.ready_at, v.started_at, v.finished_at
         FROM v JOIN (SELECT job_id, row_number() OVER (ORDER BY id) AS n FROM jobs) AS j ON j.n = v.n"
    );
    assert_eq!(db.sql().execute(&insert), Ok(runs.len()));
}

/// How much of the time between two others is between `from` and `to`, in seconds.
fn overlap(
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> f64 {
    (to.min(end) - from.max(start)).as_seconds_f64().max(0.0)
}

fn the_means_are_those_of_the_stored_times(server: TestServer) {
    let now = server.db().now().trunc_subsecs(6);
    let mut random = PseudoRandom::new(7);
    let mut below = |bound: usize| i64::try_from(random.below(bound)).unwrap();
    let runs: Vec<_> = (0..300)
        .map(|_| {
            // Some end before the hour, and some begin before it.
            let finished = now - TimeDelta::microseconds(below(4_000_000_000));
            let started = finished - TimeDelta::microseconds(below(600_000_000));
            Run {
                status: ["completed", "failed", "cancelled"][usize::try_from(below(3)).unwrap()],
                ready: started - TimeDelta::microseconds(below(600_000_000)),
                started,
                finished,
            }
        })
        .collect();
    insert_runs(server.db(), &runs);
    let history = history(&server, 1);
    let points = points(&history, Transcription);
    assert!(points.len() >= 60, "{}", points.len());
    let from = time(&history["from"]);
    let known: Vec<_> = runs.iter().filter(|run| run.finished >= from).collect();
    let mut counted = 0;
    for (i, point) in points.iter().enumerate() {
        let next = points.get(i + 1);
        let bounds = (
            time(&point["start"]),
            next.map_or(time(&history["to"]), |next| time(&next["start"])),
        );
        let mean = |of: &dyn Fn(&Run) -> f64| {
            let sum: f64 = known.iter().map(|run| of(run)).sum();
            sum / (bounds.1 - bounds.0).as_seconds_f64()
        };
        let ready = mean(&|run| overlap(bounds, run.ready, run.started));
        let running = mean(&|run| overlap(bounds, run.started, run.finished));
        for (name, expected) in [("ready", ready), ("running", running)] {
            let found = point[name].as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-6,
                "{i} {name}: {found} {expected}"
            );
        }
        // The last point has what ends now, too.
        let is_last = next.is_none();
        let ended = |status: &'static str| {
            let ended = known.iter().filter(move |run| {
                let is_in = bounds.0 <= run.finished && (run.finished < bounds.1 || is_last);
                run.status == status && is_in
            });
            ended.map(|run| (run.finished - run.started).as_seconds_f64())
        };
        let completed: Vec<_> = ended("completed").collect();
        assert_eq!(point["completed"], json!(completed.len()), "{i}");
        assert_eq!(point["failed"], json!(ended("failed").count()), "{i}");
        counted += completed.len() + ended("failed").count();
        if completed.is_empty() {
            assert_eq!(point["duration"], Value::Null, "{i}");
            continue;
        }
        let of = |name: &str| point["duration"][name].as_f64().unwrap();
        let mean = completed.iter().sum::<f64>() / completed.len() as f64;
        let max = completed.iter().copied().fold(0.0, f64::max);
        assert!((of("mean") - mean).abs() < 1e-6, "{i}: {mean}");
        assert!((of("max") - max).abs() < 1e-6, "{i}: {max}");
    }
    assert!(counted > 100, "{counted}");
}

fn more_runs_than_are_read_shorten_the_history(server: TestServer) {
    let db = server.db();
    to_the_minute(db);
    let now = db.now();
    let at = |minutes: i64| sql_time(db, now - TimeDelta::minutes(minutes));
    insert_jobs(db, 10_000, "status", "'queued'");
    let insert = format!(
        "INSERT INTO stage_runs (run_id, job_id, stage, status, created_at, ready_at, started_at, finished_at)
         SELECT job_id, job_id, 'transcription', 'completed', created_at, {ready}, {ready}, {end} FROM jobs",
        ready = at(20),
        end = at(10),
    );
    assert_eq!(db.sql().execute(&insert), Ok(10_000));
    let read = points(&history(&server, 1), Transcription);
    assert_eq!(time(&read[0]["start"]), now - TimeDelta::minutes(9));
    assert_eq!(read.len(), 9);
    // The other stages are not concerned.
    assert_eq!(points(&history(&server, 1), SilenceDetection).len(), 60);
    let remove = "DELETE FROM stage_runs WHERE id = (SELECT min(id) FROM stage_runs)";
    assert_eq!(db.sql().execute(remove), Ok(1));
    let all = points(&history(&server, 1), Transcription);
    assert_eq!(all.len(), 60);
    assert_eq!(all[50]["completed"], json!(9_999));
    assert_eq!(all[49]["running"], json!(9_999.0));
}

/// The time of the query does not depend on how much was done before the period.
fn the_history_is_read_from_indexes_that_begin_with_the_stage(db: TestDb) {
    let now = db.now();
    let old = Run {
        status: "completed",
        ready: now - TimeDelta::days(40),
        started: now - TimeDelta::days(40),
        finished: now - TimeDelta::days(40),
    };
    insert_runs(&db, &vec![old; 3_000]);
    let mut sql = db.sql();
    sql.batch("ANALYZE").unwrap();
    let read = || {
        let period = HistoryPeriod::default();
        db.read(|conn| conn.stage_runs().history(period)).unwrap()
    };
    let (_, statements) = queries(read);
    let statements = statements.iter();
    let mut found = statements
        .filter_map(|statement| statement.split_once(" -- binds: "))
        .map(|(query, _)| query)
        .filter(|query| query.contains("stage_runs"));
    let query = found.next().unwrap();
    assert_eq!(found.next(), None, "one query");
    let values = [
        "now() - interval '1 day'",
        "now()",
        "now()",
        "0",
        "600000000",
    ];
    let plan = plan_with(&mut sql, query, &values.map(str::to_owned));
    let wanted = ["finished_at", "ready_at"].map(|column| format!("stage_runs_{column}_idx"));
    for index in wanted {
        let uses = plan.lines().filter(|line| line.contains(&index)).count();
        assert!(uses >= Stage::WORK.len(), "{index}: {plan}");
    }
    // PostgreSQL may find the running runs, of which there are none, by any index.
    if db.backend() == Backend::Sqlite {
        let scans: Vec<_> = plan
            .lines()
            .filter(|line| line.contains("SCAN r"))
            .collect();
        assert!(
            scans.iter().all(|line| line.contains("SCAN runs")),
            "{plan}"
        );
    } else {
        assert!(!plan.contains("Seq Scan on stage_runs"), "{plan}");
    }
}

fn times_that_another_program_wrote_do_no_harm(server: TestServer) {
    let db = server.db();
    let now = db.now();
    let normal = Run {
        status: "completed",
        ready: now - TimeDelta::minutes(10),
        started: now - TimeDelta::minutes(9),
        finished: now - TimeDelta::minutes(8),
    };
    insert_runs(db, &[normal; 3]);
    let (first, last) = match db.backend() {
        Backend::Postgres => ("'-infinity'", "'infinity'"),
        Backend::Sqlite => (
            "'0000-00-00T00:00:00.000000Z'",
            "'9999-19-39T29:59:69.999999Z'",
        ),
    };
    let set = |column: &str, value: &str, id: &str| {
        let update = format!(
            "UPDATE stage_runs SET {column} = {value} WHERE id = (SELECT {id}(id) FROM stage_runs)"
        );
        assert_eq!(db.sql().execute(&update), Ok(1));
    };
    set("started_at", first, "min");
    set("finished_at", last, "max");
    let points = points(&history(&server, 1), Transcription);
    let completed: i64 = points
        .iter()
        .map(|point| point["completed"].as_i64().unwrap())
        .sum();
    assert_eq!(completed, 3);
}

fn an_owner_sees_the_history_of_its_jobs(db: TestDb) {
    let owned = |name: &str| NewApiKey {
        owner: Some(OwnerName::new(name).unwrap()),
        ..NewApiKey::new(Role::Client)
    };
    let library = Key::create_as(&db, &owned("library"));
    let exams = Key::create_as(&db, &owned("exams"));
    let admin = Key::create(&db, Role::Admin);
    let metrics = Key::create(&db, Role::Metrics);
    a_job().create(&db.as_owner(OwnerName::new("library").unwrap()));
    a_job().create(&db);
    db.clock().advance(TimeDelta::minutes(2));
    let server = serve_with_keys(db);
    let of = |key: &Key| {
        let history = key
            .request(&server, "GET", HISTORY)
            .send()
            .expect(200)
            .json();
        let points = points(&history, Transcription);
        points.last().unwrap()["ready"]
            .as_f64()
            .unwrap()
            .round()
            .to_string()
    };
    assert_eq!([of(&library), of(&exams), of(&admin)], ["1", "0", "2"]);
    let refused = metrics.request(&server, "GET", HISTORY).send();
    refused.problem(403, "scope_missing");
}
