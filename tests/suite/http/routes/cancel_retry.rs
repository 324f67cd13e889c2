//! Cancelling and retrying jobs, and failing stages.

use chrono::TimeDelta;
use lectern_domain::JobStatus::{self, Cancelled, Failed, Pending, Queued, Running};
use lectern_domain::Stage::{self, SilenceDetection, Transcription};
use lectern_tests::{TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::worker::{claim, create_job, example_output, stages};
use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, dump, job_path};

on_both_backends!(
    only_cancellable_jobs_are_cancelled,
    only_failed_and_cancelled_jobs_are_retried,
    a_job_without_a_recording_is_not_retried,
    an_unknown_job_is_neither_cancelled_nor_retried,
    a_heartbeat_reports_cancellation,
    completed_stages_are_not_repeated_after_a_retry,
    a_failing_stage_is_retried_with_growing_delays_until_the_job_fails,
    a_permanent_failure_fails_the_job_at_once,
    of_concurrent_cancellations_and_retries_one_changes_the_job,
);

fn statuses(server: &TestServer, job_id: lectern_domain::JobId) -> Vec<String> {
    stages(server, job_id)
        .into_iter()
        .map(|(_, status)| status)
        .collect()
}

fn only_cancellable_jobs_are_cancelled(server: TestServer) {
    assert_allowed_only_from(
        &server,
        "cancel",
        &[Pending, Queued, Running, Cancelled],
        Cancelled,
    );
}

fn only_failed_and_cancelled_jobs_are_retried(server: TestServer) {
    assert_allowed_only_from(&server, "retry", &[Failed, Cancelled, Queued], Queued);
}

fn a_job_without_a_recording_is_not_retried(server: TestServer) {
    for end in ["cancelled", "failed"] {
        let path = job_path(a_job().status(Pending).create(server.db()).job_id, "");
        server.patch(&path, &json!({ "status": end })).expect(200);
        let before = dump(server.db());
        server
            .request("POST", &format!("{path}/retry"))
            .send()
            .problem(409, "illegal_transition");
        assert_eq!(dump(server.db()), before);
    }
}

fn an_unknown_job_is_neither_cancelled_nor_retried(server: TestServer) {
    for action in ["cancel", "retry"] {
        for id in [UNKNOWN_ID, "7"] {
            server
                .request("POST", &format!("{JOBS}/{id}/{action}"))
                .send()
                .problem(404, "job_not_found");
        }
    }
}

fn a_heartbeat_reports_cancellation(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    server
        .request("POST", &job_path(job_id, "/cancel"))
        .send()
        .expect(200);
    assert_eq!(statuses(&server, job_id), ["cancelled"; 6]);
    let before = dump(server.db());
    for _ in 0..2 {
        let state = claimed
            .send(&server, "heartbeat", &json!({ "percent": 99 }))
            .expect(200)
            .json();
        assert_eq!(state["cancelled"], json!(true));
    }
    claimed
        .send(&server, "complete", &json!({}))
        .problem(409, "lease_lost");
    claimed
        .send(&server, "fail", &json!({ "error": "cancelled" }))
        .problem(409, "lease_lost");
    let (below, body) = example_output(Transcription);
    let put = server
        .request("PUT", &job_path(job_id, below))
        .header("Lease-Id", &claimed.lease);
    put.json(&body).send().problem(409, "lease_lost");
    assert_eq!(dump(server.db()), before);
    assert_eq!(claim(&server, Stage::WORK), None);
    assert_eq!(
        server.get(&job_path(job_id, "")).json()["status"],
        "cancelled"
    );
}

fn completed_stages_are_not_repeated_after_a_retry(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let done = claim(&server, &[SilenceDetection]).unwrap();
    done.store(&server);
    done.send(&server, "complete", &json!({})).expect(200);
    let lost = claim(&server, &[Transcription]).unwrap();
    lost.send(
        &server,
        "heartbeat",
        &json!({ "percent": 70, "message": "nearly done" }),
    )
    .expect(200);
    let regions = server.get(&job_path(job_id, "/silence-regions")).json();
    server
        .request("POST", &job_path(job_id, "/cancel"))
        .send()
        .expect(200);

    let job = server
        .request("POST", &job_path(job_id, "/retry"))
        .send()
        .expect(200);
    assert_eq!(
        job.header("ETag"),
        server.get(&job_path(job_id, "")).header("ETag")
    );
    assert_eq!(job.json(), server.get(&job_path(job_id, "")).json());
    assert_eq!(
        (&job.json()["status"], &job.json()["error_message"]),
        (&json!("queued"), &Value::Null)
    );
    assert_eq!(
        statuses(&server, job_id),
        [
            "completed",
            "ready",
            "ready",
            "waiting",
            "waiting",
            "waiting"
        ]
    );
    let runs = server.get(&job_path(job_id, "/stages")).json();
    let again = &runs["stages"][1];
    assert_eq!(
        (&again["attempt"], &again["percent"], &again["message"]),
        (&json!(0), &json!(0), &Value::Null)
    );
    assert_eq!(
        server.get(&job_path(job_id, "/silence-regions")).json(),
        regions
    );
    for action in ["heartbeat", "complete"] {
        lost.send(&server, action, &json!({}))
            .problem(409, "lease_lost");
    }
    let mut order = Vec::new();
    while let Some(claimed) = claim(&server, Stage::WORK) {
        assert_eq!(claimed.attempt, 1);
        claimed.send(&server, "complete", &json!({})).expect(200);
        order.push(claimed.stage);
    }
    assert_eq!(order, Stage::WORK[1..]);
    assert_eq!(
        server.get(&job_path(job_id, "")).json()["status"],
        "completed"
    );
}

