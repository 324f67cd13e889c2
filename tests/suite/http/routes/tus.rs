//! Uploads that resume, in the protocol tus.

use std::fs;
use std::path::PathBuf;

use chrono::TimeDelta;
use lectern_server::{Server, ServerConfig, UploadLimits};
use lectern_storage::{Secret, Storage, StorageConfig};
use lectern_tests::{Client, TestDb, TestServer, on_both_backends};
use serde_json::json;

use crate::http::support::recordings::{confirm, files, recording};
use crate::http::support::tus::{METADATA, PartialAppend, TUS, Upload, create, creation};
use crate::http::support::{UNKNOWN_ID, job_path, wait_until};

on_both_backends!(
    the_options_describe_what_is_supported,
    a_complete_upload_queues_its_job,
    the_metadata_makes_the_job,
    the_first_part_may_come_with_the_creation,
    an_upload_that_breaks_off_at_ninety_percent_is_resumed,
    an_upload_is_resumed_on_another_server,
    another_server_waits_until_an_append_has_stalled,
    a_new_request_ends_an_earlier_one_on_the_same_server,
    a_body_with_another_checksum_is_discarded,
    a_terminated_upload_is_deleted_with_its_job,
    terminating_a_finished_upload_keeps_the_job,
    an_expired_upload_is_refused_and_then_cleared,
    an_unfinished_upload_cannot_be_confirmed,
    methods_can_be_overridden,
    invalid_requests_change_nothing,
    an_upload_whose_job_was_cancelled_or_deleted_cannot_continue,
    an_upload_that_was_not_finished_is_finished_by_the_next_request,
);

const MIB: usize = 1 << 20;

fn status(server: &Client, upload: &Upload) -> String {
    let job = server.get(&job_path(upload.job_id(), "")).expect(200);
    job.json()["status"].as_str().unwrap().to_owned()
}

/// The file of an upload named `Lecture 7.mp4`.
fn file(server: &TestServer, upload: &Upload) -> PathBuf {
    let key = format!("jobs/{}/original/Lecture_7.mp4", upload.id);
    server.objects().join(key)
}

fn the_options_describe_what_is_supported(server: TestServer) {
    for path in [TUS, &format!("{TUS}/{UNKNOWN_ID}")] {
        let options = server.request("OPTIONS", path).send().expect(204);
        for (name, value) in [
            ("Tus-Resumable", "1.0.0"),
            ("Tus-Version", "1.0.0"),
            (
                "Tus-Extension",
                "creation,creation-with-upload,expiration,checksum,termination",
            ),
            ("Tus-Checksum-Algorithm", "sha1,sha256,sha512"),
            ("Tus-Max-Size", "10737418240"),
        ] {
            assert_eq!(options.header(name), Some(value), "{name}");
        }
    }
}

fn a_complete_upload_queues_its_job(server: TestServer) {
    let bytes = recording(3 * MIB + 7);
    let upload = create(&server, bytes.len());
    assert_eq!(upload.path, format!("{TUS}/{}", upload.id));
    assert_eq!(status(&server, &upload), "pending");
    let head = upload.head(&server).expect(200);
    for (name, value) in [
        ("Upload-Offset", "0"),
        ("Upload-Length", &bytes.len().to_string()),
        ("Upload-Metadata", METADATA),
        ("Cache-Control", "no-store"),
        ("Tus-Resumable", "1.0.0"),
    ] {
        assert_eq!(head.header(name), Some(value), "{name}");
    }
    assert!(head.header("Upload-Expires").unwrap().ends_with(" GMT"));

    for (offset, end) in [(0, MIB), (MIB, MIB + 1), (MIB + 1, bytes.len())] {
        let appended = upload
            .append(&server, offset, &bytes[offset..end])
            .expect(204);
        assert_eq!(appended.header("Upload-Offset"), Some(&*end.to_string()));
        assert!(appended.header("Upload-Expires").is_some());
    }
    assert_eq!(status(&server, &upload), "queued");
    assert!(fs::read(file(&server, &upload)).unwrap() == bytes);
    assert_eq!(files(server.objects()).len(), 1);
    // A client that has not received the last response asks again.
    assert_eq!(upload.offset(&server), bytes.len());
    upload.append(&server, bytes.len(), b"").expect(204);
}

