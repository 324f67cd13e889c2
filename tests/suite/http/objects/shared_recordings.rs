//! Several jobs over one uploaded recording.

use lectern_domain::{JobId, Stage};
use lectern_tests::{Client, Response, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::recordings::{announce, files, path_of, recording, results, upload};
use crate::http::support::worker::request_claim;
use crate::http::support::{JOBS, UNKNOWN_ID, concurrently, dump, job_path};

on_both_backends!(
    a_second_job_shares_the_recording,
    a_second_job_may_have_another_name,
    a_job_of_a_second_job_shares_the_first_recording,
    a_job_names_the_owner_of_its_recording_even_after_its_deletion,
    the_recording_lives_as_long_as_one_of_its_jobs,
    a_shared_recording_is_counted_once,
    the_recording_is_deleted_with_the_last_of_its_jobs_whichever_it_is,
    jobs_deleted_at_the_same_time_leave_no_recording,
    a_job_deleted_while_others_are_made_of_it_leaves_a_readable_recording_or_none,
    a_recording_outside_of_the_jobs_is_shared_and_kept,
    only_a_job_with_an_uploaded_recording_is_a_source,
    a_recording_is_given_or_shared_not_both,
    a_repeated_request_makes_one_job,
    the_recording_of_another_job_needs_to_be_shared,
);

fn create_of(client: &Client, source: JobId, more: &Value) -> Response {
    let mut body = json!({ "source_job_id": source });
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    client.post(JOBS, &body)
}

/// A job over the recording of another one.
fn a_job_of(client: &Client, source: JobId) -> JobId {
    let created = create_of(client, source, &json!({})).expect(201);
    id_of(&created.json())
}

fn id_of(job: &Value) -> JobId {
    job["job_id"].as_str().unwrap().parse().unwrap()
}

fn delete(client: &Client, job_id: JobId) {
    client.delete(&job_path(job_id, "")).expect(204);
}

/// The recording of a job, as its worker reads it.
fn read_recording(client: &Client, job_id: JobId) -> Option<Vec<u8>> {
    client.request("POST", &job_path(job_id, "/cancel")).send();
    client
        .request("POST", &job_path(job_id, "/retry"))
        .send()
        .expect(200);
    let answer = request_claim(client, Stage::WORK, json!({ "max": 100 })).json();
    let claims = answer["claims"].as_array().unwrap();
    let own = claims
        .iter()
        .find(|claim| claim["job"]["job_id"] == json!(job_id));
    let url = &own.unwrap()["source_url"];
    (!url.is_null()).then(|| client.get(path_of(client, url)).expect(200).body)
}

fn a_second_job_shares_the_recording(server: TestServer) {
    let bytes = recording(1_000);
    let first = upload(&server, &bytes);
    let created = create_of(
        &server,
        first.job_id,
        &json!({ "processing_config": { "processing_mode": "audio" }, "priority": 3 }),
    );
    let created = created.expect(201);
    let second = created.json();
    let source = server.get(&job_path(first.job_id, "")).expect(200).json();
    assert_ne!(second["job_id"], source["job_id"]);
    for field in ["filename", "file_size", "content_type"] {
        assert_eq!(second[field], source[field], "{field}");
    }
    assert_eq!(
        [&second["status"], &second["processing_mode"]],
        ["queued", "audio"]
    );
    let second = id_of(&second);
    assert_eq!(created.header("Location"), Some(&*job_path(second, "")));
    assert_eq!(read_recording(&server, second), Some(bytes.clone()));
    assert_eq!(files(server.objects()), [first.key]);

    let url = &results(&server, second)["metadata"]["original_video"]["url"];
    assert_eq!(server.get(path_of(&server, url)).expect(200).body, bytes);
}

fn a_second_job_may_have_another_name(server: TestServer) {
    let first = upload(&server, &recording(1_000));
    let more = json!({ "filename": "take two.mp4", "extra_metadata": { "take": 2 } });
    let second = create_of(&server, first.job_id, &more).expect(201).json();
    assert_eq!(second["filename"], "take two.mp4");
    assert_eq!(second["extra_metadata"]["take"], 2);
}

fn a_job_of_a_second_job_shares_the_first_recording(server: TestServer) {
    let bytes = recording(1_000);
    let first = upload(&server, &bytes);
    let second = a_job_of(&server, first.job_id);
    delete(&server, first.job_id);
    let third = a_job_of(&server, second);
    delete(&server, second);
    assert_eq!(read_recording(&server, third), Some(bytes));
    delete(&server, third);
    assert!(files(server.objects()).is_empty());
}

fn a_job_names_the_owner_of_its_recording_even_after_its_deletion(server: TestServer) {
    let first = upload(&server, &recording(1_000)).job_id;
    let second = a_job_of(&server, first);
    let third = create_of(&server, second, &json!({})).expect(201).json();
    assert_eq!(third["source_job_id"], json!(first), "not the second job");
    let third = id_of(&third);

    let check = || {
        let job = |job_id| server.get(&job_path(job_id, "")).expect(200).json();
        let list = server.get(JOBS).expect(200).json();
        for job_id in [second, third] {
            assert_eq!(job(job_id)["source_job_id"], json!(first));
            let jobs = list["jobs"].as_array().unwrap();
            let listed = jobs.iter().find(|job| job["job_id"] == json!(job_id));
            assert_eq!(listed.unwrap()["source_job_id"], json!(first));
        }
    };
    check();
    let own = server.get(&job_path(first, "")).expect(200).json();
    assert_eq!(own["source_job_id"], Value::Null);
    delete(&server, first);
    check();

    let answer = request_claim(&server, Stage::WORK, json!({ "max": 100 })).json();
    let claims = answer["claims"].as_array().unwrap();
    let of_second = claims
        .iter()
        .find(|claim| claim["job"]["job_id"] == json!(second));
    assert_eq!(of_second.unwrap()["job"]["source_job_id"], json!(first));
}

fn a_shared_recording_is_counted_once(server: TestServer) {
    let stored = || server.get("/api/v1/stats").expect(200).json()["bytes_stored"].clone();
    let first = upload(&server, &recording(1_000)).job_id;
    let other = upload(&server, &recording(30)).job_id;
    let second = a_job_of(&server, first);
    let third = a_job_of(&server, second);
    let fourth = a_job_of(&server, first);
    a_job_of(&server, other);
    assert_eq!(stored(), 1_030);
    // Ended before any stage: its recording has arrived nevertheless.
    let report = json!({ "stage": "uploading", "percent": 1 });
    server
        .post(&job_path(fourth, "/progress"), &report)
        .expect(200);
    server
        .request("POST", &job_path(fourth, "/cancel"))
        .send()
        .expect(200);
    assert_eq!(stored(), 1_030);
    delete(&server, first);
    assert_eq!(stored(), 1_030, "without the first job");
    delete(&server, second);
    assert_eq!(stored(), 1_030, "without the second job");
    delete(&server, third);
    assert_eq!(stored(), 1_030, "with one job");
    delete(&server, fourth);
    assert_eq!(stored(), 30);
}

fn the_recording_lives_as_long_as_one_of_its_jobs(server: TestServer) {
    let bytes = recording(1_000);
    let first = upload(&server, &bytes);
    let (second, third) = (
        a_job_of(&server, first.job_id),
        a_job_of(&server, first.job_id),
    );
    // Other files of the job are deleted with it.
    let clip = server
        .objects()
        .join(format!("jobs/{}/clips/1.mp4", first.job_id));
    std::fs::create_dir_all(clip.parent().unwrap()).unwrap();
    std::fs::write(&clip, "12345").unwrap();
    delete(&server, first.job_id);
    assert_eq!(files(server.objects()), std::slice::from_ref(&first.key));
    assert_eq!(read_recording(&server, second), Some(bytes.clone()));
    delete(&server, second);
    assert_eq!(files(server.objects()), [first.key]);
    assert_eq!(read_recording(&server, third), Some(bytes));
    delete(&server, third);
    assert!(files(server.objects()).is_empty());
}

fn the_recording_is_deleted_with_the_last_of_its_jobs_whichever_it_is(server: TestServer) {
    let first = upload(&server, &recording(1_000));
    let second = a_job_of(&server, first.job_id);
    delete(&server, second);
    assert_eq!(files(server.objects()), [first.key]);
    delete(&server, first.job_id);
    assert!(files(server.objects()).is_empty());
}

fn jobs_deleted_at_the_same_time_leave_no_recording(server: TestServer) {
    for _ in 0..10 {
        let first = upload(&server, &recording(1_000));
        let mut job_ids = vec![first.job_id];
        job_ids.extend((0..3).map(|_| a_job_of(&server, first.job_id)));
        concurrently(4, |i| delete(&server, job_ids[i]));
        assert!(files(server.objects()).is_empty());
    }
}

fn a_job_deleted_while_others_are_made_of_it_leaves_a_readable_recording_or_none(
    server: TestServer,
) {
    for _ in 0..10 {
        let bytes = recording(1_000);
        let first = upload(&server, &bytes);
        let created = concurrently(4, |i| {
            if i == 0 {
                delete(&server, first.job_id);
                return None;
            }
            let answer = create_of(&server, first.job_id, &json!({}));
            if answer.status == 201 {
                return Some(id_of(&answer.json()));
            }
            answer.problem_with(422, "validation_failed", "source_job_id");
            None
        });
        let created: Vec<_> = created.into_iter().flatten().collect();
        assert_eq!(files(server.objects()).is_empty(), created.is_empty());
        for job_id in created {
            assert_eq!(read_recording(&server, job_id), Some(bytes.clone()));
            delete(&server, job_id);
        }
        assert!(files(server.objects()).is_empty());
    }
}

fn a_recording_outside_of_the_jobs_is_shared_and_kept(server: TestServer) {
    let file = server.objects().join("uploads/lecture.mp4");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "12345").unwrap();
    let body = json!({ "filename": "a.mp4", "file_size": 5, "s3_key": "uploads/lecture.mp4" });
    let first = id_of(&server.post(JOBS, &body).expect(201).json());
    let second = a_job_of(&server, first);
    delete(&server, first);
    assert_eq!(read_recording(&server, second).unwrap(), b"12345");
    delete(&server, second);
    assert_eq!(files(server.objects()), ["uploads/lecture.mp4"]);
}

