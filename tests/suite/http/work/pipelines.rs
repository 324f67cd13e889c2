//! Pipelines of jobs.

use std::sync::Arc;

use chrono::TimeDelta;
use lectern_db::Database;
use lectern_domain::{Pipelines, Stage};
use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, Lectern, TestDb, TestServer, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::worker::{claim, create_job, request_claim, stages};
use crate::http::support::{JOBS, a_recording, job_path};

on_both_backends!(
    a_job_uses_the_pipeline_it_names,
    a_job_without_a_pipeline_uses_the_default,
    a_job_keeps_its_pipeline_when_the_configuration_changes,
    an_unknown_pipeline_is_rejected,
    a_mode_that_empties_the_pipeline_is_rejected,
    pipelines_are_read_from_a_file,
    a_step_limits_the_number_of_attempts,
    a_step_sets_the_pauses_between_attempts,
    an_attempt_ends_at_its_timeout_despite_heartbeats,
    a_timed_out_attempt_is_retried_after_the_pause,
    limits_are_kept_when_the_configuration_changes,
);

/// Serves `db` with these pipelines.
fn serve(db: &TestDb, pipelines: Value) -> (Server, Client) {
    let pipelines = Arc::new(Pipelines::from_json(pipelines).unwrap());
    let database = Database::clone(db).with_pipelines(pipelines);
    let server = Server::start(ServerConfig::default(), database).unwrap();
    let client = Client::new(server.url());
    (server, client)
}

/// Completes all stages; returns them in the order of the claims.
fn complete_all(client: &Client) -> Vec<&'static str> {
    let next = || {
        let claimed = claim(client, Stage::WORK)?;
        claimed.send(client, "complete", &json!({})).expect(200);
        Some(claimed.stage.as_str())
    };
    std::iter::from_fn(next).collect()
}

fn subtitles() -> Value {
    json!({ "subtitles": [
        { "stage": "compilation", "after": ["transcription", "layout_analysis"] },
        { "stage": "layout_analysis", "after": ["transcription"] },
        { "stage": "transcription" },
    ] })
}

fn with_pipeline(name: &str) -> Value {
    json!({ "processing_config": { "pipeline": name } })
}

fn a_job_uses_the_pipeline_it_names(db: TestDb) {
    let (_server, client) = serve(&db, subtitles());
    create_job(&client, with_pipeline("subtitles"));
    assert_eq!(
        complete_all(&client),
        ["transcription", "layout_analysis", "compilation"]
    );
    let audio_only =
        json!({ "processing_config": { "pipeline": "subtitles", "processing_mode": "audio" } });
    let job_id = create_job(&client, audio_only);
    assert_eq!(complete_all(&client), ["transcription", "compilation"]);
    assert_eq!(
        client.get(&job_path(job_id, "")).json()["status"],
        "completed"
    );
}

fn a_job_without_a_pipeline_uses_the_default(db: TestDb) {
    let built_in: Vec<_> = Stage::WORK.iter().map(|stage| stage.as_str()).collect();
    let (server, client) = serve(&db, subtitles());
    for more in [json!({}), with_pipeline("default")] {
        create_job(&client, more);
        assert_eq!(complete_all(&client), built_in);
    }
    drop(server);
    let (_server, client) = serve(&db, json!({ "default": [{ "stage": "segmentation" }] }));
    for more in [json!({}), with_pipeline("default")] {
        create_job(&client, more);
        assert_eq!(complete_all(&client), ["segmentation"]);
    }
}

fn a_job_keeps_its_pipeline_when_the_configuration_changes(db: TestDb) {
    let (server, client) = serve(&db, subtitles());
    let job_id = create_job(&client, with_pipeline("subtitles"));
    let first = claim(&client, Stage::WORK).unwrap();
    drop(server);
    let (_server, client) = serve(
        &db,
        json!({ "subtitles": [{ "stage": "silence_detection" }] }),
    );
    first.send(&client, "complete", &json!({})).expect(200);
    client
        .request("POST", &job_path(job_id, "/cancel"))
        .send()
        .expect(200);
    client
        .request("POST", &job_path(job_id, "/retry"))
        .send()
        .expect(200);
    assert_eq!(complete_all(&client), ["layout_analysis", "compilation"]);
    create_job(&client, with_pipeline("subtitles"));
    assert_eq!(complete_all(&client), ["silence_detection"]);
}

