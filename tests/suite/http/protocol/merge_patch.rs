//! `application/merge-patch+json` (RFC 7396), which every PATCH of JSON takes.

use lectern_domain::JobId;
use lectern_tests::{Client, Response, TestServer, a_completed_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::{JOBS, a_recording, concurrently, job_path};

on_both_backends!(
    the_objects_of_a_job_are_merged,
    the_object_of_a_clip_is_merged,
    rows_without_objects_take_a_merge_patch_too,
    json_replaces_the_whole_object,
    concurrent_merges_lose_no_member,
    an_object_that_a_merge_makes_too_large_is_refused,
    another_media_type_is_told_which_ones_are_taken,
);

const MERGE_PATCH: &str = "application/merge-patch+json";

fn merge(client: &Client, path: &str, changes: &Value) -> Response {
    let request = client.request("PATCH", path);
    request.body(MERGE_PATCH, changes.to_string()).send()
}

fn a_job_with(server: &TestServer, extra_metadata: &Value) -> String {
    let mut job = a_recording();
    job["extra_metadata"] = extra_metadata.clone();
    let job = server.post(JOBS, &job).expect(201).json();
    format!("{JOBS}/{}", job["job_id"].as_str().unwrap())
}

/// The path of a row of a set of the job.
fn a_row(server: &TestServer, job_id: JobId, set: &str, list: &str, id: &str) -> String {
    let rows = server.get(&job_path(job_id, set)).expect(200).json();
    format!("/api/v1{set}/{}", rows[list][0][id].as_str().unwrap())
}

fn the_objects_of_a_job_are_merged(server: TestServer) {
    let job = a_job_with(
        &server,
        &json!({ "course": { "name": "ML", "term": 3 }, "room": "a" }),
    );
    let patch = json!({
        "extra_metadata": { "course": { "term": null, "year": 2026 }, "tags": ["x"] },
        "video_metadata": { "codec": "av1" },
        "priority": 4,
    });
    let changed = merge(&server, &job, &patch).expect(200).json();
    let merged = json!({ "course": { "name": "ML", "year": 2026 }, "room": "a", "tags": ["x"] });
    assert_eq!(changed["extra_metadata"], merged);
    assert_eq!(changed["video_metadata"], json!({ "codec": "av1" }));
    assert_eq!(changed["priority"], 4);
    let patch = json!({ "video_metadata": { "fps": 25 }, "extra_metadata": { "room": null } });
    merge(&server, &job, &patch).expect(200);
    let stored = server.get(&job).expect(200).json();
    assert_eq!(
        stored["video_metadata"],
        json!({ "codec": "av1", "fps": 25 })
    );
    let merged = json!({ "course": { "name": "ML", "year": 2026 }, "tags": ["x"] });
    assert_eq!(stored["extra_metadata"], merged);
}

fn the_object_of_a_clip_is_merged(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    let clip = a_row(&server, job_id, "/clips", "clips", "clip_id");
    let set = json!({ "extra_metadata": { "a": { "b": 1, "c": 2 }, "d": 3 } });
    server.patch(&clip, &set).expect(200);
    let patch = json!({ "extra_metadata": { "a": { "b": null }, "e": {} }, "title": "Bayes" });
    let changed = merge(&server, &clip, &patch).expect(200).json();
    assert_eq!(
        changed["extra_metadata"],
        json!({ "a": { "c": 2 }, "d": 3, "e": {} })
    );
    assert_eq!(changed["title"], "Bayes");
}

fn rows_without_objects_take_a_merge_patch_too(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    let segment = a_row(&server, job_id, "/transcripts", "segments", "segment_id");
    let changed = merge(
        &server,
        &segment,
        &json!({ "text": "Hello", "speaker_id": null }),
    );
    let changed = changed.expect(200).json();
    assert_eq!(
        (&changed["text"], &changed["speaker_id"]),
        (&json!("Hello"), &json!(null))
    );
    let topic = a_row(
        &server,
        job_id,
        "/content-segments",
        "segments",
        "segment_id",
    );
    let changed = merge(&server, &topic, &json!({ "topic": "Entropy" }))
        .expect(200)
        .json();
    assert_eq!(changed["topic"], "Entropy");
}

fn json_replaces_the_whole_object(server: TestServer) {
    let job = a_job_with(&server, &json!({ "a": 1, "b": { "c": 2 } }));
    let patch = json!({ "extra_metadata": { "b": { "d": null } } });
    let changed = server.patch(&job, &patch).expect(200).json();
    assert_eq!(changed["extra_metadata"], json!({ "b": { "d": null } }));
}

fn concurrent_merges_lose_no_member(server: TestServer) {
    let job = a_job_with(&server, &json!({}));
    concurrently(12, |n| {
        let patch = json!({ "extra_metadata": { "of": { format!("client {n}"): n } } });
        merge(&server, &job, &patch).expect(200);
    });
    let stored = server.get(&job).expect(200).json();
    let members = stored["extra_metadata"]["of"].as_object().unwrap();
    assert_eq!(members.len(), 12, "{members:?}");
}

fn an_object_that_a_merge_makes_too_large_is_refused(server: TestServer) {
    let job = a_job_with(&server, &json!({ "a": "x".repeat(600_000) }));
    let patch = json!({ "extra_metadata": { "b": "y".repeat(600_000) }, "priority": 9 });
    let refused = merge(&server, &job, &patch);
    refused.problem(422, "validation_failed");
    assert_eq!(refused.json()["errors"][0]["field"], "extra_metadata");
    let stored = server.get(&job).expect(200).json();
    assert!(stored["extra_metadata"]["b"].is_null());
    assert_eq!(stored["priority"], 0);

    // The same members in turn fit.
    let patch = json!({ "extra_metadata": { "a": null, "b": "y".repeat(600_000) } });
    let changed = merge(&server, &job, &patch).expect(200).json();
    assert!(changed["extra_metadata"]["a"].is_null());
}

fn another_media_type_is_told_which_ones_are_taken(server: TestServer) {
    let job = a_job_with(&server, &json!({}));
    for media_type in [
        "application/json-patch+json",
        "text/plain",
        "application/merge-patch",
    ] {
        let refused = server.request("PATCH", &job).body(media_type, "{}").send();
        refused.problem(415, "unsupported_media_type");
        let accepted = refused.header("Accept-Patch");
        assert_eq!(
            accepted,
            Some("application/json, application/merge-patch+json")
        );
    }
    // Parameters and letter case do not matter, and POST still takes JSON alone.
    let request = server.request("PATCH", &job);
    let media_type = "Application/Merge-Patch+JSON; charset=utf-8";
    request.body(media_type, "{}").send().expect(200);
    let request = server.request("POST", JOBS);
    let refused = request.body(MERGE_PATCH, a_recording().to_string()).send();
    refused.problem(415, "unsupported_media_type");
}
