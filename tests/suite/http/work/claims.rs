//! Claims over HTTP.

use chrono::TimeDelta;
use lectern_domain::JobStatus;
use lectern_domain::Stage::{
    self, Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection,
    Transcription,
};
use lectern_tests::{TestServer, a_job, on_both_backends, snapshot};
use serde_json::{Value, json};

use crate::http::support::worker::{Claimed, claim, claims, create_job, request_claim, stages};
use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, job_path};

on_both_backends!(
    claim_completion_and_stages_match_the_snapshots,
    a_worker_gets_only_the_stages_it_requests,
    claims_are_ordered_by_priority_then_age,
    a_claim_returns_up_to_the_requested_number,
    concurrent_claims_get_different_stages,
    only_queued_and_running_jobs_have_work,
);

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

fn a_claim_returns_up_to_the_requested_number(server: TestServer) {
    let jobs = [(); 3].map(|()| create_job(&server, json!({})));
    let claim_up_to = |max: i64| {
        claims(request_claim(
            &server,
            &[Transcription, SilenceDetection],
            json!({ "max": max }),
        ))
    };
    let jobs_and_stages = |claims: &[Claimed]| -> Vec<_> {
        claims
            .iter()
            .map(|claim| (claim.job_id, claim.stage))
            .collect()
    };
    let first = claim_up_to(4);
    assert_eq!(
        jobs_and_stages(&first),
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
        jobs_and_stages(&claim_up_to(100)),
        [(jobs[2], SilenceDetection), (jobs[2], Transcription)]
    );
    assert_eq!(claim_up_to(100), []);
}

fn concurrent_claims_get_different_stages(server: TestServer) {
    for _ in 0..10 {
        a_job().create(server.db());
    }
    let claimed = concurrently(20, |_| {
        claims(request_claim(
            &server,
            &Stage::WORK[..3],
            json!({ "max": 2 }),
        ))
    });
    let mut claimed: Vec<_> = claimed
        .iter()
        .flatten()
        .map(|claim| (claim.job_id, claim.stage))
        .collect();
    assert_eq!(claimed.len(), 30);
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 30);
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
