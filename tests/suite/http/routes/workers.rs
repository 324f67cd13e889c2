//! The workers that hold leases.

use chrono::TimeDelta;
use lectern_domain::Stage::{LayoutAnalysis, SilenceDetection, Transcription};
use lectern_domain::{NewApiKey, OwnerName, Role};
use lectern_tests::{
    Client, TestDb, TestServer, a_job, on_both_backends, on_both_backends_and_with_row_security,
};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::worker::{CLAIM, claims, create_job, request_claim};
use crate::http::support::{job_path, percent_encoded};

on_both_backends!(
    a_worker_is_listed_with_what_it_holds,
    a_worker_is_seen_with_every_heartbeat,
    the_ids_of_leases_are_not_shown,
    pages_follow_each_other_by_cursor,
    a_run_without_a_lease_has_no_worker,
    a_hundred_leases_of_a_worker_are_listed,
);

on_both_backends_and_with_row_security!(an_owner_sees_the_leases_of_its_jobs);

const WORKERS: &str = "/api/v1/workers";

fn workers(client: &Client) -> Vec<Value> {
    let list = client.get(WORKERS).expect(200).json();
    let workers = list["workers"].as_array().unwrap().clone();
    assert_eq!(list["total"], json!(workers.len()));
    workers
}

fn names(workers: &[Value]) -> Vec<&str> {
    let names = workers.iter().map(|worker| worker["worker"].as_str());
    names.map(Option::unwrap).collect()
}

fn a_worker_is_listed_with_what_it_holds(server: TestServer) {
    assert_eq!(workers(&server), [] as [Value; 0]);
    let job_id = create_job(&server, json!({}));
    let wanted = json!({ "worker": "gpu 1", "lease_seconds": 90 });
    let transcription = claims(request_claim(&server, &[Transcription], wanted.clone())).remove(0);
    server.db().clock().advance(TimeDelta::seconds(10));
    let silence = claims(request_claim(&server, &[SilenceDetection], wanted)).remove(0);
    let other = json!({ "worker": "cpu-2" });
    claims(request_claim(&server, &[LayoutAnalysis], other)).remove(0);
    let half = json!({ "percent": 50.5 });
    silence.send(&server, "heartbeat", &half).expect(200);

    let lease = |stage, percent, second| {
        json!({
            "job_id": job_id,
            "stage": stage,
            "attempt": 1,
            "max_attempts": 3,
            "percent": percent,
            "claimed_at": format!("2026-01-01T00:00:{second:02}Z"),
            "expires_at": format!("2026-01-01T00:01:{:02}Z", 30 + second),
        })
    };
    let listed = workers(&server);
    assert_eq!(names(&listed), ["cpu-2", "gpu 1"]);
    assert_eq!(
        listed[1],
        json!({
            "worker": "gpu 1",
            "stages": ["silence_detection", "transcription"],
            "last_seen_at": "2026-01-01T00:00:10Z",
            "lease_count": 2,
            "leases": [lease("transcription", 0.0, 0), lease("silence_detection", 50.5, 10)],
        })
    );
    transcription
        .send(&server, "complete", &json!({}))
        .expect(200);
    assert_eq!(workers(&server)[1]["lease_count"], 1);
    silence.send(&server, "release", &json!({})).expect(200);
    assert_eq!(names(&workers(&server)), ["cpu-2"]);
    let cancel = server.request("POST", &job_path(job_id, "/cancel"));
    cancel.send().expect(200);
    assert_eq!(workers(&server), [] as [Value; 0]);
}

fn a_worker_is_seen_with_every_heartbeat(server: TestServer) {
    create_job(&server, json!({}));
    let claimed = claims(request_claim(&server, &[Transcription], json!({}))).remove(0);
    let last_seen = || workers(&server)[0]["last_seen_at"].clone();
    server.db().clock().advance(TimeDelta::seconds(20));
    assert_eq!(last_seen(), "2026-01-01T00:00:00Z");
    claimed.send(&server, "heartbeat", &json!({})).expect(200);
    assert_eq!(last_seen(), "2026-01-01T00:00:20Z");
}

fn the_ids_of_leases_are_not_shown(server: TestServer) {
    create_job(&server, json!({}));
    let claimed = claims(request_claim(&server, &[Transcription], json!({}))).remove(0);
    let list = server.get(WORKERS).expect(200);
    assert!(list.text().contains("worker-1"), "{list}");
    assert!(!list.text().contains(&claimed.lease), "{list}");
}

fn pages_follow_each_other_by_cursor(server: TestServer) {
    // In the order of bytes on both databases: capitals first, é last.
    let expected = ["B", "a", "b", "c d", "é"];
    for name in ["é", "b", "B", "c d", "a"] {
        create_job(&server, json!({}));
        let claim = request_claim(&server, &[Transcription], json!({ "worker": name }));
        assert_eq!(claims(claim).len(), 1);
    }
    assert_eq!(names(&workers(&server)), expected);
    let mut path = format!("{WORKERS}?limit=2");
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = server.get(&path).expect(200).json();
        pages += 1;
        found.extend(page["workers"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{WORKERS}?limit=2&cursor={}", percent_encoded(cursor));
    }
    assert_eq!((names(&found), pages), (expected.to_vec(), 3));

    let jobs = server.get("/api/v1/jobs?limit=1").expect(200).json();
    let of_another_list = jobs["next_cursor"].as_str().unwrap();
    let refused = server.get(&format!("{WORKERS}?cursor={of_another_list}"));
    refused.problem(400, "malformed_query");
}

fn a_run_without_a_lease_has_no_worker(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let report = json!({ "stage": "transcription", "percent": 10, "agent_name": "whisper" });
    server
        .post(&job_path(job_id, "/progress"), &report)
        .expect(200);
    assert_eq!(workers(&server), [] as [Value; 0]);
}

fn a_hundred_leases_of_a_worker_are_listed(server: TestServer) {
    for _ in 0..102 {
        a_job().create(server.db());
    }
    for max in [100, 2] {
        let claim = request_claim(&server, &[Transcription], json!({ "max": max }));
        assert_eq!(claims(claim).len(), max);
    }
    let listed = workers(&server);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["lease_count"], 102);
    assert_eq!(listed[0]["leases"].as_array().unwrap().len(), 100);
}

fn an_owner_sees_the_leases_of_its_jobs(db: TestDb) {
    let library = OwnerName::new("library").unwrap();
    let owned = NewApiKey {
        owner: Some(library.clone()),
        ..NewApiKey::new(Role::Viewer)
    };
    let viewer = Key::create_as(&db, &owned);
    let worker = Key::create(&db, Role::Worker);
    let metrics = Key::create(&db, Role::Metrics);
    let of_library = a_job().create(&db.as_owner(library)).job_id;
    a_job().create(&db);
    let server = serve_with_keys(db);
    for name in ["worker-1", "worker-2"] {
        let body = json!({ "worker": name, "stages": ["transcription"] });
        let claim = worker.request(&server, "POST", CLAIM).json(&body).send();
        assert_eq!(claims(claim).len(), 1);
    }
    let list = |key: &Key| key.request(&server, "GET", WORKERS).send();
    let all = list(&worker).expect(200).json();
    assert_eq!(all["total"], 2);
    let own = list(&viewer).expect(200).json();
    assert_eq!(own["total"], 1);
    assert_eq!(own["workers"][0]["leases"][0]["job_id"], json!(of_library));
    list(&metrics).problem(403, "scope_missing");
}