fn an_unknown_pipeline_is_rejected(server: TestServer) {
    let mut body = a_recording();
    for (name, field) in [
        (json!("subtitles"), "processing_config.pipeline"),
        (json!(""), "processing_config.pipeline"),
        (json!("x".repeat(51)), "processing_config.pipeline"),
        (json!(["default"]), "processing_config.pipeline"),
    ] {
        body["processing_config"] = json!({ "pipeline": name });
        server
            .post(JOBS, &body)
            .problem_with(422, "validation_failed", field);
    }
    assert_eq!(server.db().sql().count("jobs"), 0);
    body["processing_config"] = json!({ "pipeline": null });
    server.post(JOBS, &body).expect(201);
}

fn a_mode_that_empties_the_pipeline_is_rejected(db: TestDb) {
    let (_server, client) = serve(&db, json!({ "layout": [{ "stage": "layout_analysis" }] }));
    let mut body = a_recording();
    body["processing_config"] = json!({ "pipeline": "layout", "processing_mode": "audio" });
    client.post(JOBS, &body).problem_with(
        422,
        "validation_failed",
        "processing_config.processing_mode",
    );
    create_job(&client, with_pipeline("layout"));
    assert_eq!(complete_all(&client), ["layout_analysis"]);
}

fn pipelines_are_read_from_a_file(db: TestDb) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, subtitles().to_string()).unwrap();
    let server = Lectern::serve_with(
        db.url(),
        &[("LECTERN_PIPELINES", file.path().to_str().unwrap())],
    );
    let job_id = create_job(&server, with_pipeline("subtitles"));
    let order: Vec<_> = stages(&server, job_id)
        .into_iter()
        .map(|(stage, _)| stage.as_str())
        .collect();
    assert_eq!(order, ["transcription", "layout_analysis", "compilation"]);
}

/// A pipeline of one stage with these limits.
fn limited(limits: Value) -> Value {
    let mut step = limits;
    step["stage"] = json!("transcription");
    json!({ "default": [step] })
}

fn fail(client: &Client) -> Value {
    let claimed = claim(client, &[Stage::Transcription]).unwrap();
    let failure = json!({ "error": "disk full" });
    claimed.send(client, "fail", &failure).expect(200).json()
}

fn a_step_limits_the_number_of_attempts(db: TestDb) {
    for (attempts, statuses) in [
        (1, vec!["failed"]),
        (5, vec!["ready", "ready", "ready", "ready", "failed"]),
    ] {
        let limits = json!({ "max_attempts": attempts, "backoff": { "first_seconds": 0 } });
        let (_server, client) = serve(&db, limited(limits));
        create_job(&client, json!({}));
        for status in statuses {
            let failed = fail(&client);
            assert_eq!(
                (&failed["status"], &failed["max_attempts"]),
                (&json!(status), &json!(attempts))
            );
        }
    }
}

fn a_step_sets_the_pauses_between_attempts(db: TestDb) {
    let backoff = json!({ "first_seconds": 100, "factor": 10, "max_seconds": 500 });
    let limits = json!({ "max_attempts": 100, "backoff": backoff });
    let (_server, client) = serve(&db, limited(limits));
    create_job(&client, json!({}));
    // Up to half of a pause is left out at random.
    for longest in [100, 500, 500] {
        fail(&client);
        db.clock()
            .advance(TimeDelta::seconds(longest / 2) - TimeDelta::microseconds(1));
        assert_eq!(claim(&client, &[Stage::Transcription]), None);
        db.clock()
            .advance(TimeDelta::seconds(longest / 2) + TimeDelta::microseconds(1));
    }
    assert_eq!(claim(&client, &[Stage::Transcription]).unwrap().attempt, 4);
}

fn an_attempt_ends_at_its_timeout_despite_heartbeats(db: TestDb) {
    let (_server, client) = serve(&db, limited(json!({ "timeout_seconds": 70 })));
    create_job(&client, json!({}));
    let claimed = claim(&client, &[Stage::Transcription]).unwrap();
    let heartbeat = || claimed.send(&client, "heartbeat", &json!({ "percent": 5 }));
    db.clock().advance(TimeDelta::seconds(50));
    let state = heartbeat().expect(200).json();
    assert_eq!(state["lease_expires_at"], "2026-01-01T00:01:10Z");
    db.clock()
        .advance(TimeDelta::seconds(20) - TimeDelta::microseconds(1));
    heartbeat().expect(200);
    db.clock().advance(TimeDelta::microseconds(1));
    heartbeat().problem(409, "lease_lost");
    let body = json!({ "segments": [] });
    let late = client.request("PUT", &job_path(claimed.job_id, "/transcripts"));
    late.header("Lease-Id", &claimed.lease)
        .json(&body)
        .send()
        .problem(409, "lease_lost");
    claimed
        .send(&client, "complete", &json!({}))
        .problem(409, "lease_lost");
}

