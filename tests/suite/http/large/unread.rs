//! The memory of a server whose clients do not read, or send much at once.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use lectern_tests::{Lectern, TestDb, a_completed_job, on_both_backends};
use serde_json::json;

use super::{long_segments, store_segments};
use crate::http::support::{concurrently, job_path};

on_both_backends!(
    clients_that_do_not_read_hold_little_memory,
    large_bodies_at_once_need_bounded_memory,
);

/// What the server may need, in bytes, whatever 64 clients send or leave unread.
const MAX_MEMORY: u64 = 256 << 20;

fn clients_that_do_not_read_hold_little_memory(db: TestDb) {
    let job_id = a_completed_job(&db).job_id;
    // 26 MB as JSON: 32 clients would hold 830 MB.
    store_segments(&db, job_id, &long_segments(20_000, 1_000));
    let server = Lectern::serve(db.url());
    let address = server.base().strip_prefix("http://").unwrap().to_owned();
    let paths = [
        job_path(job_id, "/transcripts"),
        job_path(job_id, "/transcripts?format=vtt"),
        format!("/api/v1/results/{job_id}"),
    ];
    let get = |path: &str| {
        let mut socket = TcpStream::connect(&address).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut start = [0; 12];
        socket.read_exact(&mut start).unwrap();
        (socket, start)
    };
    let unread: Vec<_> = concurrently(32, |i| {
        let path = &paths[i % paths.len()];
        // The database may refuse some of this many at once; later there are fewer.
        loop {
            match get(path) {
                (socket, status) if &status == b"HTTP/1.1 200" => break socket,
                (_, status) => assert_eq!(&status, b"HTTP/1.1 503"),
            }
        }
    });
    server.get("/readyz").expect(200);
    let memory = server.peak_memory();
    assert!(memory < MAX_MEMORY, "{memory}");
    drop(unread);
}

fn large_bodies_at_once_need_bounded_memory(db: TestDb) {
    let job_ids: Vec<_> = (0..16).map(|_| a_completed_job(&db).job_id).collect();
    let server = Lectern::serve(db.url());
    let broken = json!({ "start_time": -1, "end_time": 1, "text": "x" });
    let body = json!({ "segments": vec![broken; 100_000] });
    concurrently(16, |i| {
        let answer = server.put(&job_path(job_ids[i], "/transcripts"), &body);
        match answer.status {
            503 => answer.problem(503, "overloaded"),
            _ => answer.problem(422, "validation_failed"),
        };
    });
    let memory = server.peak_memory();
    assert!(memory < MAX_MEMORY, "{memory}");
}