fn only_a_job_with_an_uploaded_recording_is_a_source(server: TestServer) {
    let pending = announce(&server, 1_000).job_id;
    let ended = announce(&server, 1_000).job_id;
    server
        .request("POST", &job_path(ended, "/cancel"))
        .send()
        .expect(200);
    let without_recording = a_job().create(server.db()).job_id;
    server
        .db()
        .sql()
        .execute(&format!(
            "UPDATE jobs SET original_s3_key = NULL WHERE job_id = '{without_recording}'"
        ))
        .unwrap();
    let before = dump(server.db());
    let unknown = UNKNOWN_ID.parse().unwrap();
    for source in [pending, ended, without_recording, unknown] {
        create_of(&server, source, &json!({})).problem_with(
            422,
            "validation_failed",
            "source_job_id",
        );
    }
    assert_eq!(dump(server.db()), before);
}

fn a_recording_is_given_or_shared_not_both(server: TestServer) {
    let first = upload(&server, &recording(1_000));
    let before = dump(server.db());
    for (field, value) in [
        ("file_size", json!(1_000)),
        ("s3_key", json!("uploads/a.mp4")),
        ("content_type", json!("video/mp4")),
    ] {
        create_of(&server, first.job_id, &json!({ field: value })).problem_with(
            422,
            "validation_failed",
            field,
        );
    }
    create_of(
        &server,
        first.job_id,
        &json!({ "processing_config": { "pipeline": "none" } }),
    )
    .problem_with(422, "validation_failed", "processing_config.pipeline");
    assert_eq!(dump(server.db()), before);
}

fn a_repeated_request_makes_one_job(server: TestServer) {
    let first = upload(&server, &recording(1_000));
    let create = || {
        let request = server
            .request("POST", JOBS)
            .header("Idempotency-Key", "again");
        request
            .json(&json!({ "source_job_id": first.job_id }))
            .send()
            .expect(201)
            .json()
    };
    assert_eq!(create(), create());
    assert_eq!(server.db().sql().count("jobs"), 2);
}

fn the_recording_of_another_job_needs_to_be_shared(server: TestServer) {
    let first = upload(&server, &recording(1_000));
    let body = json!({ "filename": "a.mp4", "file_size": 1_000, "s3_key": first.key });
    let other = id_of(&server.post(JOBS, &body).expect(201).json());
    assert_eq!(read_recording(&server, other), None);
    delete(&server, first.job_id);
    assert!(files(server.objects()).is_empty());
}
