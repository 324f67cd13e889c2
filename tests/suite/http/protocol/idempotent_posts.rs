//! Idempotency keys of every POST.

use lectern_domain::JobId;
use lectern_domain::Stage::{Compilation, Segmentation, SilenceDetection, Transcription};
use lectern_tests::{
    Body, Client, Response, TestServer, a_completed_job, on_both_backends, segments,
};
use serde_json::{Value, json};

use crate::http::support::recordings::{announce, send};
use crate::http::support::tus::{Upload, creation};
use crate::http::support::worker::{CLAIM, create_job, request_claim};
use crate::http::support::{JOBS, concurrently, job_path};

on_both_backends!(
    every_post_of_the_document_takes_a_key,
    a_repeated_change_of_a_job_is_made_once,
    a_repeated_row_is_stored_once,
    a_long_transcript_is_appended_once,
    a_repeated_claim_gets_the_same_lease,
    a_claim_that_finds_nothing_frees_its_key,
    concurrent_claims_with_one_key_get_one_lease,
    a_repeated_end_of_a_lease_is_no_lost_lease,
    a_repeated_heartbeat_gets_the_same_response,
    a_repeated_confirmation_gets_the_same_response,
    a_repeated_request_for_a_url_gets_one_that_works,
    a_repeated_creation_of_a_resumable_upload_finds_it,
    a_refused_request_frees_its_key,
);

const KEY: &str = "Idempotency-Key";

fn post(client: &Client, key: &str, path: &str, body: &Value) -> Response {
    let request = client.request("POST", path).header(KEY, key);
    request.json(body).send()
}

fn post_nothing(client: &Client, key: &str, path: &str) -> Response {
    client.request("POST", path).header(KEY, key).send()
}

#[track_caller]
fn assert_same(again: &Response, first: &Response) {
    assert_eq!(again.status, first.status);
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("ETag"), first.header("ETag"));
}

fn status(server: &TestServer, job_id: JobId) -> Value {
    server.get(&job_path(job_id, "")).expect(200).json()["status"].clone()
}

fn every_post_of_the_document_takes_a_key(server: TestServer) {
    let document = server.get("/openapi.json").expect(200).json();
    let mut posts = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let post = &item["post"];
        // A POST in place of another method, which has the effect of that method; and those
        // whose response is a secret, which must not be stored.
        let without_key = ["overrideTusMethod", "createWatchToken", "createSession"];
        let without_key = without_key.map(Value::from);
        if post.is_null() || without_key.contains(&post["operationId"]) {
            continue;
        }
        let parameters = post["parameters"].to_string();
        assert!(
            parameters.contains("/Idempotency-Key"),
            "{path}: {parameters}"
        );
        posts += 1;
    }
    assert_eq!(posts, 20);
}

fn a_repeated_change_of_a_job_is_made_once(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let version = |response: &Response| response.header("ETag").unwrap().to_owned();
    let report = json!({ "stage": "transcription", "percent": 20, "message": "a" });
    let progress = job_path(job_id, "/progress");
    let first = post(&server, "progress", &progress, &report).expect(200);
    assert_same(&post(&server, "progress", &progress, &report), &first);
    let other = json!({ "stage": "transcription", "percent": 30 });
    post(&server, "progress", &progress, &other).problem(422, "idempotency_mismatch");

    let cancel = job_path(job_id, "/cancel");
    let first = post_nothing(&server, "cancel", &cancel).expect(200);
    assert_eq!(first.json()["status"], "cancelled");
    let retry = job_path(job_id, "/retry");
    let retried = post_nothing(&server, "retry", &retry).expect(200);
    assert_eq!(retried.json()["status"], "queued");
    // The repetitions arrive late, and undo nothing.
    assert_same(&post_nothing(&server, "cancel", &cancel), &first);
    assert_eq!(status(&server, job_id), "queued");
    assert_same(&post_nothing(&server, "retry", &retry), &retried);
    let stored = server.get(&job_path(job_id, "")).expect(200);
    assert_eq!(version(&stored), version(&retried));
    // The key of one path is not that of another.
    post_nothing(&server, "retry", &cancel).problem(422, "idempotency_mismatch");

    let job_id = a_completed_job(server.db()).job_id;
    let (rerun, body) = (
        job_path(job_id, "/rerun"),
        json!({ "from_stage": "compilation" }),
    );
    let first = post(&server, "rerun", &rerun, &body).expect(200);
    server
        .post(&job_path(job_id, "/cancel"), &json!({}))
        .expect(200);
    assert_same(&post(&server, "rerun", &rerun, &body), &first);
    assert_eq!(status(&server, job_id), "cancelled");
}

