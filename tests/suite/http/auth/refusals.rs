//! How a request without an accepted key is refused.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use chrono::TimeDelta;
use lectern_domain::{NewApiKey, Role};
use lectern_server::ServerConfig;
use lectern_tests::{Client, Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::Value;

use crate::http::support::api_key::{Key, serve_with_keys, with_keys};
use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, job_path};

on_both_backends!(
    a_refusal_says_how_to_authenticate_and_what_is_missing,
    malformed_unknown_and_expired_keys_are_told_apart,
    a_refusal_does_not_depend_on_what_exists,
    a_refusal_comes_before_the_body_is_invited,
    a_preflight_needs_no_key_and_pages_can_read_refusals,
    a_server_that_asks_for_no_keys_does_not_look_at_them,
    nothing_of_a_refused_request_is_stored,
    a_key_that_cannot_be_looked_up_is_not_accepted,
);

fn send(client: &Client, header: (&str, &str)) -> Response {
    client
        .request("GET", JOBS)
        .header(header.0, header.1)
        .send()
}

fn detail(response: &Response) -> String {
    response.json()["detail"].as_str().unwrap().to_owned()
}

fn a_refusal_says_how_to_authenticate_and_what_is_missing(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let server = serve_with_keys(db);
    let response = server.get(JOBS);
    response.problem(401, "authentication_required");
    let challenge = response.header("WWW-Authenticate");
    assert_eq!(challenge, Some("Bearer realm=\"lectern\""));
    assert!(detail(&response).contains("X-API-Key"), "{response}");

    let response = viewer
        .request(&server, "POST", JOBS)
        .json(&a_recording())
        .send();
    response.problem(403, "scope_missing");
    let challenge = response.header("WWW-Authenticate").unwrap();
    assert_eq!(
        challenge,
        "Bearer realm=\"lectern\", error=\"insufficient_scope\", scope=\"jobs:write\""
    );
    assert!(detail(&response).contains("jobs:write"), "{response}");

    // Both headers are read.
    send(&server, ("X-API-Key", &viewer.text)).expect(200);
    send(&server, ("Authorization", &viewer.bearer())).expect(200);
    // Another scheme is none of ours.
    let response = send(&server, ("Authorization", "Basic YTpi"));
    response.problem(401, "authentication_required");
}

fn malformed_unknown_and_expired_keys_are_told_apart(db: TestDb) {
    let key = Key::create(&db, Role::Client);
    let expiring = Key::create_as(
        &db,
        &NewApiKey {
            expires_at: Some(db.now() + TimeDelta::hours(1)),
            ..NewApiKey::new(Role::Client)
        },
    );
    let revoked = Key::create(&db, Role::Client);
    revoked.revoke(&db);
    let foreign = Key::create(&db, Role::Client).rotate(&db);
    db.sql()
        .execute(&format!(
            "DELETE FROM api_keys WHERE key_id = '{}'",
            foreign.id
        ))
        .unwrap();
    let server = serve_with_keys(db);
    send(&server, ("X-API-Key", &expiring.text)).expect(200);
    server.db().clock().advance(TimeDelta::hours(1));

    let mut typed = key.text.clone().into_bytes();
    typed[50] = if typed[50] == b'a' { b'b' } else { b'a' };
    let typed = String::from_utf8(typed).unwrap();
    let other_secret = lectern_server::generate_key(key.id).unwrap().0.reveal();
    let log = server.db().record_statements();
    for malformed in [typed.as_str(), "secret", &key.text[..70], ""] {
        let response = send(&server, ("X-API-Key", malformed));
        response.problem(401, "invalid_key");
        assert!(detail(&response).contains("malformed"), "{response}");
    }
    assert_eq!(
        log.count("secret_hash"),
        0,
        "a malformed key needs no query"
    );
    for (text, expected) in [
        (&foreign.text, "unknown"),
        (&other_secret, "unknown"),
        (&expiring.text, "expired"),
        (&revoked.text, "revoked"),
    ] {
        let response = send(&server, ("X-API-Key", text));
        response.problem(401, "invalid_key");
        assert!(detail(&response).contains(expected), "{response}");
        let challenge = response.header("WWW-Authenticate").unwrap();
        assert!(
            challenge.ends_with("error=\"invalid_token\""),
            "{challenge}"
        );
    }
    send(&server, ("X-API-Key", &key.text)).expect(200);
}

