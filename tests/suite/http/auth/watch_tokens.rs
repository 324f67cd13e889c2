//! Tokens with which browsers watch a job.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::{JobId, NewApiKey, Role};
use lectern_server::{Server, ServerConfig};
use lectern_tests::{
    Client, Lectern, Response, TestDb, TestServer, a_completed_job, a_job, on_both_backends,
};
use serde_json::{Value, json};

use crate::http::live::channel::{Stream, handshake};
use crate::http::support::api_key::{Key, serve_with_keys, with_keys};
use crate::http::support::{JOBS, UNKNOWN_ID, job_path, wait_until};

on_both_backends!(
    a_token_is_accepted_where_a_browser_needs_it,
    a_lifetime_out_of_bounds_is_refused,
    a_token_is_accepted_for_its_job_only,
    a_token_is_accepted_nowhere_else,
    a_changed_token_is_refused,
    a_token_expires_and_its_streams_end,
    a_token_ends_with_its_key_on_every_server,
    a_new_secret_of_the_key_ends_its_tokens,
    a_key_in_the_header_takes_precedence,
    every_server_of_the_database_accepts_a_token,
    a_token_is_in_no_log,
    a_server_that_asks_for_no_keys_ignores_tokens,
);

/// What is promised for the end of a key.
const PROMISED: Duration = Duration::from_secs(5);

fn make_with(client: &Client, key: &Key, job_id: JobId, body: &Value) -> Response {
    let request = key.request(client, "POST", &job_path(job_id, "/watch-token"));
    request.json(body).send()
}

/// A new token for a job.
fn make(client: &Client, key: &Key, job_id: JobId) -> String {
    let response = make_with(client, key, job_id, &json!({})).expect(200);
    response.json()["token"].as_str().unwrap().to_owned()
}

fn events(job_id: JobId, token: &str) -> String {
    format!("{}?token={token}", job_path(job_id, "/events"))
}

fn socket(job_id: JobId, token: &str) -> String {
    format!("/ws/jobs/{job_id}?token={token}")
}

#[track_caller]
fn assert_refused(client: &Client, job_id: JobId, token: &str) {
    client
        .get(&events(job_id, token))
        .problem(401, "invalid_token");
    let results = format!("/api/v1/results/{job_id}?token={token}");
    client.get(&results).problem(401, "invalid_token");
    let stream = Stream::open_at(client, &events(job_id, token), None);
    assert_eq!(stream.err(), Some(401));
    assert_eq!(
        handshake(client, &socket(job_id, token), &[]).err(),
        Some(401)
    );
}

fn a_token_is_accepted_where_a_browser_needs_it(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let job_id = a_completed_job(&db).job_id;
    let server = serve_with_keys(db);
    // The body may be omitted.
    let path = job_path(job_id, "/watch-token");
    let response = viewer.request(&server, "POST", &path).send().expect(200);
    assert_eq!(response.header("Cache-Control"), Some("no-store"));
    let body = response.json();
    assert_eq!(body["job_id"], job_id.to_string());
    let expires_at = |body: &Value| -> DateTime<Utc> {
        let text = body["expires_at"].as_str().unwrap();
        text.parse().unwrap()
    };
    let lifetime = expires_at(&body) - server.db().now();
    assert!(lifetime <= TimeDelta::hours(1) && lifetime > TimeDelta::minutes(59));
    let minute = json!({ "expires_in_seconds": 60 });
    let short = make_with(&server, &viewer, job_id, &minute).expect(200);
    assert!(expires_at(&short.json()) <= server.db().now() + TimeDelta::minutes(1));

    let token = body["token"].as_str().unwrap();
    assert!(token.starts_with("lwt_") && token.len() == 80, "{token}");
    let page = server.get(&events(job_id, token)).expect(200);
    assert_eq!(page.json()["events"][0]["type"], "snapshot");
    let after = format!("{}&after=0", events(job_id, token));
    server.get(&after).expect(200);
    server.request("HEAD", &after).send().expect(200);
    let mut stream = Stream::open_at(&server, &events(job_id, token), None).unwrap();
    assert_eq!(stream.next_with_id().unwrap().1["type"], "snapshot");
    let mut socket = handshake(&server, &socket(job_id, token), &[]).unwrap();
    assert!(socket.read().unwrap().is_text());
    let results = server.get(&format!("/api/v1/results/{job_id}?token={token}"));
    assert_eq!(results.expect(200).json()["job_id"], job_id.to_string());

    viewer
        .request(&server, "POST", &format!("{JOBS}/{UNKNOWN_ID}/watch-token"))
        .send()
        .problem(404, "job_not_found");
}

