use chrono::TimeDelta;
use lectern_domain::{LogStatus, Stage};
use lectern_tests::{Body, TestServer, a_job, a_log_entry, on_both_backends, snapshot};
use serde_json::{Value, json};

use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, job_path};

on_both_backends!(
    an_entry_is_returned_as_sent,
    stage_and_status_are_the_only_required_fields,
    an_entry_has_the_time_of_its_arrival,
    equal_entries_are_stored_separately,
    entries_are_listed_oldest_first,
    pages_hold_every_entry_once_during_appends,
    the_default_limit_is_50_entries,
    a_full_last_page_has_no_next_page,
    entries_are_filtered_by_stage_and_status,
    a_cursor_of_another_list_is_rejected,
    entries_cannot_be_changed_or_deleted,
    an_invalid_entry_stores_nothing,
    a_job_without_entries_has_an_empty_list,
    the_log_of_an_unknown_job_is_not_found,
    concurrent_appends_are_all_listed_once,
);

/// The path of the log of a new job.
fn of_a_job(server: &TestServer) -> String {
    job_path(a_job().create(server.db()).job_id, "/logs")
}

fn append(server: &TestServer, path: &str, stage: Stage, status: LogStatus) -> Value {
    server
        .post(path, &a_log_entry(stage, status).body())
        .expect(201)
        .json()
}

/// The path of the log of a job whose transcription failed once and then
/// completed.
fn path_with_entries(server: &TestServer) -> String {
    let path = of_a_job(server);
    append(server, &path, Stage::Transcription, LogStatus::Started);
    append(server, &path, Stage::SilenceDetection, LogStatus::Started);
    append(server, &path, Stage::Transcription, LogStatus::Failed);
    append(server, &path, Stage::SilenceDetection, LogStatus::Completed);
    append(server, &path, Stage::Transcription, LogStatus::Completed);
    path
}

fn messages(answer: &Value) -> Vec<&str> {
    let logs = answer["logs"].as_array().unwrap();
    assert_eq!(answer["total"], json!(logs.len()));
    logs.iter()
        .map(|entry| entry["message"].as_str().unwrap())
        .collect()
}

/// All pages of a log, `limit` entries each; `meanwhile` is called after each.
fn paged(server: &TestServer, path: &str, limit: usize, mut meanwhile: impl FnMut()) -> Vec<Value> {
    let mut listed = Vec::new();
    let mut query = format!("?limit={limit}");
    loop {
        let mut page = server.get(&format!("{path}{query}")).expect(200).json();
        let entries = page["logs"].as_array_mut().unwrap();
        assert!(entries.len() <= limit);
        listed.append(entries);
        match &page["next_cursor"] {
            Value::Null => return listed,
            cursor => query = format!("?limit={limit}&cursor={}", cursor.as_str().unwrap()),
        }
        meanwhile();
    }
}

fn an_entry_is_returned_as_sent(server: TestServer) {
    let path = of_a_job(&server);
    let sent = a_log_entry(Stage::Compilation, LogStatus::Failed).body();
    let created = server.post(&path, &sent).expect(201);
    assert_eq!(created.header("Location"), None);
    let mut created = created.json();
    snapshot!("a_log_entry", created);
    assert_eq!(
        server.get(&path).expect(200).json()["logs"],
        json!([created])
    );
    for added in ["log_id", "timestamp", "created_at"] {
        assert!(
            created.as_object_mut().unwrap().remove(added).is_some(),
            "{added}"
        );
    }
    assert_eq!(created, sent);
}

fn stage_and_status_are_the_only_required_fields(server: TestServer) {
    let path = of_a_job(&server);
    let created = server
        .post(&path, &json!({ "stage": "uploading", "status": "started" }))
        .expect(201)
        .json();
    for field in ["agent_name", "message", "error_details", "duration_seconds"] {
        assert_eq!(created[field], Value::Null, "{field}");
    }
}

fn an_entry_has_the_time_of_its_arrival(server: TestServer) {
    let path = of_a_job(&server);
    server
        .db()
        .clock()
        .advance(TimeDelta::microseconds(1_500_001));
    let created = append(&server, &path, Stage::Transcription, LogStatus::Started);
    assert_eq!(created["timestamp"], "2026-01-01T00:00:01.500001Z");
    assert_eq!(created["created_at"], created["timestamp"]);
}

fn equal_entries_are_stored_separately(server: TestServer) {
    let path = of_a_job(&server);
    let twice = [(); 2].map(|()| append(&server, &path, Stage::Transcription, LogStatus::Started));
    assert_ne!(twice[0]["log_id"], twice[1]["log_id"]);
    assert_eq!(server.get(&path).expect(200).json()["logs"], json!(twice));
}

