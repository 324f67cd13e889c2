//! Pausing and resuming stages.

use std::thread;

use chrono::TimeDelta;
use lectern_domain::Stage::{Compilation, LayoutAnalysis, SilenceDetection, Transcription};
use lectern_domain::{
    ClaimLimit, ClaimRequest, LeaseDuration, NewApiKey, OwnerName, Role, Stage, Stages, WorkerName,
};
use lectern_tests::{
    Backend, Client, Lectern, Response, TestDb, TestServer, on_both_backends, queries,
};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::worker::{claim, claims, create_job, request_claim, status};
use crate::http::support::{in_flight, wait_until};
use crate::many_jobs::insert_jobs;

on_both_backends!(
    a_claim_of_a_paused_stage_gives_nothing,
    a_claim_of_several_stages_gives_those_that_are_not_paused,
    what_is_being_processed_goes_on,
    pausing_and_resuming_again_change_nothing,
    a_claim_waits_during_a_pause_and_wakes_on_its_end,
    other_servers_obey_and_wake,
    a_repeated_request_gets_the_first_response,
    pauses_are_in_the_audit,
    only_admins_without_an_owner_may_pause,
    a_stage_that_workers_do_not_claim_is_unknown,
    a_claim_reads_no_run_of_a_paused_stage,
);

fn pause(client: &Client, stage: Stage) -> Response {
    send(client, stage, "pause")
}

fn resume(client: &Client, stage: Stage) -> Response {
    send(client, stage, "resume")
}

fn path(stage: Stage, action: &str) -> String {
    format!("/api/v1/work/stages/{stage}/{action}")
}

fn send(client: &Client, stage: Stage, action: &str) -> Response {
    client.request("POST", &path(stage, action)).send()
}

/// A claim of one run of these stages, without a server.
fn a_request(stages: &[Stage]) -> ClaimRequest {
    ClaimRequest {
        worker: WorkerName::new("worker-1").unwrap(),
        stages: Stages::new(stages.to_vec()).unwrap(),
        max: ClaimLimit::default(),
        lease: LeaseDuration::default(),
    }
}

/// Since when a stage is paused, as the statistics show it.
fn paused_at(client: &Client, stage: Stage) -> Value {
    let stats = client.get("/api/v1/work/stats").expect(200).json();
    let mut stages = stats["stages"].as_array().unwrap().iter();
    let entry = stages.find(|entry| entry["stage"] == stage.as_str());
    entry.unwrap()["paused_at"].clone()
}

fn a_claim_of_a_paused_stage_gives_nothing(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let paused = pause(&server, Transcription).expect(200).json();
    let expected = json!({ "stage": "transcription", "paused_at": "2026-01-01T00:00:00Z" });
    assert_eq!(paused, expected);
    assert_eq!(claim(&server, &[Transcription]), None);
    let keyed = server.request("POST", "/api/v1/work/claim");
    let keyed = keyed.header("Idempotency-Key", "a").json(&json!({
        "worker": "worker-1", "stages": ["transcription"],
    }));
    assert_eq!(claims(keyed.send()), []);
    let request = a_request(&[Transcription]);
    let of_job = server
        .db()
        .write(|tx| tx.work().claim_from(job_id, &request));
    assert_eq!(of_job.unwrap(), []);
    assert_eq!(paused_at(&server, Transcription), "2026-01-01T00:00:00Z");
    assert_eq!(paused_at(&server, SilenceDetection), Value::Null);

    let resumed = resume(&server, Transcription).expect(200).json();
    assert_eq!(
        resumed,
        json!({ "stage": "transcription", "paused_at": null })
    );
    assert_eq!(paused_at(&server, Transcription), Value::Null);
    assert!(claim(&server, &[Transcription]).is_some());
}

fn a_claim_of_several_stages_gives_those_that_are_not_paused(server: TestServer) {
    create_job(&server, json!({}));
    pause(&server, Transcription).expect(200);
    pause(&server, LayoutAnalysis).expect(200);
    let all = || claims(request_claim(&server, Stage::WORK, json!({ "max": 10 })));
    let claimed: Vec<_> = all().into_iter().map(|claimed| claimed.stage).collect();
    assert_eq!(claimed, [SilenceDetection]);
    assert_eq!(all(), []);
    let paused = [Transcription, LayoutAnalysis];
    let of_paused = claims(request_claim(&server, &paused, json!({ "max": 10 })));
    assert_eq!(of_paused, []);
    resume(&server, LayoutAnalysis).expect(200);
    let claimed: Vec<_> = all().into_iter().map(|claimed| claimed.stage).collect();
    assert_eq!(claimed, [LayoutAnalysis]);
}

