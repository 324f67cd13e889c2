//! Bodies of claims, heartbeats and failures.

use lectern_tests::{TestServer, on_both_backends};
use serde_json::{Value, json};

use super::bodies::Endpoint;
use super::field::Kind::{AnyObject, Bool, Enums, Integer, Number, Text};
use super::{a_full_job, check_bodies_at, dump};
use crate::http::support::worker::CLAIM;

on_both_backends!(
    an_invalid_claim_is_rejected,
    an_invalid_heartbeat_is_rejected,
    an_invalid_failure_is_rejected,
    an_invalid_completion_is_rejected,
    an_invalid_release_is_rejected,
);

const MIB: usize = 1 << 20;

pub(crate) fn claim() -> Endpoint {
    let body = json!({
        "worker": "worker-1",
        "stages": ["transcription", "segmentation"],
        "max": 2,
        "lease_seconds": 60,
        "wait_seconds": 0,
    });
    let mut endpoint = Endpoint::new("POST", CLAIM, MIB, body)
        .required("worker", Text(1, 50))
        .required("stages", Enums("transcription"))
        .may_be_null("max", Integer(1, 100))
        .may_be_null("lease_seconds", Integer(1, 3600))
        .may_be_null("wait_seconds", Integer(0, 60));
    for other_stage in ["uploading", "complete"] {
        let stages = json!({ "stages": ["transcription", other_stage] });
        endpoint = endpoint.rejects("", &stages, "stages[1]");
    }
    endpoint
}

pub(crate) fn heartbeat() -> Endpoint {
    let body = json!({ "percent": 12.5, "message": "at 00:12:00", "eta_seconds": 600 });
    Endpoint::new("POST", "/api/v1/work/{lease_id}/heartbeat", MIB, body)
        .may_be_null("percent", Number(0.0, 100.0))
        .may_be_null("message", Text(0, 500))
        .may_be_null("eta_seconds", Integer(0, i32::MAX.into()))
}

pub(crate) fn failure() -> Endpoint {
    let body = json!({
        "error": "out of memory",
        "details": { "exit_code": 137 },
        "retryable": false,
        "retry_after_seconds": 30,
    });
    Endpoint::new("POST", "/api/v1/work/{lease_id}/fail", MIB, body)
        .required("error", Text(1, usize::MAX))
        .may_be_null("details", AnyObject)
        .may_be_null("retryable", Bool)
        .may_be_null("retry_after_seconds", Integer(0, 86_400))
}

/// Makes all stage runs claimable.
fn make_ready(server: &TestServer) {
    let mut sql = server.db().sql();
    sql.batch(
        "UPDATE jobs SET status = 'queued', completed_at = NULL;
         UPDATE stage_runs SET status = 'ready', attempt = 0, available_at = NULL",
    )
    .unwrap();
}

/// The path of an endpoint under a new lease.
fn path_under_a_new_lease(server: &TestServer, endpoint: &Endpoint) -> String {
    make_ready(server);
    let claimed = server.post(CLAIM, &claim().body).expect(200).json();
    let lease = claimed["claims"][0]["lease_id"].as_str().unwrap();
    endpoint.path.replace("{lease_id}", lease)
}

fn an_invalid_claim_is_rejected(server: TestServer) {
    a_full_job(server.db());
    check_bodies_at(&server, &claim(), || {
        make_ready(&server);
        CLAIM.to_owned()
    });
}

fn an_invalid_heartbeat_is_rejected(server: TestServer) {
    a_full_job(server.db());
    let endpoint = heartbeat();
    check_bodies_at(&server, &endpoint, || {
        path_under_a_new_lease(&server, &endpoint)
    });
}

fn an_invalid_failure_is_rejected(server: TestServer) {
    a_full_job(server.db());
    let endpoint = failure();
    check_bodies_at(&server, &endpoint, || {
        path_under_a_new_lease(&server, &endpoint)
    });
}

fn an_invalid_completion_is_rejected(server: TestServer) {
    assert_only_an_empty_object_is_taken(&server, "/api/v1/work/{lease_id}/complete");
}

fn an_invalid_release_is_rejected(server: TestServer) {
    assert_only_an_empty_object_is_taken(&server, "/api/v1/work/{lease_id}/release");
}

/// Checks the body of an endpoint that takes an empty object or none.
fn assert_only_an_empty_object_is_taken(server: &TestServer, path: &'static str) {
    a_full_job(server.db());
    let endpoint = Endpoint::new("POST", path, MIB, json!({}));
    let path = path_under_a_new_lease(server, &endpoint);
    let before = dump(server.db());
    let send = |kind: &str, body: &str| server.request("POST", &path).body(kind, body).send();
    for body in ["5", "null", "[]", "\"x\""] {
        send("application/json", body).problem_with(422, "validation_failed", "");
    }
    send("application/json", r#"{"percent":100}"#).problem_with(
        422,
        "validation_failed",
        "percent",
    );
    for body in [" ", "{", "{}{}", "nothing"] {
        send("application/json", body).problem(400, "malformed_body");
    }
    assert_eq!(
        send("text/plain", "{}").problem(415, "unsupported_media_type"),
        [Value::Null; 0]
    );
    let large = format!("{}{{}}", " ".repeat(MIB));
    send("application/json", &large).problem(413, "body_too_large");
    super::assert_unknown_ids_rejected(server, &endpoint);
    assert_eq!(dump(server.db()), before);
    send("", "").expect(200);
}
