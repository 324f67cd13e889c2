//! Tests of the harness itself.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lectern_tests::{
    Backend, Client, Fixture, Response, Sql, TestDb, TestServer, a_job, on_both_backends, redacted,
    server_url,
};
use serde_json::json;

on_both_backends!(
    a_database_is_deleted_after_its_test,
    two_test_databases_are_separate,
    a_server_uses_the_clock_of_its_database,
);

/// What the client returns for this response, or the message of its panic.
fn client_result(status: &str, headers: &str, body: &str) -> Result<Response, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(format!("http://{}", listener.local_addr().unwrap()));
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    );
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut socket = listener.accept().unwrap().0;
            let _ = socket.read(&mut [0; 4096]).unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
        });
        catch_message(|| client.get("/"))
    })
}

/// The result of a call, or the message of its panic.
fn catch_message<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| *panic.downcast::<String>().unwrap())
}

const JSON: &str = "Content-Type: application/json\r\n";
const PROBLEM: &str = "Content-Type: application/problem+json\r\nX-Request-Id: r1\r\n";

#[test]
fn an_internal_key_is_found_at_any_depth() {
    for body in [
        r#"{"id": 1}"#,
        r#"{"jobs": [{"clips": [{"version": 1}]}]}"#,
        r#"[{"celery_task_id": null}]"#,
    ] {
        let found = client_result("200 OK", JSON, body).unwrap_err();
        assert!(found.contains(body), "{found}");
    }
    let client_keys = r#"{"extra_metadata": {"id": 1, "version": "b"}}"#;
    client_result("200 OK", JSON, client_keys)
        .unwrap()
        .expect(200);
}

#[test]
fn a_malformed_problem_is_rejected() {
    let problem = |headers: &str, body: serde_json::Value| {
        let answer = client_result("404 Not Found", headers, &body.to_string()).unwrap();
        catch_message(|| answer.problem(404, "job_not_found"))
    };
    let valid = json!({
        "type": "urn:x", "title": "t", "status": 404, "detail": "d", "code": "job_not_found",
        "request_id": "r1",
    });
    assert_eq!(problem(PROBLEM, valid.clone()), Ok(vec![]));
    assert!(problem(JSON, valid.clone()).is_err());
    for (key, value) in [
        ("status", json!(400)),
        ("code", json!("not_found")),
        ("request_id", json!("r2")),
        ("detail", json!("")),
        ("errors", json!([{ "field": "a" }])),
        ("cause", json!("a stack trace")),
    ] {
        let mut invalid = valid.clone();
        invalid[key] = value;
        assert!(problem(PROBLEM, invalid).is_err(), "{key}");
    }
}

#[test]
fn equal_ids_are_redacted_to_equal_text() {
    let shape = redacted(&json!({
        "a": "01900000-0000-7000-8000-000000000001",
        "b": ["01900000-0000-7000-8000-000000000002", "01900000-0000-7000-8000-000000000001"],
        "c": {"created_at": "2026-01-01T00:00:00Z", "text": "2026", "n": 1.5},
    }));
    let expected = json!({
        "a": "[id 1]",
        "b": ["[id 2]", "[id 1]"],
        "c": {"created_at": "[time]", "text": "2026", "n": 1.5},
    });
    assert_eq!(shape, expected);
}

fn a_database_is_deleted_after_its_test(db: TestDb) {
    a_job().create(&db);
    let (backend, url) = (db.backend(), db.url().to_owned());
    let (location, name) = url.rsplit_once('/').unwrap();
    drop(db);
    match backend {
        Backend::Sqlite => {
            assert!(
                fs::exists(location.strip_prefix("sqlite://").unwrap()).is_ok_and(|exists| !exists)
            );
        }
        Backend::Postgres => {
            let databases = Sql::connect(server_url()).rows(&format!(
                "SELECT 1 FROM pg_database WHERE datname = '{name}'"
            ));
            assert_eq!(databases.len(), 0);
        }
    }
}

fn two_test_databases_are_separate(db: TestDb) {
    let other = TestDb::on(db.backend());
    a_job().create(&db);
    assert_eq!((db.sql().count("jobs"), other.sql().count("jobs")), (1, 0));
}

fn a_server_uses_the_clock_of_its_database(server: TestServer) {
    let body = json!({ "filename": "a.mp4", "file_size": 1, "s3_key": "a" });
    let job = server.post("/api/v1/jobs", &body).expect(201).json();
    let created: chrono::DateTime<chrono::Utc> =
        job["created_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(created, server.db().now());
}
