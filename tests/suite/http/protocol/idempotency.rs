//! Idempotency keys.

use chrono::TimeDelta;
use lectern_tests::{Client, Response, TestServer, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::{JOBS, a_recording, concurrently, dump, raw_http};

on_both_backends!(
    a_repeated_request_creates_one_job_and_gets_the_same_response,
    equivalent_json_bodies_are_the_same_request,
    a_key_is_valid_for_one_request,
    concurrent_requests_with_one_key_create_one_job,
    of_different_requests_with_one_key_the_first_is_executed,
    requests_without_a_key_are_independent,
    an_invalid_key_is_rejected,
    a_rejected_request_frees_its_key,
    a_key_expires_after_a_day_and_is_deleted_with_its_job,
);

const KEY: &str = "Idempotency-Key";

fn create(client: &Client, key: &str, body: &Value) -> Response {
    client
        .request("POST", JOBS)
        .header(KEY, key)
        .json(body)
        .send()
}

/// The parts of a response that a repetition has to return unchanged.
fn repeatable_parts(answer: &Response) -> (u16, Option<&str>, Option<&str>, &[u8]) {
    (
        answer.status,
        answer.header("Location"),
        answer.header("ETag"),
        &answer.body,
    )
}

fn a_repeated_request_creates_one_job_and_gets_the_same_response(server: TestServer) {
    let body = json!({
        "filename": "Vorlesung №1 🎓.mp4", "file_size": 5_000_000_000_i64, "s3_key": "k",
        "extra_metadata": { "z": 1e300, "a": [1.50, null, "\u{1}"], "é": -0.0 },
    });
    let first = create(&server, "k-1", &body).expect(201);
    // The job may have changed since.
    server.db().clock().advance(TimeDelta::hours(23));
    server
        .patch(
            first.header("Location").unwrap(),
            &json!({ "status": "cancelled" }),
        )
        .expect(200);
    for _ in 0..2 {
        assert_eq!(
            repeatable_parts(&create(&server, "k-1", &body)),
            repeatable_parts(&first)
        );
    }
    assert_eq!(server.db().sql().count("jobs"), 1);
}

fn equivalent_json_bodies_are_the_same_request(server: TestServer) {
    let send = |body: &str| {
        server
            .request("POST", JOBS)
            .header(KEY, "k-1")
            .body("application/json; charset=utf-8", body)
            .send()
    };
    let first =
        send(r#"{"filename":"é.mp4","file_size":7,"s3_key":"k","extra_metadata":{"a":1,"b":[2]}}"#)
            .expect(201);
    let again = send(
        "{ \"s3_key\" : \"k\",\n \"extra_metadata\":{\"b\":[2],\"a\":1}, \"file_size\":7,\"filename\":\"\\u00e9.mp4\"}",
    );
    assert_eq!(repeatable_parts(&again), repeatable_parts(&first));
}

fn a_key_is_valid_for_one_request(server: TestServer) {
    create(&server, "k-1", &a_recording()).expect(201);
    let before = dump(server.db());
    for (field, value) in [
        ("filename", json!("other.mp4")),
        ("priority", json!(1)),
        ("extra_metadata", json!({})),
    ] {
        let mut other = a_recording();
        other[field] = value;
        assert_eq!(
            create(&server, "k-1", &other).problem(422, "idempotency_mismatch"),
            [Value::Null; 0]
        );
    }
    assert_eq!(dump(server.db()), before);
    create(&server, "k-2", &a_recording()).expect(201);
    create(&server, "K-1", &a_recording()).expect(201);
    assert_eq!(server.db().sql().count("jobs"), 3);
}

fn concurrent_requests_with_one_key_create_one_job(server: TestServer) {
    let answers = concurrently(100, |_| create(&server, "k-1", &a_recording()).expect(201));
    for answer in &answers {
        assert_eq!(repeatable_parts(answer), repeatable_parts(&answers[0]));
    }
    assert_eq!(server.db().sql().count("jobs"), 1);
    assert_eq!(server.db().sql().count("idempotency_keys"), 1);
}

fn of_different_requests_with_one_key_the_first_is_executed(server: TestServer) {
    let answers = concurrently(20, |i| {
        let mut body = a_recording();
        body["filename"] = json!(format!("{}.mp4", i % 2));
        create(&server, "k-1", &body)
    });
    let created: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .collect();
    assert_eq!(created.len(), 10);
    assert!(
        created
            .iter()
            .all(|answer| repeatable_parts(answer) == repeatable_parts(created[0]))
    );
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.problem(422, "idempotency_mismatch");
    }
    assert_eq!(server.db().sql().count("jobs"), 1);
}

fn requests_without_a_key_are_independent(server: TestServer) {
    for _ in 0..2 {
        server.post(JOBS, &a_recording()).expect(201);
    }
    assert_eq!(server.db().sql().count("jobs"), 2);
    assert_eq!(server.db().sql().count("idempotency_keys"), 0);
}

fn an_invalid_key_is_rejected(server: TestServer) {
    for key in ["", " ", "a b", "a\tb", &"k".repeat(256)] {
        create(&server, key, &a_recording()).problem_with(422, "validation_failed", KEY);
    }
    let twice = server
        .request("POST", JOBS)
        .header(KEY, "a")
        .header(KEY, "a");
    twice
        .json(&a_recording())
        .send()
        .problem_with(422, "validation_failed", KEY);
    let not_ascii = raw_http::request(
        "POST",
        JOBS,
        &["Idempotency-Key: kéy", "Content-Length: 2"],
        "{}",
    );
    raw_http::exchange(&server, not_ascii).problem(422, "validation_failed");
    assert_eq!(server.db().sql().count("jobs"), 0);
    for key in ["k", "!~", &"k".repeat(255)] {
        create(&server, key, &a_recording()).expect(201);
    }
}

fn a_rejected_request_frees_its_key(server: TestServer) {
    let mut invalid = a_recording();
    invalid["processing_config"] = json!({ "pipeline": "unknown" });
    create(&server, "k-1", &invalid).problem(422, "validation_failed");
    invalid["processing_config"] = json!(7);
    create(&server, "k-1", &invalid).problem(422, "validation_failed");
    assert_eq!(server.db().sql().count("idempotency_keys"), 0);
    create(&server, "k-1", &a_recording()).expect(201);
}

fn a_key_expires_after_a_day_and_is_deleted_with_its_job(server: TestServer) {
    let first = create(&server, "k-1", &a_recording()).expect(201);
    server.db().clock().advance(TimeDelta::hours(24));
    let second = create(&server, "k-1", &a_recording()).expect(201);
    assert_ne!(first.header("Location"), second.header("Location"));
    server
        .delete(second.header("Location").unwrap())
        .expect(204);
    let mut other = a_recording();
    other["priority"] = json!(9);
    create(&server, "k-1", &other).expect(201);
}
