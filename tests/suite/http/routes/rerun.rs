//! Stages of a finished job that are run again.

use lectern_domain::JobId;
use lectern_domain::JobStatus::{self, Cancelled, Completed, Failed, Pending, Queued, Running};
use lectern_domain::Stage::{
    self, Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection,
    Transcription,
};
use lectern_tests::{Client, Response, TestServer, a_job, on_both_backends, store_output};
use serde_json::{Value, json};

use crate::http::support::worker::{claim, create_job, stages};
use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, dump, job_path};

on_both_backends!(
    a_stage_and_its_dependents_run_again,
    the_output_of_earlier_stages_stays,
    only_finished_jobs_are_rerun,
    a_job_without_a_recording_is_not_rerun,
    a_stage_that_the_job_does_not_have_is_rejected,
    an_unknown_job_is_not_rerun,
    stages_that_failed_run_again_too,
    stages_that_were_skipped_are_not_run,
    a_retry_after_a_rerun_runs_no_skipped_stage,
    a_completed_job_is_queued_by_a_rerun_only,
    a_rerun_is_an_event_with_a_version,
    of_concurrent_reruns_one_succeeds,
    a_rerun_and_claims_at_the_same_time_give_each_stage_to_one_worker,
    a_worker_of_the_time_before_the_rerun_has_lost_its_lease,
);

fn rerun(client: &Client, job_id: JobId, from: Stage) -> Response {
    client.post(&job_path(job_id, "/rerun"), &json!({ "from_stage": from }))
}

/// Completes all stages that can be claimed; returns them in order.
fn complete_all(client: &Client) -> Vec<Stage> {
    let next = || {
        let claimed = claim(client, Stage::WORK)?;
        assert_eq!(claimed.attempt, 1);
        claimed.send(client, "complete", &json!({})).expect(200);
        Some(claimed.stage)
    };
    std::iter::from_fn(next).collect()
}

fn a_completed_job(client: &Client) -> JobId {
    let job_id = create_job(client, json!({}));
    complete_all(client);
    job_id
}

fn job(client: &Client, job_id: JobId) -> Value {
    client.get(&job_path(job_id, "")).expect(200).json()
}

fn a_stage_and_its_dependents_run_again(server: TestServer) {
    let job_id = a_completed_job(&server);
    for (from, again) in [
        (Compilation, &[Compilation][..]),
        (Segmentation, &[Segmentation, Compilation]),
        (
            LayoutAnalysis,
            &[LayoutAnalysis, ContentAnalysis, Segmentation, Compilation],
        ),
    ] {
        let answer = rerun(&server, job_id, from).expect(200);
        let queued = answer.json();
        assert_eq!(queued, job(&server, job_id));
        assert_eq!(
            [
                &queued["status"],
                &queued["completed_at"],
                &queued["progress"]
            ],
            [&json!("queued"), &Value::Null, &Value::Null]
        );
        for (stage, status) in stages(&server, job_id) {
            assert_eq!(status == "completed", !again.contains(&stage), "{stage}");
        }
        assert_eq!(complete_all(&server), again);
        assert_eq!(job(&server, job_id)["status"], "completed");
    }
}

fn the_output_of_earlier_stages_stays(server: TestServer) {
    let job_id = a_completed_job(&server);
    store_output(server.db(), job_id);
    let output = || {
        [
            "/transcripts",
            "/silence-regions",
            "/content-segments",
            "/clips",
        ]
        .map(|set| server.get(&job_path(job_id, set)).expect(200).json())
    };
    let before = output();
    rerun(&server, job_id, SilenceDetection).expect(200);
    assert_eq!(output(), before);
    complete_all(&server);
    assert_eq!(output(), before);
}

fn only_finished_jobs_are_rerun(server: TestServer) {
    for status in JobStatus::ALL {
        let job_id = a_job().status(*status).create(server.db()).job_id;
        let before = dump(server.db());
        let answer = rerun(&server, job_id, Transcription);
        if [Completed, Failed, Cancelled].contains(status) {
            assert_eq!(answer.expect(200).json()["status"], json!(Queued));
        } else {
            assert!([Pending, Queued, Running].contains(status));
            answer.problem(409, "illegal_transition");
            assert_eq!(dump(server.db()), before);
        }
    }
}

fn a_job_without_a_recording_is_not_rerun(server: TestServer) {
    for end in ["cancelled", "failed"] {
        let job_id = a_job().status(Pending).create(server.db()).job_id;
        server
            .patch(&job_path(job_id, ""), &json!({ "status": end }))
            .expect(200);
        let before = dump(server.db());
        rerun(&server, job_id, Compilation).problem(409, "illegal_transition");
        assert_eq!(dump(server.db()), before);
    }
}

fn a_stage_that_the_job_does_not_have_is_rejected(server: TestServer) {
    let audio = json!({ "processing_config": { "processing_mode": "audio" } });
    let job_id = create_job(&server, audio);
    complete_all(&server);
    let before = dump(server.db());
    let path = job_path(job_id, "/rerun");
    for stage in ["layout_analysis", "uploading", "complete"] {
        server
            .post(&path, &json!({ "from_stage": stage }))
            .problem_with(422, "validation_failed", "from_stage");
    }
    assert_eq!(dump(server.db()), before);
}

fn an_unknown_job_is_not_rerun(server: TestServer) {
    for id in [UNKNOWN_ID, "7"] {
        server
            .post(
                &format!("{JOBS}/{id}/rerun"),
                &json!({ "from_stage": "compilation" }),
            )
            .problem(404, "job_not_found");
    }
}

