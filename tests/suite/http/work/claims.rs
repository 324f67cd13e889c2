//! Claims and completion over HTTP.

use chrono::TimeDelta;
use lectern_domain::JobStatus;
use lectern_domain::Stage::{
    self, Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection,
    Transcription,
};
use lectern_tests::{Body, TestServer, a_job, a_report, on_both_backends, snapshot};
use serde_json::{Value, json};

use crate::http::support::worker::{
    Claimed, claim, claims, create_job, example_output, request_claim, stages,
};
use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, job_path};

on_both_backends!(
    a_job_is_completed_stage_by_stage,
    claim_completion_and_stages_match_the_snapshots,
    independent_stages_run_in_parallel,
    a_worker_gets_only_the_stages_it_requests,
    claims_are_ordered_by_priority_then_age,
    audio_mode_skips_layout_analysis,
    a_claim_returns_up_to_the_requested_number,
    completion_needs_no_body_and_is_idempotent,
    a_job_driven_by_reports_updates_its_stages,
    concurrent_claims_get_different_stages,
    only_queued_and_running_jobs_have_work,
);

fn is(status: &str) -> impl Fn(&(Stage, String)) -> bool {
    move |(_, actual)| actual == status
}

fn a_job_is_completed_stage_by_stage(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    assert_eq!(
        server.get(&job_path(job_id, "")).json()["progress"],
        Value::Null
    );
    for (done, stage) in Stage::WORK.iter().enumerate() {
        let claimed = claim(&server, Stage::WORK).unwrap();
        assert_eq!(
            (claimed.job_id, claimed.stage, claimed.attempt),
            (job_id, *stage, 1)
        );
        server.db().clock().advance(TimeDelta::seconds(20));
        let beat = json!({ "percent": 50, "message": "half", "eta_seconds": 20 });
        let state = claimed.send(&server, "heartbeat", &beat).expect(200).json();
        assert_eq!(state["cancelled"], json!(false));
        let job = server.get(&job_path(job_id, "")).expect(200).json();
        let mean = (done as f64 * 100.0 + 50.0) / 6.0;
        assert!(
            (job["progress"]["percent"].as_f64().unwrap() - mean).abs() < 1e-9,
            "{job}"
        );
        assert_eq!(
            (&job["status"], &job["progress"]["stage"]),
            (&json!("running"), &json!(stage))
        );
        assert_eq!(
            (&job["progress"]["message"], &job["progress"]["eta_seconds"]),
            (&json!("half"), &json!(20))
        );
        claimed.store(&server);
        server.db().clock().advance(TimeDelta::seconds(20));
        let returned = claimed
            .send(&server, "complete", &json!({}))
            .expect(200)
            .json();
        assert_eq!(
            (&returned["status"], &returned["percent"]),
            (&json!("completed"), &json!(100))
        );
        let finished = stages(&server, job_id)
            .iter()
            .filter(|run| is("completed")(run))
            .count();
        assert_eq!(finished, done + 1);
    }
    assert_eq!(claim(&server, Stage::WORK), None);
    let job = server.get(&job_path(job_id, "")).expect(200).json();
    assert_eq!(
        (&job["status"], &job["completed_at"]),
        (&json!("completed"), &json!("2026-01-01T00:04:00Z"))
    );
    assert_eq!(
        (&job["progress"]["stage"], &job["progress"]["percent"]),
        (&json!("complete"), &json!(100))
    );
    let results = server
        .get(&format!("/api/v1/results/{job_id}"))
        .expect(200)
        .json();
    assert_eq!(results["clips"].as_array().unwrap().len(), 2);
    let logs = server.get(&job_path(job_id, "/logs")).expect(200).json();
    let logged: Vec<_> = logs["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            json!([
                entry["stage"],
                entry["status"],
                entry["agent_name"],
                entry["duration_seconds"]
            ])
        })
        .collect();
    let expected: Vec<_> = Stage::WORK
        .iter()
        .flat_map(|stage| {
            [
                json!([stage, "started", "worker-1", null]),
                json!([stage, "completed", "worker-1", 40.0]),
            ]
        })
        .collect();
    assert_eq!(logged, expected);
}

