//! Limits of client connections and open files.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use lectern_server::open_files::Reserve;
use lectern_server::{ConnectionLimits, ServerConfig};
use lectern_tests::{Client, Lectern, TestDb, TestServer, a_job, on_both_backends};

use crate::http::support::recordings::{path_of, recording, results, upload};
use crate::http::support::{JOBS, a_recording, job_path, wait_until};

on_both_backends!(
    idle_connections_keep_nobody_out,
    a_connection_is_refused_while_all_others_are_in_use,
    a_client_that_sends_no_head_is_disconnected,
    a_client_that_sends_half_of_its_next_head_is_disconnected,
    a_request_may_take_longer_than_its_head,
    a_server_out_of_files_responds_with_503,
);

const HEAD: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn connect(client: &Client) -> TcpStream {
    let address = client.base().strip_prefix("http://").unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    socket
}

/// The same client with connections of its own.
fn another(client: &Client) -> Client {
    Client::new(client.base())
}

fn idle_connections_keep_nobody_out(db: TestDb) {
    Reserve::new(0, 0).raise_limit_for(5_000);
    let lectern = Lectern::serve_with_open_files(db.url(), 300);
    let bytes = recording(100_000);
    let uploaded = upload(&lectern, &bytes);
    let results = results(&lectern, uploaded.job_id);
    let url = path_of(&lectern, &results["metadata"]["original_video"]["url"]);
    let mut idle = Vec::new();
    for _ in 0..5 {
        for _ in 0..100 {
            idle.push(connect(&lectern));
            let mut used = connect(&lectern);
            used.write_all(HEAD).unwrap();
            idle.push(used);
        }
        let newcomer = another(&lectern);
        assert_eq!(newcomer.get(url).expect(200).body, bytes);
        newcomer.post(JOBS, &a_recording()).expect(201);
    }
    assert_eq!(another(&lectern).get(url).expect(200).body, bytes);
}

/// A server with these limits.
fn limited(db: TestDb, connections: ConnectionLimits) -> TestServer {
    let config = ServerConfig {
        connections,
        database_timeout: Duration::from_mins(1),
        ..ServerConfig::default()
    };
    TestServer::serve(db, config)
}

fn a_connection_is_refused_while_all_others_are_in_use(db: TestDb) {
    let limits = ConnectionLimits {
        max: Some(2),
        ..ConnectionLimits::default()
    };
    let server = limited(db, limits);
    let job = a_job().create(server.db());
    let begin = || {
        let mut socket = connect(&server);
        let path = job_path(job.job_id, "/progress");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        // The body is asked for, so the request is in flight.
        let mut line = [0; 25];
        socket.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
        socket
    };
    let (one, _two) = (begin(), begin());
    let refused = another(&server).get("/healthz");
    refused.problem(503, "overloaded");
    assert_eq!(refused.header("Connection"), Some("close"));
    drop(one);
    wait_until(|| another(&server).get("/healthz").status == 200);
}

/// Reads until the server closes the connection.
fn read_to_end(mut socket: TcpStream) -> String {
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

/// Limits of a fraction of a second.
fn short() -> ConnectionLimits {
    ConnectionLimits {
        head_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_millis(200),
        ..ConnectionLimits::default()
    }
}

fn a_client_that_sends_no_head_is_disconnected(db: TestDb) {
    let server = limited(db, short());
    assert_eq!(read_to_end(connect(&server)), "");
    let mut half = connect(&server);
    half.write_all(&HEAD[..20]).unwrap();
    assert_eq!(read_to_end(half), "");
}

fn a_client_that_sends_half_of_its_next_head_is_disconnected(db: TestDb) {
    let server = limited(db, short());
    let mut socket = connect(&server);
    socket.write_all(&[HEAD, &HEAD[..20]].concat()).unwrap();
    let answers = read_to_end(socket);
    assert!(answers.starts_with("HTTP/1.1 200 OK\r\n"), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1").count(), 1, "{answers}");
}

fn a_request_may_take_longer_than_its_head(db: TestDb) {
    let server = limited(db, short());
    let job = a_job().create(server.db());
    let path = job_path(job.job_id, &format!("/events?after={}", job.last_seq));
    let waited = server.request("GET", &path).header("Prefer", "wait=1");
    assert_eq!(
        waited.send().expect(200).json()["events"],
        serde_json::json!([])
    );
}

/// Allows the process to open no further file, or lifts that limit.
fn limit_open_files(lectern: &Lectern, is_limited: bool) {
    let open: Vec<u32> = fs::read_dir(format!("/proc/{}/fd", lectern.id()))
        .unwrap()
        .map(|file| file.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect();
    let first_free = (0..=u32::MAX)
        .find(|number| !open.contains(number))
        .unwrap();
    let limit = if is_limited { first_free } else { 1_000 };
    let set = Command::new("prlimit")
        .arg(format!("--pid={}", lectern.id()))
        .arg(format!("--nofile={limit}:"))
        .status();
    assert!(set.unwrap().success());
}

fn a_server_out_of_files_responds_with_503(db: TestDb) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let lectern = Lectern::serve(db.url());
    let bytes = recording(1_000);
    let uploaded = upload(&lectern, &bytes);
    let results = results(&lectern, uploaded.job_id);
    let url = path_of(&lectern, &results["metadata"]["original_video"]["url"]);
    lectern.get(url).expect(200);
    limit_open_files(&lectern, true);
    // On the same connection; a new one could not be accepted.
    lectern.get(url).problem(503, "overloaded");
    lectern.get("/healthz").expect(200);
    limit_open_files(&lectern, false);
    assert_eq!(lectern.get(url).expect(200).body, bytes);
}
