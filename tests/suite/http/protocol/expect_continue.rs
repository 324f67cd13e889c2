//! `Expect: 100-continue`: a body is invited only if the request is not refused by its head.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lectern_domain::Stage;
use lectern_tests::{TestServer, a_completed_job, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::raw_http::exchange;
use crate::http::support::recordings::announce;
use crate::http::support::worker::request_claim;
use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, job_path};

on_both_backends!(
    a_request_that_its_head_refuses_is_answered_before_its_body,
    a_body_is_invited_once_and_stored_once,
    a_request_that_needs_no_body_is_executed_once,
    the_body_of_a_request_under_a_lease_is_invited,
    an_upload_that_its_head_refuses_is_not_invited,
    a_connection_ends_after_a_refused_body_of_unknown_length,
);

const EXPECT: &str = "Expect: 100-continue";

/// The head of a request that waits for `100 Continue`.
fn head(method: &str, path: &str, headers: &[&str]) -> String {
    let start = format!("{method} {path} HTTP/1.1");
    let lines = [
        &[start.as_str(), "Host: localhost", EXPECT],
        headers,
        &["", ""],
    ]
    .concat();
    lines.join("\r\n")
}

/// A connection on which responses are read one by one.
struct Socket(TcpStream);

impl Socket {
    fn connect(server: &TestServer) -> Self {
        let address = server.base().strip_prefix("http://").unwrap();
        let socket = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(30));
        socket.set_read_timeout(patience).unwrap();
        Self(socket)
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// Reads the head of a response, to the empty line.
    fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap().to_lowercase()
    }

    /// Reads a response with a JSON body: its status and body.
    fn response(&mut self) -> (u16, Value) {
        let head = self.head();
        let length = head.split("content-length: ").nth(1).expect(&head);
        let length = length.lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

fn a_request_that_its_head_refuses_is_answered_before_its_body(server: TestServer) {
    let json = "Content-Type: application/json";
    let clip = format!("/api/v1/clips/{UNKNOWN_ID}");
    let segment = format!("/api/v1/transcripts/{UNKNOWN_ID}");
    let topic = format!("/api/v1/content-segments/{UNKNOWN_ID}");
    let transcripts = format!("{JOBS}/{UNKNOWN_ID}/transcripts");
    let [heartbeat, complete, release, fail] = ["heartbeat", "complete", "release", "fail"]
        .map(|action| format!("/api/v1/work/{UNKNOWN_ID}/{action}"));
    let no_lease = "/api/v1/work/seven/fail".to_owned();
    let malformed = format!("{JOBS}/seven/clips");
    let (small, large) = ("Content-Length: 900", "Content-Length: 2000000");
    let chunked = "Transfer-Encoding: chunked";
    for (method, path, headers, status, code) in [
        ("POST", JOBS, [json, large], 413, "body_too_large"),
        (
            "POST",
            JOBS,
            ["Content-Type: text/plain", small],
            415,
            "unsupported_media_type",
        ),
        (
            "POST",
            JOBS,
            ["Content-Type: text/plain", chunked],
            415,
            "unsupported_media_type",
        ),
        ("POST", "/api/v1/nothing", [json, small], 404, "not_found"),
        ("PUT", "/healthz", [json, small], 405, "method_not_allowed"),
        (
            "PUT",
            transcripts.as_str(),
            [json, small],
            404,
            "job_not_found",
        ),
        (
            "PUT",
            transcripts.as_str(),
            [json, chunked],
            404,
            "job_not_found",
        ),
        (
            "PUT",
            malformed.as_str(),
            [json, small],
            404,
            "job_not_found",
        ),
        ("PATCH", clip.as_str(), [json, small], 404, "clip_not_found"),
        (
            "PATCH",
            segment.as_str(),
            [json, small],
            404,
            "segment_not_found",
        ),
        (
            "PATCH",
            topic.as_str(),
            [json, small],
            404,
            "segment_not_found",
        ),
        ("POST", heartbeat.as_str(), [json, small], 409, "lease_lost"),
        ("POST", complete.as_str(), [json, small], 409, "lease_lost"),
        ("POST", release.as_str(), [json, small], 409, "lease_lost"),
        ("POST", fail.as_str(), [json, small], 409, "lease_lost"),
        ("POST", no_lease.as_str(), [json, small], 409, "lease_lost"),
    ] {
        // The body is never sent, so a response shows that the server did not wait for it.
        let request = head(
            method,
            path,
            &[&headers[..], &["Connection: close"]].concat(),
        );
        exchange(&server, request).problem(status, code);
    }
    assert_eq!(server.db().sql().count("jobs"), 0);
}

fn a_body_is_invited_once_and_stored_once(server: TestServer) {
    let body = a_recording().to_string();
    let json = "Content-Type: application/json";
    let length = format!("Content-Length: {}", body.len());
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let mut socket = Socket::connect(&server);
    for (framing, body) in [
        (length.as_str(), &body),
        ("Transfer-Encoding: chunked", &chunks),
    ] {
        socket.send(&head("POST", JOBS, &[json, framing]));
        assert_eq!(socket.head(), "http/1.1 100 continue\r\n\r\n");
        socket.send(body);
        let (status, created) = socket.response();
        assert_eq!(status, 201, "{created}");
        assert_eq!(created["filename"], a_recording()["filename"]);
    }
    // A client may also send the body without waiting.
    socket.send(&[&head("POST", JOBS, &[json, &length]), body.as_str()].concat());
    assert_eq!(socket.head(), "http/1.1 100 continue\r\n\r\n");
    assert_eq!(socket.response().0, 201);
    assert_eq!(server.db().sql().count("jobs"), 3);

    // What only the body shows is refused after it.
    socket.send(&head("POST", JOBS, &[json, "Content-Length: 2"]));
    assert_eq!(socket.head(), "http/1.1 100 continue\r\n\r\n");
    socket.send("{}");
    let (status, problem) = socket.response();
    assert_eq!(
        (status, &problem["code"]),
        (422, &json!("validation_failed"))
    );
    assert_eq!(server.db().sql().count("jobs"), 3);
}

fn a_request_that_needs_no_body_is_executed_once(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    let rerun = job_path(job_id, "/rerun");
    let body = json!({ "from_stage": "compilation" }).to_string();
    let length = format!("Content-Length: {}", body.len());
    let mut socket = Socket::connect(&server);
    socket.send(&head(
        "POST",
        &rerun,
        &["Content-Type: application/json", &length],
    ));
    assert_eq!(socket.head(), "http/1.1 100 continue\r\n\r\n");
    socket.send(&body);
    assert_eq!(socket.response().0, 200);

    let cancel = head("POST", &job_path(job_id, "/cancel"), &["Content-Length: 0"]);
    socket.send(&cancel);
    let mut first = socket.head();
    if first.starts_with("http/1.1 100") {
        first = socket.head();
    }
    assert!(first.starts_with("http/1.1 200"), "{first}");
    assert_eq!(
        server.get(&job_path(job_id, "")).json()["status"],
        "cancelled"
    );
}

fn the_body_of_a_request_under_a_lease_is_invited(server: TestServer) {
    a_job().create(server.db());
    let claims = request_claim(&server, Stage::WORK, json!({ "max": 1 })).json();
    let lease = claims["claims"][0]["lease_id"].as_str().unwrap();
    let json = "Content-Type: application/json";
    let mut socket = Socket::connect(&server);
    let mut send = |action: &str, key: Option<&str>, body: &str| {
        let length = format!("Content-Length: {}", body.len());
        let key = key.map(|key| format!("Idempotency-Key: {key}"));
        let mut headers = vec![json, length.as_str()];
        headers.extend(key.as_deref());
        let path = format!("/api/v1/work/{lease}/{action}");
        socket.send(&head("POST", &path, &headers));
        assert_eq!(socket.head(), "http/1.1 100 continue\r\n\r\n");
        socket.send(body);
        socket.response()
    };
    assert_eq!(send("heartbeat", None, r#"{"percent":1}"#).0, 200);
    let released = send("release", Some("once"), "{}");
    assert_eq!(released.0, 200, "{released:?}");
    // The lease has ended, but the key has a response.
    assert_eq!(send("release", Some("once"), "{}"), released);
    assert_eq!(send("release", Some("twice"), "{}").0, 409);
}

fn an_upload_that_its_head_refuses_is_not_invited(server: TestServer) {
    let path = announce(&server, 3).path;
    let request = |length: usize| {
        let length = format!("Content-Length: {length}");
        head(
            "PUT",
            &path,
            &["Content-Type: video/mp4", &length, "Connection: close"],
        )
    };
    let refused = exchange(&server, request(4));
    assert!((400..500).contains(&refused.status), "{refused:?}");

    let mut socket = Socket::connect(&server);
    socket.send(&request(3));
    assert_eq!(socket.head(), "http/1.1 100 continue\r\n\r\n");
    socket.send("abc");
    assert!(socket.head().starts_with("http/1.1 20"));
}

fn a_connection_ends_after_a_refused_body_of_unknown_length(server: TestServer) {
    let path = format!("/api/v1/jobs/{UNKNOWN_ID}/transcripts");
    let json = "Content-Type: application/json";
    let mut socket = Socket::connect(&server);
    socket.send(&head("PUT", &path, &[json, "Transfer-Encoding: chunked"]));
    // Reads to the end of the connection, and fails if there is none within 30 s.
    let mut answer = String::new();
    socket.0.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    assert!(answer.ends_with('}'), "{answer}");
}
