//! Writes under leases.

use chrono::TimeDelta;
use lectern_domain::Stage::{
    self, ContentAnalysis, LayoutAnalysis, SilenceDetection, Transcription,
};
use lectern_domain::{JobId, LogStatus};
use lectern_tests::{Body, Response, TestServer, a_log_entry, a_report, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::worker::{claim, create_job, example_output, expire};
use crate::http::support::{UNKNOWN_ID, dump, job_path};

on_both_backends!(
    each_stage_writes_its_own_output_under_its_lease,
    a_write_without_a_lease_is_rejected_only_while_its_stage_is_leased,
    a_worker_cannot_write_the_output_of_another_stage,
    a_write_under_an_unknown_lease_is_rejected,
    a_write_under_the_lease_of_another_job_is_rejected,
    a_repeated_lease_header_is_rejected,
    a_write_under_an_expired_lease_is_rejected,
    a_write_after_completion_or_failure_is_rejected,
);

/// A write of stage output: method, sub-resource and body.
type Write = (&'static str, &'static str, Value);

/// All writes that belong to `stage`.
fn writes(stage: Stage) -> Vec<Write> {
    let (below, body) = example_output(stage);
    let mut writes = vec![
        ("PUT", below, body.clone()),
        ("POST", "/progress", a_report(stage, 99.0).body()),
        (
            "POST",
            "/logs",
            a_log_entry(stage, LogStatus::Completed).body(),
        ),
    ];
    if stage == Transcription {
        writes.push(("POST", below, body));
    }
    writes
}

fn write(server: &TestServer, job_id: JobId, lease: Option<&str>, write: &Write) -> Response {
    let (method, below, body) = write;
    let mut request = server.request(method, &job_path(job_id, below));
    if let Some(lease) = lease {
        request = request.header("Lease-Id", lease);
    }
    request.json(body).send()
}

/// Checks that all writes to `job_id` under `lease` are rejected and change
/// nothing.
fn assert_writes_rejected(server: &TestServer, job_id: JobId, lease: &str) {
    let before = dump(server.db());
    let rename = ("PATCH", "", json!({ "filename": "stolen.mp4" }));
    for stage in Stage::WORK {
        for one in writes(*stage).iter().chain([&rename]) {
            let answer = write(server, job_id, Some(lease), one);
            assert_eq!(
                answer.problem(409, "lease_lost"),
                [Value::Null; 0],
                "{one:?}"
            );
        }
    }
    assert_worker_calls_rejected(server, lease);
    assert_eq!(dump(server.db()), before, "{lease}");
}

/// Checks that heartbeat, completion and failure of `lease` are rejected.
fn assert_worker_calls_rejected(server: &TestServer, lease: &str) {
    for (action, body) in [
        ("heartbeat", json!({ "percent": 99 })),
        ("complete", json!({})),
        ("fail", json!({ "error": "no memory", "retryable": false })),
    ] {
        let answer = server.post(&format!("/api/v1/work/{lease}/{action}"), &body);
        assert_eq!(
            answer.problem(409, "lease_lost"),
            [Value::Null; 0],
            "{action}"
        );
    }
}

fn each_stage_writes_its_own_output_under_its_lease(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    while let Some(claimed) = claim(&server, Stage::WORK) {
        for one in writes(claimed.stage) {
            let refused = write(&server, job_id, None, &one);
            refused.problem(409, "lease_lost");
            let written = write(&server, job_id, Some(&claimed.lease), &one);
            assert!(written.status < 300, "{written}");
        }
        write(
            &server,
            job_id,
            Some(&claimed.lease),
            &("PATCH", "", json!({ "video_duration": 60.5 })),
        )
        .expect(200);
        write(
            &server,
            job_id,
            None,
            &("PATCH", "", json!({ "video_duration": 60 })),
        )
        .expect(200);
        claimed.send(&server, "complete", &json!({})).expect(200);
    }
    assert_eq!(
        server.get(&job_path(job_id, "")).json()["status"],
        "completed"
    );
}

fn a_write_without_a_lease_is_rejected_only_while_its_stage_is_leased(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    for stage in [SilenceDetection, Transcription, LayoutAnalysis] {
        for one in writes(stage).iter().filter(|one| one.1 != "/progress") {
            assert!(write(&server, job_id, None, one).status < 300, "{one:?}");
        }
        let claimed = claim(&server, &[stage]).unwrap();
        let before = dump(server.db());
        for one in &writes(stage) {
            write(&server, job_id, None, one).problem(409, "lease_lost");
        }
        assert_eq!(dump(server.db()), before);
        for one in writes(ContentAnalysis)
            .iter()
            .filter(|one| one.1 != "/progress")
        {
            assert!(write(&server, job_id, None, one).status < 300, "{one:?}");
        }
        claimed.send(&server, "complete", &json!({})).expect(200);
        let (below, body) = example_output(stage);
        server.put(&job_path(job_id, below), &body).expect(200);
    }
}

fn a_worker_cannot_write_the_output_of_another_stage(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let [silence, speech] =
        [SilenceDetection, Transcription].map(|stage| claim(&server, &[stage]).unwrap());
    let before = dump(server.db());
    for (own, other) in [(&silence, &speech), (&speech, &silence)] {
        for one in &writes(other.stage) {
            write(&server, job_id, Some(&own.lease), one).problem(409, "lease_lost");
        }
    }
    assert_eq!(dump(server.db()), before);
    silence.store(&server);
    speech.store(&server);
}

fn a_write_under_an_unknown_lease_is_rejected(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    claim(&server, &[Transcription]).unwrap();
    for lease in [
        UNKNOWN_ID,
        "lease",
        "1",
        "null",
        "%00",
        "*",
        "'%20OR%201=1--",
    ] {
        assert_writes_rejected(&server, job_id, lease);
    }
}

fn a_write_under_the_lease_of_another_job_is_rejected(server: TestServer) {
    let [own, other] = [(); 2].map(|()| create_job(&server, json!({})));
    let claimed = claim(&server, &[Transcription]).unwrap();
    assert_eq!(claimed.job_id, own);
    let before = dump(server.db());
    for stage in Stage::WORK {
        for one in &writes(*stage) {
            write(&server, other, Some(&claimed.lease), one).problem(409, "lease_lost");
        }
    }
    let rename = ("PATCH", "", json!({ "filename": "stolen.mp4" }));
    write(&server, other, Some(&claimed.lease), &rename).problem(409, "lease_lost");
    assert_eq!(dump(server.db()), before);
    claimed.store(&server);
}

fn a_repeated_lease_header_is_rejected(server: TestServer) {
    create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    let (below, body) = example_output(Transcription);
    let request = server.request("PUT", &job_path(claimed.job_id, below));
    let request = request
        .header("Lease-Id", &claimed.lease)
        .header("Lease-Id", &claimed.lease);
    request.json(&body).send().problem(409, "lease_lost");
}

fn a_write_under_an_expired_lease_is_rejected(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    let outputs = |server: &TestServer| {
        let mut all = dump(server.db());
        // Maintenance may change these at any time.
        all.retain(|(table, _)| {
            !["jobs", "stage_runs", "job_events", "processing_logs"].contains(&table.as_str())
        });
        all
    };
    let before = outputs(&server);
    server.db().clock().advance(TimeDelta::seconds(60));
    for stage in Stage::WORK {
        for one in &writes(*stage) {
            write(&server, job_id, Some(&claimed.lease), one).problem(409, "lease_lost");
        }
    }
    assert_worker_calls_rejected(&server, &claimed.lease);
    assert_eq!(outputs(&server), before);

    expire(&server, &claimed);
    let logs = server.get(&job_path(job_id, "/logs")).expect(200).json();
    let logged: Vec<_> = logs["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["status"])
        .collect();
    assert_eq!(
        logged,
        ["started", "failed"],
        "rejected writes stored nothing"
    );
    assert_writes_rejected(&server, job_id, &claimed.lease);

    let next = claim(&server, &[Transcription]).unwrap();
    assert_eq!((next.job_id, next.attempt), (job_id, 2));
    assert_writes_rejected(&server, job_id, &claimed.lease);
    next.store(&server);
    next.send(&server, "complete", &json!({})).expect(200);
    assert_writes_rejected(&server, job_id, &claimed.lease);
}

fn a_write_after_completion_or_failure_is_rejected(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let failed = claim(&server, &[Transcription]).unwrap();
    failed
        .send(&server, "fail", &json!({ "error": "no memory" }))
        .expect(200);
    assert_writes_rejected(&server, job_id, &failed.lease);

    let completed = claim(&server, &[SilenceDetection]).unwrap();
    completed.send(&server, "complete", &json!({})).expect(200);
    let before = dump(server.db());
    for stage in Stage::WORK {
        for one in &writes(*stage) {
            write(&server, job_id, Some(&completed.lease), one).problem(409, "lease_lost");
        }
    }
    completed
        .send(&server, "heartbeat", &json!({}))
        .problem(409, "lease_lost");
    completed
        .send(&server, "fail", &json!({ "error": "late" }))
        .problem(409, "lease_lost");
    assert_eq!(dump(server.db()), before);
}
