//! Changes of the status of a job by PATCH.

use chrono::TimeDelta;
use lectern_domain::{JobStatus, Stage};
use lectern_tests::{Body, TestServer, a_job, a_report, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::{concurrently, dump, job_path};

on_both_backends!(
    only_documented_transitions_are_allowed,
    a_completed_job_has_full_progress_and_a_completion_time,
    a_retry_resets_the_job,
    of_concurrent_transitions_one_succeeds,
    the_same_status_twice_changes_nothing,
    a_failed_job_has_an_error_message,
);

fn a_failed_job_has_an_error_message(server: TestServer) {
    let job = a_job().status(JobStatus::Running).create(server.db());
    let failed = json!({ "status": "failed", "error_message": "disk full" });
    let returned = server
        .patch(&job_path(job.job_id, ""), &failed)
        .expect(200)
        .json();
    assert_eq!(
        (&returned["status"], &returned["error_message"]),
        (&json!("failed"), &json!("disk full"))
    );
    assert_eq!(returned["completed_at"], Value::Null);
}

fn only_documented_transitions_are_allowed(server: TestServer) {
    for from in JobStatus::ALL {
        for to in JobStatus::ALL {
            let job = a_job().status(*from).create(server.db());
            let path = job_path(job.job_id, "");
            let before = server.get(&path).expect(200).json();
            let answer = server.patch(&path, &json!({ "status": to, "filename": "renamed.mp4" }));
            if from.can_become(*to) || from == to {
                let changed = answer.expect(200).json();
                assert_eq!(changed["status"], json!(to), "{from} to {to}");
                assert_eq!(changed["filename"], "renamed.mp4", "{from} to {to}");
            } else {
                assert_eq!(
                    answer.problem(409, "illegal_transition"),
                    [Value::Null; 0],
                    "{from} to {to}"
                );
                assert_eq!(server.get(&path).json(), before, "{from} to {to}");
            }
        }
    }
}

fn a_completed_job_has_full_progress_and_a_completion_time(server: TestServer) {
    let job = a_job().status(JobStatus::Running).create(server.db());
    server.db().clock().advance(TimeDelta::milliseconds(1_500));
    let returned = server
        .patch(&job_path(job.job_id, ""), &json!({ "status": "completed" }))
        .expect(200)
        .json();
    assert_eq!(returned["completed_at"], "2026-01-01T00:00:01.500Z");
    let done = json!({
        "stage": "complete", "percent": 100, "message": null, "eta_seconds": null,
        "agent_name": null,
    });
    assert_eq!(returned["progress"], done);
}

fn a_retry_resets_the_job(server: TestServer) {
    for end in ["failed", "cancelled"] {
        let path = job_path(a_job().create(server.db()).job_id, "");
        server
            .post(
                &format!("{path}/progress"),
                &a_report(Stage::Segmentation, 80.0).body(),
            )
            .expect(200);
        server
            .patch(
                &path,
                &json!({ "status": end, "error_message": "no memory" }),
            )
            .expect(200);
        let returned = server
            .patch(&path, &json!({ "status": "queued" }))
            .expect(200)
            .json();
        assert_eq!(returned["status"], "queued");
        for field in ["progress", "error_message", "completed_at"] {
            assert_eq!(returned[field], Value::Null, "{field} after {end}");
        }
    }
}

fn of_concurrent_transitions_one_succeeds(server: TestServer) {
    for (from, to) in [
        ("queued", vec!["running"]),
        ("running", vec!["completed", "failed", "cancelled"]),
    ] {
        let job = a_job().status(from.parse().unwrap()).create(server.db());
        let path = job_path(job.job_id, "");
        let answers = concurrently(50, |i| {
            (
                i,
                server.patch(&path, &json!({ "status": to[i % to.len()] })),
            )
        });
        let now = server.get(&path).expect(200);
        assert_eq!(
            now.header("ETag"),
            Some(&*format!("\"{}\"", job.version + 1))
        );
        for (i, answer) in answers {
            // The others that asked for the same status get the same job.
            if now.json()["status"] == to[i % to.len()] {
                assert_eq!(answer.expect(200).json(), now.json());
            } else {
                answer.problem(409, "illegal_transition");
            }
        }
    }
}

fn the_same_status_twice_changes_nothing(server: TestServer) {
    for status in ["running", "completed"] {
        let job = a_job().status(JobStatus::Running).create(server.db());
        let path = job_path(job.job_id, "");
        let first = server
            .patch(&path, &json!({ "status": status }))
            .expect(200);
        let before = dump(server.db());
        let second = server
            .patch(&path, &json!({ "status": status }))
            .expect(200);
        assert_eq!(second.header("ETag"), first.header("ETag"));
        assert_eq!(second.json(), first.json());
        assert_eq!(dump(server.db()), before);
        // The version is still compared.
        let changed = server.request("PATCH", &path).header("If-Match", "\"99\"");
        let changed = changed.json(&json!({ "status": status }));
        changed.send().problem(412, "version_mismatch");
    }
}
