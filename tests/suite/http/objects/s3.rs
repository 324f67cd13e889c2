//! Recordings in a bucket of an S3-compatible service with its own pre-signed
//! URLs. The tests are ignored by default; `tests/e2e/with-s3` starts a service
//! for them.

use std::env;

use lectern_domain::{JobId, SystemClock};
use lectern_tests::{
    Backend, Client, Fixture as _, Lectern, Response, TestDb, a_job, store_output,
};
use serde_json::Value;

use crate::http::support::recordings::{a_lecture, confirm, recording, results};
use crate::http::support::tus::{self, PartialAppend};
use crate::http::support::{UNKNOWN_ID, job_path, wait_until};

/// A server with its own prefix in the bucket.
struct InBucket {
    db: TestDb,
    server: Lectern,
    storage: String,
}

/// An upload that was announced.
struct Announced {
    job_id: JobId,
    url: String,
}

impl InBucket {
    fn on(backend: Backend) -> Self {
        let storage = storage_url();
        let db = TestDb::on(backend);
        let server = Lectern::serve_with(db.url(), &[("LECTERN_STORAGE", &storage)]);
        Self {
            db,
            server,
            storage,
        }
    }

    fn announce(&self, size: usize) -> Announced {
        let response = self
            .server
            .post("/api/v1/upload", &a_lecture(size))
            .expect(201)
            .json();
        Announced {
            job_id: response["job_id"].as_str().unwrap().parse().unwrap(),
            url: response["upload_url"].as_str().unwrap().to_owned(),
        }
    }

    fn upload(&self, bytes: &[u8]) -> Announced {
        let announced = self.announce(bytes.len());
        request("PUT", &announced.url, bytes).expect(200);
        confirm(&self.server, announced.job_id).expect(200);
        announced
    }

    /// Completes a job; returns the URL of its recording.
    fn recording_url(&self, job_id: JobId) -> String {
        let results = results(&self.server, job_id);
        results["metadata"]["original_video"]["url"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn gc(&self, arguments: &[&str]) -> String {
        let storage = ["--storage", &self.storage];
        let gc = ["gc", "--older-than", "0", "--force"];
        let output = Lectern::run(self.db.url(), &[&gc[..], &storage, arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The storage setting for a prefix of its own in the bucket.
pub(crate) fn storage_url() -> String {
    let url = env::var("LECTERN_TEST_S3").expect("run this under tests/e2e/with-s3");
    let prefix = format!("/test/{}?", JobId::new(&SystemClock));
    url.replace('?', &prefix)
}

/// Sends a request to the S3 service.
pub(crate) fn request(method: &str, url: &str, body: &[u8]) -> Response {
    let start = url.find("/lectures/").unwrap();
    let service = Client::new(&url[..start]);
    let request = service.request(method, &url[start..]);
    match body {
        [] => request.send(),
        body => request.body("video/mp4", body).send(),
    }
}

#[test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-tests -- --include-ignored s3"]
fn a_recording_is_stored_in_and_served_from_a_bucket() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let lectern = InBucket::on(backend);
        let bytes = recording(6 << 20);
        let announced = lectern.announce(bytes.len());
        assert!(
            announced.url.contains("X-Amz-Signature="),
            "{}",
            announced.url
        );
        confirm(&lectern.server, announced.job_id).problem(409, "illegal_transition");
        assert_eq!(
            request("PUT", &announced.url.replace("Lecture", "lecture"), &bytes).status,
            403
        );
        // The service accepts any size; it is checked on confirmation.
        request("PUT", &announced.url, &bytes[1..]).expect(200);
        confirm(&lectern.server, announced.job_id).problem_with(
            422,
            "validation_failed",
            "file_size",
        );
        request("PUT", &announced.url, &bytes).expect(200);
        let queued = confirm(&lectern.server, announced.job_id)
            .expect(200)
            .json();
        assert_eq!(queued["status"], "queued");

        let claim = serde_json::json!({ "worker": "w", "stages": ["transcription"] });
        let claims = lectern
            .server
            .post("/api/v1/work/claim", &claim)
            .expect(200)
            .json();
        let source = claims["claims"][0]["source_url"].as_str().unwrap();
        assert!(request("GET", source, b"").expect(200).body == bytes);
        let url = lectern.recording_url(announced.job_id);
        assert!(request("GET", &url, b"").expect(200).body == bytes);
        assert_eq!(
            request("GET", &url.replace("Lecture", "lecture"), b"").status,
            403
        );
    }
}

#[test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-tests -- --include-ignored s3"]
fn objects_of_a_deleted_job_are_removed_from_the_bucket() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let lectern = InBucket::on(backend);
        let jobs = [(); 3].map(|()| lectern.upload(&recording(1000)).job_id);
        let [deleted, lost, kept] = jobs.map(|job_id| (job_id, lectern.recording_url(job_id)));
        lectern.server.delete(&job_path(deleted.0, "")).expect(204);
        assert_eq!(request("GET", &deleted.1, b"").status, 404);
        lectern
            .db
            .sql()
            .batch(&format!("DELETE FROM jobs WHERE job_id = '{}'", lost.0))
            .unwrap();
        let output = lectern.gc(&[]);
        assert!(
            output.contains("\n1 objects of 1000 bytes moved to the trash, 0 objects"),
            "{output}"
        );
        let output = lectern.gc(&["--trash-days", "0"]);
        assert!(
            output.contains("\n0 objects of 0 bytes moved to the trash, 1 objects of 1000 bytes"),
            "{output}"
        );
        assert_eq!(request("GET", &lost.1, b"").status, 404);
        request("GET", &kept.1, b"").expect(200);
    }
}

#[test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-tests -- --include-ignored s3"]
fn clip_subtitles_are_stored_in_the_bucket() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let lectern = InBucket::on(backend);
        let job_id = a_job().create(&lectern.db).job_id;
        let clip = store_output(&lectern.db, job_id).remove(0);
        let path = format!("/api/v1/clips/{}/subtitles", clip.clip_id);
        let file = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nKept.\n";
        let put = lectern.server.request("PUT", &path).body("text/vtt", file);
        put.send().expect(200);
        let get = lectern.server.get(&format!("{path}?format=vtt"));
        assert_eq!(get.expect(200).text(), file);
        let results = results(&lectern.server, job_id);
        let url = results["clips"][0]["subtitle_url"].as_str().unwrap();
        assert_eq!(request("GET", url, b"").expect(200).text(), file);
    }
}

