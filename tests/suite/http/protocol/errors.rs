use std::collections::BTreeMap;

use lectern_server::routes::routes;
use lectern_tests::{Client, TestServer, a_completed_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::raw_http;
use crate::http::support::raw_http::{cut_short, exchange};
use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, job_path};

on_both_backends!(
    an_unknown_path_is_404_for_every_method,
    an_unsupported_method_is_405_with_allow,
    head_answers_like_get_without_a_body,
    a_malformed_id_in_the_path_is_404,
    a_valid_request_id_is_returned,
    an_invalid_request_id_is_replaced,
    a_body_over_one_mebibyte_is_rejected,
    stage_output_has_a_larger_body_limit,
    a_wrong_content_length_stores_nothing,
    a_body_of_another_media_type_is_rejected,
);

const MIB: usize = 1 << 20;

/// The header of a chunked body.
const CHUNKED: &str = "Transfer-Encoding: chunked";

/// All paths and their methods, for a job with rows in every table.
fn paths(server: &TestServer) -> BTreeMap<String, Vec<String>> {
    let job_id = a_completed_job(server.db()).job_id;
    let clips = server.db().read(|conn| conn.clips().for_job(job_id));
    let clip_id = clips.unwrap()[0].clip_id;
    let mut paths = BTreeMap::<_, Vec<_>>::new();
    for (method, path) in routes() {
        let path = path
            .replace("{job_id}", &job_id.to_string())
            .replace("{clip_id}", &clip_id.to_string())
            .replace("{file}", "swagger-ui.css");
        let methods = paths.entry(path).or_default();
        if method == "GET" {
            methods.push("HEAD".to_owned());
        }
        methods.push(method);
    }
    paths
}

/// A POST body of exactly `length` bytes.
fn padded(length: usize) -> String {
    let recording = a_recording().to_string();
    format!("{recording}{}", " ".repeat(length - recording.len()))
}

/// The raw bytes of a POST of a job.
fn a_post(headers: &[&str], body: &str) -> String {
    raw_http::request("POST", JOBS, headers, body)
}

fn length(length: usize) -> String {
    format!("Content-Length: {length}")
}

/// `body` as a single HTTP chunk.
fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

fn count(server: &TestServer) -> u64 {
    server.db().sql().count("jobs")
}

/// Sends a request with this request id; returns the one of the response.
fn echoed(client: &Client, method: &str, path: &str, request_id: &str) -> String {
    let answer = client
        .request(method, path)
        .header("X-Request-Id", request_id)
        .send();
    answer
        .header("X-Request-Id")
        .unwrap_or_else(|| panic!("none: {answer}"))
        .to_owned()
}

fn an_unknown_path_is_404_for_every_method(server: TestServer) {
    let job = job_path(a_completed_job(server.db()).job_id, "");
    let mut paths: Vec<String> = [
        "/",
        "//",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/jobs",
        "/jobs",
        "/api/v1/nothing",
        "/api/v1/JOBS",
        "/api/v1//jobs",
        "/api/v1/jobs/",
        "/api/v1/results",
        "/api/v1/results/",
        "/api/v1/stats/",
        "/healthz/",
        "/docs/",
        "/docs/../jobs",
        "/api/v1/%2e%2e/jobs",
        "/%00",
        "/%FF",
    ]
    .map(str::to_owned)
    .into();
    let below = [
        "/",
        "/nothing",
        "/clips/",
        "/clips/1",
        "/progress/",
        "//clips",
    ];
    paths.extend(below.map(|below| format!("{job}{below}")));
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            let answer = server.request(method, &path).send();
            assert_eq!(
                answer.problem(404, "not_found"),
                [Value::Null; 0],
                "{method} {path}"
            );
        }
    }
    server.get("/docs/nothing.js").problem(404, "not_found");
}

fn an_unsupported_method_is_405_with_allow(server: TestServer) {
    let every = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
    ];
    for (path, methods) in paths(&server) {
        for method in every
            .iter()
            .filter(|method| !methods.iter().any(|has| has == *method))
        {
            let answer = server.request(method, &path).send().expect(405);
            let mut allowed: Vec<_> = answer.header("Allow").unwrap().split(", ").collect();
            let mut methods = methods.clone();
            allowed.sort_unstable();
            methods.sort();
            assert_eq!(allowed, methods, "{method} {path}");
            if *method == "HEAD" {
                assert_eq!(answer.body, b"", "{path}");
            } else {
                answer.problem(405, "method_not_allowed");
            }
        }
    }
    assert_eq!(count(&server), 1);
}