fn a_repeated_row_is_stored_once(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let entry = json!({ "stage": "transcription", "status": "started", "message": "begun" });
    let before = server.db().sql().count("processing_logs");
    let first = post(&server, "log", &job_path(job_id, "/logs"), &entry).expect(201);
    assert_same(
        &post(&server, "log", &job_path(job_id, "/logs"), &entry),
        &first,
    );
    assert_eq!(server.db().sql().count("processing_logs"), before + 1);

    let transcripts = job_path(job_id, "/transcripts");
    let rows = json!({ "segments": segments(3).body() });
    let first = post(&server, "segments", &transcripts, &rows).expect(201);
    assert_same(&post(&server, "segments", &transcripts, &rows), &first);
    assert_eq!(server.db().sql().count("transcripts"), 3);
    // A subtitle file is another body.
    let request = server.request("POST", &transcripts).header(KEY, "segments");
    let file = "WEBVTT\n\n01:00:00.000 --> 01:00:02.000\nHello\n";
    request
        .body("text/vtt", file)
        .send()
        .problem(422, "idempotency_mismatch");
    let append = || {
        let request = server.request("POST", &transcripts).header(KEY, "file");
        request.body("text/vtt", file).send()
    };
    let first = append().expect(201);
    assert_same(&append(), &first);
    assert_eq!(server.db().sql().count("transcripts"), 4);
}

/// The response is too large to be stored with the key.
fn a_long_transcript_is_appended_once(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let transcripts = job_path(job_id, "/transcripts");
    let segment =
        |n: u32| json!({ "start_time": n, "end_time": n + 1, "text": "word ".repeat(30_000) });
    let rows = json!({ "segments": (0..24).map(segment).collect::<Vec<_>>() });
    let first = post(&server, "long", &transcripts, &rows).expect(201);
    assert_same(&post(&server, "long", &transcripts, &rows), &first);
    assert_eq!(first.json()["segments"].as_array().unwrap().len(), 24);
    assert_eq!(server.db().sql().count("transcripts"), 24);
}

fn claim_body() -> Value {
    json!({ "worker": "w", "stages": ["silence_detection", "transcription"], "max": 2 })
}

