//! Bounds of uploads: one at a time for each recording, a least rate, and a part of
//! the disk that stays free.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use lectern_server::{ServerConfig, UploadLimits};
use lectern_storage::{Secret, Storage, StorageConfig};
use lectern_tests::{Backend, Client, Fixture as _, Lectern, TestDb, TestServer, on_both_backends};

use crate::http::support::raw_http::exchange;
use crate::http::support::recordings::{
    Announced, PartialTransfer, StoredRecording, UPLOAD, a_lecture, announce, confirm, files,
    recording, send, upload, wait_for_part, wait_until_empty,
};
use crate::http::support::{concurrently, in_flight, job_path, wait_until};

on_both_backends!(
    a_recording_is_uploaded_by_one_request_at_a_time,
    servers_on_one_disk_permit_one_upload_of_a_recording,
    a_recording_confirmed_on_one_server_is_not_replaced_on_another,
    an_upload_after_a_killed_server_replaces_what_it_left,
    an_upload_that_trickles_is_ended,
    an_upload_that_pauses_within_the_least_rate_is_stored,
    no_upload_begins_below_the_disk_reserve,
    an_interrupted_upload_is_sent_again_from_the_start,
    a_download_that_is_not_read_is_ended,
);

fn serve_with(db: TestDb, uploads: UploadLimits) -> TestServer {
    let config = ServerConfig {
        uploads,
        database_timeout: Duration::from_mins(1),
        ..ServerConfig::default()
    };
    TestServer::serve(db, config)
}

/// An upload of which all bytes but the last are sent, and some are on disk.
fn almost_complete(server: &Client, announced: &Announced, bytes: &[u8]) -> PartialTransfer {
    let first = &bytes[..bytes.len() - 1];
    PartialTransfer::upload(server, &announced.path, bytes.len(), first)
}

/// Two servers with the same database and storage, and the directory of the storage.
fn two_servers(db: &TestDb) -> ([Lectern; 2], tempfile::TempDir) {
    let objects = tempfile::tempdir().unwrap();
    let storage = format!("file://{}", objects.path().display());
    let secret = "the same secret for both servers, and long enough";
    let settings = [("LECTERN_STORAGE", &*storage), ("LECTERN_SECRET", secret)];
    let serve = |()| Lectern::serve_with(db.url(), &settings);
    ([(), ()].map(serve), objects)
}

fn a_recording_is_uploaded_by_one_request_at_a_time(server: TestServer) {
    let bytes = recording(3 << 20);
    let [one, other] = [(); 2].map(|()| announce(&server, bytes.len()));
    let first = almost_complete(&server, &one, &bytes);
    wait_for_part(server.objects());
    send(&server, &one.path, &bytes).problem(423, "upload_in_progress");
    // Other recordings are not affected.
    send(&server, &other.path, &bytes).expect(200);
    let answer = first.finish(&bytes[bytes.len() - 1..]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let second = almost_complete(&server, &one, &bytes);
    wait_for_part(server.objects());
    drop(second);
    wait_until(|| send(&server, &one.path, &bytes).status == 200);
    confirm(&server, one.job_id).expect(200);
    send(&server, &one.path, &bytes).problem(409, "illegal_transition");
    let mut keys = [one.key, other.key];
    keys.sort();
    assert_eq!(files(server.objects()), keys);
}

fn servers_on_one_disk_permit_one_upload_of_a_recording(db: TestDb) {
    let ([one, other], objects) = two_servers(&db);
    let bytes = recording(3 << 20);
    let announced = announce(&one, bytes.len());
    let first = almost_complete(&one, &announced, &bytes);
    wait_for_part(objects.path());
    send(&other, &announced.path, &bytes).problem(423, "upload_in_progress");
    let answer = first.finish(&bytes[bytes.len() - 1..]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    send(&other, &announced.path, &bytes).expect(200);
    confirm(&one, announced.job_id).expect(200);
}

fn a_recording_confirmed_on_one_server_is_not_replaced_on_another(db: TestDb) {
    let (servers, objects) = two_servers(&db);
    for _ in 0..30 {
        let announced = announce(&servers[0], 50_000);
        let file = objects.path().join(&announced.key);
        send(&servers[0], &announced.path, &vec![0; 50_000]).expect(200);
        let confirmed = concurrently(4, |i| {
            if i == 0 {
                confirm(&servers[0], announced.job_id).expect(200);
                return fs::read(&file).ok();
            }
            let bytes = vec![u8::try_from(i).unwrap(); 50_000];
            let sent = send(&servers[1], &announced.path, &bytes);
            assert!([200, 409, 423].contains(&sent.status), "{sent}");
            None
        });
        assert!(confirmed[0] == fs::read(&file).ok());
    }
}

fn an_upload_after_a_killed_server_replaces_what_it_left(db: TestDb) {
    let ([mut killed, other], objects) = two_servers(&db);
    let bytes = recording(3 << 20);
    let announced = announce(&killed, bytes.len());
    let partial = almost_complete(&killed, &announced, &bytes);
    wait_for_part(objects.path());
    killed.signal("KILL");
    killed.wait();
    drop(partial);
    wait_for_part(objects.path());
    send(&other, &announced.path, &bytes).expect(200);
    assert_eq!(files(objects.path()), [announced.key.as_str()]);
    confirm(&other, announced.job_id).expect(200);
}

/// Sends a byte per millisecond until there is a response or the server closes the
/// connection; returns what was received.
fn trickle(mut socket: TcpStream) -> String {
    socket
        .set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    let mut response = Vec::new();
    while socket.write_all(b"!").is_ok() {
        let mut buffer = [0; 4096];
        match socket.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => response.extend_from_slice(&buffer[..read]),
            Err(_) if response.is_empty() => {}
            Err(_) => break,
        }
    }
    String::from_utf8(response).unwrap()
}

fn connect(server: &Client, head: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.base().strip_prefix("http://").unwrap()).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    socket
}

