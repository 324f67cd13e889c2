//! Transfers to and from local disk: aborted, too large, stalled, concurrent
//! and large.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lectern_server::{ServerConfig, UploadLimits};
use lectern_tests::{Backend, Client, Fixture, Lectern, TestDb, TestServer, on_both_backends};

use crate::http::support::recordings::{
    PartialTransfer, announce, confirm, files, path_of, recording, results, send, upload,
    wait_until_empty,
};
use crate::http::support::{concurrently, in_flight, wait_until};

on_both_backends!(
    an_aborted_upload_leaves_nothing,
    an_upload_of_another_size_leaves_nothing,
    a_stalled_upload_is_aborted,
    of_concurrent_uploads_to_one_url_one_is_stored_completely,
    curl_uploads_and_downloads,
);

/// Sends raw bytes until the server stops reading.
fn send_raw(server: &Client, head: &str, body: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(server.base().strip_prefix("http://").unwrap()).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    let _ = socket.write_all(body);
    socket
}

fn in_chunks(path: &str) -> String {
    format!(
        "PUT {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn read_response(mut socket: TcpStream) -> String {
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    response
}

fn an_aborted_upload_leaves_nothing(server: TestServer) {
    let bytes = recording(3 << 20);
    let announced = announce(&server, bytes.len());
    for sent in [0, 1, 1 << 20, (2 << 20) + 1, bytes.len() - 1] {
        drop(PartialTransfer::upload(
            &server,
            &announced.path,
            bytes.len(),
            &bytes[..sent],
        ));
        drop(send_raw(
            &server,
            &in_chunks(&announced.path),
            &[&chunk(&bytes[..sent]), &b"fff\r\n"[..]].concat(),
        ));
    }
    wait_until(|| in_flight(&server) == 1);
    wait_until_empty(server.objects());
    confirm(&server, announced.job_id).problem(409, "illegal_transition");
    send(&server, &announced.path, &bytes).expect(200);
}

fn an_upload_of_another_size_leaves_nothing(server: TestServer) {
    let bytes = recording(3 << 20);
    let announced = announce(&server, bytes.len());
    send(&server, &announced.path, &bytes[1..]).problem_with(
        422,
        "validation_failed",
        "Content-Length",
    );
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        announced.path,
        bytes.len() + 1
    );
    // Rejected before the body is sent.
    let refused = read_response(send_raw(&server, &head, b""));
    assert!(
        refused.starts_with("HTTP/1.1 413 ") && refused.contains("body_too_large"),
        "{refused}"
    );
    let end = b"0\r\n\r\n";
    let short = read_response(send_raw(
        &server,
        &in_chunks(&announced.path),
        &[&chunk(&bytes[1..]), &end[..]].concat(),
    ));
    assert!(
        short.starts_with("HTTP/1.1 400 ") && short.contains("malformed_body"),
        "{short}"
    );
    let long = read_response(send_raw(
        &server,
        &in_chunks(&announced.path),
        &[&chunk(&bytes), &chunk(b"!"), &end[..]].concat(),
    ));
    assert!(
        long.starts_with("HTTP/1.1 413 ") && long.contains("body_too_large"),
        "{long}"
    );
    wait_until_empty(server.objects());
    let exact = read_response(send_raw(
        &server,
        &in_chunks(&announced.path),
        &[&chunk(&bytes[..9]), &chunk(&bytes[9..]), &end[..]].concat(),
    ));
    assert!(exact.starts_with("HTTP/1.1 200 "), "{exact}");
    confirm(&server, announced.job_id).expect(200);
}

fn a_stalled_upload_is_aborted(db: TestDb) {
    let uploads = UploadLimits {
        idle_timeout: Duration::from_millis(300),
        ..UploadLimits::default()
    };
    let server = TestServer::serve(
        db,
        ServerConfig {
            uploads,
            ..ServerConfig::default()
        },
    );
    let announced = announce(&server, 1000);
    // Few enough bytes to be sent before the timeout starts.
    let refused =
        PartialTransfer::upload(&server, &announced.path, 1000, &recording(999)).finish(b"");
    assert!(
        refused.starts_with("HTTP/1.1 400 ") && refused.contains("malformed_body"),
        "{refused}"
    );
    wait_until_empty(server.objects());
}

