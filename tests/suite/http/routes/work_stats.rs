//! What waits for each stage.

use chrono::TimeDelta;
use lectern_domain::Stage::{ContentAnalysis, SilenceDetection, Transcription};
use lectern_domain::{NewApiKey, OwnerName, Role, Stage};
use lectern_tests::{
    Backend, Client, TestDb, TestServer, a_job, on_both_backends,
    on_both_backends_and_with_row_security, queries,
};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::job_path;
use crate::http::support::worker::{claim, claims, create_job, expire, request_claim};
use crate::many_jobs::{insert_jobs, plan_with};

on_both_backends!(
    without_jobs_every_stage_is_listed_with_zeros,
    runs_are_counted_by_what_they_wait_for,
    the_oldest_ready_run_counts_from_when_it_could_be_claimed,
    a_run_that_is_ready_again_has_not_waited_before,
    completed_runs_are_counted_for_an_hour_and_their_durations_summarized,
    counts_end_at_ten_thousand,
    counting_reads_indexes_of_one_status,
);

on_both_backends_and_with_row_security!(an_owner_sees_the_numbers_of_its_jobs);

const STATS: &str = "/api/v1/work/stats";

/// The entry of a stage.
fn stats(client: &Client, stage: Stage) -> Value {
    let stats = client.get(STATS).expect(200).json();
    entry(&stats, stage)
}

fn entry(stats: &Value, stage: Stage) -> Value {
    let mut stages = stats["stages"].as_array().unwrap().iter();
    let found = stages.find(|entry| entry["stage"] == stage.as_str());
    found.unwrap().clone()
}

/// Ready, scheduled, waiting, running and failed runs.
fn counts(entry: &Value) -> [i64; 5] {
    ["ready", "scheduled", "waiting", "running", "failed"]
        .map(|status| entry["runs"][status].as_i64().unwrap())
}

fn without_jobs_every_stage_is_listed_with_zeros(server: TestServer) {
    let stats = server.get(STATS).expect(200).json();
    assert_eq!(stats["total"], json!(Stage::WORK.len()));
    for stage in Stage::WORK {
        let expected = json!({
            "stage": stage.as_str(),
            "paused_at": null,
            "runs": { "ready": 0, "scheduled": 0, "waiting": 0, "running": 0, "failed": 0 },
            "oldest_ready_seconds": null,
            "completed": { "last_5m": 0, "last_hour": 0 },
            "duration": null,
        });
        assert_eq!(entry(&stats, *stage), expected);
    }
    let order = stats["stages"].as_array().unwrap().iter();
    let order: Vec<_> = order.map(|entry| entry["stage"].clone()).collect();
    assert_eq!(json!(order), json!(Stage::WORK));
}

fn runs_are_counted_by_what_they_wait_for(server: TestServer) {
    for _ in 0..4 {
        create_job(&server, json!({}));
    }
    assert_eq!(counts(&stats(&server, Transcription)), [4, 0, 0, 0, 0]);
    assert_eq!(counts(&stats(&server, ContentAnalysis)), [0, 0, 4, 0, 0]);

    claim(&server, &[Transcription]).unwrap();
    let retried = claim(&server, &[Transcription]).unwrap();
    let delay = json!({ "error": "no memory", "retry_after_seconds": 30 });
    retried.send(&server, "fail", &delay).expect(200);
    let failed = claim(&server, &[Transcription]).unwrap();
    let end = json!({ "error": "no speech", "retryable": false });
    failed.send(&server, "fail", &end).expect(200);
    assert_eq!(counts(&stats(&server, Transcription)), [1, 1, 0, 1, 1]);
    // The runs of a failed job are cancelled.
    assert_eq!(counts(&stats(&server, SilenceDetection)), [3, 0, 0, 0, 0]);
    assert_eq!(counts(&stats(&server, ContentAnalysis)), [0, 0, 3, 0, 0]);

    server.db().clock().advance(TimeDelta::seconds(29));
    assert_eq!(counts(&stats(&server, Transcription))[..2], [1, 1]);
    server.db().clock().advance(TimeDelta::seconds(1));
    assert_eq!(counts(&stats(&server, Transcription))[..2], [2, 0]);
}

