//! Uploads of recordings.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use lectern_domain::JobId;
use lectern_tests::{Client, Response};
use serde_json::{Value, json};

use super::job_path;

/// The path to which uploads are announced.
pub(crate) const UPLOAD: &str = "/api/v1/upload";

/// An announced upload.
pub(crate) struct Announced {
    pub(crate) job_id: JobId,
    pub(crate) key: String,
    /// Path and query.
    pub(crate) path: String,
}

/// The body that announces an upload.
pub(crate) fn a_lecture(size: usize) -> Value {
    json!({ "filename": "Lecture 7.mp4", "file_size": size, "content_type": "video/mp4" })
}

pub(crate) fn announce(server: &Client, size: usize) -> Announced {
    let answer = server.post(UPLOAD, &a_lecture(size)).expect(201).json();
    let url = answer["upload_url"].as_str().unwrap();
    Announced {
        job_id: answer["job_id"].as_str().unwrap().parse().unwrap(),
        key: answer["s3_key"].as_str().unwrap().to_owned(),
        path: url.strip_prefix(server.base()).unwrap().to_owned(),
    }
}

pub(crate) fn send(server: &Client, path: &str, bytes: &[u8]) -> Response {
    server.request("PUT", path).body("video/mp4", bytes).send()
}

pub(crate) fn confirm(server: &Client, job_id: JobId) -> Response {
    server.post(&format!("{UPLOAD}/confirm"), &json!({ "job_id": job_id }))
}

/// Announces, sends and confirms a recording.
pub(crate) fn upload(server: &Client, bytes: &[u8]) -> Announced {
    let announced = announce(server, bytes.len());
    send(server, &announced.path, bytes).expect(200);
    confirm(server, announced.job_id).expect(200);
    announced
}

/// Completes a job whose upload is confirmed; returns its results.
pub(crate) fn results(server: &Client, job_id: JobId) -> Value {
    let job = job_path(job_id, "");
    if server.get(&job).expect(200).json()["status"] == "queued" {
        server
            .patch(&job, &json!({ "status": "running" }))
            .expect(200);
    }
    server
        .patch(&job, &json!({ "status": "completed" }))
        .expect(200);
    server
        .get(&format!("/api/v1/results/{job_id}"))
        .expect(200)
        .json()
}

/// A stored recording and its URL.
pub(crate) struct StoredRecording {
    pub(crate) bytes: Vec<u8>,
    pub(crate) announced: Announced,
    /// Path and query.
    pub(crate) path: String,
}

impl StoredRecording {
    pub(crate) fn on(server: &Client, size: usize) -> Self {
        let bytes = recording(size);
        let announced = upload(server, &bytes);
        let results = results(server, announced.job_id);
        let url = &results["metadata"]["original_video"]["url"];
        Self {
            path: path_of(server, url).to_owned(),
            bytes,
            announced,
        }
    }
}

/// The path and query of a URL of the server.
pub(crate) fn path_of<'u>(server: &Client, url: &'u Value) -> &'u str {
    url.as_str().unwrap().strip_prefix(server.base()).unwrap()
}

/// Bytes without repetition, so that misplaced parts are noticed.
pub(crate) fn recording(size: usize) -> Vec<u8> {
    let words = (0_u64..).flat_map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    words.take(size).collect()
}

/// All files below a directory.
pub(crate) fn files(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        // An empty directory may be removed meanwhile.
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() {
                dirs.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(dir).unwrap().to_owned();
                files.push(name.into_os_string().into_string().unwrap());
            }
        }
    }
    // The id of the storage's database is stored beside the objects.
    files.retain(|file| !file.ends_with("lectern-database-id"));
    files.sort();
    files
}

/// Waits until the storage has no files, not even partial uploads.
pub(crate) fn wait_until_empty(dir: &Path) {
    while !files(dir).is_empty() {
        std::thread::yield_now();
    }
}

/// A transfer in progress.
pub(crate) struct PartialTransfer(TcpStream);

impl PartialTransfer {
    /// A PUT of which the head and the first bytes are sent.
    pub(crate) fn upload(server: &Client, path: &str, size: usize, first: &[u8]) -> Self {
        let mut socket =
            TcpStream::connect(server.base().strip_prefix("http://").unwrap()).unwrap();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
        );
        socket
            .write_all(&[head.as_bytes(), first].concat())
            .unwrap();
        Self(socket)
    }

    /// A GET of which only the head of the response is read.
    pub(crate) fn download(server: &Client, path: &str) -> Self {
        let mut socket =
            TcpStream::connect(server.base().strip_prefix("http://").unwrap()).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        socket.read_exact(&mut [0]).unwrap();
        Self(socket)
    }

    /// Reads to the end of the connection; returns the number of bytes.
    pub(crate) fn read(mut self) -> usize {
        let mut response = Vec::new();
        // A reset counts as an end, too.
        let _ = self.0.read_to_end(&mut response);
        response.len()
    }

    /// Sends the rest; returns the response.
    pub(crate) fn finish(mut self, rest: &[u8]) -> String {
        self.0.write_all(rest).unwrap();
        let mut response = String::new();
        self.0.read_to_string(&mut response).unwrap();
        response
    }
}

/// Waits until part of an upload is on disk.
pub(crate) fn wait_for_part(dir: &Path) {
    while !files(dir).iter().any(|file| file.contains('#')) {
        std::thread::yield_now();
    }
}