/// The body without the id of the request.
fn body(response: &Response) -> Value {
    let mut body = response.json();
    body["request_id"].take();
    body
}

fn a_refusal_does_not_depend_on_what_exists(db: TestDb) {
    let metrics = Key::create(&db, Role::Metrics);
    let job = a_job().create(&db).job_id.to_string();
    let server = serve_with_keys(db);
    for method in ["GET", "PATCH", "DELETE"] {
        let paths = [job.as_str(), UNKNOWN_ID, "no-id", "%00"].map(|id| format!("{JOBS}/{id}"));
        let without_key = paths
            .each_ref()
            .map(|path| body(&server.request(method, path).send()));
        let with_other_key = paths
            .each_ref()
            .map(|path| body(&metrics.request(&server, method, path).send()));
        for bodies in [without_key, with_other_key] {
            assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
            assert!(!bodies[0].to_string().contains(&job));
        }
    }
}

fn a_refusal_comes_before_the_body_is_invited(db: TestDb) {
    let metrics = Key::create(&db, Role::Metrics);
    let job = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    let authorization = format!("Authorization: {}\r\n", metrics.bearer());
    for (credentials, status) in [("", "401"), (authorization.as_str(), "403")] {
        for path in [JOBS.to_owned(), job_path(job, "/transcripts")] {
            let address = server.base().strip_prefix("http://").unwrap();
            let mut socket = TcpStream::connect(address).unwrap();
            socket
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                 Content-Length: 900000\r\nExpect: 100-continue\r\n{credentials}\r\n"
            );
            socket.write_all(head.as_bytes()).unwrap();
            let mut start = [0; 12];
            socket.read_exact(&mut start).unwrap();
            let start = String::from_utf8_lossy(&start).into_owned();
            assert_eq!(start, format!("HTTP/1.1 {status}"), "{path}");
        }
    }
}

fn a_preflight_needs_no_key_and_pages_can_read_refusals(db: TestDb) {
    let origin = "https://page.example";
    let server = TestServer::serve(
        db,
        ServerConfig {
            cors_origins: vec![origin.to_owned()],
            ..with_keys()
        },
    );
    for header in ["authorization", "x-api-key"] {
        let response = server
            .request("OPTIONS", JOBS)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", header)
            .send()
            .expect(200);
        let allowed = response.header("Access-Control-Allow-Headers").unwrap();
        assert!(allowed.to_lowercase().contains(header), "{allowed}");
    }
    let response = server.request("GET", JOBS).header("Origin", origin).send();
    response.problem(401, "authentication_required");
    assert_eq!(response.header("Access-Control-Allow-Origin"), Some(origin));
}

fn a_server_that_asks_for_no_keys_does_not_look_at_them(server: TestServer) {
    let metrics = Key::create(server.db(), Role::Metrics);
    metrics.request(&server, "GET", JOBS).send().expect(200);
    send(&server, ("X-API-Key", "malformed")).expect(200);
}

fn nothing_of_a_refused_request_is_stored(db: TestDb) {
    let viewer = Key::create(&db, Role::Viewer);
    let server = serve_with_keys(db);
    server.post(JOBS, &a_recording()).expect(401);
    viewer
        .request(&server, "POST", JOBS)
        .json(&a_recording())
        .send()
        .expect(403);
    assert_eq!(server.db().sql().count("jobs"), 0);
}

fn a_key_that_cannot_be_looked_up_is_not_accepted(db: TestDb) {
    let key = Key::create(&db, Role::Admin);
    let server = serve_with_keys(db);
    let rename = |from: &str, to: &str| {
        let statement = format!("ALTER TABLE {from} RENAME TO {to}");
        server.db().sql().batch(&statement).unwrap();
    };
    rename("api_keys", "hidden_keys");
    let response = key.request(&server, "GET", JOBS).send();
    response.problem(500, "internal");
    // Who has no key is refused all the same.
    server.get(JOBS).problem(401, "authentication_required");
    server.get("/healthz").expect(200);
    rename("hidden_keys", "api_keys");
    key.request(&server, "GET", JOBS).send().expect(200);
}