fn entries_are_listed_oldest_first(server: TestServer) {
    let answer = server.get(&path_with_entries(&server)).expect(200).json();
    assert_eq!(
        messages(&answer),
        [
            "transcription started",
            "silence_detection started",
            "transcription failed",
            "silence_detection completed",
            "transcription completed",
        ]
    );
    assert_eq!(answer["next_cursor"], Value::Null);
}

fn pages_hold_every_entry_once_during_appends(server: TestServer) {
    let (path, other) = (path_with_entries(&server), path_with_entries(&server));
    let mut remaining = 3;
    let listed = paged(&server, &path, 2, || {
        if remaining > 0 {
            append(&server, &path, Stage::Compilation, LogStatus::Started);
            append(&server, &other, Stage::Compilation, LogStatus::Started);
            remaining -= 1;
        }
    });
    assert_eq!(listed.len(), 8);
    assert_eq!(json!(listed), server.get(&path).expect(200).json()["logs"]);
}

fn the_default_limit_is_50_entries(server: TestServer) {
    let path = of_a_job(&server);
    for _ in 0..101 {
        append(&server, &path, Stage::Transcription, LogStatus::Started);
    }
    let total =
        |query: &str| server.get(&format!("{path}{query}")).expect(200).json()["total"].take();
    assert_eq!(
        (total(""), total("?limit=1"), total("?limit=100")),
        (json!(50), json!(1), json!(100))
    );
    assert_eq!(paged(&server, &path, 100, || ()).len(), 101);
}

fn a_full_last_page_has_no_next_page(server: TestServer) {
    let path = path_with_entries(&server);
    assert_eq!(
        server.get(&format!("{path}?limit=5")).expect(200).json()["next_cursor"],
        Value::Null
    );
    assert!(server.get(&format!("{path}?limit=4")).expect(200).json()["next_cursor"].is_string());
}

fn entries_are_filtered_by_stage_and_status(server: TestServer) {
    let path = path_with_entries(&server);
    for (query, listed) in [
        (
            "stage=silence_detection",
            &["silence_detection started", "silence_detection completed"][..],
        ),
        ("status=failed", &["transcription failed"]),
        (
            "stage=transcription&status=started",
            &["transcription started"],
        ),
        ("stage=complete", &[]),
    ] {
        assert_eq!(
            messages(&server.get(&format!("{path}?{query}")).expect(200).json()),
            listed,
            "{query}"
        );
    }
    let first = server
        .get(&format!("{path}?stage=transcription&limit=2"))
        .expect(200)
        .json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = server
        .get(&format!(
            "{path}?stage=transcription&limit=2&cursor={cursor}"
        ))
        .expect(200)
        .json();
    assert_eq!(messages(&rest), ["transcription completed"]);
}

fn a_cursor_of_another_list_is_rejected(server: TestServer) {
    let path = path_with_entries(&server);
    a_job().create(server.db());
    let jobs = server.get(&format!("{JOBS}?limit=1")).expect(200).json();
    let cursor = jobs["next_cursor"].as_str().unwrap();
    server
        .get(&format!("{path}?cursor={cursor}"))
        .problem_with(400, "malformed_query", "cursor");
}

fn entries_cannot_be_changed_or_deleted(server: TestServer) {
    let path = path_with_entries(&server);
    let listed = server.get(&path).expect(200).json();
    server
        .put(&path, &json!({ "logs": [] }))
        .problem(405, "method_not_allowed");
    server.delete(&path).problem(405, "method_not_allowed");
    assert_eq!(server.get(&path).expect(200).json(), listed);
}

fn an_invalid_entry_stores_nothing(server: TestServer) {
    let path = of_a_job(&server);
    let invalid =
        json!({ "stage": "transcription", "status": "started", "agent_name": "a".repeat(51) });
    server
        .post(&path, &invalid)
        .problem_with(422, "validation_failed", "agent_name");
    assert_eq!(server.get(&path).expect(200).json()["total"], 0);
}

fn a_job_without_entries_has_an_empty_list(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let answer = server.get(&job_path(job_id, "/logs")).expect(200).json();
    assert_eq!(
        answer,
        json!({ "job_id": job_id, "logs": [], "next_cursor": null, "total": 0 })
    );
}

fn the_log_of_an_unknown_job_is_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}/logs");
    server.get(&path).problem(404, "job_not_found");
    server
        .get(&format!("{path}?status=failed"))
        .problem(404, "job_not_found");
    let entry = a_log_entry(Stage::Transcription, LogStatus::Started).body();
    server.post(&path, &entry).problem(404, "job_not_found");
}

fn concurrent_appends_are_all_listed_once(server: TestServer) {
    let path = of_a_job(&server);
    let mut created = concurrently(16, |_| {
        append(&server, &path, Stage::Transcription, LogStatus::Started)
    });
    let mut listed = paged(&server, &path, 5, || ());
    for entries in [&mut created, &mut listed] {
        entries.sort_by_key(|entry| entry["log_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(listed, created);
}
