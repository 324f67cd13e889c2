//! Stages that their workers give back, and pauses that they ask for.

use chrono::TimeDelta;
use lectern_domain::Stage::{self, LayoutAnalysis, SilenceDetection, Transcription};
use lectern_tests::{TestServer, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::worker::{claim, create_job, expire, status};
use crate::http::support::{concurrently, dump, job_path};

on_both_backends!(
    a_released_stage_is_ready_and_its_attempt_does_not_count,
    a_stage_cannot_be_released_twice,
    a_stage_whose_lease_expired_cannot_be_released,
    of_a_release_and_other_ends_of_an_attempt_only_one_takes_effect,
    the_stage_of_a_cancelled_job_cannot_be_released,
    a_worker_asks_for_the_pause_before_the_next_attempt,
    a_pause_does_not_make_a_permanent_failure_retryable,
);

fn a_released_stage_is_ready_and_its_attempt_does_not_count(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    // More often than a stage may fail.
    for _ in 0..4 {
        let claimed = claim(&server, &[Transcription]).unwrap();
        assert_eq!(claimed.attempt, 1);
        claimed
            .send(&server, "heartbeat", &json!({ "percent": 40 }))
            .expect(200);
        let released = claimed
            .send(&server, "release", &json!({}))
            .expect(200)
            .json();
        assert_eq!(
            [
                &released["stage"],
                &released["status"],
                &released["attempt"],
                &released["percent"],
                &released["worker"],
                &released["job_status"],
            ],
            [
                &json!("transcription"),
                &json!("ready"),
                &json!(0),
                &json!(0),
                &Value::Null,
                &json!("running"),
            ]
        );
    }
    let events = server.get(&job_path(job_id, "/events?after=0")).expect(200);
    let events = events.json()["events"].clone();
    let of_stage = events.as_array().unwrap().iter();
    let of_stage = of_stage.filter(|event| event["type"] == "stage");
    let statuses: Vec<_> = of_stage
        .map(|event| event["data"]["status"].clone())
        .collect();
    let expected: Vec<_> = ["running", "ready"].repeat(4);
    assert_eq!(statuses, expected);
}

fn a_stage_cannot_be_released_twice(server: TestServer) {
    create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    // The body may be missing.
    let path = format!("/api/v1/work/{}/release", claimed.lease);
    server.request("POST", &path).send().expect(200);
    let before = dump(server.db());
    server
        .request("POST", &path)
        .send()
        .problem(409, "lease_lost");
    for action in ["heartbeat", "complete"] {
        claimed
            .send(&server, action, &json!({}))
            .problem(409, "lease_lost");
    }
    assert_eq!(dump(server.db()), before);
}

fn a_stage_whose_lease_expired_cannot_be_released(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    expire(&server, &claimed);
    claimed
        .send(&server, "release", &json!({}))
        .problem(409, "lease_lost");
    let next = claim(&server, &[Transcription]).unwrap();
    assert_eq!((next.job_id, next.attempt), (job_id, 2));
    claimed
        .send(&server, "release", &json!({}))
        .problem(409, "lease_lost");
    assert_eq!(status(&server, job_id, Transcription), "running");
}

fn of_a_release_and_other_ends_of_an_attempt_only_one_takes_effect(server: TestServer) {
    for _ in 0..20 {
        let job_id = create_job(&server, json!({}));
        let claimed = claim(&server, &[Transcription]).unwrap();
        let ends = [
            ("release", json!({})),
            ("release", json!({})),
            ("fail", json!({ "error": "disk full" })),
            ("complete", json!({})),
        ];
        let outcomes = concurrently(ends.len(), |i| {
            let (action, body) = &ends[i];
            let response = claimed.send(&server, action, body);
            if response.status != 200 {
                response.problem(409, "lease_lost");
                return None;
            }
            Some(response.json())
        });
        let [only] = &outcomes.into_iter().flatten().collect::<Vec<_>>()[..] else {
            panic!("one request succeeds")
        };
        let stored = server.get(&job_path(job_id, "/stages")).expect(200).json();
        let runs = stored["stages"].as_array().unwrap();
        let run = runs.iter().find(|run| run["stage"] == "transcription");
        let run = run.unwrap();
        assert_eq!(
            [&run["status"], &run["attempt"], &run["error"]],
            [&only["status"], &only["attempt"], &only["error"]]
        );
        server
            .request("POST", &job_path(job_id, "/cancel"))
            .send()
            .expect(200);
    }
}

fn the_stage_of_a_cancelled_job_cannot_be_released(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    server
        .request("POST", &job_path(job_id, "/cancel"))
        .send()
        .expect(200);
    claimed
        .send(&server, "release", &json!({}))
        .problem(409, "lease_lost");
    assert_eq!(status(&server, job_id, Transcription), "cancelled");
}

fn a_worker_asks_for_the_pause_before_the_next_attempt(server: TestServer) {
    create_job(&server, json!({}));
    let fail = |stage: Stage, seconds: i64| {
        let failure = json!({ "error": "busy", "retry_after_seconds": seconds });
        let claimed = claim(&server, &[stage]).unwrap();
        let failed = claimed.send(&server, "fail", &failure).expect(200).json();
        assert_eq!(failed["status"], "ready");
    };
    let clock = server.db().clock();
    fail(Transcription, 3_600);
    clock.advance(TimeDelta::seconds(3_600) - TimeDelta::microseconds(1));
    assert_eq!(claim(&server, &[Transcription]), None);
    clock.advance(TimeDelta::microseconds(1));
    assert_eq!(claim(&server, &[Transcription]).unwrap().attempt, 2);

    fail(LayoutAnalysis, 0);
    assert_eq!(claim(&server, &[LayoutAnalysis]).unwrap().attempt, 2);
}

fn a_pause_does_not_make_a_permanent_failure_retryable(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let failure = json!({ "error": "no sound", "retryable": false, "retry_after_seconds": 5 });
    claim(&server, &[SilenceDetection])
        .unwrap()
        .send(&server, "fail", &failure)
        .expect(200);
    assert_eq!(status(&server, job_id, SilenceDetection), "failed");
}
