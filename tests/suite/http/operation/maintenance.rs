//! Maintenance tasks of a server.

use std::time::Duration;

use chrono::TimeDelta;
use lectern_domain::{Job, JobStatus, Stage};
use lectern_server::ServerConfig;
use lectern_tests::{TestDb, TestServer, a_job, on_both_backends};
use serde_json::json;

use crate::http::support::worker::{claim, create_job};
use crate::http::support::{JOBS, a_recording, job_path, wait_until};

on_both_backends!(
    maintenance_ends_expired_leases,
    maintenance_without_expired_leases_writes_nothing,
    events_are_kept_for_the_default_period_after_the_end_of_a_job,
    events_are_kept_for_the_configured_period,
    expired_idempotency_keys_are_removed,
);

/// A text that only the query for expired leases contains.
const EXPIRED_LEASES: &str = "lease_expires_at";

/// The number of events of a job.
fn events(db: &TestDb, job: &Job) -> String {
    let count = "SELECT count(*) FROM job_events WHERE job_id";
    db.sql().value(&format!("{count} = '{}'", job.job_id))
}

fn maintenance_ends_expired_leases(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Stage::Transcription]).unwrap();
    server.db().clock().advance(TimeDelta::seconds(60));
    let run = || server.get(&job_path(job_id, "/stages")).json()["stages"][1].clone();
    wait_until(|| run()["status"] == "ready");
    assert_eq!(run()["attempt"], json!(1));
    assert!(
        run()["error"].as_str().unwrap().contains("lease expired"),
        "{}",
        run()
    );
    claimed
        .send(&server, "heartbeat", &json!({}))
        .problem(409, "lease_lost");
}

fn maintenance_without_expired_leases_writes_nothing(db: TestDb) {
    let statements = db.record_statements();
    let server = TestServer::serve(db, ServerConfig::default());
    create_job(&server, json!({}));
    claim(&server, Stage::WORK).unwrap();
    // A server that starts removes old rows; those of the audit are the last.
    wait_until(|| statements.count("audit_entries") > 0);
    // The first check renews leases, which the next ones wait for.
    wait_until(|| statements.count(EXPIRED_LEASES) > 3);
    let (checks, transactions) = (statements.count(EXPIRED_LEASES), statements.count("BEGIN"));
    assert!(transactions > 0);
    wait_until(|| statements.count(EXPIRED_LEASES) > checks + 2);
    assert_eq!(statements.count("BEGIN"), transactions);
}

fn events_are_kept_for_the_default_period_after_the_end_of_a_job(db: TestDb) {
    let old = a_job().status(JobStatus::Completed).create(&db);
    db.clock().advance(TimeDelta::days(1));
    let recent = a_job().status(JobStatus::Cancelled).create(&db);
    let running = a_job().status(JobStatus::Running).create(&db);
    db.clock()
        .advance(TimeDelta::days(29) + TimeDelta::seconds(1));
    let before = [&recent, &running].map(|job| events(&db, job));
    let server = TestServer::serve(db, ServerConfig::default());
    wait_until(|| events(server.db(), &old) == "0");
    assert_eq!(
        [&recent, &running].map(|job| events(server.db(), job)),
        before
    );
    assert!(!before.contains(&"0".to_owned()));
}

fn events_are_kept_for_the_configured_period(db: TestDb) {
    let old = a_job().status(JobStatus::Completed).create(&db);
    db.clock().advance(TimeDelta::hours(2));
    let event_retention = Duration::from_hours(1);
    let server = TestServer::serve(
        db,
        ServerConfig {
            event_retention,
            ..ServerConfig::default()
        },
    );
    wait_until(|| events(server.db(), &old) == "0");
}

fn expired_idempotency_keys_are_removed(db: TestDb) {
    let server = TestServer::serve(db, ServerConfig::default());
    let create = |key: &str| {
        let request = server.request("POST", JOBS).header("Idempotency-Key", key);
        request.json(&a_recording()).send().expect(201)
    };
    create("old");
    server.db().clock().advance(TimeDelta::hours(24));
    create("new");
    let database = lectern_db::Database::clone(server.db());
    let _other = lectern_server::Server::start(ServerConfig::default(), database).unwrap();
    wait_until(|| server.db().sql().count("idempotency_keys") == 1);
    assert_eq!(
        server.db().sql().value("SELECT key FROM idempotency_keys"),
        "new"
    );
}