fn the_metadata_makes_the_job(server: TestServer) {
    let metadata = [
        // Vorlesung ä.mp3
        "filename Vm9ybGVzdW5nIMOkLm1wMw==",
        // audio/mpeg
        "filetype YXVkaW8vbXBlZw==",
        // {"processing_mode":"audio"}
        "processing_config eyJwcm9jZXNzaW5nX21vZGUiOiJhdWRpbyJ9",
        // {"course":"algebra"}
        "extra_metadata eyJjb3Vyc2UiOiJhbGdlYnJhIn0=",
        "is_private",
    ];
    let metadata = metadata.join(",");
    let created = server
        .request("POST", TUS)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", "7")
        .header("Upload-Metadata", &metadata)
        .send();
    let upload = Upload::of(&created.expect(201));
    let head = upload.head(&server).expect(200);
    assert_eq!(head.header("Upload-Metadata"), Some(&*metadata));
    let job = server
        .get(&job_path(upload.job_id(), ""))
        .expect(200)
        .json();
    for (field, value) in [
        ("filename", json!("Vorlesung ä.mp3")),
        ("content_type", json!("audio/mpeg")),
        ("file_size", json!(7)),
        ("processing_mode", json!("audio")),
        ("extra_metadata", json!({ "course": "algebra" })),
        ("status", json!("pending")),
    ] {
        assert_eq!(job[field], value, "{field}");
    }
}

fn the_first_part_may_come_with_the_creation(server: TestServer) {
    let bytes = recording(2 * MIB);
    for first in [MIB, 2 * MIB] {
        let created = creation(&server, bytes.len())
            .body("application/offset+octet-stream", &bytes[..first])
            .send()
            .expect(201);
        assert_eq!(created.header("Upload-Offset"), Some(&*first.to_string()));
        let upload = Upload::of(&created);
        if first < bytes.len() {
            upload.append(&server, first, &bytes[first..]).expect(204);
        }
        assert_eq!(status(&server, &upload), "queued");
        assert!(fs::read(file(&server, &upload)).unwrap() == bytes);
    }
}

fn an_upload_that_breaks_off_at_ninety_percent_is_resumed(server: TestServer) {
    let bytes = recording(5 * MIB);
    let upload = create(&server, bytes.len());
    let sent = bytes.len() / 10 * 9;
    drop(PartialAppend::begin(
        &server,
        &upload,
        0,
        bytes.len(),
        &bytes[..sent],
    ));
    wait_until(|| upload.offset(&server) == sent);
    upload
        .append(&server, sent - 1, &bytes[sent - 1..])
        .problem(409, "upload_offset_mismatch");
    upload.append(&server, sent, &bytes[sent..]).expect(204);
    assert_eq!(status(&server, &upload), "queued");
    assert!(fs::read(file(&server, &upload)).unwrap() == bytes);
}

/// Two servers with the same database and the same directory.
struct TwoServers {
    first: TestServer,
    _second: Server,
    second: Client,
    objects: tempfile::TempDir,
}

impl TwoServers {
    fn of(db: TestDb) -> Self {
        let objects = tempfile::tempdir().unwrap();
        let location = StorageConfig::Local {
            dir: objects.path().to_owned(),
        };
        let storage = Storage::open(&location, Secret::random().unwrap()).unwrap();
        let config = || ServerConfig {
            storage: Some(storage.clone()),
            database_timeout: std::time::Duration::from_mins(1),
            ..ServerConfig::default()
        };
        let database = lectern_db::Database::clone(&db);
        let first = TestServer::serve(db, config());
        let second = Server::start(config(), database).unwrap();
        Self {
            first,
            second: Client::new(second.url()),
            _second: second,
            objects,
        }
    }

    fn file(&self, upload: &Upload) -> PathBuf {
        let key = format!("jobs/{}/original/Lecture_7.mp4", upload.id);
        self.objects.path().join(key)
    }
}

