//! Bodies with more rows, bytes or values than the server takes at once.

use std::io::Write as _;
use std::net::TcpStream;

use lectern_server::{BodyLimits, ServerConfig};
use lectern_tests::{Client, TestDb, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::{JOBS, a_recording, dump, job_path, raw_http};

on_both_backends!(
    log_entries_over_the_limit_are_refused,
    rows_over_the_limit_are_refused,
    segments_are_appended_up_to_the_limit,
    a_large_body_waits_for_memory_and_small_ones_do_not,
    a_body_that_gets_no_memory_is_503,
    values_that_need_too_much_memory_are_413,
);

fn serve(db: TestDb, limits: BodyLimits) -> TestServer {
    let config = ServerConfig {
        limits,
        ..ServerConfig::default()
    };
    TestServer::serve(db, config)
}

fn with_rows(db: TestDb, rows: usize) -> TestServer {
    let limits = BodyLimits {
        rows,
        ..BodyLimits::default()
    };
    serve(db, limits)
}

fn with_memory(db: TestDb, memory: usize) -> TestServer {
    let limits = BodyLimits {
        memory,
        ..BodyLimits::default()
    };
    serve(db, limits)
}

fn a_set(list: &str, count: usize) -> Value {
    let items = (0..count).map(|i| match list {
        "regions" => json!({ "start_time": i, "end_time": i, "silence_type": "both" }),
        "clips" => json!({ "start_time": i, "end_time": i, "title": "t" }),
        "topics" => {
            json!({ "start_time": i, "end_time": i, "topic": "t", "importance_score": 0.5 })
        }
        _ => json!({ "start_time": i, "end_time": i, "text": "t" }),
    });
    let list = if list == "topics" { "segments" } else { list };
    json!({ list: items.collect::<Vec<_>>() })
}

fn log_entries_over_the_limit_are_refused(db: TestDb) {
    let server = with_rows(db, 3);
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/logs");
    let entry = json!({ "stage": "transcription", "status": "started" });
    let stored = server.db().sql().count("processing_logs");
    assert!(stored < 3);
    for _ in stored..3 {
        server.post(&path, &entry).expect(201);
    }
    server
        .post(&path, &entry)
        .problem_with(422, "validation_failed", "job_id");
    assert_eq!(server.db().sql().count("processing_logs"), 3);
}

fn rows_over_the_limit_are_refused(db: TestDb) {
    let server = with_rows(db, 3);
    let job_id = a_job().create(server.db()).job_id;
    for (path, list, field) in [
        ("/transcripts", "segments", "segments"),
        ("/silence-regions", "regions", "regions"),
        ("/content-segments", "topics", "segments"),
        ("/clips", "clips", "clips"),
    ] {
        let path = job_path(job_id, path);
        server.put(&path, &a_set(list, 3)).expect(200);
        let before = dump(server.db());
        let answer = server.put(&path, &a_set(list, 4));
        answer.problem_with(422, "validation_failed", field);
        assert_eq!(
            answer.json()["errors"][0]["message"],
            "must have at most 3 items, not 4"
        );
        assert_eq!(dump(server.db()), before);
    }
    let cues = [0, 1, 2, 3].map(|i| format!("\n00:0{i}.000 --> 00:0{i}.500\nt\n"));
    let cues = cues.concat();
    let path = job_path(job_id, "/transcripts");
    let file = server
        .request("PUT", &path)
        .body("text/vtt", format!("WEBVTT\n{cues}"));
    file.send()
        .problem_with(422, "validation_failed", "segments");
}

fn segments_are_appended_up_to_the_limit(db: TestDb) {
    let server = with_rows(db, 3);
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/transcripts");
    for _ in 0..3 {
        server.post(&path, &a_set("segments", 1)).expect(201);
    }
    server
        .post(&path, &a_set("segments", 1))
        .problem_with(422, "validation_failed", "segments");
    assert_eq!(server.get(&path).json()["total"], json!(3));
}

const MIB: usize = 1 << 20;

/// The head of a request with a large body, without the body.
fn announce(client: &Client) -> TcpStream {
    let address = client.base().strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    let length = format!("Content-Length: {MIB}");
    let head = raw_http::request("POST", JOBS, &[&length, "Expect: 100-continue"], "");
    socket.write_all(head.as_bytes()).unwrap();
    // The server asks for the body when it has the memory; then it waits.
    let mut continued = [0; 12];
    std::io::Read::read_exact(&mut socket, &mut continued).unwrap();
    assert_eq!(&continued, b"HTTP/1.1 100");
    socket
}

/// A recording with this much text.
fn large(bytes: usize) -> Value {
    let mut recording = a_recording();
    recording["extra_metadata"] = json!({ "text": "x".repeat(bytes) });
    recording
}

fn a_large_body_waits_for_memory_and_small_ones_do_not(db: TestDb) {
    let server = with_memory(db, MIB);
    let holder = announce(&server);
    server.post(JOBS, &a_recording()).expect(201);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.post(JOBS, &large(200 << 10)));
        server.post(JOBS, &a_recording()).expect(201);
        drop(holder);
        waiting.join().unwrap().expect(201);
    });
    assert_eq!(server.db().sql().count("jobs"), 3);
}

fn a_body_that_gets_no_memory_is_503(db: TestDb) {
    let server = with_memory(db, MIB);
    let holder = announce(&server);
    // The server may need a moment to read the head of the first request, so the first
    // refusal counts.
    let refused = (0..3)
        .map(|_| server.post(JOBS, &large(200 << 10)))
        .find(|answer| answer.status != 201)
        .expect("a refusal");
    refused.problem(503, "overloaded");
    drop(holder);
    server.post(JOBS, &large(200 << 10)).expect(201);
}

fn values_that_need_too_much_memory_are_413(db: TestDb) {
    let server = with_memory(db, 16 * MIB);
    let before = dump(server.db());
    let mut recording = a_recording();
    recording["extra_metadata"] = json!({ "list": vec![json!({ "a": 0 }); 100_000] });
    server.post(JOBS, &recording).problem(413, "body_too_large");
    assert_eq!(dump(server.db()), before);
}