fn a_lifetime_out_of_bounds_is_refused(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let job_id = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    for seconds in [json!(1), json!(86_400), json!(60.0), json!(null)] {
        let body = json!({ "expires_in_seconds": seconds });
        make_with(&server, &viewer, job_id, &body).expect(200);
    }
    for seconds in [
        json!(0),
        json!(-1),
        json!(86_401),
        json!(1.5),
        json!("60"),
        json!([60]),
        json!(9_007_199_254_740_993_i64),
    ] {
        let body = json!({ "expires_in_seconds": seconds });
        let response = make_with(&server, &viewer, job_id, &body);
        let errors = response.problem(422, "validation_failed");
        assert_eq!(errors[0]["field"], "expires_in_seconds", "{response}");
    }
    let unknown = json!({ "expires_in": 60 });
    let response = make_with(&server, &viewer, job_id, &unknown);
    response.problem(422, "validation_failed");
}

fn a_token_is_accepted_for_its_job_only(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let (job_id, other) = (a_job().create(&db).job_id, a_job().create(&db).job_id);
    let server = serve_with_keys(db);
    let token = make(&server, &viewer, job_id);
    server.get(&events(job_id, &token)).expect(200);
    assert_refused(&server, other, &token);
    let unknown: JobId = UNKNOWN_ID.parse().unwrap();
    assert_refused(&server, unknown, &token);
    let malformed = format!("{JOBS}/no-id/events?token={token}");
    server.get(&malformed).problem(401, "invalid_token");
}

fn a_token_is_accepted_nowhere_else(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let job_id = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    let token = make(&server, &viewer, job_id);
    for path in [
        job_path(job_id, ""),
        job_path(job_id, "/transcripts"),
        JOBS.to_owned(),
        "/api/v1/events".to_owned(),
        "/metrics".to_owned(),
    ] {
        let response = server.get(&format!("{path}?token={token}"));
        response.problem(401, "authentication_required");
    }
    for (method, path) in [
        ("DELETE", job_path(job_id, "")),
        ("POST", job_path(job_id, "/watch-token")),
    ] {
        let request = server.request(method, &format!("{path}?token={token}"));
        request.send().problem(401, "authentication_required");
    }
    // Nor is it a key.
    let request = server.request("GET", JOBS).header("X-API-Key", &token);
    request.send().problem(401, "invalid_key");
}

fn a_changed_token_is_refused(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let job_id = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    let token = make(&server, &viewer, job_id);
    // In the version, the key's id, the time and the signature.
    for position in [5, 15, 30, 50, 79] {
        let mut changed = token.clone().into_bytes();
        changed[position] = if changed[position] == b'A' {
            b'B'
        } else {
            b'A'
        };
        let changed = String::from_utf8(changed).unwrap();
        let response = server.get(&events(job_id, &changed));
        response.problem(401, "invalid_token");
        let challenge = response.header("WWW-Authenticate").unwrap();
        assert!(
            challenge.ends_with("error=\"invalid_token\""),
            "{challenge}"
        );
    }
    let log = server.db().record_statements();
    for malformed in ["", "lwt_", "secret", &token[..79]] {
        assert_refused(&server, job_id, malformed);
    }
    assert_refused(&server, job_id, &format!("{token}&token={token}"));
    assert_eq!(log.count("api_keys"), 0, "a malformed token needs no query");
    server.get(&events(job_id, &token)).expect(200);
}

fn a_token_expires_and_its_streams_end(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let job_id = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    let body = json!({ "expires_in_seconds": 3600 });
    let made = make_with(&server, &viewer, job_id, &body)
        .expect(200)
        .json();
    let token = made["token"].as_str().unwrap();
    let mut stream = Stream::open_at(&server, &events(job_id, token), None).unwrap();
    stream.next_with_id().expect("a snapshot");
    let mut socket = handshake(&server, &socket(job_id, token), &[]).unwrap();
    socket.read().unwrap();
    std::thread::scope(|scope| {
        let page = scope.spawn(|| {
            let path = format!("{}&after=1", events(job_id, token));
            let page = server.request("GET", &path).header("Prefer", "wait=60");
            page.send()
        });
        wait_until(|| {
            let key = Key::create(server.db(), Role::Metrics);
            let metrics = key.request(&server, "GET", "/metrics").send().expect(200);
            metrics.text().contains("\nhttp_requests_in_flight 2")
        });
        server.db().clock().advance(TimeDelta::hours(1));
        let expired = Instant::now();
        page.join().unwrap().problem(401, "invalid_token");
        while stream.line().is_some() {}
        while socket.read().is_ok() {}
        assert!(expired.elapsed() < PROMISED, "{:?}", expired.elapsed());
    });
    let response = server.get(&events(job_id, token));
    response.problem(401, "invalid_token");
    assert_eq!(response.json()["detail"], "the token has expired");
    assert_refused(&server, job_id, token);
}

