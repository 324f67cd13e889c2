//! Request bodies: size, length and media type.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use lectern_tests::{Response, TestServer, a_completed_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::raw_http::{self, exchange, exchange_incomplete};
use crate::http::support::{JOBS, a_recording, job_path};

on_both_backends!(
    a_body_over_one_mebibyte_is_rejected,
    stage_output_has_a_larger_body_limit,
    a_wrong_content_length_stores_nothing,
    a_body_of_another_media_type_is_rejected,
    a_gzip_body_is_inflated_within_the_limit,
    a_body_that_is_not_valid_gzip_is_rejected,
);

const MIB: usize = 1 << 20;

/// The header of a chunked body.
const CHUNKED: &str = "Transfer-Encoding: chunked";

/// The number of stored jobs.
fn count(server: &TestServer) -> u64 {
    server.db().sql().count("jobs")
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
    for incomplete in [
        a_post(&[&length(4_096)], &body),
        a_post(
            &[CHUNKED],
            chunked(&body).strip_suffix("0\r\n\r\n").unwrap(),
        ),
        a_post(&[CHUNKED], &format!("xyz\r\n{body}\r\n0\r\n\r\n")),
        a_post(&[CHUNKED], &body),
    ] {
        exchange_incomplete(&server, incomplete).problem(400, "malformed_body");
    }
    // An impossible length is invalid HTTP.
    let (correct, other) = (length(body.len()), length(body.len() - 1));
    for headers in [
        &["Content-Length: -1"][..],
        &["Content-Length: x"],
        &[&correct, &other],
        &[&correct, CHUNKED],
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
    // Codings other than gzip are rejected, too.
    for coding in ["br", "deflate", "gzip, gzip", "unknown"] {
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

/// `content` in gzip.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn send_gzip(server: &TestServer, path: &str, body: Vec<u8>) -> Response {
    let request = server
        .request("POST", path)
        .header("Content-Encoding", "gzip");
    request.body("application/json", body).send()
}

fn a_gzip_body_is_inflated_within_the_limit(server: TestServer) {
    for size in [200, MIB] {
        let body = gzip(padded(size).as_bytes());
        let created = send_gzip(&server, JOBS, body).expect(201).json();
        assert_eq!(created["filename"], "lecture.mp4");
    }
    // 32 KiB that would be 32 MiB, and the same in two members.
    let bomb = gzip(padded(32 * MIB).as_bytes());
    assert!(bomb.len() < MIB / 8);
    let halves = [
        gzip(padded(MIB / 2).as_bytes()),
        gzip(" ".repeat(MIB).as_bytes()),
    ];
    for too_large in [gzip(padded(MIB + 1).as_bytes()), bomb, halves.concat()] {
        send_gzip(&server, JOBS, too_large).problem(413, "body_too_large");
    }
    let job = a_completed_job(server.db());
    let path = job_path(job.job_id, "/transcripts");
    let segment = json!({ "start_time": 0, "end_time": 1, "text": "a".repeat(3 * MIB) });
    let large = gzip(json!({ "segments": [segment] }).to_string().as_bytes());
    send_gzip(&server, &path, large).expect(201);
    // A body that may be omitted.
    let path = "/api/v1/work/00000000-0000-7000-8000-000000000000/complete";
    send_gzip(&server, path, gzip(b"{}")).problem(409, "lease_lost");
    assert_eq!(count(&server), 3);
}

fn a_body_that_is_not_valid_gzip_is_rejected(server: TestServer) {
    let valid = gzip(a_recording().to_string().as_bytes());
    let mut damaged = valid.clone();
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let trailing = [&valid[..], b"more"].concat();
    for body in [
        a_recording().to_string().into_bytes(),
        valid[..valid.len() - 1].to_vec(),
        valid[..20].to_vec(),
        damaged,
        trailing,
        Vec::new(),
    ] {
        send_gzip(&server, JOBS, body).problem(400, "malformed_body");
    }
    assert_eq!(count(&server), 0);
}