#[test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-tests -- --include-ignored s3"]
fn objects_in_a_bucket_are_not_served_by_this_server() {
    let lectern = InBucket::on(Backend::Sqlite);
    for method in ["GET", "HEAD", "PUT"] {
        let path = format!(
            "/api/v1/objects/jobs/{UNKNOWN_ID}/original/a.mp4?expires=9999999999&signature=00"
        );
        assert_eq!(lectern.server.request(method, &path).send().status, 404);
    }
    let credentials =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| env::var(name).unwrap());
    assert!(!lectern.server.log().contains(&credentials[1]));
    assert_eq!(
        lectern.server.get("/readyz").expect(200).json()["status"],
        Value::from("ok")
    );
}

const MIB: usize = 1 << 20;

#[test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-tests -- --include-ignored s3"]
fn a_resumable_upload_to_a_bucket_continues_on_another_server() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let lectern = InBucket::on(backend);
        let settings = [("LECTERN_STORAGE", &*lectern.storage)];
        let other = Lectern::serve_with(lectern.db.url(), &settings);
        let bytes = recording(12 * MIB + 7);
        let upload = tus::create(&lectern.server, bytes.len());
        // Two parts and the beginning of a third.
        let sent = bytes.len() / 10 * 9;
        drop(PartialAppend::begin(
            &lectern.server,
            &upload,
            0,
            bytes.len(),
            &bytes[..sent],
        ));
        wait_until(|| upload.offset(&other) == sent);
        // Too few bytes for a part, twice.
        for offset in [sent, sent + 10] {
            upload
                .append(&other, offset, &bytes[offset..offset + 10])
                .expect(204);
        }
        let offset = sent + 20;
        upload
            .append(&lectern.server, offset, &bytes[offset..])
            .expect(204);
        assert_eq!(upload.offset(&other), bytes.len());
        let url = lectern.recording_url(upload.job_id());
        assert!(request("GET", &url, b"").expect(200).body == bytes);
        let output = lectern.gc(&[]);
        assert!(
            output.contains("\n0 objects of") || output.starts_with("0 objects"),
            "{output}"
        );
    }
}

#[test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-tests -- --include-ignored s3"]
fn small_and_checked_parts_are_uploaded_to_a_bucket() {
    let lectern = InBucket::on(Backend::Sqlite);
    let upload = tus::create(&lectern.server, 22);
    for (offset, text, status) in [
        (0, "hello world", 204),
        (11, "hello worle", 460),
        (11, "hello world", 204),
    ] {
        let append = upload
            .patch_at(&lectern.server, offset)
            .header("Upload-Checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=");
        append
            .body("application/offset+octet-stream", text)
            .send()
            .expect(status);
    }
    let url = lectern.recording_url(upload.job_id());
    assert_eq!(
        request("GET", &url, b"").expect(200).text(),
        "hello worldhello world"
    );

    let terminated = tus::create(&lectern.server, 22);
    terminated.append(&lectern.server, 0, b"hello").expect(204);
    terminated
        .request(&lectern.server, "DELETE")
        .send()
        .expect(204);
    assert_eq!(terminated.head(&lectern.server).status, 404);
}

#[test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-tests -- --include-ignored s3"]
fn a_recording_too_large_for_one_request_is_uploaded_with_tus() {
    let lectern = InBucket::on(Backend::Sqlite);
    let announce = |size| lectern.server.post("/api/v1/upload", &a_lecture(size));
    announce(5 << 30).expect(201);
    let refused = announce((5 << 30) + 1);
    refused.problem_with(422, "validation_failed", "file_size");
    assert!(refused.text().contains("/api/v1/uploads/tus"), "{refused}");
    tus::create(&lectern.server, (5 << 30) + 1);
}