fn a_token_ends_with_its_key_on_every_server(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let expiring = Key::create_as(
        &db,
        &NewApiKey {
            expires_at: Some(db.now() + TimeDelta::minutes(1)),
            ..NewApiKey::new(Role::Viewer)
        },
    );
    let job_id = a_job().create(&db).job_id;
    let second = Server::start(with_keys(), (*db).clone()).unwrap();
    let second = (Client::new(second.url()), second);
    let server = serve_with_keys(db);
    let token = make(&server, &viewer, job_id);
    let of_expiring = make(&server, &expiring, job_id);
    let clients: [&Client; 2] = [&server, &second.0];
    for client in clients {
        client.get(&events(job_id, &token)).expect(200);
        client.get(&events(job_id, &of_expiring)).expect(200);
    }
    let mut stream = Stream::open_at(&second.0, &events(job_id, &token), None).unwrap();
    stream.next_with_id().expect("a snapshot");
    viewer.revoke(server.db());
    let revoked = Instant::now();
    for client in clients {
        wait_until(|| client.get(&events(job_id, &token)).status == 401);
    }
    while stream.line().is_some() {}
    assert!(revoked.elapsed() < PROMISED, "{:?}", revoked.elapsed());
    let response = server.get(&events(job_id, &token));
    response.problem(401, "invalid_token");
    assert!(response.text().contains("revoked"), "{response}");

    server.db().clock().advance(TimeDelta::minutes(1));
    let response = server.get(&events(job_id, &of_expiring));
    response.problem(401, "invalid_token");
    assert!(response.text().contains("key that made"), "{response}");
}

fn a_new_secret_of_the_key_ends_its_tokens(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let job_id = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    let token = make(&server, &viewer, job_id);
    let rotated = viewer.rotate(server.db());
    let since = Instant::now();
    // A server that still has the old secret in memory accepts tokens of the new one at once.
    let new = make(&server, &rotated, job_id);
    server.get(&events(job_id, &new)).expect(200);
    wait_until(|| server.get(&events(job_id, &token)).status == 401);
    assert!(since.elapsed() < PROMISED, "{:?}", since.elapsed());
}

fn a_key_in_the_header_takes_precedence(db: TestDb) {
    let (viewer, metrics) = (
        Key::create(&db, Role::Viewer),
        Key::create(&db, Role::Metrics),
    );
    let job_id = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    let token = make(&server, &viewer, job_id);
    // Gateways have tokens of their own.
    let path = events(job_id, "of-the-gateway");
    viewer.request(&server, "GET", &path).send().expect(200);
    let path = events(job_id, &token);
    let response = metrics.request(&server, "GET", &path).send();
    response.problem(403, "scope_missing");
}

fn every_server_of_the_database_accepts_a_token(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let job_id = a_job().create(&db).job_id;
    let settings = [("LECTERN_AUTH", "keys")];
    let servers = [(); 2].map(|()| Lectern::serve_with(db.url(), &settings));
    let token = make(&servers[0], &viewer, job_id);
    for server in &servers {
        server.get(&events(job_id, &token)).expect(200);
    }
}

fn a_token_is_in_no_log(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let job_id = a_job().create(&db).job_id;
    let settings = [
        ("LECTERN_AUTH", "keys"),
        ("LECTERN_LOG", "trace,actix_http=trace"),
    ];
    let mut server = Lectern::serve_with(db.url(), &settings);
    let token = make(&server, &viewer, job_id);
    let referer = format!("{}{}", server.base(), events(job_id, &token));
    let request = server.request("GET", &events(job_id, &token));
    request.header("Referer", &referer).send().expect(200);
    let mut stream = Stream::open_at(&server, &events(job_id, &token), None).unwrap();
    stream.next_with_id().expect("a snapshot");
    let mut socket = handshake(&server, &socket(job_id, &token), &[]).unwrap();
    socket.read().unwrap();
    // Refusals, and requests that have no route or no valid query.
    let other = events(UNKNOWN_ID.parse().unwrap(), &token);
    for (path, status) in [
        (other, 401),
        (format!("{}&after=x", events(job_id, &token)), 400),
        (format!("/nowhere?token={token}"), 404),
        (format!("{}?token={token}", job_path(job_id, "")), 401),
    ] {
        let response = server.get(&path).expect(status);
        assert!(!response.text().contains(&token[10..30]), "{response}");
    }
    drop((stream, socket));
    server.signal("TERM");
    assert!(server.wait().success());
    let log = server.log();
    assert!(log.contains(&job_path(job_id, "/events")), "{log}");
    assert!(!log.contains(&token[40..60]), "{log}");
}

fn a_server_that_asks_for_no_keys_ignores_tokens(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let server = TestServer::serve(db, ServerConfig::default());
    let path = job_path(job_id, "/watch-token");
    let made = server.post(&path, &json!({})).expect(200).json();
    for token in [made["token"].as_str().unwrap(), "of-a-gateway", ""] {
        server.get(&events(job_id, token)).expect(200);
        handshake(&server, &socket(job_id, token), &[]).unwrap();
    }
}
