//! The URLs of uploads, and their settings.

use std::time::Duration;

use chrono::TimeDelta;
use lectern_domain::{JobId, JobStatus};
use lectern_server::{Server, ServerConfig, UploadLimits};
use lectern_storage::{Secret, Storage, StorageConfig};
use lectern_tests::{Lectern, Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::json;

use crate::http::support::recordings::{
    UPLOAD, a_lecture, announce, confirm, files, path_of, recording, send, upload,
};
use crate::http::support::{UNKNOWN_ID, job_path, tus, wait_until};

on_both_backends!(
    urls_begin_with_the_host_of_the_request,
    urls_begin_with_the_configured_public_url,
    environment_variables_configure_uploads,
    an_expired_url_says_so_and_can_be_replaced,
    only_a_pending_job_with_an_upload_gets_a_new_url,
    a_new_url_replaces_a_resumable_upload,
    a_repeated_request_gets_a_url_that_is_still_valid,
    pending_jobs_are_cleared_after_their_url_and_the_retention,
    gc_clears_pending_jobs_whose_time_is_over,
    stored_bytes_are_those_that_have_arrived,
);

fn urls_begin_with_the_host_of_the_request(db: TestDb) {
    let config = ServerConfig {
        hosts: vec!["*".to_owned()],
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let announce = |host| {
        server
            .request("POST", UPLOAD)
            .header("Host", host)
            .json(&a_lecture(1))
            .send()
    };
    let url = |host| {
        announce(host).expect(201).json()["upload_url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(
        url("lectern.example:81").starts_with("http://lectern.example:81/api/v1/objects/jobs/")
    );
    assert!(url("[::1]:81").starts_with("http://[::1]:81/api/v1/objects/jobs/"));
    for host in ["a/b", "a?b", "me@a", ":"] {
        announce(host).problem_with(400, "malformed_query", "Host");
    }
}

fn urls_begin_with_the_configured_public_url(db: TestDb) {
    let config = ServerConfig {
        public_url: Some("https://example.org/lectern/".parse().unwrap()),
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let announce = || {
        let request = server
            .request("POST", UPLOAD)
            .header("Idempotency-Key", "lecture-7");
        request.json(&a_lecture(1)).send().expect(201)
    };
    let first = announce();
    let location = first.header("Location").unwrap();
    let path = location.strip_prefix("/lectern").unwrap();
    let job = server.get(path).expect(200).json();
    assert_eq!(job["job_id"], first.json()["job_id"]);
    // A stored response has the prefix once, too.
    assert_eq!(announce().header("Location"), Some(location));
    let response = first.json();
    let url = response["upload_url"].as_str().unwrap();
    let path = url.strip_prefix("https://example.org/lectern").unwrap();
    assert!(path.starts_with("/api/v1/objects/jobs/"), "{url}");
    // The proxy at the public URL removes the prefix.
    send(&server, path, b"!").expect(200);
}

fn environment_variables_configure_uploads(db: TestDb) {
    let server = Lectern::serve_with(
        db.url(),
        &[
            ("LECTERN_MAX_UPLOAD", "1000"),
            ("LECTERN_UPLOAD_TTL", "60"),
            ("LECTERN_PUBLIC_URL", "https://example.org/lectern/"),
            ("LECTERN_STORAGE", ""),
            ("LECTERN_SECRET", ""),
        ],
    );
    server
        .post(UPLOAD, &a_lecture(1001))
        .problem_with(422, "validation_failed", "file_size");
    let announced = server.post(UPLOAD, &a_lecture(1000)).expect(201).json();
    assert_eq!(announced["expires_in"], 60);
    let url = announced["upload_url"].as_str().unwrap();
    let path = url.strip_prefix("https://example.org/lectern").unwrap();
    send(&server, path, &recording(1000)).expect(200);
    assert_eq!(
        files(&server.dir().join("lectern-data/objects")),
        [announced["s3_key"].as_str().unwrap()]
    );
}

fn new_url(server: &TestServer, job_id: JobId) -> Response {
    let path = job_path(job_id, "/upload-url");
    server.request("POST", &path).send()
}

fn an_expired_url_says_so_and_can_be_replaced(server: TestServer) {
    let announced = announce(&server, 1000);
    server.db().clock().advance(TimeDelta::hours(24));
    send(&server, &announced.path, &recording(1000)).problem(410, "upload_expired");
    // Only a signed URL can expire.
    let other = announced.path.replace("Lecture", "lecture");
    send(&server, &other, &recording(1000)).problem(404, "not_found");

    let renewed = new_url(&server, announced.job_id).expect(200).json();
    assert_eq!(
        (
            &renewed["job_id"],
            &renewed["s3_key"],
            &renewed["expires_in"]
        ),
        (
            &json!(announced.job_id),
            &json!(announced.key),
            &json!(86_400)
        )
    );
    let path = path_of(&server, &renewed["upload_url"]);
    send(&server, path, &recording(1000)).expect(200);
    confirm(&server, announced.job_id).expect(200);
}

fn only_a_pending_job_with_an_upload_gets_a_new_url(server: TestServer) {
    let confirmed = upload(&server, &recording(1000));
    let without = a_job().status(JobStatus::Pending).create(server.db());
    for job_id in [confirmed.job_id, without.job_id] {
        new_url(&server, job_id).problem(409, "illegal_transition");
    }
    new_url(&server, UNKNOWN_ID.parse().unwrap()).problem(404, "job_not_found");
}

fn a_new_url_replaces_a_resumable_upload(server: TestServer) {
    let upload = tus::create(&server, 2000);
    upload.append(&server, 0, &recording(1000)).expect(204);
    let renewed = new_url(&server, upload.job_id()).expect(200).json();
    assert_eq!(upload.head(&server).status, 404);
    let path = path_of(&server, &renewed["upload_url"]);
    send(&server, path, &recording(2000)).expect(200);
    confirm(&server, upload.job_id()).expect(200);
}

fn a_repeated_request_gets_a_url_that_is_still_valid(server: TestServer) {
    let announce = || {
        let request = server
            .request("POST", UPLOAD)
            .header("Idempotency-Key", "k");
        request.json(&a_lecture(1000)).send().expect(201)
    };
    let (first, clock) = (announce(), server.db().clock());
    clock.advance(TimeDelta::hours(12) - TimeDelta::seconds(1));
    assert_eq!(announce().body, first.body);
    clock.advance(TimeDelta::hours(11));
    let renewed = announce();
    assert_eq!(renewed.header("Location"), first.header("Location"));
    let [first, renewed] = [first.json(), renewed.json()];
    for field in ["job_id", "s3_key", "expires_in", "upload_fields"] {
        assert_eq!(first[field], renewed[field], "{field}");
    }
    clock.advance(TimeDelta::hours(23));
    let url = path_of(&server, &first["upload_url"]);
    send(&server, url, &recording(1000)).problem(410, "upload_expired");
    let url = path_of(&server, &renewed["upload_url"]);
    send(&server, url, &recording(1000)).expect(200);
    assert_eq!(server.db().sql().count("jobs"), 1);
}

fn pending_jobs_are_cleared_after_their_url_and_the_retention(db: TestDb) {
    let objects = tempfile::tempdir().unwrap();
    let location = StorageConfig::Local {
        dir: objects.path().to_owned(),
    };
    let storage = Storage::open(&location, Secret::random().unwrap()).unwrap();
    let config = || ServerConfig {
        storage: Some(storage.clone()),
        uploads: UploadLimits {
            retention: Duration::from_hours(2),
            ..UploadLimits::default()
        },
        database_timeout: Duration::from_mins(1),
        ..ServerConfig::default()
    };
    let database = lectern_db::Database::clone(&db);
    let without = a_job().status(JobStatus::Pending).create(&db);
    let server = TestServer::serve(db, config());
    let [sent, renewed, _] = [(); 3].map(|()| announce(&server, 1000));
    send(&server, &sent.path, &recording(1000)).expect(200);
    let confirmed = upload(&server, &recording(1000));
    let clock = server.db().clock();
    clock.advance(TimeDelta::hours(25));
    new_url(&server, renewed.job_id).expect(200);
    let start = || Server::start(config(), database.clone()).unwrap();
    clock.advance(TimeDelta::hours(1));
    // A server that starts clears what has expired.
    let _other = start();
    wait_until(|| server.db().sql().count("jobs") == 3);
    wait_until(|| files(objects.path()) == [&*confirmed.key]);
    for job_id in [without.job_id, renewed.job_id, confirmed.job_id] {
        server.get(&job_path(job_id, "")).expect(200);
    }
    wait_until(|| server.db().sql().count("uploads") == 1);
}

fn gc_clears_pending_jobs_whose_time_is_over(server: TestServer) {
    let partial = tus::create(&server, 2000);
    partial.append(&server, 0, &recording(1000)).expect(204);
    let kept = announce(&server, 1000);
    let mut sql = server.db().sql();
    // The program has its own clock.
    let past = "'2026-01-01T00:00:00.000000Z'";
    sql.batch(&format!(
        "UPDATE uploads SET expires_at = {past} WHERE job_id = '{}';
         UPDATE uploads SET expires_at = '2999-01-01T00:00:00.000000Z' WHERE job_id = '{}'",
        partial.id, kept.job_id
    ))
    .unwrap();
    let storage = format!("file://{}", server.objects().display());
    let gc = |more: &[&str]| {
        let arguments = ["gc", "--storage", &storage, "--adopt", "--force"];
        let output = Lectern::run(server.db().url(), &[&arguments[..], more].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let line = format!("clear the upload of job {}\n", partial.id);
    assert!(gc(&["--dry-run"]).contains(&line));
    server.get(&job_path(partial.job_id(), "")).expect(200);
    let output = gc(&[]);
    assert!(
        output.contains(&line.replace("clear", "cleared")),
        "{output}"
    );
    server
        .get(&job_path(partial.job_id(), ""))
        .problem(404, "job_not_found");
    server.get(&job_path(kept.job_id, "")).expect(200);
    assert!(files(server.objects()).is_empty());
}

fn stored_bytes_are_those_that_have_arrived(server: TestServer) {
    let stored = || server.get("/api/v1/stats").expect(200).json()["bytes_stored"].clone();
    let announced = announce(&server, 5000);
    assert_eq!(stored(), 0);
    let partial = tus::create(&server, 2000);
    partial.append(&server, 0, &recording(700)).expect(204);
    assert_eq!(stored(), 700);
    upload(&server, &recording(90));
    assert_eq!(stored(), 790);
    server
        .post(&job_path(announced.job_id, "/cancel"), &json!({}))
        .expect(200);
    assert_eq!(stored(), 790);
    partial.append(&server, 700, &recording(1300)).expect(204);
    assert_eq!(stored(), 2090);
}