fn head_answers_like_get_without_a_body(server: TestServer) {
    let mut paths = paths(&server);
    // Objects need signed URLs, and a WebSocket has no body.
    let is_plain = |path: &str| !path.contains("{key}") && !path.starts_with("/ws/");
    paths.retain(|path, methods| is_plain(path) && methods.iter().any(|method| method == "GET"));
    for path in paths.into_keys() {
        let (get, head) = (
            server.get(&path).expect(200),
            server.request("HEAD", &path).send().expect(200),
        );
        assert_eq!(head.body, b"", "{path}");
        for header in ["Content-Type", "ETag", "Content-Length", "Cache-Control"] {
            // The request itself changes the metrics.
            if header != "Content-Length" || path != "/metrics" {
                assert_eq!(
                    head.header(header),
                    get.header(header),
                    "{header} of {path}"
                );
            }
        }
    }
    for path in [format!("{JOBS}/{UNKNOWN_ID}"), "/nothing".to_owned()] {
        let head = server.request("HEAD", &path).send().expect(404);
        assert_eq!(
            (head.body.len(), head.header("Content-Type")),
            (0, Some("application/problem+json"))
        );
    }
}

fn a_malformed_id_in_the_path_is_404(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id.to_string();
    let (cut, long, endless) = (&job_id[1..], format!("{job_id}0"), "1".repeat(4_000));
    let ids = [
        "1",
        "x",
        "null",
        "-1",
        "%00",
        "%FF",
        "..",
        "%2e%2e",
        "%2F",
        "%20",
        "*",
        "'%20OR%201=1--",
        UNKNOWN_ID,
        cut,
        &long,
        &endless,
        &format!("{job_id}%00"),
        &format!("%20{job_id}"),
        &job_id.replace('-', "_"),
    ];
    for id in ids {
        for (method, path) in routes() {
            let (variable, code) = match path {
                path if path.contains("{job_id}") => ("{job_id}", "job_not_found"),
                path if path.contains("{clip_id}") => ("{clip_id}", "clip_not_found"),
                _ => continue,
            };
            // Without a handshake the WebSocket path is 404 for every job.
            if id == UNKNOWN_ID && path.starts_with("/ws/") {
                continue;
            }
            if ["GET", "DELETE"].contains(&method.as_str()) {
                let path = path.replace(variable, id);
                let answer = server.request(&method, &path).send();
                assert_eq!(
                    answer.problem(404, code),
                    [Value::Null; 0],
                    "{method} {path}"
                );
            }
        }
    }
    assert_eq!(count(&server), 1);
}

fn a_valid_request_id_is_returned(server: TestServer) {
    let job = job_path(a_completed_job(server.db()).job_id, "");
    for id in ["a", "Az-09_.z", &"x".repeat(128)] {
        for (method, path) in [
            ("GET", JOBS),
            ("PUT", JOBS),
            ("POST", JOBS),
            ("GET", "/nothing"),
            ("GET", "/healthz"),
            ("HEAD", &job),
            ("GET", &format!("{job}x")),
            ("GET", &format!("{JOBS}?limit=0")),
            ("OPTIONS", "/metrics"),
        ] {
            assert_eq!(echoed(&server, method, path, id), id, "{method} {path}");
        }
    }
    let unchanged = server
        .request("GET", &job)
        .header("If-None-Match", "*")
        .header("X-Request-Id", "r-1");
    assert_eq!(
        unchanged.send().expect(304).header("X-Request-Id"),
        Some("r-1")
    );
    assert_eq!(echoed(&server, "DELETE", &job, "r-2"), "r-2");
}

fn an_invalid_request_id_is_replaced(server: TestServer) {
    let mut ids: Vec<String> = [
        "",
        "a b",
        "a/b",
        "a\"b",
        "é",
        "a,b",
        "{{}}",
        &"x".repeat(129),
    ]
    .map(|id| {
        let given = echoed(&server, "GET", JOBS, id);
        assert_ne!(given, id);
        given
    })
    .into();
    ids.extend((0..2).map(|_| {
        server
            .get("/nothing")
            .header("X-Request-Id")
            .unwrap()
            .to_owned()
    }));
    let sane = |id: &String| {
        id.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    assert!(ids.iter().all(|id| !id.is_empty() && sane(id)), "{ids:?}");
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "two requests have the same id");
}