fn a_timed_out_attempt_is_retried_after_the_pause(db: TestDb) {
    let limits = json!({
        "timeout_seconds": 10, "max_attempts": 2, "backoff": { "first_seconds": 100 },
    });
    let (_server, client) = serve(&db, limited(limits));
    let job_id = create_job(&client, json!({}));
    let run = || client.get(&job_path(job_id, "/stages")).json()["stages"][0].clone();
    let first = request_claim(&client, &[Stage::Transcription], json!({})).json();
    assert_eq!(
        first["claims"][0]["lease_expires_at"],
        "2026-01-01T00:00:10Z"
    );
    db.clock().advance(TimeDelta::seconds(10));
    assert_eq!(claim(&client, &[Stage::Transcription]), None);
    let ended = run();
    assert_eq!(
        [&ended["status"], &ended["error"]],
        ["ready", "the attempt took longer than 10 s"]
    );
    db.clock().advance(TimeDelta::seconds(100));
    assert_eq!(claim(&client, &[Stage::Transcription]).unwrap().attempt, 2);
    db.clock().advance(TimeDelta::seconds(10));
    assert_eq!(claim(&client, &[Stage::Transcription]), None);
    let job = client.get(&job_path(job_id, "")).json();
    assert_eq!(
        [&job["status"], &job["error_message"]],
        ["failed", "transcription: the attempt took longer than 10 s"]
    );
}

fn limits_are_kept_when_the_configuration_changes(db: TestDb) {
    let (server, client) = serve(&db, limited(json!({ "max_attempts": 1 })));
    let job_id = create_job(&client, json!({}));
    drop(server);
    let (_server, client) = serve(&db, limited(json!({ "max_attempts": 9 })));
    let run = client.get(&job_path(job_id, "/stages")).json();
    assert_eq!(run["stages"][0]["max_attempts"], 1);
    assert_eq!(fail(&client)["status"], "failed");
    // A retry keeps them, too.
    client
        .request("POST", &job_path(job_id, "/retry"))
        .send()
        .expect(200);
    assert_eq!(fail(&client)["status"], "failed");
}

#[test]
fn an_invalid_pipelines_file_prevents_the_start_with_a_reason() {
    for (text, message) in [
        ("", "is not valid JSON"),
        ("[]", "must be a JSON object of pipelines by name"),
        (r#"{"": []}"#, "must be 1 to 50 characters long"),
        (r#"{"clips": []}"#, "clips must have at least one stage"),
        (
            r#"{"clips": [{"stage": "cutting"}]}"#,
            "clips must be a list of stages",
        ),
        (
            r#"{"clips": [{"stage": "segmentation", "when": 1}]}"#,
            "unknown field `when`",
        ),
        (
            r#"{"clips": [{"stage": "segmentation", "max_attempts": 0}]}"#,
            "clips[0].max_attempts must be between 1 and 100",
        ),
        (
            r#"{"clips": [{"stage": "segmentation", "backoff": {"factor": 0}}]}"#,
            "clips[0].backoff.factor must be between 1 and 100",
        ),
        (
            r#"{"clips": [{"stage": "uploading"}]}"#,
            "clips[0] must be a stage that workers process, not uploading",
        ),
        (
            r#"{"clips": [{"stage": "segmentation"}, {"stage": "compilation", "after": ["transcription"]}]}"#,
            "clips[1] must not wait for transcription, which is not in the pipeline",
        ),
        (
            r#"{"clips": [{"stage": "segmentation", "after": ["segmentation"]}]}"#,
            "clips must not have a dependency cycle",
        ),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        let path = file.path().to_str().unwrap();
        let output = Lectern::run("sqlite::memory:", &["--pipelines", path, "serve"]);
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}: {log}");
        assert!(log.contains(message) && log.contains(path), "{text}: {log}");
    }
    let output = Lectern::run("sqlite::memory:", &["--pipelines", "nowhere.json"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(
        log.contains("cannot read the pipelines in nowhere.json"),
        "{log}"
    );
}