fn the_oldest_ready_run_counts_from_when_it_could_be_claimed(server: TestServer) {
    let clock = server.db().clock();
    let age = |stage| stats(&server, stage)["oldest_ready_seconds"].clone();
    create_job(&server, json!({}));
    clock.advance(TimeDelta::seconds(30));
    create_job(&server, json!({ "priority": 5 }));
    clock.advance(TimeDelta::milliseconds(1_500));
    assert_eq!(age(Transcription), json!(31.5));
    // The run of the second job has the higher priority.
    claim(&server, &[Transcription]).unwrap();
    assert_eq!(age(Transcription), json!(31.5));
    let last = claim(&server, &[Transcription]).unwrap();
    assert_eq!(age(Transcription), Value::Null);

    // A stage that waits for others is ready when the last of them is completed.
    for stage in [SilenceDetection, Stage::LayoutAnalysis] {
        let claimed = claims(request_claim(&server, &[stage], json!({ "max": 2 })));
        for claimed in claimed {
            claimed.send(&server, "complete", &json!({})).expect(200);
        }
    }
    assert_eq!(age(ContentAnalysis), Value::Null);
    last.send(&server, "complete", &json!({})).expect(200);
    assert_eq!(age(ContentAnalysis), json!(0.0));
    clock.advance(TimeDelta::seconds(4));
    assert_eq!(age(ContentAnalysis), json!(4.0));
}

fn a_run_that_is_ready_again_has_not_waited_before(server: TestServer) {
    let clock = server.db().clock();
    let age = || stats(&server, Transcription)["oldest_ready_seconds"].clone();
    let job_id = create_job(&server, json!({}));
    clock.advance(TimeDelta::seconds(100));

    let released = claim(&server, &[Transcription]).unwrap();
    released.send(&server, "release", &json!({})).expect(200);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(age(), json!(1.0), "after a release");

    let failed = claim(&server, &[Transcription]).unwrap();
    let delay = json!({ "error": "no memory", "retry_after_seconds": 60 });
    failed.send(&server, "fail", &delay).expect(200);
    assert_eq!(age(), Value::Null, "during a pause");
    clock.advance(TimeDelta::seconds(62));
    assert_eq!(age(), json!(2.0), "after a pause");

    let lost = claim(&server, &[Transcription]).unwrap();
    expire(&server, &lost);
    clock.advance(TimeDelta::seconds(3));
    assert_eq!(age(), json!(3.0), "after a lost lease");

    server
        .request("POST", &job_path(job_id, "/cancel"))
        .send()
        .expect(200);
    assert_eq!(age(), Value::Null, "of a cancelled job");
    clock.advance(TimeDelta::days(30));
    server
        .request("POST", &job_path(job_id, "/retry"))
        .send()
        .expect(200);
    clock.advance(TimeDelta::seconds(4));
    assert_eq!(age(), json!(4.0), "after a retry");
}

fn completed_runs_are_counted_for_an_hour_and_their_durations_summarized(server: TestServer) {
    let clock = server.db().clock();
    let completed = || stats(&server, Transcription)["completed"].clone();
    let duration = || stats(&server, Transcription)["duration"].clone();
    let complete_after = |seconds| {
        create_job(&server, json!({}));
        let claimed = claim(&server, &[Transcription]).unwrap();
        clock.advance(TimeDelta::seconds(seconds));
        claimed.send(&server, "complete", &json!({})).expect(200);
    };
    for seconds in [10, 40, 1, 5] {
        complete_after(seconds);
    }
    assert_eq!(completed(), json!({ "last_5m": 4, "last_hour": 4 }));
    assert_eq!(
        duration(),
        json!({ "runs": 4, "mean": 14.0, "p50": 5.0, "p95": 40.0 })
    );
    clock.advance(TimeDelta::minutes(6));
    complete_after(8);
    assert_eq!(completed(), json!({ "last_5m": 1, "last_hour": 5 }));
    clock.advance(TimeDelta::minutes(55));
    assert_eq!(completed(), json!({ "last_5m": 0, "last_hour": 1 }));
    assert_eq!(
        duration(),
        json!({ "runs": 1, "mean": 8.0, "p50": 8.0, "p95": 8.0 })
    );
    clock.advance(TimeDelta::minutes(6));
    assert_eq!(
        (completed(), duration()),
        (json!({ "last_5m": 0, "last_hour": 0 }), Value::Null)
    );
}