fn of_concurrent_uploads_to_one_url_one_is_stored_completely(server: TestServer) {
    const SIZE: usize = 1_500_000;
    let announced = announce(&server, SIZE);
    let answers = concurrently(100, |i| {
        let bytes = vec![u8::try_from(i).unwrap(); SIZE];
        send(&server, &announced.path, &bytes)
    });
    for answer in &answers {
        if answer.status != 200 {
            answer.problem(423, "upload_in_progress");
        }
    }
    assert!(answers.iter().any(|answer| answer.status == 200));
    assert_eq!(files(server.objects()), [announced.key.as_str()]);
    let stored = fs::read(server.objects().join(&announced.key)).unwrap();
    assert!(stored.len() == SIZE && stored.iter().all(|byte| *byte == stored[0]));
    confirm(&server, announced.job_id).expect(200);
}

fn curl_uploads_and_downloads(server: TestServer) {
    let dir = tempfile::tempdir().unwrap();
    let (up, down) = (dir.path().join("up.mp4"), dir.path().join("down.mp4"));
    let bytes = recording(5_000_000);
    fs::write(&up, &bytes).unwrap();
    let curl = |arguments: &[&str], file: &Path, url: &str| {
        let output = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--fail",
                "--max-time",
                "60",
                "--verbose",
            ])
            .args(arguments)
            .arg(file)
            .arg(url)
            .output()
            .expect("curl");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{log}");
        log
    };
    let announced = announce(&server, bytes.len());
    let url = format!("{}{}", server.base(), announced.path);
    // curl announces more than 1 MiB with `Expect: 100-continue`.
    let log = curl(&["--expect100-timeout", "60", "--upload-file"], &up, &url);
    assert!(log.contains("100 Continue"), "{log}");
    curl(
        &[
            "--no-progress-meter",
            "--header",
            "Transfer-Encoding: chunked",
            "--upload-file",
        ],
        &up,
        &url,
    );
    confirm(&server, announced.job_id).expect(200);
    let results = results(&server, announced.job_id);
    let url = results["metadata"]["original_video"]["url"]
        .as_str()
        .unwrap();
    fs::write(&down, &bytes[..1_234_567]).unwrap();
    curl(&["--continue-at", "-", "--output"], &down, url);
    assert!(fs::read(&down).unwrap() == bytes);
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_recording_does_not_use_memory() {
    const SIZE: u64 = 512 << 20;
    const BOUND: u64 = 32 << 20;
    let db = TestDb::on(Backend::Sqlite);
    let server = Lectern::serve(db.url());
    // Allocates the memory that later transfers use again.
    upload(&server, &recording(3 << 20));
    let before = server.peak_memory();
    let announced = announce(&server, usize::try_from(SIZE).unwrap());
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {SIZE}\r\n\r\n",
        announced.path
    );
    let mut socket = send_raw(&server, &head, b"");
    let sent = std::io::copy(&mut std::io::repeat(7).take(SIZE), &mut socket).unwrap();
    assert_eq!(sent, SIZE);
    let output = read_response(socket);
    assert!(output.starts_with("HTTP/1.1 200 "), "{output}");
    confirm(&server, announced.job_id).expect(200);
    let results = results(&server, announced.job_id);
    let path = path_of(&server, &results["metadata"]["original_video"]["url"]);
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let fetched = std::io::copy(&mut send_raw(&server, &head, b""), &mut std::io::sink()).unwrap();
    assert!(fetched > SIZE && fetched < SIZE + 2000, "{fetched}");
    let grown = server.peak_memory() - before;
    assert!(grown < BOUND, "{grown}");
}