fn an_upload_is_resumed_on_another_server(db: TestDb) {
    let servers = TwoServers::of(db);
    let bytes = recording(3 * MIB);
    let upload = create(&servers.first, bytes.len());
    let sent = 2 * MIB + 5;
    drop(PartialAppend::begin(
        &servers.first,
        &upload,
        0,
        bytes.len(),
        &bytes[..sent],
    ));
    wait_until(|| upload.offset(&servers.second) == sent);
    upload
        .append(&servers.second, sent, &bytes[sent..])
        .expect(204);
    assert_eq!(status(&servers.first, &upload), "queued");
    assert!(fs::read(servers.file(&upload)).unwrap() == bytes);
}

fn another_server_waits_until_an_append_has_stalled(db: TestDb) {
    let servers = TwoServers::of(db);
    let bytes = recording(3 * MIB);
    let upload = create(&servers.first, bytes.len());
    let first = PartialAppend::begin(&servers.first, &upload, 0, bytes.len(), &bytes[..2 * MIB]);
    // The first server has written something, so it has the lease.
    let file = servers.file(&upload);
    wait_until(|| fs::metadata(&file).is_ok_and(|file| file.len() > 0));
    let offset = upload.offset(&servers.second);
    upload
        .append(&servers.second, offset, &bytes[offset..])
        .problem(423, "upload_in_progress");
    servers.first.db().clock().advance(TimeDelta::seconds(7));
    upload
        .append(&servers.second, offset, &bytes[offset..])
        .expect(204);
    assert_eq!(status(&servers.first, &upload), "queued");
    // The late bytes of the first request are refused.
    let late = first.finish(&bytes[2 * MIB..]);
    assert!(late.starts_with("HTTP/1.1 423 "), "{late}");
    assert!(fs::read(&file).unwrap() == bytes);
}

fn a_new_request_ends_an_earlier_one_on_the_same_server(server: TestServer) {
    let bytes = recording(3 * MIB);
    let upload = create(&server, bytes.len());
    let first = PartialAppend::begin(&server, &upload, 0, bytes.len(), &bytes[..2 * MIB]);
    let file = file(&server, &upload);
    wait_until(|| fs::metadata(&file).is_ok_and(|file| file.len() > 0));
    // The first request stores what it has received; then the offset is no longer 0.
    let second = upload.append(&server, 0, &bytes);
    second.problem(409, "upload_offset_mismatch");
    let ended = first.response();
    assert!(
        ended.is_empty() || ended.starts_with("HTTP/1.1 423 "),
        "{ended}"
    );
    let offset = upload.offset(&server);
    assert!((1..=2 * MIB).contains(&offset), "{offset}");
    upload.append(&server, offset, &bytes[offset..]).expect(204);
    assert!(fs::read(&file).unwrap() == bytes);
}

fn a_body_with_another_checksum_is_discarded(server: TestServer) {
    const HELLO_WORLD: &str = "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=";
    let upload = create(&server, 22);
    let append = |offset, checksum: &str, bytes: &str| {
        upload
            .patch_at(&server, offset)
            .header("Upload-Checksum", checksum)
            .body("application/offset+octet-stream", bytes)
            .send()
    };
    append(0, HELLO_WORLD, "hello world").expect(204);
    append(11, HELLO_WORLD, "hello worle").problem(460, "checksum_mismatch");
    assert_eq!(upload.offset(&server), 11);
    append(11, "md5 XrY7u+Ae7tCTyyK7j1rNww==", "hello world")
        .problem(400, "checksum_not_supported");
    append(11, "sha1", "hello world").problem_with(422, "validation_failed", "Upload-Checksum");
    let sha256 = "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=";
    append(11, sha256, "hello world").expect(204);
    assert_eq!(
        fs::read(file(&server, &upload)).unwrap(),
        b"hello worldhello world"
    );

    let created = creation(&server, 11)
        .header("Upload-Checksum", HELLO_WORLD)
        .body("application/offset+octet-stream", "hello worle")
        .send();
    created.problem(460, "checksum_mismatch");
    assert_eq!(server.db().sql().count("jobs"), 1);
    assert_eq!(files(server.objects()).len(), 1);
}