fn claim_completion_and_stages_match_the_snapshots(server: TestServer) {
    let job_id = create_job(
        &server,
        json!({ "extra_metadata": { "course": "physics" } }),
    );
    let answer =
        request_claim(&server, &[Transcription], json!({ "lease_seconds": 90 })).expect(200);
    assert_eq!(
        answer.json()["claims"][0]["lease_expires_at"],
        json!("2026-01-01T00:01:30Z")
    );
    let mut returned = answer.json();
    // The signature differs in every run.
    returned["claims"][0]["source_url"].take();
    snapshot!("a_claim", returned);
    let claimed = claims(answer).remove(0);
    server.db().clock().advance(TimeDelta::milliseconds(1_500));
    let beat = json!({ "percent": 12.5, "message": "at 00:12:00", "eta_seconds": 600 });
    let returned = claimed.send(&server, "heartbeat", &beat).expect(200).json();
    assert_eq!(
        returned,
        json!({ "lease_expires_at": "2026-01-01T00:01:31.500Z", "cancelled": false })
    );
    snapshot!(
        "stages",
        server.get(&job_path(job_id, "/stages")).expect(200).json()
    );
    snapshot!(
        "a_completed_stage",
        claimed
            .send(&server, "complete", &json!({}))
            .expect(200)
            .json()
    );
}

fn independent_stages_run_in_parallel(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let side_by_side = concurrently(6, |_| claim(&server, Stage::WORK));
    let claimed: Vec<_> = side_by_side.into_iter().flatten().collect();
    let mut begun: Vec<_> = claimed.iter().map(|claimed| claimed.stage).collect();
    begun.sort();
    assert_eq!(begun, [SilenceDetection, Transcription, LayoutAnalysis]);
    let progress = || server.get(&job_path(job_id, "")).json()["progress"].clone();
    assert_eq!(progress()["stage"], "silence_detection");
    for (i, claimed) in claimed.iter().enumerate() {
        assert_eq!(claim(&server, Stage::WORK), None, "{i} of 3 are done");
        let waiting = stages(&server, job_id)
            .iter()
            .filter(|run| is("waiting")(run))
            .count();
        assert_eq!(waiting, 3);
        claimed.send(&server, "complete", &json!({})).expect(200);
    }
    assert_eq!(progress()["percent"], json!(50));
    assert_eq!(claim(&server, Stage::WORK).unwrap().stage, ContentAnalysis);
}

fn a_worker_gets_only_the_stages_it_requests(server: TestServer) {
    create_job(&server, json!({}));
    assert_eq!(
        claim(&server, &[ContentAnalysis, Segmentation, Compilation]),
        None
    );
    let claimed = claim(&server, &[Compilation, LayoutAnalysis, LayoutAnalysis]).unwrap();
    assert_eq!(claimed.stage, LayoutAnalysis);
    assert_eq!(claim(&server, &[LayoutAnalysis]), None);
    assert_eq!(
        claim(&server, &[Transcription]).unwrap().stage,
        Transcription
    );
}

fn claims_are_ordered_by_priority_then_age(server: TestServer) {
    let priorities = [
        json!(0),
        json!(-5),
        json!(7),
        Value::Null,
        json!(i32::MAX),
        json!(i32::MIN),
    ];
    let jobs = priorities.map(|priority| {
        server.db().clock().advance(TimeDelta::seconds(1));
        create_job(&server, json!({ "priority": priority }))
    });
    server
        .patch(&job_path(jobs[1], ""), &json!({ "priority": 8 }))
        .expect(200);
    let order: Vec<_> = (0..6)
        .map(|_| claim(&server, &[Transcription]).unwrap().job_id)
        .collect();
    assert_eq!(order, [4, 1, 2, 0, 3, 5].map(|i: usize| jobs[i]));
    let all: Vec<_> = claims(request_claim(
        &server,
        &[SilenceDetection],
        json!({ "max": 100 }),
    ))
    .iter()
    .map(|claimed| claimed.job_id)
    .collect();
    assert_eq!(all, order);
}

fn audio_mode_skips_layout_analysis(server: TestServer) {
    let job_id = create_job(
        &server,
        json!({ "processing_config": { "processing_mode": "audio" } }),
    );
    assert_eq!(claim(&server, &[LayoutAnalysis]), None);
    let order: Vec<_> = std::iter::from_fn(|| {
        let claimed = claim(&server, Stage::WORK)?;
        claimed.send(&server, "complete", &json!({})).expect(200);
        Some(claimed.stage)
    })
    .collect();
    assert_eq!(
        order,
        [
            SilenceDetection,
            Transcription,
            ContentAnalysis,
            Segmentation,
            Compilation
        ]
    );
    assert_eq!(
        server.get(&job_path(job_id, "")).json()["status"],
        "completed"
    );
    assert_eq!(stages(&server, job_id).len(), 5);
}

