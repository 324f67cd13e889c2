//! Compression of responses.

use std::io::{Seek, Write};
use std::process::Command;

use lectern_domain::{JobId, JobStatus};
use lectern_tests::{Body, Response, TestServer, a_job, on_both_backends, segments};
use serde_json::json;

use super::results::results_of;
use crate::http::support::job_path;

on_both_backends!(
    results_are_compressed_on_request,
    results_are_not_compressed_without_a_request,
    small_responses_are_not_compressed,
);

/// Decompresses with the gzip program.
fn gunzip(packed: &[u8]) -> Vec<u8> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(packed).unwrap();
    file.rewind().unwrap();
    let output = Command::new("gzip")
        .arg("-dc")
        .stdin(file)
        .output()
        .expect("gzip");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn get_with(server: &TestServer, path: &str, accept_encoding: &str) -> Response {
    server
        .request("GET", path)
        .header("Accept-Encoding", accept_encoding)
        .send()
        .expect(200)
}

/// A completed job with a transcript of this number of segments.
fn job_with_transcript(server: &TestServer, count: usize) -> JobId {
    let job = a_job().status(JobStatus::Completed).create(server.db());
    let body = json!({ "segments": segments(count).body() });
    server
        .put(&job_path(job.job_id, "/transcripts"), &body)
        .expect(200);
    job.job_id
}

fn results_are_compressed_on_request(server: TestServer) {
    let path = results_of(job_with_transcript(&server, 2_500));
    let plain = server.get(&path).expect(200);
    assert_eq!(plain.header("Content-Encoding"), None);
    for accepted in ["gzip", "br;q=1.0, gzip;q=0.8", "*"] {
        let compressed = get_with(&server, &path, accepted);
        assert_eq!(
            compressed.header("Content-Encoding"),
            Some("gzip"),
            "{accepted}"
        );
        assert_eq!(compressed.header("Content-Type"), Some("application/json"));
        let vary = compressed.header("Vary").unwrap_or_default().to_lowercase();
        assert!(vary.contains("accept-encoding"), "{vary:?}");
        assert!(
            compressed.body.len() * 4 < plain.body.len(),
            "{} of {}",
            compressed.body.len(),
            plain.body.len()
        );
        assert_eq!(gunzip(&compressed.body), plain.body, "{accepted}");
    }
}

fn results_are_not_compressed_without_a_request(server: TestServer) {
    let path = results_of(job_with_transcript(&server, 100));
    let plain = server.get(&path).expect(200);
    for accepted in ["identity", "br", "deflate, zstd", "gzip;q=0", ""] {
        let answer = get_with(&server, &path, accepted);
        assert_eq!(answer.header("Content-Encoding"), None, "{accepted}");
        assert_eq!(answer.body, plain.body, "{accepted}");
    }
}

fn small_responses_are_not_compressed(server: TestServer) {
    let job_id = a_job()
        .status(JobStatus::Completed)
        .create(server.db())
        .job_id;
    for path in [
        results_of(job_id),
        job_path(job_id, ""),
        "/healthz".to_owned(),
    ] {
        assert_eq!(
            get_with(&server, &path, "gzip").header("Content-Encoding"),
            None,
            "{path}"
        );
    }
}