fn a_terminated_upload_is_deleted_with_its_job(server: TestServer) {
    let upload = create(&server, 2 * MIB);
    upload.append(&server, 0, &recording(MIB)).expect(204);
    upload.request(&server, "DELETE").send().expect(204);
    assert_eq!(upload.head(&server).status, 404);
    upload
        .request(&server, "DELETE")
        .send()
        .problem(404, "upload_not_found");
    server
        .get(&job_path(upload.job_id(), ""))
        .problem(404, "job_not_found");
    assert!(files(server.objects()).is_empty());
    assert_eq!(server.db().sql().count("uploads"), 0);
}

fn terminating_a_finished_upload_keeps_the_job(server: TestServer) {
    let upload = create(&server, 1000);
    upload.append(&server, 0, &recording(1000)).expect(204);
    upload.request(&server, "DELETE").send().expect(204);
    assert_eq!(upload.head(&server).status, 404);
    assert_eq!(status(&server, &upload), "queued");
    assert!(file(&server, &upload).exists());
}

fn an_expired_upload_is_refused_and_then_cleared(db: TestDb) {
    let servers = TwoServers::of(db);
    let (server, clock) = (&servers.first, servers.first.db().clock());
    let [expired, cancelled, finished, fresh] = [(); 4].map(|()| create(server, 2000));
    for upload in [&expired, &cancelled] {
        upload.append(server, 0, &recording(1000)).expect(204);
    }
    finished.append(server, 0, &recording(2000)).expect(204);
    server
        .post(&job_path(cancelled.job_id(), "/cancel"), &json!({}))
        .expect(200);
    clock.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    // An append postpones the expiry.
    fresh.append(server, 0, &recording(1000)).expect(204);
    assert_eq!(expired.offset(server), 1000);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(expired.head(server).status, 410);
    expired
        .append(server, 1000, &recording(1000))
        .problem(410, "upload_expired");
    assert_eq!(finished.offset(server), 2000);

    // A server that starts clears expired uploads.
    let database = lectern_db::Database::clone(server.db());
    let location = StorageConfig::Local {
        dir: servers.objects.path().to_owned(),
    };
    let storage = Storage::open(&location, Secret::random().unwrap()).unwrap();
    let config = ServerConfig {
        storage: Some(storage),
        ..ServerConfig::default()
    };
    let _third = Server::start(config, database).unwrap();
    wait_until(|| server.db().sql().count("uploads") == 1);
    wait_until(|| files(servers.objects.path()).len() == 2);
    assert_eq!(expired.head(server).status, 404);
    server
        .get(&job_path(expired.job_id(), ""))
        .problem(404, "job_not_found");
    assert_eq!(status(server, &cancelled), "cancelled");
    assert_eq!(status(server, &finished), "queued");
    assert!(servers.file(&finished).exists());
    fresh.append(server, 1000, &recording(1000)).expect(204);
}

fn an_unfinished_upload_cannot_be_confirmed(server: TestServer) {
    let upload = create(&server, 2000);
    confirm(&server, upload.job_id()).problem(409, "illegal_transition");
    upload.append(&server, 0, &recording(1000)).expect(204);
    // As if bytes were written that are not known to be on disk.
    fs::write(file(&server, &upload), recording(2000)).unwrap();
    confirm(&server, upload.job_id()).problem(409, "illegal_transition");
    upload.append(&server, 1000, &recording(1000)).expect(204);
    confirm(&server, upload.job_id()).expect(200);
}

fn methods_can_be_overridden(server: TestServer) {
    let upload = create(&server, 1000);
    let post = |method: &str| {
        upload
            .request(&server, "POST")
            .header("X-HTTP-Method-Override", method)
            .header("Upload-Offset", "0")
    };
    let patch = post("PATCH").body("application/offset+octet-stream", recording(500));
    patch.send().expect(204);
    let head = post("HEAD").send().expect(200);
    assert_eq!(head.header("Upload-Offset"), Some("500"));
    post("PUT").send().problem(405, "method_not_allowed");
    upload
        .request(&server, "POST")
        .send()
        .problem(405, "method_not_allowed");
    post("DELETE").send().expect(204);
    assert_eq!(upload.head(&server).status, 404);
}