fn what_is_being_processed_goes_on(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    pause(&server, Transcription).expect(200);
    claimed
        .send(&server, "heartbeat", &json!({ "percent": 50 }))
        .expect(200);
    claimed.store(&server);
    claimed.send(&server, "complete", &json!({})).expect(200);
    assert_eq!(status(&server, job_id, Transcription), "completed");
}

fn pausing_and_resuming_again_change_nothing(server: TestServer) {
    let first = pause(&server, Transcription).expect(200).json();
    server.db().clock().advance(TimeDelta::hours(1));
    assert_eq!(pause(&server, Transcription).expect(200).json(), first);
    let resumed = resume(&server, Transcription).expect(200).json();
    assert_eq!(resume(&server, Transcription).expect(200).json(), resumed);
    let again = pause(&server, Transcription).expect(200).json();
    assert_eq!(again["paused_at"], "2026-01-01T01:00:00Z");
}

/// Runs `meanwhile` while a claim of the stage waits; returns whether it got a run.
fn claim_while(client: &Client, meanwhile: impl FnOnce()) -> bool {
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let wait = json!({ "wait_seconds": 60 });
            claims(request_claim(client, &[Transcription], wait)).len()
        });
        // The waiting claim and the request for the metrics.
        wait_until(|| in_flight(client) == 2);
        meanwhile();
        waiting.join().unwrap() == 1
    })
}

fn a_claim_waits_during_a_pause_and_wakes_on_its_end(server: TestServer) {
    pause(&server, Transcription).expect(200);
    let statements = server.db().record_statements();
    // The poll for waiting claims is blocked: they are notified by the commit.
    let _blocked = statements.block("wanted.value AS stage");
    assert!(claim_while(&server, || {
        create_job(&server, json!({}));
        create_job(&server, json!({}));
        assert_eq!(claim(&server, &[Transcription]), None);
        resume(&server, Transcription).expect(200);
    }));
}

fn other_servers_obey_and_wake(server: TestServer) {
    let other = Lectern::serve(server.db().url());
    pause(&server, Transcription).expect(200);
    create_job(&server, json!({}));
    assert_eq!(claim(&other, &[Transcription]), None);
    assert!(claim_while(&other, || {
        resume(&server, Transcription).expect(200);
    }));
}

fn a_repeated_request_gets_the_first_response(server: TestServer) {
    let keyed = |action| {
        let request = server.request("POST", &path(Transcription, action));
        request.header("Idempotency-Key", "once").send()
    };
    let paused = keyed("pause").expect(200).json();
    resume(&server, Transcription).expect(200);
    assert_eq!(keyed("pause").expect(200).json(), paused);
    assert_eq!(paused_at(&server, Transcription), Value::Null);
    keyed("resume").problem(422, "idempotency_mismatch");
}

fn pauses_are_in_the_audit(db: TestDb) {
    let admin = Key::create(&db, Role::Admin);
    let server = serve_with_keys(db);
    let change = |action| {
        let request = admin.request(&server, "POST", &path(Transcription, action));
        request.send().expect(200);
        server.db().clock().advance(TimeDelta::seconds(1));
    };
    for action in ["pause", "pause", "resume", "resume"] {
        change(action);
    }
    let audit = |query: &str| {
        let path = format!("/api/v1/audit?{query}");
        let found = admin
            .request(&server, "GET", &path)
            .send()
            .expect(200)
            .json();
        found["entries"].as_array().unwrap().clone()
    };
    let entries = audit("");
    let values = |paused| json!({ "stage": "transcription", "paused": paused });
    let found: Vec<_> = entries
        .iter()
        .map(|entry| (&entry["action"], &entry["old_values"], &entry["new_values"]))
        .collect();
    assert_eq!(
        found,
        [
            (&json!("stage.resume"), &values(true), &values(false)),
            (&json!("stage.pause"), &values(false), &values(true)),
        ]
    );
    for entry in &entries {
        assert_eq!(entry["actor"]["key_id"], json!(admin.id));
        assert_eq!(entry["job_id"], Value::Null);
    }
    assert_eq!(audit("action=stage.pause").len(), 1);
}

