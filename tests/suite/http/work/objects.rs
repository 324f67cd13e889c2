//! Objects that workers read and store under a lease.

use lectern_domain::Stage::{Compilation, SilenceDetection};
use lectern_domain::{JobId, NewApiKey, OwnerName, Role};
use lectern_tests::{Client, Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::job_path;
use crate::http::support::recordings::{path_of, send, upload};
use crate::http::support::worker::{CLAIM, Claimed, claim, create_job, expire};

on_both_backends!(
    a_worker_stores_and_reads_an_object_of_its_job,
    a_name_or_size_that_is_not_allowed_is_rejected,
    only_a_live_lease_gives_access_to_objects,
    a_worker_reads_no_objects_of_other_jobs,
    a_lease_is_unknown_to_other_owners,
    a_file_is_not_stored_after_the_job_has_ended,
    the_results_of_a_stage_are_stored_when_it_is_completed,
    results_of_another_stage_or_job_are_rejected,
);

fn objects(claimed: &Claimed) -> String {
    format!("/api/v1/work/{}/objects", claimed.lease)
}

fn request_upload(server: &Client, claimed: &Claimed, name: &str, size: usize) -> Response {
    let body = json!({ "filename": name, "file_size": size });
    server.post(&objects(claimed), &body)
}

/// Stores an object; returns its key.
fn store(server: &Client, claimed: &Claimed, name: &str, bytes: &[u8]) -> String {
    let answer = request_upload(server, claimed, name, bytes.len());
    let answer = answer.expect(201).json();
    send(server, path_of(server, &answer["upload_url"]), bytes).expect(200);
    answer["s3_key"].as_str().unwrap().to_owned()
}

fn find(server: &Client, claimed: &Claimed, key: &str) -> Vec<Value> {
    let path = format!("{}?s3_key={key}", objects(claimed));
    let answer = server.get(&path).expect(200).json();
    answer["objects"].as_array().unwrap().clone()
}

/// A claimed stage of a job with an uploaded recording.
fn a_claim(server: &TestServer) -> Claimed {
    let uploaded = upload(server, b"moov");
    let claimed = claim(server, &[SilenceDetection]).unwrap();
    assert_eq!(claimed.job_id, uploaded.job_id);
    claimed
}

fn a_worker_stores_and_reads_an_object_of_its_job(server: TestServer) {
    let claimed = a_claim(&server);
    for content in [&b"first"[..], b"second one"] {
        let key = store(&server, &claimed, "clips/1.mp4", content);
        assert_eq!(key, format!("jobs/{}/clips/1.mp4", claimed.job_id));
        let found = find(&server, &claimed, &key).remove(0);
        assert_eq!(
            (&found["s3_key"], &found["size"]),
            (&json!(key), &json!(content.len()))
        );
        let read = server.get(path_of(&server, &found["url"])).expect(200);
        assert_eq!(read.text().as_bytes(), content);
    }
    // Without a key, the recording and what is beside it.
    let answer = server.get(&objects(&claimed)).expect(200).json();
    let all = answer["objects"].as_array().unwrap();
    assert_eq!(all.len(), 1);
    let recording = server.get(path_of(&server, &all[0]["url"])).expect(200);
    assert_eq!(recording.text(), "moov");
}

fn a_name_or_size_that_is_not_allowed_is_rejected(server: TestServer) {
    let claimed = a_claim(&server);
    let long = "a".repeat(256);
    for name in [
        "",
        "../a",
        "/a",
        "a//b",
        "original/a.mp4",
        "UPLOAD/1",
        "subtitles/1.vtt",
        &long,
    ] {
        let answer = request_upload(&server, &claimed, name, 1);
        answer.problem_with(422, "validation_failed", "filename");
    }
    for size in [json!(0), json!(i64::MAX)] {
        let body = json!({ "filename": "a", "file_size": size });
        let answer = server.post(&objects(&claimed), &body);
        answer.problem_with(422, "validation_failed", "file_size");
    }
    let path = format!("{}?s3_key=", objects(&claimed));
    server
        .get(&path)
        .problem_with(422, "validation_failed", "s3_key");
    // Other sizes than the announced one.
    let answer = request_upload(&server, &claimed, "a", 3).expect(201).json();
    let path = path_of(&server, &answer["upload_url"]);
    send(&server, path, b"four").problem(413, "body_too_large");
    let key = answer["s3_key"].as_str().unwrap();
    assert_eq!(find(&server, &claimed, key), [Value::Null; 0]);
}

fn only_a_live_lease_gives_access_to_objects(server: TestServer) {
    let claimed = a_claim(&server);
    expire(&server, &claimed);
    request_upload(&server, &claimed, "a", 1).problem(409, "lease_lost");
    server.get(&objects(&claimed)).problem(409, "lease_lost");
    let unknown = "/api/v1/work/019b76da-a87b-7763-a830-6c97ee0bf06d/objects";
    server.get(unknown).problem(409, "lease_lost");
}

fn a_worker_reads_no_objects_of_other_jobs(server: TestServer) {
    let first = a_claim(&server);
    let key = store(&server, &first, "clips/1.mp4", b"secret");
    first.send(&server, "complete", &json!({})).expect(200);
    let second = a_claim(&server);
    assert_ne!(second.job_id, first.job_id);
    let recording = format!("jobs/{}/original/Lecture_7.mp4", first.job_id);
    for other in [
        key.as_str(),
        &recording,
        "jobs",
        "lectern-database-id",
        "..%2Fa",
    ] {
        assert_eq!(find(&server, &second, other), [Value::Null; 0], "{other}");
    }
}

fn a_lease_is_unknown_to_other_owners(db: TestDb) {
    let job = a_job().create(&db);
    let owner = Some(OwnerName::new("red").unwrap());
    let data = NewApiKey {
        owner,
        ..NewApiKey::new(Role::Worker)
    };
    let (red, any) = (Key::create_as(&db, &data), Key::create(&db, Role::Worker));
    let server = serve_with_keys(db);
    let body = json!({ "worker": "w", "stages": ["silence_detection"] });
    let claimed = any.request(&server, "POST", CLAIM).json(&body).send();
    let claimed = claimed.expect(200).json()["claims"][0].clone();
    assert_eq!(claimed["job"]["job_id"], json!(job.job_id));
    let path = format!(
        "/api/v1/work/{}/objects",
        claimed["lease_id"].as_str().unwrap()
    );
    any.request(&server, "GET", &path).send().expect(200);
    let refused = red.request(&server, "GET", &path).send();
    refused.problem(409, "lease_lost");
}

fn a_file_is_not_stored_after_the_job_has_ended(server: TestServer) {
    let claimed = a_claim(&server);
    let answer = request_upload(&server, &claimed, "a", 1).expect(201).json();
    let path = path_of(&server, &answer["upload_url"]).to_owned();
    let cancel = job_path(claimed.job_id, "/cancel");
    server.post(&cancel, &json!({})).expect(200);
    send(&server, &path, b"1").problem(409, "lease_lost");
    server.delete(&job_path(claimed.job_id, "")).expect(204);
    send(&server, &path, b"1").problem(404, "not_found");
}

/// Completes the stages before `stage` of a new job, and claims it.
fn claim_last(server: &TestServer) -> Claimed {
    create_job(server, json!({}));
    loop {
        let claimed = claim(server, lectern_domain::Stage::WORK).unwrap();
        if claimed.stage == Compilation {
            return claimed;
        }
        claimed.store(server);
        claimed.send(server, "complete", &json!({})).expect(200);
    }
}

fn clip_ids(server: &Client, job_id: JobId) -> Vec<Value> {
    let clips = server.get(&job_path(job_id, "/clips")).expect(200).json();
    let clips = clips["clips"].as_array().unwrap().iter();
    clips.map(|clip| clip["clip_id"].clone()).collect()
}

fn the_results_of_a_stage_are_stored_when_it_is_completed(server: TestServer) {
    let claimed = claim_last(&server);
    let clip_id = clip_ids(&server, claimed.job_id).remove(0);
    let key = format!("jobs/{}/clips/1.mp4", claimed.job_id);
    let completion = json!({
        "video_duration": 300.5,
        "video_metadata": { "format": "wav" },
        "clip_files": [{ "clip_id": clip_id, "s3_key": key, "cut_record": "crf 20" }],
        "highlight_s3_key": "reels/1.mp4",
    });
    claimed.send(&server, "complete", &completion).expect(200);
    let job = server.get(&job_path(claimed.job_id, "")).expect(200).json();
    assert_eq!(job["video_duration"], 300.5);
    assert_eq!(job["video_metadata"], json!({ "format": "wav" }));
    let path = format!("/api/v1/results/{}", claimed.job_id);
    let results = server.get(&path).expect(200).json();
    assert_eq!(
        results["metadata"]["highlight_video"]["s3_key"],
        "reels/1.mp4"
    );
    let clips = server.get(&job_path(claimed.job_id, "/clips")).expect(200);
    let clip = clips.json()["clips"][0].clone();
    assert_eq!((&clip["clip_id"], &clip["s3_key"]), (&clip_id, &json!(key)));
    // Again, it changes nothing.
    let other = json!({ "video_duration": 1.0, "highlight_s3_key": null });
    claimed.send(&server, "complete", &other).expect(200);
    assert_eq!(server.get(&path).expect(200).json(), results);
    // The next attempt finds how the file was made, and the reel.
    let rerun = json!({ "from_stage": "compilation" });
    server
        .post(&job_path(claimed.job_id, "/rerun"), &rerun)
        .expect(200);
    let request = json!({ "worker": "w", "stages": ["compilation"] });
    let again = server
        .post("/api/v1/work/claim", &request)
        .expect(200)
        .json();
    assert_eq!(again["claims"][0]["highlight_s3_key"], "reels/1.mp4");
    let again = Claimed {
        lease: again["claims"][0]["lease_id"].as_str().unwrap().to_owned(),
        ..claimed
    };
    store(&server, &again, "clips/1.mp4", b"clip");
    let found = find(&server, &again, &key).remove(0);
    assert_eq!(found["cut_record"], "crf 20");
}

fn results_of_another_stage_or_job_are_rejected(server: TestServer) {
    let other = claim_last(&server);
    let clip_id = clip_ids(&server, other.job_id).remove(0);
    let claimed = a_claim(&server);
    for (field, value) in [
        ("transcript_source", json!("sidecar")),
        ("clip_files", json!([{ "clip_id": clip_id }])),
        ("highlight_s3_key", json!("a")),
    ] {
        let answer = claimed.send(&server, "complete", &json!({ field: value }));
        answer.problem_with(422, "validation_failed", field);
    }
    claimed.send(&server, "complete", &json!({})).expect(200);
    // A clip of another job.
    let last = claim_last(&server);
    let body = json!({ "clip_files": [{ "clip_id": clip_id, "s3_key": "a" }] });
    let answer = last.send(&server, "complete", &body);
    answer.problem_with(422, "validation_failed", "clip_files[0].clip_id");
}
