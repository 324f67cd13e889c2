//! Outages of PostgreSQL.

use std::time::Duration;

use lectern_db::{Backend, Database, DatabaseConfig};
use lectern_server::{Server, ServerConfig};
use lectern_storage::{Secret, Storage, StorageConfig};
use lectern_tests::{Client, Cluster, Fixture, Sql, TestServer, a_completed_job};
use serde_json::Value;

use crate::http::openapi::{Call, Operation, operations};
use crate::http::support::{JOBS, a_recording, concurrently, job_path, wait_until};

/// Every operation that needs the database. Downloads do not: the signature of
/// the URL is enough.
fn operations_on_the_database(document: &Value) -> Vec<Operation<'_>> {
    let all = operations(document).into_iter();
    all.filter(Operation::needs_the_database).collect()
}

/// Calls each of these operations successfully. The handshake of a WebSocket
/// counts as success.
fn assert_all_succeed(client: &Client, db: &Database, operations: &[Operation<'_>]) {
    for operation in operations {
        assert_succeeds(client, &Call::successful(operation, client, db));
    }
}

fn assert_succeeds(client: &Client, call: &Call) {
    let response = call.send(client);
    assert!(response.status < 300, "{response}");
}

/// Makes these calls from 64 concurrent clients; checks that all fail with
/// `database_unavailable` or, if they wait too long for admission, `overloaded`.
fn assert_all_unavailable(client: &Client, calls: &[Call]) {
    concurrently(64, |i| {
        let call = &calls[i % calls.len()];
        let response = call.send(client);
        assert_eq!(response.status, 503, "{response}");
        if call.is_head() {
            assert_eq!(response.text(), "");
            return;
        }
        let code = response.json()["code"].as_str().unwrap().to_owned();
        assert!(
            ["database_unavailable", "overloaded"].contains(&code.as_str()),
            "{response}"
        );
        response.problem(503, &code);
    });
}

#[test]
fn requests_fail_fast_during_an_outage_and_recover_after_it() {
    let mut cluster = Cluster::start();
    let config = DatabaseConfig {
        // Longer than the timeout of the client, so that a 503 comes from
        // admission, not from the pool.
        checkout_timeout: Duration::from_mins(10),
        ..DatabaseConfig::new(cluster.url()).unwrap()
    };
    let db = Database::connect(&config).unwrap();
    db.migrate().unwrap();
    let objects = tempfile::tempdir().unwrap();
    let dir = objects.path().to_owned();
    let storage = Storage::open(&StorageConfig::Local { dir }, Secret::random().unwrap());
    let serve = |database_timeout| {
        let storage = Some(storage.as_ref().unwrap().clone());
        let config = ServerConfig {
            storage,
            database_timeout,
            ..ServerConfig::default()
        };
        Server::start(config, db.clone()).unwrap()
    };
    let server = serve(Duration::from_mins(1));
    let client = Client::new(server.url());
    // The same service with a short admission timeout.
    let strict_server = serve(Duration::from_millis(500));
    let strict_client = Client::new(strict_server.url());
    let document = client.get("/openapi.json").expect(200).json();
    let operations = operations_on_the_database(&document);
    assert_all_succeed(&client, &db, &operations);
    let kept = a_completed_job(&db).job_id;
    // Calls that succeed when the database is available.
    let calls: Vec<_> = operations
        .iter()
        .map(|operation| Call::successful(operation, &client, &db))
        .collect();

    cluster.stop();
    // Once with connections opened before the outage, once without.
    assert_all_unavailable(&strict_client, &calls);
    assert_all_unavailable(&strict_client, &calls);
    strict_client
        .get("/readyz")
        .problem(503, "database_unavailable");
    for path in ["/healthz", "/metrics", "/docs"] {
        strict_client.get(path).expect(200);
    }

    cluster.start_again();
    client.get("/readyz").expect(200);
    client.get(&job_path(kept, "")).expect(200);
    assert_all_succeed(&client, &db, &operations);
    concurrently(64, |_| client.get(&job_path(kept, "")).expect(200));
    // Rejected requests have changed nothing.
    wait_until(|| strict_client.get(&job_path(kept, "")).status == 200);
}

/// Terminates all connections of a server to its database.
fn terminate_connections(sql: &mut Sql) {
    assert!(sql.terminate_other_connections() > 0, "no connections");
}

#[test]
fn the_first_request_of_each_operation_after_a_connection_loss_succeeds() {
    let server = TestServer::on(Backend::Postgres);
    let document = server.get("/openapi.json").expect(200).json();
    let mut sql = server.db().sql();
    for operation in operations_on_the_database(&document) {
        let call = Call::successful(&operation, &server, server.db());
        // Recently used connections are not checked before use.
        concurrently(15, |_| server.get(JOBS).expect(200));
        terminate_connections(&mut sql);
        assert_succeeds(&server, &call);
    }
}

#[test]
fn concurrent_requests_after_a_connection_loss_succeed() {
    let server = TestServer::on(Backend::Postgres);
    let job_id = a_completed_job(server.db()).job_id;
    let mut sql = server.db().sql();
    for _ in 0..5 {
        concurrently(30, |_| server.get(&job_path(job_id, "")).expect(200));
        terminate_connections(&mut sql);
        concurrently(30, |i| match i % 2 {
            0 => server.get(&job_path(job_id, "/transcripts")).expect(200),
            _ => server.post(JOBS, &a_recording()).expect(201),
        });
    }
}