fn a_claim_returns_up_to_the_requested_number(server: TestServer) {
    let jobs = [(); 3].map(|()| create_job(&server, json!({})));
    let many = |max: i64| {
        claims(request_claim(
            &server,
            &[Transcription, SilenceDetection],
            json!({ "max": max }),
        ))
    };
    let given = |claims: &[Claimed]| -> Vec<_> {
        claims
            .iter()
            .map(|claim| (claim.job_id, claim.stage))
            .collect()
    };
    let first = many(4);
    assert_eq!(
        given(&first),
        [
            (jobs[0], SilenceDetection),
            (jobs[0], Transcription),
            (jobs[1], SilenceDetection),
            (jobs[1], Transcription),
        ]
    );
    let mut leases: Vec<_> = first.iter().map(|claimed| &claimed.lease).collect();
    leases.sort();
    leases.dedup();
    assert_eq!(leases.len(), 4);
    assert_eq!(
        given(&many(100)),
        [(jobs[2], SilenceDetection), (jobs[2], Transcription)]
    );
    assert_eq!(many(100), []);
}

fn completion_needs_no_body_and_is_idempotent(server: TestServer) {
    create_job(&server, json!({}));
    for stage in [SilenceDetection, Transcription] {
        let claimed = claim(&server, &[stage]).unwrap();
        let path = format!("/api/v1/work/{}/complete", claimed.lease);
        let first = server.request("POST", &path).send().expect(200);
        server.db().clock().advance(TimeDelta::hours(2));
        let before = crate::http::support::dump(server.db());
        for again in [
            server.request("POST", &path).send(),
            server
                .request("POST", &path)
                .body("application/json", "")
                .send(),
            server.post(&path, &json!({})),
        ] {
            assert_eq!(again.expect(200).json(), first.json());
        }
        assert_eq!(crate::http::support::dump(server.db()), before);
    }
}

fn a_job_driven_by_reports_updates_its_stages(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let report = |stage, percent| {
        server
            .post(
                &job_path(job_id, "/progress"),
                &a_report(stage, percent).body(),
            )
            .expect(200)
            .json()
    };
    report(Transcription, 40.0);
    let runs = stages(&server, job_id);
    assert_eq!(runs[1], (Transcription, "running".to_owned()));
    assert_eq!(
        claim(&server, &[Transcription]),
        None,
        "the stage is running"
    );
    let returned = server.get(&job_path(job_id, "/stages")).json();
    assert_eq!(
        (
            &returned["stages"][1]["percent"],
            &returned["stages"][1]["attempt"]
        ),
        (&json!(40), &json!(0))
    );
    assert_eq!(report(Compilation, 10.0)["progress"]["percent"], json!(10));
    let (below, body) = example_output(Transcription);
    server.put(&job_path(job_id, below), &body).expect(200);
    server
        .patch(&job_path(job_id, ""), &json!({ "status": "completed" }))
        .expect(200);
    assert!(
        stages(&server, job_id).iter().all(is("skipped")),
        "{:?}",
        stages(&server, job_id)
    );
    assert_eq!(claim(&server, Stage::WORK), None);
}

fn concurrent_claims_get_different_stages(server: TestServer) {
    for _ in 0..10 {
        a_job().create(server.db());
    }
    let given = concurrently(20, |_| {
        claims(request_claim(
            &server,
            &Stage::WORK[..3],
            json!({ "max": 2 }),
        ))
    });
    let mut given: Vec<_> = given
        .iter()
        .flatten()
        .map(|claim| (claim.job_id, claim.stage))
        .collect();
    assert_eq!(given.len(), 30);
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 30);
}

fn only_queued_and_running_jobs_have_work(server: TestServer) {
    use JobStatus::{Cancelled, Completed, Failed, Pending};
    for status in [Pending, Completed, Failed, Cancelled] {
        let job = a_job().status(status).create(server.db());
        assert_eq!(claim(&server, Stage::WORK), None, "{status}");
        assert_eq!(stages(&server, job.job_id).is_empty(), status == Pending);
    }
    server
        .get(&format!("{JOBS}/{UNKNOWN_ID}/stages"))
        .problem(404, "job_not_found");
}