fn an_upload_that_trickles_is_ended(db: TestDb) {
    let limits = UploadLimits {
        idle_timeout: Duration::from_secs(1),
        min_rate: 1 << 20,
        ..UploadLimits::default()
    };
    let server = serve_with(db, limits);
    let announced = announce(&server, 1 << 30);
    let started = Instant::now();
    // Without `Connection: close`, which the server must not need.
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        announced.path,
        1 << 30
    );
    let response = trickle(connect(&server, &head));
    assert!(
        response.starts_with("HTTP/1.1 400 ") && response.contains("malformed_body"),
        "{response}"
    );
    assert!(started.elapsed() >= limits.idle_timeout);
    wait_until_empty(server.objects());
    upload(&server, &recording(1000));
}

fn an_upload_that_pauses_within_the_least_rate_is_stored(db: TestDb) {
    let limits = UploadLimits {
        idle_timeout: Duration::from_secs(10),
        min_rate: 10,
        ..UploadLimits::default()
    };
    let server = serve_with(db, limits);
    let announced = announce(&server, 1000);
    let bytes = recording(1000);
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
        announced.path
    );
    let mut socket = connect(&server, &head);
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    for part in bytes.chunks(100) {
        socket.write_all(part).unwrap();
        // A pause in which there is no response.
        let early = socket.read(&mut [0]);
        assert!(part.as_ptr_range().end == bytes.as_ptr_range().end || early.is_err());
    }
    confirm(&server, announced.job_id).expect(200);
}

fn no_upload_begins_below_the_disk_reserve(db: TestDb) {
    let limits = UploadLimits {
        max_size: 1 << 50,
        disk_reserve: Some(0),
        ..UploadLimits::default()
    };
    let server = serve_with(db, limits);
    let announce_once = |server: &Client, size| {
        server
            .request("POST", UPLOAD)
            .header("Idempotency-Key", "k")
            .json(&a_lecture(size))
            .send()
    };
    let first = announce_once(&server, 1000).expect(201);
    // More than any disk has.
    server
        .post(UPLOAD, &a_lecture(1 << 50))
        .problem(507, "insufficient_storage");
    assert_eq!(server.db().sql().count("jobs"), 1);

    // Another server with the same objects and a reserve that is never free.
    let dir = server.objects().to_owned();
    let secret = Secret::new(&[7; 32]).unwrap();
    let storage = Storage::open(&StorageConfig::Local { dir }, secret).unwrap();
    let config = |disk_reserve| ServerConfig {
        storage: Some(storage.clone()),
        uploads: UploadLimits {
            disk_reserve: Some(disk_reserve),
            ..UploadLimits::default()
        },
        ..ServerConfig::default()
    };
    let start = |config| lectern_server::Server::start(config, (*server.db()).clone()).unwrap();
    let (full, free) = (start(config(1 << 60)), start(config(0)));
    let [full, free] = [full.url(), free.url()].map(Client::new);
    let announced = announce(&free, 1000);
    send(&full, &announced.path, &recording(1000)).problem(507, "insufficient_storage");
    assert_eq!(files(server.objects()), [""; 0]);
    full.post(UPLOAD, &a_lecture(1000))
        .problem(507, "insufficient_storage");
    // The repetition of an earlier request needs no space.
    assert_eq!(announce_once(&full, 1000).expect(201).body, first.body);
    send(&free, &announced.path, &recording(1000)).expect(200);
    confirm(&full, announced.job_id).expect(200);
    full.delete(&job_path(announced.job_id, "")).expect(204);
}