fn a_repeated_claim_gets_the_same_lease(server: TestServer) {
    let announced = announce(&server, 3);
    send(&server, &announced.path, b"abc").expect(200);
    let body = json!({ "job_id": announced.job_id });
    server.post("/api/v1/upload/confirm", &body).expect(200);
    create_job(&server, json!({}));
    let first = post(&server, "claim", CLAIM, &claim_body())
        .expect(200)
        .json();
    let again = post(&server, "claim", CLAIM, &claim_body())
        .expect(200)
        .json();
    let claims = |response: &Value| response["claims"].as_array().unwrap().clone();
    assert_eq!(claims(&first).len(), 2);
    for (first, again) in claims(&first).iter().zip(claims(&again)) {
        assert_eq!(first["lease_id"], again["lease_id"]);
        assert_eq!(first["job"], again["job"]);
    }
    // The URL of the recording works in both.
    for response in [first, again] {
        let url = claims(&response)[0]["source_url"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = url.strip_prefix(server.base()).unwrap();
        assert_eq!(server.get(path).expect(200).body, b"abc");
    }
    let other = post(&server, "another", CLAIM, &claim_body())
        .expect(200)
        .json();
    assert!(claims(&other).iter().all(|claim| claim["attempt"] == 1));
}

fn a_claim_that_finds_nothing_frees_its_key(server: TestServer) {
    let nothing = post(&server, "claim", CLAIM, &claim_body()).expect(200);
    assert_eq!(nothing.json(), json!({ "claims": [] }));
    create_job(&server, json!({}));
    let found = post(&server, "claim", CLAIM, &claim_body()).expect(200);
    assert_eq!(found.json()["claims"][0]["attempt"], 1);
}

fn concurrent_claims_with_one_key_get_one_lease(server: TestServer) {
    for _ in 0..6 {
        create_job(&server, json!({}));
    }
    let body = json!({ "worker": "w", "stages": ["silence_detection"] });
    let leases = concurrently(6, |_| {
        let claimed = post(&server, "claim", CLAIM, &body).expect(200).json();
        claimed["claims"][0]["lease_id"].clone()
    });
    assert!(leases.iter().all(|lease| *lease == leases[0]), "{leases:?}");
}

fn a_repeated_end_of_a_lease_is_no_lost_lease(server: TestServer) {
    for (action, body) in [
        ("complete", json!({})),
        ("release", json!({})),
        ("fail", json!({ "error": "no sound" })),
    ] {
        create_job(&server, json!({}));
        let claimed = request_claim(&server, &[SilenceDetection], json!({}))
            .expect(200)
            .json();
        let lease = claimed["claims"][0]["lease_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = format!("/api/v1/work/{lease}/{action}");
        let first = post(&server, action, &path, &body).expect(200);
        assert_same(&post(&server, action, &path, &body), &first);
        if action != "complete" {
            // A completion can also be repeated without a key.
            post(&server, "another", &path, &body).problem(409, "lease_lost");
        }
        if action == "release" {
            // Leaves nothing to claim for the next action.
            request_claim(&server, &[SilenceDetection], json!({})).expect(200);
        }
    }
    let unread = request_claim(
        &server,
        &[Transcription, Segmentation, Compilation],
        json!({}),
    );
    assert!(!unread.expect(200).json()["claims"].is_null());
}

fn a_repeated_heartbeat_gets_the_same_response(server: TestServer) {
    create_job(&server, json!({}));
    let claimed = request_claim(&server, &[SilenceDetection], json!({}))
        .expect(200)
        .json();
    let lease = claimed["claims"][0]["lease_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (path, body) = (
        format!("/api/v1/work/{lease}/heartbeat"),
        json!({ "percent": 5 }),
    );
    let first = post(&server, "beat", &path, &body).expect(200);
    server.db().clock().advance(chrono::TimeDelta::seconds(1));
    assert_same(&post(&server, "beat", &path, &body), &first);
    let next = post(&server, "next", &path, &body).expect(200);
    assert_ne!(
        next.json()["lease_expires_at"],
        first.json()["lease_expires_at"]
    );
}

fn a_repeated_confirmation_gets_the_same_response(server: TestServer) {
    let announced = announce(&server, 3);
    let (path, body) = (
        "/api/v1/upload/confirm",
        json!({ "job_id": announced.job_id }),
    );
    post(&server, "confirm", path, &body).problem(409, "illegal_transition");
    send(&server, &announced.path, b"abc").expect(200);
    let first = post(&server, "confirm", path, &body).expect(200);
    server
        .post(&job_path(announced.job_id, "/cancel"), &json!({}))
        .expect(200);
    assert_same(&post(&server, "confirm", path, &body), &first);
    server.post(path, &body).problem(409, "illegal_transition");
}

fn a_repeated_request_for_a_url_gets_one_that_works(server: TestServer) {
    let announced = announce(&server, 3);
    let path = job_path(announced.job_id, "/upload-url");
    post_nothing(&server, "url", &path).expect(200);
    let again = post_nothing(&server, "url", &path).expect(200).json();
    let url = again["upload_url"].as_str().unwrap();
    let upload = url.strip_prefix(server.base()).unwrap();
    send(&server, upload, b"abc").expect(200);
    let body = json!({ "job_id": announced.job_id });
    server.post("/api/v1/upload/confirm", &body).expect(200);
    // The job no longer waits for an upload, but the request was made before.
    assert_eq!(
        post_nothing(&server, "url", &path).expect(200).json()["job_id"],
        again["job_id"]
    );
    post_nothing(&server, "late", &path).problem(409, "illegal_transition");
}

fn a_repeated_creation_of_a_resumable_upload_finds_it(server: TestServer) {
    let create = |size| creation(&server, size).header(KEY, "tus").send();
    let upload = Upload::of(&create(6).expect(201));
    upload.append(&server, 0, b"abc").expect(204);
    let again = create(6).expect(201);
    assert_eq!(Upload::of(&again).id, upload.id);
    assert_eq!(again.header("Upload-Offset"), Some("3"));
    create(7).problem(422, "idempotency_mismatch");
    assert_eq!(server.db().sql().count("jobs"), 1);
    let uploads = concurrently(4, |_| {
        let created = creation(&server, 6).header(KEY, "together").send();
        Upload::of(&created.expect(201)).id
    });
    assert!(uploads.iter().all(|id| *id == uploads[0]), "{uploads:?}");
    assert_eq!(server.db().sql().count("jobs"), 2);
}

fn a_refused_request_frees_its_key(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let retry = job_path(job_id, "/rerun");
    let body = json!({ "from_stage": "compilation" });
    post(&server, "k", &retry, &body).problem(409, "illegal_transition");
    server
        .post(&job_path(job_id, "/cancel"), &json!({}))
        .expect(200);
    post(&server, "k", &retry, &body).expect(200);
    for key in ["", "two words", "ü"] {
        let refused = post_nothing(&server, key, &job_path(job_id, "/cancel"));
        refused.problem_with(422, "validation_failed", "Idempotency-Key");
    }
    assert_eq!(status(&server, job_id), "queued");
    assert_eq!(
        server.get(JOBS).expect(200).json()["jobs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