/// Inserts jobs with one ready run each, which cannot be told from those of the program.
fn insert_ready_runs(db: &TestDb, count: usize) {
    insert_jobs(db, count, "status", "'queued'");
    let insert = "INSERT INTO stage_runs (run_id, job_id, stage, status, created_at, ready_at)
                  SELECT job_id, job_id, 'transcription', 'ready', created_at, created_at FROM jobs";
    assert_eq!(db.sql().execute(insert), Ok(count));
}

fn counts_end_at_ten_thousand(server: TestServer) {
    insert_ready_runs(server.db(), 10_001);
    assert_eq!(counts(&stats(&server, Transcription)), [10_000, 0, 0, 0, 0]);
    let delay = "UPDATE stage_runs SET ready_at = '2030-01-01T00:00:00.000000Z'";
    assert_eq!(server.db().sql().execute(delay), Ok(10_001));
    assert_eq!(counts(&stats(&server, Transcription))[1], 10_000);
    let removed = server
        .db()
        .sql()
        .execute("DELETE FROM stage_runs WHERE id > 3");
    assert_eq!(removed, Ok(9_998));
    assert_eq!(counts(&stats(&server, Transcription)), [0, 3, 0, 0, 0]);
}

/// No query reads the whole table, so its time does not depend on how much has been done.
fn counting_reads_indexes_of_one_status(db: TestDb) {
    insert_ready_runs(&db, 3_000);
    let mut sql = db.sql();
    sql.batch("ANALYZE").unwrap();
    let (_, statements) = queries(|| db.read(|conn| conn.stage_runs().stats()).unwrap());
    let counts: Vec<_> = statements
        .iter()
        .filter_map(|statement| statement.split_once(" -- binds: "))
        .map(|(query, _)| query)
        .filter(|query| query.contains("stage_runs"))
        .collect();
    assert_eq!(counts.len(), 2, "{statements:#?}");
    let times = ["now()", "now()", "now()"].map(str::to_owned);
    for query in counts {
        let plan = plan_with(&mut sql, query, &times);
        // PostgreSQL reads the table where an index would not help: here, most runs are ready.
        if db.backend() == Backend::Sqlite {
            let scans: Vec<_> = plan
                .lines()
                .filter(|line| line.contains("SCAN r"))
                .collect();
            assert_eq!(scans, [] as [&str; 0], "{plan}");
        }
        assert!(plan.contains("stage_runs_finished_at_idx"), "{plan}");
    }
}

fn an_owner_sees_the_numbers_of_its_jobs(db: TestDb) {
    let owned = |name: &str| NewApiKey {
        owner: Some(OwnerName::new(name).unwrap()),
        ..NewApiKey::new(Role::Client)
    };
    let library = Key::create_as(&db, &owned("library"));
    let exams = Key::create_as(&db, &owned("exams"));
    let admin = Key::create(&db, Role::Admin);
    let metrics = Key::create(&db, Role::Metrics);
    a_job().create(&db.as_owner(OwnerName::new("library").unwrap()));
    db.clock().advance(TimeDelta::seconds(5));
    a_job().create(&db);
    let server = serve_with_keys(db);
    let of = |key: &Key| {
        let stats = key.request(&server, "GET", STATS).send().expect(200).json();
        let entry = entry(&stats, Transcription);
        (counts(&entry)[0], entry["oldest_ready_seconds"].clone())
    };
    assert_eq!(of(&library), (1, json!(5.0)));
    assert_eq!(of(&exams), (0, Value::Null));
    assert_eq!(of(&admin), (2, json!(5.0)));
    let refused = metrics.request(&server, "GET", STATS).send();
    refused.problem(403, "scope_missing");
}
