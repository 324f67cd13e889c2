use lectern_domain::{JobId, Stage};
use lectern_tests::{Body, Client, Response, TestServer, a_job, a_report, on_both_backends};
use serde_json::json;

use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, concurrently, job_path};

on_both_backends!(
    every_change_of_a_job_changes_its_entity_tag,
    a_matching_if_none_match_returns_304,
    a_different_if_none_match_returns_the_job,
    a_matching_if_match_applies_the_change,
    a_different_if_match_is_rejected,
    a_version_mismatch_is_reported_before_an_illegal_transition,
    if_match_on_an_unknown_job_is_not_found,
    of_concurrent_changes_of_one_version_one_succeeds,
);

fn change_if(client: &Client, job_id: JobId, tags: &str, name: &str) -> Response {
    let request = client
        .request("PATCH", &job_path(job_id, ""))
        .header("If-Match", tags);
    request.json(&json!({ "filename": name })).send()
}

fn get_unless(client: &Client, job_id: JobId, tags: &str) -> Response {
    client
        .request("GET", &job_path(job_id, ""))
        .header("If-None-Match", tags)
        .send()
}

fn name(client: &Client, job_id: JobId) -> String {
    client.get(&job_path(job_id, "")).expect(200).json()["filename"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn every_change_of_a_job_changes_its_entity_tag(server: TestServer) {
    let created = server.post(JOBS, &a_recording()).expect(201);
    let path = created.header("Location").unwrap();
    let report = a_report(Stage::Transcription, 1.0).body();
    let tags = [
        created.clone(),
        server.get(path),
        server.patch(path, &json!({ "filename": "a.mp4" })),
        server.post(&format!("{path}/progress"), &report),
        server.patch(path, &json!({ "status": "completed" })),
        server.get(path),
    ];
    let tags: Vec<_> = tags
        .iter()
        .filter_map(|answer| answer.header("ETag"))
        .collect();
    assert_eq!(tags, ["\"1\"", "\"1\"", "\"2\"", "\"3\"", "\"4\"", "\"4\""]);
}

fn a_matching_if_none_match_returns_304(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    for tags in ["\"1\"", "W/\"1\"", "*", "\"7\", \"1\"", "\"x\",W/\"1\""] {
        let answer = get_unless(&server, job_id, tags).expect(304);
        assert_eq!(
            (answer.body.len(), answer.header("Content-Type")),
            (0, None),
            "{tags}"
        );
        assert_eq!(answer.header("ETag"), Some("\"1\""), "{tags}");
        assert!(answer.header("X-Request-Id").is_some(), "{tags}");
    }
    let head = server
        .request("HEAD", &job_path(job_id, ""))
        .header("If-None-Match", "\"1\"")
        .send();
    assert_eq!(head.expect(304).header("ETag"), Some("\"1\""));
}

fn a_different_if_none_match_returns_the_job(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    for tags in ["\"2\"", "1", "\"11\"", "\"1", "x", "\"\"", "\"2\", \"3\""] {
        let answer = get_unless(&server, job_id, tags).expect(200);
        assert_eq!(answer.json()["job_id"], json!(job_id), "{tags}");
    }
    server
        .patch(&job_path(job_id, ""), &json!({ "filename": "a.mp4" }))
        .expect(200);
    assert_eq!(
        get_unless(&server, job_id, "\"1\"")
            .expect(200)
            .header("ETag"),
        Some("\"2\"")
    );
}

fn a_matching_if_match_applies_the_change(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    for (tags, next) in [
        ("\"1\"", "\"2\""),
        ("\"7\", \"2\"", "\"3\""),
        ("*", "\"4\""),
    ] {
        let answer = change_if(&server, job_id, tags, tags).expect(200);
        assert_eq!(answer.header("ETag"), Some(next), "{tags}");
        assert_eq!(name(&server, job_id), tags);
    }
}

fn a_different_if_match_is_rejected(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    server
        .patch(
            &job_path(job_id, ""),
            &json!({ "extra_metadata": { "a": 1 } }),
        )
        .expect(200);
    // Weak tags never match (RFC 9110, 13.1.1), nor do malformed ones.
    let other_tags = [
        "\"1\"",
        "\"3\"",
        "\"1\", \"3\"",
        "\"-2\"",
        "\"99999999999999999999\"",
    ];
    let invalid_tags = ["W/\"2\"", "2", "\"2", "\"x\"", "\"\""];
    for tags in other_tags.iter().chain(&invalid_tags) {
        let refused = change_if(&server, job_id, tags, "stale.mp4");
        assert_eq!(
            refused.problem(412, "version_mismatch"),
            [json!(null); 0],
            "{tags}"
        );
    }
    assert_eq!(name(&server, job_id), "lecture.mp4");
    assert_eq!(
        server.get(&job_path(job_id, "")).header("ETag"),
        Some("\"2\"")
    );
}

fn a_version_mismatch_is_reported_before_an_illegal_transition(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let request = server
        .request("PATCH", &job_path(job_id, ""))
        .header("If-Match", "\"9\"");
    request
        .json(&json!({ "status": "completed" }))
        .send()
        .problem(412, "version_mismatch");
}

fn if_match_on_an_unknown_job_is_not_found(server: TestServer) {
    let path = format!("{JOBS}/{UNKNOWN_ID}");
    let body = json!({ "filename": "a.mp4" });
    let change = server
        .request("PATCH", &path)
        .header("If-Match", "\"1\"")
        .json(&body);
    change.send().problem(404, "job_not_found");
    let get = server.request("GET", &path).header("If-None-Match", "*");
    get.send().problem(404, "job_not_found");
}

fn of_concurrent_changes_of_one_version_one_succeeds(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let answers = concurrently(50, |i| {
        change_if(&server, job_id, "\"1\"", &format!("{i}.mp4"))
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    let [winner] = won.as_slice() else {
        panic!("{} changes succeeded", won.len())
    };
    for loser in lost {
        // On a slow disk the others may reach the admission timeout.
        match loser.status {
            503 => loser.problem(503, "overloaded"),
            _ => loser.problem(412, "version_mismatch"),
        };
    }
    let now = server.get(&job_path(job_id, "")).expect(200);
    assert_eq!(now.header("ETag"), Some("\"2\""));
    assert_eq!(now.json(), winner.json());
}
