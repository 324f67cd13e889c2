//! Uploads: announced, sent, confirmed.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use chrono::TimeDelta;
use lectern_domain::{JobId, JobStatus};
use lectern_server::{ServerConfig, UploadLimits};
use lectern_tests::{TestDb, TestServer, a_job, on_both_backends};
use serde_json::json;

use crate::http::support::recordings::{
    PartialTransfer, UPLOAD, a_lecture, announce, confirm, files, path_of, recording, results,
    send, upload, wait_for_part, wait_until_empty,
};
use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, concurrently, job_path};

on_both_backends!(
    an_uploaded_recording_is_confirmed_and_served_unchanged,
    an_oversized_upload_is_rejected_and_creates_nothing,
    only_recordings_are_accepted,
    a_repeated_announcement_returns_the_same_upload,
    a_missing_object_cannot_be_confirmed,
    concurrent_confirmations_queue_the_job_once,
    confirming_a_job_past_pending_does_not_check_the_object,
    a_cancelled_job_cannot_be_confirmed,
    a_recording_can_be_replaced_until_it_is_confirmed,
    a_confirmed_recording_cannot_be_replaced,
    deleting_a_job_deletes_its_objects_and_no_others,
    an_upload_of_a_job_that_is_deleted_meanwhile_leaves_nothing,
);

fn serve_with(db: TestDb, uploads: UploadLimits) -> TestServer {
    let config = ServerConfig {
        uploads,
        database_timeout: Duration::from_mins(1),
        ..ServerConfig::default()
    };
    TestServer::serve(db, config)
}

fn an_uploaded_recording_is_confirmed_and_served_unchanged(server: TestServer) {
    let bytes = recording((5 << 20) + 7);
    let answer = server.post(UPLOAD, &a_lecture(bytes.len())).expect(201);
    let announced = answer.json();
    let job_id: JobId = announced["job_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        answer.header("Location"),
        Some(job_path(job_id, "").as_str())
    );
    assert_eq!(
        announced["s3_key"],
        format!("jobs/{job_id}/original/Lecture_7.mp4")
    );
    assert_eq!(
        (&announced["expires_in"], &announced["upload_fields"]),
        (&json!(86_400), &json!({}))
    );
    let job = server.get(&job_path(job_id, "")).expect(200).json();
    assert_eq!(
        (&job["status"], &job["progress"]["stage"]),
        (&json!("pending"), &json!("uploading"))
    );
    assert_eq!(
        (&job["file_size"], &job["filename"]),
        (&json!(bytes.len()), &json!("Lecture 7.mp4"))
    );

    let sent = send(&server, path_of(&server, &announced["upload_url"]), &bytes).expect(200);
    assert!(sent.header("ETag").unwrap().starts_with('"'));
    let confirmed = confirm(&server, job_id).expect(200);
    assert_eq!(confirmed.json()["status"], "queued");
    assert_eq!(
        confirmed.header("ETag"),
        server.get(&job_path(job_id, "")).expect(200).header("ETag")
    );

    let original = &results(&server, job_id)["metadata"]["original_video"];
    let fetched = server.get(path_of(&server, &original["url"])).expect(200);
    assert!(fetched.body == bytes);
    assert_eq!(fetched.header("ETag"), sent.header("ETag"));
    assert_eq!(
        files(server.objects()),
        [announced["s3_key"].as_str().unwrap()]
    );
}

fn an_oversized_upload_is_rejected_and_creates_nothing(db: TestDb) {
    let server = serve_with(
        db,
        UploadLimits {
            max_size: 1000,
            ..UploadLimits::default()
        },
    );
    server
        .post(UPLOAD, &a_lecture(1001))
        .problem_with(422, "validation_failed", "file_size");
    assert_eq!(server.db().sql().count("jobs"), 0);
    upload(&server, &recording(1000));
}

fn only_recordings_are_accepted(server: TestServer) {
    for (field, value) in [
        ("filename", json!("notes.pdf")),
        ("filename", json!("lecture")),
        ("content_type", json!("application/pdf")),
        ("content_type", json!("image/jpeg")),
        ("file_size", json!(0)),
    ] {
        let mut upload = a_lecture(1000);
        upload[field] = value;
        server
            .post(UPLOAD, &upload)
            .problem_with(422, "validation_failed", field);
    }
    assert_eq!(server.db().sql().count("jobs"), 0);
}

fn a_repeated_announcement_returns_the_same_upload(server: TestServer) {
    let announce = |size| {
        server
            .request("POST", UPLOAD)
            .header("Idempotency-Key", "k")
            .json(&a_lecture(size))
            .send()
    };
    let answers = concurrently(100, |_| announce(1000).expect(201));
    let bodies: HashSet<_> = answers.iter().map(|answer| answer.body.clone()).collect();
    assert_eq!((bodies.len(), server.db().sql().count("jobs")), (1, 1));
    assert_eq!(
        answers[0].header("Location"),
        answers[99].header("Location")
    );
    announce(1001).problem(422, "idempotency_mismatch");

    server.db().clock().advance(TimeDelta::hours(23));
    let url = announce(1000).expect(201).json()["upload_url"].clone();
    send(&server, path_of(&server, &url), &recording(1000)).expect(200);
}

fn a_missing_object_cannot_be_confirmed(server: TestServer) {
    let announced = announce(&server, 1000);
    confirm(&server, announced.job_id).problem(409, "illegal_transition");
    // On S3 a URL accepts any size.
    let file = server.objects().join(&announced.key);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    for size in [999, 1001] {
        fs::write(&file, recording(size)).unwrap();
        confirm(&server, announced.job_id).problem_with(422, "validation_failed", "file_size");
    }
    assert_eq!(
        server
            .get(&job_path(announced.job_id, ""))
            .expect(200)
            .json()["status"],
        "pending"
    );
    fs::write(&file, recording(1000)).unwrap();
    confirm(&server, announced.job_id).expect(200);
}

