use chrono::TimeDelta;
use lectern_domain::{JobStatus, Stage};
use lectern_tests::{Body, TestServer, a_job, a_report, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::{UNKNOWN_ID, concurrently, job_path};

on_both_backends!(
    the_first_report_sets_a_queued_job_running,
    stage_and_percent_are_the_only_required_fields,
    each_stage_accepts_reports_from_0_to_100_percent,
    a_late_report_changes_nothing,
    a_report_on_an_inactive_job_is_rejected,
    a_report_on_an_unknown_job_is_not_found,
    the_program_that_reports_is_returned_until_its_stage_ends,
    concurrent_reports_never_decrease_progress,
);

fn the_first_report_sets_a_queued_job_running(server: TestServer) {
    let job = a_job().create(server.db());
    assert_eq!(
        server.get(&job_path(job.job_id, "")).json()["progress"],
        Value::Null
    );
    server.db().clock().advance(TimeDelta::seconds(2));
    let report = a_report(Stage::SilenceDetection, 12.5).body();
    let returned = server
        .post(&job_path(job.job_id, "/progress"), &report)
        .expect(200);
    assert_eq!(returned.header("ETag"), Some("\"2\""));
    let returned = returned.json();
    assert_eq!(
        (&returned["status"], &returned["updated_at"]),
        (&json!("running"), &json!("2026-01-01T00:00:02Z"))
    );
    let expected = json!({
        "stage": "silence_detection", "percent": 12.5,
        "message": "silence_detection: 12.5 %", "eta_seconds": 600, "agent_name": "worker-1",
    });
    assert_eq!(returned["progress"], expected);
    assert_eq!(server.get(&job_path(job.job_id, "")).json(), returned);
}

fn stage_and_percent_are_the_only_required_fields(server: TestServer) {
    let path = job_path(a_job().create(server.db()).job_id, "/progress");
    server
        .post(&path, &a_report(Stage::Transcription, 10.0).body())
        .expect(200);
    let returned = server
        .post(&path, &json!({ "stage": "transcription", "percent": 20 }))
        .expect(200);
    let expected = json!({
        "stage": "transcription", "percent": 20, "message": null, "eta_seconds": null,
        "agent_name": null,
    });
    assert_eq!(returned.json()["progress"], expected);
    assert!(returned.text().contains(r#""percent":20,"#), "{returned}");
    let report = json!({ "stage": "transcription", "percent": 0.29 * 100.0 });
    let returned = server.post(&path, &report).expect(200);
    assert!(returned.text().contains(r#""percent":29,"#), "{returned}");
}

fn each_stage_accepts_reports_from_0_to_100_percent(server: TestServer) {
    let path = job_path(a_job().create(server.db()).job_id, "/progress");
    for stage in Stage::ALL {
        for percent in [0.0, 33.3, 100.0] {
            let returned = server
                .post(&path, &a_report(*stage, percent).body())
                .expect(200)
                .json();
            assert_eq!(returned["status"], "running", "{stage}");
            let progress = (
                &returned["progress"]["stage"],
                returned["progress"]["percent"].as_f64(),
            );
            assert_eq!(progress, (&json!(stage), Some(percent)));
        }
    }
}

fn a_late_report_changes_nothing(server: TestServer) {
    let path = job_path(a_job().create(server.db()).job_id, "");
    let report = |percent| {
        let report = a_report(Stage::Transcription, percent).body();
        server.post(&format!("{path}/progress"), &report)
    };
    let before = report(60.0).expect(200);
    server.db().clock().advance(TimeDelta::seconds(1));
    let after = report(59.9).expect(200);
    assert_eq!(after.json(), before.json());
    assert_eq!(after.header("ETag"), before.header("ETag"));
    assert_eq!(server.get(&path).json(), before.json());
}

fn a_report_on_an_inactive_job_is_rejected(server: TestServer) {
    use JobStatus::{Cancelled, Completed, Failed, Pending};
    for status in [Pending, Completed, Failed, Cancelled] {
        let job = a_job().status(status).create(server.db());
        let before = server.get(&job_path(job.job_id, "")).json();
        let answer = server.post(
            &job_path(job.job_id, "/progress"),
            &a_report(Stage::Transcription, 5.0).body(),
        );
        assert_eq!(
            answer.problem(409, "job_not_running"),
            [Value::Null; 0],
            "{status}"
        );
        assert_eq!(
            server.get(&job_path(job.job_id, "")).json(),
            before,
            "{status}"
        );
    }
}

fn a_report_on_an_unknown_job_is_not_found(server: TestServer) {
    let path = format!("/api/v1/jobs/{UNKNOWN_ID}/progress");
    server
        .post(&path, &a_report(Stage::Transcription, 5.0).body())
        .problem(404, "job_not_found");
}

fn the_program_that_reports_is_returned_until_its_stage_ends(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "");
    let agent = |job: &Value| job["progress"]["agent_name"].clone();
    let report = |agent_name: Value| {
        let mut report = a_report(Stage::Transcription, 5.0).body();
        report["agent_name"] = agent_name;
        let returned = server
            .post(&format!("{path}/progress"), &report)
            .expect(200);
        returned.json()
    };
    assert_eq!(agent(&report(json!("whisper-é"))), "whisper-é");
    assert_eq!(agent(&server.get(&path).json()), "whisper-é");
    let listed = server.get("/api/v1/jobs").expect(200).json();
    assert_eq!(agent(&listed["jobs"][0]), "whisper-é");
    let events = server
        .get(&format!("{path}/events?after=0"))
        .expect(200)
        .json();
    let last = events["events"].as_array().unwrap().last().unwrap();
    assert_eq!(agent(&last["data"]), "whisper-é");
    assert_eq!(agent(&report(Value::Null)), Value::Null);
    report(json!("whisper-2"));
    for (status, expected) in [("failed", json!("whisper-2")), ("queued", Value::Null)] {
        let changed = server
            .patch(&path, &json!({ "status": status }))
            .expect(200);
        let agent_name = match changed.json()["progress"].clone() {
            Value::Null => Value::Null,
            progress => progress["agent_name"].clone(),
        };
        assert_eq!(agent_name, expected, "{status}");
    }
    report(json!("whisper-3"));
    let completed = server
        .patch(&path, &json!({ "status": "completed" }))
        .expect(200);
    assert_eq!(agent(&completed.json()), Value::Null);
}

fn concurrent_reports_never_decrease_progress(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let percent = |answer: &lectern_tests::Response| answer.json()["progress"]["percent"].as_f64();
    // 40 threads report, one reads.
    let answers = concurrently(41, |i| {
        if i == 40 {
            let read = |_| percent(&server.get(&job_path(job_id, "")).expect(200)).unwrap_or(0.0);
            let seen: Vec<f64> = (0..100).map(read).collect();
            assert!(seen.is_sorted(), "{seen:?}");
            return None;
        }
        // Not in the order of the threads, so that some reports are late.
        let reported = f64::from(u8::try_from(i * 27 % 40).unwrap()) + 1.0;
        let returned = server.post(
            &job_path(job_id, "/progress"),
            &a_report(Stage::Transcription, reported).body(),
        );
        Some((reported, percent(&returned.expect(200)).unwrap()))
    });
    for (reported, returned) in answers.into_iter().flatten() {
        assert!(returned >= reported, "{returned} after {reported}");
    }
    assert_eq!(percent(&server.get(&job_path(job_id, ""))), Some(40.0));
}
