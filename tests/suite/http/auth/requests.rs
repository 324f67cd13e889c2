//! What a key changes in the requests that it allows.

use lectern_domain::{NewApiKey, OwnerName, Role, Stage, Stages};
use lectern_tests::{Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::json;

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::{JOBS, wait_until};

on_both_backends!(
    an_idempotency_key_belongs_to_its_owner,
    a_worker_claims_only_the_stages_of_its_key,
    the_use_of_a_key_is_recorded,
    many_requests_with_one_key_cause_few_queries,
);

fn create(server: &TestServer, key: &Key, idempotency_key: &str) -> Response {
    key.request(server, "POST", JOBS)
        .header("Idempotency-Key", idempotency_key)
        .json(&key.recording())
        .send()
        .expect(201)
}

fn job_id(response: &Response) -> String {
    response.json()["job_id"].as_str().unwrap().to_owned()
}

fn an_idempotency_key_belongs_to_its_owner(db: TestDb) {
    let of_owner = |name: &str| {
        Key::create_as(
            &db,
            &NewApiKey {
                owner: Some(OwnerName::new(name).unwrap()),
                ..NewApiKey::new(Role::Client)
            },
        )
    };
    let (one, other) = (
        Key::create(&db, Role::Client),
        Key::create(&db, Role::Client),
    );
    let (red, red_too, blue) = (of_owner("red"), of_owner("red"), of_owner("blue"));
    let server = serve_with_keys(db);
    let first = job_id(&create(&server, &one, "k"));
    assert_eq!(job_id(&create(&server, &one, "k")), first);
    let mut others = [&other, &red, &blue]
        .map(|key| job_id(&create(&server, key, "k")))
        .to_vec();
    assert_eq!(job_id(&create(&server, &red_too, "k")), others[1]);
    // A new secret is the same caller.
    let rotated = one.rotate(server.db());
    assert_eq!(job_id(&create(&server, &rotated, "k")), first);
    others.push(first);
    others.sort();
    others.dedup();
    assert_eq!(others.len(), 4);
    // Nobody guesses the stored keys.
    let stored = server.db().sql().rows("SELECT key FROM idempotency_keys");
    assert_eq!(stored.len(), 4);
    assert!(stored.iter().flatten().flatten().all(|key| key.len() == 64));
}

fn a_worker_claims_only_the_stages_of_its_key(db: TestDb) {
    let worker = Key::create_as(
        &db,
        &NewApiKey {
            stages: Some(Stages::new(vec![Stage::Transcription]).unwrap()),
            ..NewApiKey::new(Role::Worker)
        },
    );
    let any = Key::create(&db, Role::Worker);
    a_job().create(&db);
    let server = serve_with_keys(db);
    let claim = |key: &Key, stages: &[&str]| {
        key.request(&server, "POST", "/api/v1/work/claim")
            .json(&json!({ "worker": "w", "stages": stages }))
            .send()
    };
    let both = ["silence_detection", "transcription"];
    claim(&worker, &both).problem(403, "scope_missing");
    claim(&worker, &["compilation"]).problem(403, "scope_missing");
    let claims = claim(&worker, &["transcription"]).expect(200).json();
    assert_eq!(claims["claims"][0]["stage"], "transcription");
    let claims = claim(&any, &both).expect(200).json();
    assert_eq!(claims["claims"][0]["stage"], "silence_detection");
}

fn the_use_of_a_key_is_recorded(db: TestDb) {
    let key = Key::create(&db, Role::Viewer);
    let server = serve_with_keys(db);
    let stored = || {
        let find = server.db().read(|conn| conn.api_keys().find(key.id));
        find.unwrap().unwrap().last_used_at
    };
    // Someone who knows only the id does not use the key.
    let other_secret = Key {
        text: lectern_server::generate_key(key.id).unwrap().0.reveal(),
        ..key.clone()
    };
    other_secret
        .request(&server, "GET", JOBS)
        .send()
        .expect(401);
    server.get("/readyz").expect(200);
    assert_eq!(stored(), None);
    key.request(&server, "GET", JOBS).send().expect(200);
    wait_until(|| stored().is_some());
    assert_eq!(stored(), Some(server.db().now()));
}

fn many_requests_with_one_key_cause_few_queries(db: TestDb) {
    let key = Key::create(&db, Role::Metrics);
    let server = serve_with_keys(db);
    let get = || key.request(&server, "GET", "/metrics").send().expect(200);
    get();
    let log = server.db().record_statements();
    for _ in 0..100 {
        get();
    }
    // The key is read every two seconds, and its use recorded once a minute.
    let queries = log.count("api_keys");
    assert!(queries < 50, "{queries} statements");
}