/// The bytes that are free on the disk of a directory.
fn free_bytes(dir: &std::path::Path) -> u64 {
    let output = Command::new("df")
        .args(["--output=avail", "--block-size=1"])
        .arg(dir)
        .output();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    output.lines().nth(1).unwrap().trim().parse().unwrap()
}

// Once, because each run of it fills the disk for the other.
#[test]
fn an_upload_ends_when_the_disk_reserve_is_reached() {
    // Far more than other programs are likely to allocate meanwhile.
    const MARGIN: u64 = 1 << 30;
    let other = tempfile::tempdir().unwrap();
    let limits = UploadLimits {
        disk_reserve: Some(free_bytes(other.path()).saturating_sub(MARGIN)),
        ..UploadLimits::default()
    };
    let server = serve_with(TestDb::on(Backend::Sqlite), limits);
    let bytes = recording(80 << 20);
    let announced = announce(&server, bytes.len());
    let (first, rest) = bytes.split_at(8 << 20);
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        announced.path,
        bytes.len()
    );
    let mut socket = connect(&server, &head);
    socket.write_all(first).unwrap();
    wait_for_part(server.objects());
    let filled = Command::new("fallocate")
        .arg("--length")
        .arg((2 * MARGIN).to_string())
        .arg(other.path().join("filler"))
        .status();
    assert!(filled.unwrap().success());
    // The server stops reading before the end.
    let _ = socket.write_all(rest);
    let mut answer = String::new();
    let _ = socket.read_to_string(&mut answer);
    assert!(
        answer.starts_with("HTTP/1.1 507 ") && answer.contains("insufficient_storage"),
        "{answer}"
    );
    wait_until_empty(server.objects());
    drop(other);
    send(&server, &announced.path, &bytes).expect(200);
}

fn an_interrupted_upload_is_sent_again_from_the_start(server: TestServer) {
    let bytes = recording(1000);
    let announced = announce(&server, bytes.len());
    let put = |headers: &[&str], body: &str| {
        let head = format!(
            "PUT {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
            announced.path
        );
        exchange(
            &server,
            [&head, &*headers.join("\r\n"), "\r\n\r\n", body].concat(),
        )
    };
    let half = "x".repeat(500);
    // As curl resumes an upload.
    put(
        &["Content-Range: bytes 500-999/1000", "Content-Length: 500"],
        &half,
    )
    .problem(422, "validation_failed");
    // Without a length there is no body.
    put(&["X-None: 1"], "").problem(400, "malformed_body");
    put(&["Content-Length: 0"], "").problem(422, "validation_failed");
    put(&["Content-Length: 1001"], "").problem(413, "body_too_large");
    assert_eq!(files(server.objects()), [""; 0]);
    confirm(&server, announced.job_id).problem(409, "illegal_transition");
    send(&server, &announced.path, &bytes).expect(200);
    confirm(&server, announced.job_id).expect(200);
}

fn a_download_that_is_not_read_is_ended(db: TestDb) {
    let mut config = ServerConfig {
        database_timeout: Duration::from_mins(1),
        ..ServerConfig::default()
    };
    config.live.tcp_send_timeout = Duration::from_secs(1);
    let server = TestServer::serve(db, config);
    let stored = StoredRecording::on(&server, 64 << 20);
    let _unread = PartialTransfer::download(&server, &stored.path);
    wait_until(|| in_flight(&server) == 2);
    wait_until(|| in_flight(&server) == 1);
}