fn concurrent_confirmations_queue_the_job_once(server: TestServer) {
    let announced = announce(&server, 1000);
    send(&server, &announced.path, &recording(1000)).expect(200);
    let answers = concurrently(100, |_| confirm(&server, announced.job_id).expect(200));
    for answer in &answers {
        assert_eq!(
            (&answer.body, answer.header("ETag")),
            (&answers[0].body, Some("\"2\""))
        );
    }
    let mut sql = server.db().sql();
    assert_eq!(sql.count("stage_runs"), 6);
    assert_eq!(
        sql.value("SELECT count(*) FROM job_events WHERE CAST(data AS text) LIKE '%queued%'"),
        "1"
    );
}

fn confirming_a_job_past_pending_does_not_check_the_object(server: TestServer) {
    for status in [JobStatus::Queued, JobStatus::Running, JobStatus::Completed] {
        // Its recording does not exist.
        let job_id = a_job().status(status).create(server.db()).job_id;
        let before = server.get(&job_path(job_id, "")).expect(200);
        let confirmed = confirm(&server, job_id).expect(200);
        assert_eq!(
            (confirmed.json(), confirmed.header("ETag")),
            (before.json(), before.header("ETag"))
        );
    }
}

fn a_cancelled_job_cannot_be_confirmed(server: TestServer) {
    for status in ["failed", "cancelled"] {
        let announced = announce(&server, 1000);
        send(&server, &announced.path, &recording(1000)).expect(200);
        server
            .patch(
                &job_path(announced.job_id, ""),
                &json!({ "status": status }),
            )
            .expect(200);
        confirm(&server, announced.job_id).problem(409, "illegal_transition");
        send(&server, &announced.path, &recording(1000)).problem(409, "illegal_transition");
        assert_eq!(
            server
                .get(&job_path(announced.job_id, ""))
                .expect(200)
                .json()["status"],
            status
        );
    }
    server
        .post(
            &format!("{UPLOAD}/confirm"),
            &json!({ "job_id": UNKNOWN_ID }),
        )
        .problem(404, "job_not_found");
}

fn a_recording_can_be_replaced_until_it_is_confirmed(server: TestServer) {
    let (first, second) = (recording(3 << 20), vec![7; 3 << 20]);
    let announced = announce(&server, first.len());
    send(&server, &announced.path, &second).expect(200);
    send(&server, &announced.path, &first).expect(200);
    // A concurrent upload whose last byte arrives too late.
    let late = PartialTransfer::upload(&server, &announced.path, second.len(), &second[1..]);
    wait_for_part(server.objects());
    confirm(&server, announced.job_id).expect(200);
    let answer = late.finish(&[7]);
    assert!(
        answer.starts_with("HTTP/1.1 409 ") && answer.contains("illegal_transition"),
        "{answer}"
    );
    send(&server, &announced.path, &second).problem(409, "illegal_transition");
    assert_eq!(files(server.objects()), [announced.key.as_str()]);
    assert!(fs::read(server.objects().join(&announced.key)).unwrap() == first);
}

fn a_confirmed_recording_cannot_be_replaced(server: TestServer) {
    for _ in 0..30 {
        let announced = announce(&server, 50_000);
        let file = server.objects().join(&announced.key);
        send(&server, &announced.path, &vec![0; 50_000]).expect(200);
        let contents = concurrently(6, |i| {
            let i = u8::try_from(i).unwrap();
            if i == 3 {
                confirm(&server, announced.job_id).expect(200);
                return fs::read(&file).ok();
            }
            let sent = send(&server, &announced.path, &vec![i; 50_000]);
            assert!([200, 409, 423].contains(&sent.status), "{sent}");
            None
        });
        assert!(contents[3] == fs::read(&file).ok());
    }
}

fn deleting_a_job_deletes_its_objects_and_no_others(server: TestServer) {
    let (deleted, kept) = (
        upload(&server, &recording(1000)),
        upload(&server, &recording(1000)),
    );
    let clip = server
        .objects()
        .join(format!("jobs/{}/clips/deep/1.mp4", deleted.job_id));
    fs::create_dir_all(clip.parent().unwrap()).unwrap();
    fs::write(&clip, "a clip").unwrap();
    let outside = server.objects().join("uploads/lecture.mp4");
    fs::create_dir_all(outside.parent().unwrap()).unwrap();
    fs::write(&outside, "an owner's recording").unwrap();
    let other = server.post(JOBS, &a_recording()).expect(201);

    server.delete(&job_path(deleted.job_id, "")).expect(204);
    server.delete(other.header("Location").unwrap()).expect(204);
    assert_eq!(
        files(server.objects()),
        [kept.key.as_str(), "uploads/lecture.mp4"]
    );
    assert!(
        !server
            .objects()
            .join(format!("jobs/{}", deleted.job_id))
            .exists()
    );
}

fn an_upload_of_a_job_that_is_deleted_meanwhile_leaves_nothing(server: TestServer) {
    let bytes = recording(3 << 20);
    let announced = announce(&server, bytes.len());
    let partial = PartialTransfer::upload(&server, &announced.path, bytes.len(), &bytes[1..]);
    wait_for_part(server.objects());
    server.delete(&job_path(announced.job_id, "")).expect(204);
    let answer = partial.finish(&bytes[..1]);
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    wait_until_empty(server.objects());
}
