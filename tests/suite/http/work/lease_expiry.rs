//! Leases that are extended, and leases that expire.

use chrono::TimeDelta;
use lectern_domain::Stage::{self, Compilation, Segmentation, Transcription};
use lectern_tests::{TestServer, on_both_backends};
use serde_json::json;

use crate::http::support::job_path;
use crate::http::support::worker::{claim, create_job, expire, status};

on_both_backends!(
    a_heartbeat_extends_the_lease_and_updates_only_the_given_fields,
    a_stage_without_heartbeats_is_tried_three_times,
    the_next_claim_takes_over_an_expired_lease,
);

fn a_heartbeat_extends_the_lease_and_updates_only_the_given_fields(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    let field_of_run =
        |field: &str| server.get(&job_path(job_id, "/stages")).json()["stages"][1][field].clone();
    claimed
        .send(
            &server,
            "heartbeat",
            &json!({ "percent": 10, "message": "ten", "eta_seconds": 90 }),
        )
        .expect(200);
    for minute in 1..=5 {
        server.db().clock().advance(TimeDelta::seconds(59));
        let state = claimed
            .send(&server, "heartbeat", &json!({}))
            .expect(200)
            .json();
        let end = server.db().now() + TimeDelta::seconds(60);
        assert_eq!(
            state,
            json!({ "lease_expires_at": end, "cancelled": false }),
            "minute {minute}"
        );
    }
    assert_eq!(
        ["percent", "message", "eta_seconds"].map(field_of_run),
        [json!(10), json!("ten"), json!(90)]
    );
    claimed
        .send(&server, "heartbeat", &json!({ "message": "eleven" }))
        .expect(200);
    assert_eq!(
        ["percent", "message", "eta_seconds"].map(field_of_run),
        [json!(10), json!("eleven"), json!(90)]
    );
    claimed.store(&server);
    server.db().clock().advance(TimeDelta::seconds(60));
    claimed
        .send(&server, "heartbeat", &json!({}))
        .problem(409, "lease_lost");
}

fn a_stage_without_heartbeats_is_tried_three_times(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    for attempt in 1..=3 {
        let claimed = claim(&server, &[Transcription]).unwrap();
        assert_eq!((claimed.job_id, claimed.attempt), (job_id, attempt));
        expire(&server, &claimed);
    }
    let job = server.get(&job_path(job_id, "")).expect(200).json();
    assert_eq!(job["status"], "failed");
    let message = job["error_message"].as_str().unwrap();
    assert!(
        message.contains("transcription") && message.contains("lease"),
        "{message}"
    );
    assert_eq!(status(&server, job_id, Transcription), "failed");
    assert_eq!(status(&server, job_id, Compilation), "cancelled");
    assert_eq!(claim(&server, Stage::WORK), None);
    let logs = server
        .get(&job_path(job_id, "/logs?stage=transcription"))
        .expect(200)
        .json();
    let logs = logs["logs"].as_array().unwrap();
    let logged: Vec<_> = logs.iter().map(|entry| &entry["status"]).collect();
    assert_eq!(
        logged,
        [
            "started", "failed", "started", "failed", "started", "failed"
        ]
    );
    for failed in logs.iter().filter(|entry| entry["status"] == "failed") {
        assert_eq!(failed["duration_seconds"], json!(61.0));
        assert!(
            failed["message"]
                .as_str()
                .unwrap()
                .contains("lease expired"),
            "{failed}"
        );
    }
}

fn the_next_claim_takes_over_an_expired_lease(server: TestServer) {
    create_job(&server, json!({}));
    let mut last = claim(&server, &[Segmentation, Transcription]).unwrap();
    for attempt in 2..=3 {
        server.db().clock().advance(TimeDelta::seconds(61));
        let next = claim(&server, &[Transcription]).unwrap();
        assert_eq!((next.job_id, next.attempt), (last.job_id, attempt));
        assert_ne!(next.lease, last.lease);
        last.send(&server, "complete", &json!({}))
            .problem(409, "lease_lost");
        last = next;
    }
    last.send(&server, "complete", &json!({})).expect(200);
}