fn only_admins_without_an_owner_may_pause(db: TestDb) {
    let with = |role, owner: Option<&str>| {
        let owner = owner.map(|name| OwnerName::new(name).unwrap());
        Key::create_as(
            &db,
            &NewApiKey {
                owner,
                ..NewApiKey::new(role)
            },
        )
    };
    let refused: Vec<_> = Role::ALL
        .iter()
        .filter(|role| **role != Role::Admin)
        .map(|role| with(*role, None))
        .chain([with(Role::Admin, Some("library"))])
        .collect();
    let admin = with(Role::Admin, None);
    let server = serve_with_keys(db);
    for action in ["pause", "resume"] {
        let path = path(Transcription, action);
        for key in &refused {
            let response = key.request(&server, "POST", &path).send();
            response.problem(403, "scope_missing");
        }
        server
            .request("POST", &path)
            .send()
            .problem(401, "authentication_required");
        assert_eq!(server.db().sql().count("stage_pauses"), 0);
        admin.request(&server, "POST", &path).send().expect(200);
        assert_eq!(
            server.db().sql().count("stage_pauses"),
            u64::from(action == "pause")
        );
        server
            .db()
            .sql()
            .execute("DELETE FROM stage_pauses")
            .unwrap();
    }
}

fn a_stage_that_workers_do_not_claim_is_unknown(server: TestServer) {
    for stage in ["uploading", "complete", "Transcription", "x", "%00"] {
        for action in ["pause", "resume"] {
            let path = format!("/api/v1/work/stages/{stage}/{action}");
            server
                .request("POST", &path)
                .send()
                .problem(404, "not_found");
        }
    }
    let method = server.get(&path(Transcription, "pause"));
    method.problem(405, "method_not_allowed");
    assert_eq!(server.db().sql().count("stage_pauses"), 0);
}

/// A long backlog of a paused stage must not slow down the claims that give nothing of it.
fn a_claim_reads_no_run_of_a_paused_stage(db: TestDb) {
    insert_jobs(&db, 20_000, "status", "'queued'");
    let mut sql = db.sql();
    sql.execute(
        "INSERT INTO stage_runs (run_id, job_id, stage, status)
         SELECT job_id, job_id, 'transcription', 'ready' FROM jobs",
    )
    .unwrap();
    sql.batch("ANALYZE").unwrap();
    db.write(|tx| tx.stage_pauses().pause(Transcription))
        .unwrap();
    db.write(|tx| tx.stage_pauses().pause(Compilation)).unwrap();
    for stages in [&[Transcription][..], &[Transcription, Compilation]] {
        let (claimed, statements) =
            queries(|| db.write(|tx| tx.work().claim(&a_request(stages))).unwrap());
        assert_eq!(claimed, []);
        assert!(!statements.is_empty());
        let mut picks = statements
            .iter()
            .filter(|text| text.contains("WITH RECURSIVE"));
        let pick = picks.next();
        let Some(pick) = pick else {
            // The pause is looked up before.
            assert_eq!(db.backend(), Backend::Sqlite, "{statements:#?}");
            continue;
        };
        let (pick, _) = pick.split_once(" -- binds: ").unwrap();
        let stages = if pick.contains("ANY($2)") {
            "ARRAY['transcription', 'compilation']"
        } else {
            "'transcription'"
        };
        let pick = pick
            .replace("$1", "clock_timestamp()")
            .replace("$2", stages)
            .replace("FOR NO KEY UPDATE OF j SKIP LOCKED", "");
        let plan = sql.plan(&format!("(ANALYZE, TIMING OFF) {pick}"));
        let removed = plan.split("Rows Removed by Filter: ").skip(1);
        let removed =
            removed.filter_map(|text| text.split([' ', '\n']).next()?.parse::<f64>().ok());
        assert!(removed.sum::<f64>() < 100.0, "{plan}");
    }
}