fn a_failing_stage_is_retried_with_growing_delays_until_the_job_fails(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let failure =
        json!({ "error": "no memory", "details": { "exit_code": 137 }, "retryable": true });
    for (attempt, delay) in [(1, 2), (2, 4)] {
        let claimed = claim(&server, &[Transcription]).unwrap();
        assert_eq!((claimed.job_id, claimed.attempt), (job_id, attempt));
        let failed_run = claimed.send(&server, "fail", &failure).expect(200).json();
        let run = (
            &failed_run["status"],
            &failed_run["error"],
            &failed_run["job_status"],
        );
        assert_eq!(
            run,
            (&json!("ready"), &json!("no memory"), &json!("running"))
        );
        assert_eq!(
            claim(&server, &[Transcription]),
            None,
            "before the delay ends"
        );
        // Jitter shortens a delay by up to half.
        server
            .db()
            .clock()
            .advance(TimeDelta::milliseconds(delay * 500 - 1));
        assert_eq!(
            claim(&server, &[Transcription]),
            None,
            "before half of the delay"
        );
        server
            .db()
            .clock()
            .advance(TimeDelta::milliseconds(delay * 500 + 1));
    }
    let claimed = claim(&server, &[Transcription]).unwrap();
    assert_eq!(claimed.attempt, 3);
    let failed_run = claimed.send(&server, "fail", &failure).expect(200).json();
    assert_eq!(
        (&failed_run["status"], &failed_run["job_status"]),
        (&json!("failed"), &json!("failed"))
    );
    let job = server.get(&job_path(job_id, "")).json();
    assert_eq!(job["error_message"], "transcription: no memory");
    assert_eq!(
        statuses(&server, job_id),
        [
            "cancelled",
            "failed",
            "cancelled",
            "cancelled",
            "cancelled",
            "cancelled"
        ]
    );
    let logs = server.get(&job_path(job_id, "/logs?status=failed")).json();
    let logs = logs["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 3);
    for entry in logs {
        assert_eq!(
            (&entry["message"], &entry["error_details"]),
            (&json!("no memory"), &json!({ "exit_code": 137 }))
        );
    }
    server
        .request("POST", &job_path(job_id, "/retry"))
        .send()
        .expect(200);
    assert_eq!(claim(&server, &[Transcription]).unwrap().attempt, 1);
}

fn a_permanent_failure_fails_the_job_at_once(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let other = claim(&server, &[SilenceDetection]).unwrap();
    let claimed = claim(&server, &[Transcription]).unwrap();
    claimed
        .send(
            &server,
            "fail",
            &json!({ "error": "no sound", "retryable": false }),
        )
        .expect(200);
    let job = server.get(&job_path(job_id, "")).json();
    assert_eq!(
        (&job["status"], &job["error_message"]),
        (&json!("failed"), &json!("transcription: no sound"))
    );
    let state = other
        .send(&server, "heartbeat", &json!({}))
        .expect(200)
        .json();
    assert_eq!(state["cancelled"], json!(true));
    assert_eq!(claim(&server, Stage::WORK), None);
}

fn of_concurrent_cancellations_and_retries_one_changes_the_job(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    for (action, version) in [("cancel", "\"2\""), ("retry", "\"3\"")] {
        let answers = concurrently(20, |_| {
            server
                .request("POST", &job_path(job_id, &format!("/{action}")))
                .send()
        });
        for answer in answers {
            assert_eq!(answer.expect(200).header("ETag"), Some(version), "{action}");
        }
    }
}

/// Checks that the action leads from the statuses in `from` to `to`, and that it
/// is rejected in all others and changes nothing.
fn assert_allowed_only_from(server: &TestServer, action: &str, from: &[JobStatus], to: JobStatus) {
    for status in JobStatus::ALL {
        let job_id = a_job().status(*status).create(server.db()).job_id;
        let before = dump(server.db());
        let answer = server
            .request("POST", &job_path(job_id, &format!("/{action}")))
            .send();
        if *status == to {
            answer.expect(200);
            assert_eq!(dump(server.db()), before, "from {status}");
        } else if from.contains(status) {
            let job = answer.expect(200);
            assert_eq!(job.json()["status"], json!(to), "from {status}");
            assert_eq!(
                job.header("ETag"),
                server.get(&job_path(job_id, "")).header("ETag")
            );
            assert_eq!(job.json(), server.get(&job_path(job_id, "")).json());
        } else {
            assert_eq!(
                answer.problem(409, "illegal_transition"),
                [Value::Null; 0],
                "from {status}"
            );
            assert_eq!(dump(server.db()), before, "from {status}");
        }
    }
}