fn a_body_over_one_mebibyte_is_rejected(server: TestServer) {
    let requests = |size| {
        let body = padded(size);
        [
            a_post(&[&length(size)], &body),
            a_post(&[CHUNKED], &chunked(&body)),
        ]
    };
    for request in requests(MIB) {
        let answer = exchange(&server, request);
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    for request in requests(MIB + 1) {
        exchange(&server, request).problem(413, "body_too_large");
    }
    // The Content-Length alone is enough to reject it.
    for size in [MIB + 1, usize::MAX] {
        exchange(&server, a_post(&[&length(size)], "")).problem(413, "body_too_large");
    }
    assert_eq!(count(&server), 2);
}

fn stage_output_has_a_larger_body_limit(server: TestServer) {
    let path = job_path(a_completed_job(server.db()).job_id, "/transcripts");
    let body =
        json!({ "segments": [{ "start_time": 0, "end_time": 1, "text": "a".repeat(3 * MIB) }] });
    assert_eq!(
        server.put(&path, &body).expect(200).json()["total"],
        json!(1)
    );
    let too_large = 32 * MIB + 1;
    let announced = raw_http::request("PUT", &path, &[&length(too_large)], "");
    let in_chunks = raw_http::request("PUT", &path, &[CHUNKED], &chunked(&padded(too_large)));
    for request in [announced, in_chunks] {
        exchange(&server, request).problem(413, "body_too_large");
    }
    assert_eq!(server.get(&path).json()["total"], json!(1));
}

fn a_wrong_content_length_stores_nothing(server: TestServer) {
    let body = a_recording().to_string();
    // Too short: half a body is read, and the rest is not a request.
    exchange(&server, a_post(&[&length(9)], &body)).problem(400, "malformed_body");
    // Without a length there is no body, which is not JSON.
    exchange(&server, a_post(&[], &body)).problem(400, "malformed_body");
    // Too long, or an incomplete or missing chunk.
    for broken in [
        a_post(&[&length(4_096)], &body),
        a_post(
            &[CHUNKED],
            chunked(&body).strip_suffix("0\r\n\r\n").unwrap(),
        ),
        a_post(&[CHUNKED], &format!("xyz\r\n{body}\r\n0\r\n\r\n")),
        a_post(&[CHUNKED], &body),
    ] {
        cut_short(&server, broken).problem(400, "malformed_body");
    }
    // An impossible length is invalid HTTP.
    let (right, other) = (length(body.len()), length(body.len() - 1));
    for headers in [
        &["Content-Length: -1"][..],
        &["Content-Length: x"],
        &[&right, &other],
        &[&right, CHUNKED],
    ] {
        let answer = exchange(&server, a_post(headers, &body));
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    assert_eq!(count(&server), 0);
    server.post(JOBS, &a_recording()).expect(201);
}

fn a_body_of_another_media_type_is_rejected(server: TestServer) {
    let body = a_recording().to_string();
    let types = [
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/problem+json",
        "application",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "*/*",
        ";application/json",
    ];
    for kind in types {
        let answer = server.request("POST", JOBS).body(kind, body.clone()).send();
        assert_eq!(
            answer.problem(415, "unsupported_media_type"),
            [Value::Null; 0],
            "{kind}"
        );
    }
    // A compressed body is rejected, too.
    for coding in ["gzip", "br", "gzip, gzip", "unknown"] {
        let request = server
            .request("POST", JOBS)
            .header("Content-Encoding", coding);
        request
            .json(&a_recording())
            .send()
            .problem(415, "unsupported_media_type");
    }
    let undeclared =
        a_post(&[&length(body.len())], &body).replace("Content-Type: application/json\r\n", "");
    exchange(&server, undeclared).problem(415, "unsupported_media_type");
    assert_eq!(count(&server), 0);
    let plain = server
        .request("POST", JOBS)
        .header("Content-Encoding", "identity");
    plain.json(&a_recording()).send().expect(201);
}