fn stages_that_failed_run_again_too(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let done = claim(&server, &[SilenceDetection]).unwrap();
    done.send(&server, "complete", &json!({})).expect(200);
    let failed = claim(&server, &[Transcription]).unwrap();
    let failure = json!({ "error": "no sound", "retryable": false });
    failed.send(&server, "fail", &failure).expect(200);
    assert_eq!(job(&server, job_id)["status"], "failed");
    let queued = rerun(&server, job_id, Compilation).expect(200).json();
    assert_eq!(queued["error_message"], Value::Null);
    let mut again = complete_all(&server);
    again.sort_unstable();
    let mut expected = Stage::WORK.to_vec();
    expected.retain(|stage| *stage != SilenceDetection);
    assert_eq!(again, expected);
}

/// A job that another queue has run, which says that it is completed.
fn a_reported_job(server: &TestServer) -> JobId {
    let job_id = create_job(server, json!({}));
    let report = json!({ "stage": "transcription", "percent": 40 });
    server
        .post(&job_path(job_id, "/progress"), &report)
        .expect(200);
    server
        .patch(&job_path(job_id, ""), &json!({ "status": "completed" }))
        .expect(200);
    assert!(
        stages(server, job_id)
            .iter()
            .all(|(_, status)| status == "skipped")
    );
    job_id
}

fn stages_that_were_skipped_are_not_run(server: TestServer) {
    let job_id = a_reported_job(&server);
    rerun(&server, job_id, Segmentation).expect(200);
    assert_eq!(complete_all(&server), [Segmentation, Compilation]);
    assert_eq!(job(&server, job_id)["status"], "completed");
}

fn a_retry_after_a_rerun_runs_no_skipped_stage(server: TestServer) {
    let job_id = a_reported_job(&server);
    rerun(&server, job_id, Segmentation).expect(200);
    for action in ["/cancel", "/retry"] {
        server
            .request("POST", &job_path(job_id, action))
            .send()
            .expect(200);
    }
    assert_eq!(complete_all(&server), [Segmentation, Compilation]);
}

fn a_completed_job_is_queued_by_a_rerun_only(server: TestServer) {
    let job_id = a_completed_job(&server);
    let before = dump(server.db());
    server
        .patch(&job_path(job_id, ""), &json!({ "status": "queued" }))
        .problem(409, "illegal_transition");
    server
        .request("POST", &job_path(job_id, "/retry"))
        .send()
        .problem(409, "illegal_transition");
    assert_eq!(dump(server.db()), before);
}

fn a_rerun_is_an_event_with_a_version(server: TestServer) {
    let job_id = a_completed_job(&server);
    let version = |answer: &Response| -> i64 {
        let tag = answer.header("ETag").unwrap();
        tag.trim_matches('"').parse().unwrap()
    };
    let events = || {
        let page = server.get(&job_path(job_id, "/events?after=0"));
        page.expect(200).json()["events"]
            .as_array()
            .unwrap()
            .clone()
    };
    let (old, seen) = (
        version(&server.get(&job_path(job_id, "")).expect(200)),
        events().len(),
    );
    let answer = rerun(&server, job_id, Compilation).expect(200);
    assert_eq!(version(&answer), old + 1);
    let all = events();
    assert_eq!(all.len(), seen + 1);
    let last = all.last().unwrap();
    assert_eq!(last["type"], "progress");
    assert_eq!(last["data"]["status"], "queued");
    assert_eq!(last["seq"], json!(all.len()));
}

fn of_concurrent_reruns_one_succeeds(server: TestServer) {
    let job_id = a_completed_job(&server);
    let answers = concurrently(8, |_| rerun(&server, job_id, Segmentation));
    let succeeded = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(succeeded, 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        answer.problem(409, "illegal_transition");
    }
    assert_eq!(complete_all(&server), [Segmentation, Compilation]);
}

fn a_rerun_and_claims_at_the_same_time_give_each_stage_to_one_worker(server: TestServer) {
    let job_ids: Vec<_> = (0..8).map(|_| a_completed_job(&server)).collect();
    let claimed = concurrently(16, |i| {
        if i % 2 == 0 {
            rerun(&server, job_ids[i / 2], Compilation).expect(200);
            return None;
        }
        claim(&server, Stage::WORK)
    });
    let mut claimed: Vec<_> = claimed.into_iter().flatten().collect();
    claimed.extend(std::iter::from_fn(|| claim(&server, Stage::WORK)));
    assert!(claimed.iter().all(|claim| claim.stage == Compilation));
    let mut jobs: Vec<_> = claimed.iter().map(|claim| claim.job_id).collect();
    jobs.sort_unstable();
    let mut expected = job_ids.clone();
    expected.sort_unstable();
    assert_eq!(jobs, expected);
    for claim in &claimed {
        claim.send(&server, "complete", &json!({})).expect(200);
        assert_eq!(job(&server, claim.job_id)["status"], "completed");
    }
}

fn a_worker_of_the_time_before_the_rerun_has_lost_its_lease(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    server
        .request("POST", &job_path(job_id, "/cancel"))
        .send()
        .expect(200);
    rerun(&server, job_id, Transcription).expect(200);
    let before = dump(server.db());
    for action in ["heartbeat", "complete", "release"] {
        claimed
            .send(&server, action, &json!({}))
            .problem(409, "lease_lost");
    }
    assert_eq!(dump(server.db()), before);
}