fn invalid_requests_change_nothing(db: TestDb) {
    let config = ServerConfig {
        uploads: UploadLimits {
            max_size: 2000,
            ..UploadLimits::default()
        },
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let old = server
        .request("POST", TUS)
        .header("Tus-Resumable", "0.2.2")
        .send();
    old.problem(412, "tus_version_not_supported");
    assert_eq!(old.header("Tus-Version"), Some("1.0.0"));
    creation(&server, 2001)
        .send()
        .problem(413, "body_too_large");
    let create_with = |name, value: &str| {
        let request = server.request("POST", TUS).header("Tus-Resumable", "1.0.0");
        request.header(name, value).send()
    };
    for (name, value, field) in [
        ("Upload-Metadata", METADATA, "Upload-Length"),
        ("Upload-Defer-Length", "1", "Upload-Length"),
        ("Upload-Length", "-1", "Upload-Length"),
        ("Upload-Length", "0", "Upload-Length"),
        ("Upload-Length", "1", "Upload-Metadata.filename"),
    ] {
        create_with(name, value).problem_with(422, "validation_failed", field);
    }
    let too_long = creation(&server, 10).body("application/offset+octet-stream", recording(11));
    too_long.send().problem(413, "body_too_large");
    creation(&server, 10)
        .body("video/mp4", recording(1))
        .send()
        .problem(415, "unsupported_media_type");
    assert_eq!(server.db().sql().count("jobs"), 0);

    let upload = create(&server, 1000);
    let patch = |offset| upload.patch_at(&server, offset);
    patch(0)
        .body("video/mp4", recording(1))
        .send()
        .problem(415, "unsupported_media_type");
    upload
        .append(&server, 0, &recording(1001))
        .problem(413, "body_too_large");
    upload
        .append(&server, 1, &recording(1))
        .problem(409, "upload_offset_mismatch");
    let no_offset = upload.request(&server, "PATCH");
    no_offset
        .body("application/offset+octet-stream", recording(1))
        .send()
        .problem_with(422, "validation_failed", "Upload-Offset");
    let old = server
        .request("PATCH", &upload.path)
        .header("Tus-Resumable", "2.0.0")
        .send();
    old.problem(412, "tus_version_not_supported");
    for path in [&format!("{TUS}/{UNKNOWN_ID}"), &format!("{TUS}/lecture-07")] {
        let unknown = Upload {
            id: UNKNOWN_ID.to_owned(),
            path: path.clone(),
        };
        assert_eq!(unknown.head(&server).status, 404);
        unknown
            .append(&server, 0, b"!")
            .problem(404, "upload_not_found");
    }
    assert_eq!(upload.offset(&server), 0);
}

fn an_upload_whose_job_was_cancelled_or_deleted_cannot_continue(server: TestServer) {
    let [cancelled, deleted] = [(); 2].map(|()| create(&server, 2000));
    for upload in [&cancelled, &deleted] {
        upload.append(&server, 0, &recording(1000)).expect(204);
    }
    server
        .post(&job_path(cancelled.job_id(), "/cancel"), &json!({}))
        .expect(200);
    server.delete(&job_path(deleted.job_id(), "")).expect(204);
    assert_eq!(cancelled.head(&server).status, 409);
    cancelled
        .append(&server, 1000, &recording(1000))
        .problem(409, "illegal_transition");
    deleted
        .append(&server, 1000, &recording(1000))
        .problem(404, "upload_not_found");
    assert_eq!(files(server.objects()).len(), 1);
}

fn an_upload_that_was_not_finished_is_finished_by_the_next_request(server: TestServer) {
    let uploads = [(); 2].map(|()| create(&server, 1000));
    for upload in &uploads {
        upload.append(&server, 0, &recording(999)).expect(204);
        fs::write(file(&server, upload), recording(1000)).unwrap();
    }
    // As if the server had stopped after the last byte.
    server
        .db()
        .sql()
        .batch("UPDATE uploads SET received = 1000")
        .unwrap();
    assert_eq!(uploads[0].offset(&server), 1000);
    uploads[1].append(&server, 1000, b"").expect(204);
    for upload in &uploads {
        assert_eq!(status(&server, upload), "queued");
    }
}
