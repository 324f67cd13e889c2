use lectern_domain::{JobId, Stage};
use lectern_tests::{Body, Client, Response, TestServer, a_job, a_report, on_both_backends};
use serde_json::json;

use crate::http::support::{JOBS, NOBODY, a_recording, at, at_once};

on_both_backends!(
    every_change_of_a_job_gives_it_another_tag,
    a_job_the_client_has_is_not_sent_again,
    a_job_the_client_does_not_have_is_sent,
    a_change_is_made_to_the_version_it_was_meant_for,
    a_change_meant_for_another_version_is_refused,
    a_stale_version_is_told_before_an_illegal_status,
    a_version_of_nobody_is_not_found,
    of_fifty_changes_meant_for_one_version_one_is_made,
);

fn change_if(client: &Client, job_id: JobId, tags: &str, name: &str) -> Response {
    let request = client
        .request("PATCH", &at(job_id, ""))
        .header("If-Match", tags);
    request.json(&json!({ "filename": name })).send()
}

fn get_unless(client: &Client, job_id: JobId, tags: &str) -> Response {
    client
        .request("GET", &at(job_id, ""))
        .header("If-None-Match", tags)
        .send()
}

fn name(client: &Client, job_id: JobId) -> String {
    client.get(&at(job_id, "")).expect(200).json()["filename"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn every_change_of_a_job_gives_it_another_tag(server: TestServer) {
    let made = server.post(JOBS, &a_recording()).expect(201);
    let path = made.header("Location").unwrap();
    let report = a_report(Stage::Transcription, 1.0).body();
    let tags = [
        made.clone(),
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

fn a_job_the_client_has_is_not_sent_again(server: TestServer) {
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
        .request("HEAD", &at(job_id, ""))
        .header("If-None-Match", "\"1\"")
        .send();
    assert_eq!(head.expect(304).header("ETag"), Some("\"1\""));
}

fn a_job_the_client_does_not_have_is_sent(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    for tags in ["\"2\"", "1", "\"11\"", "\"1", "x", "\"\"", "\"2\", \"3\""] {
        let answer = get_unless(&server, job_id, tags).expect(200);
        assert_eq!(answer.json()["job_id"], json!(job_id), "{tags}");
    }
    server
        .patch(&at(job_id, ""), &json!({ "filename": "a.mp4" }))
        .expect(200);
    assert_eq!(
        get_unless(&server, job_id, "\"1\"")
            .expect(200)
            .header("ETag"),
        Some("\"2\"")
    );
}

fn a_change_is_made_to_the_version_it_was_meant_for(server: TestServer) {
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

fn a_change_meant_for_another_version_is_refused(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    server
        .patch(&at(job_id, ""), &json!({ "extra_metadata": { "a": 1 } }))
        .expect(200);
    // Weak tags never match here (RFC 9110, 13.1.1), and neither does what is no tag.
    let others = [
        "\"1\"",
        "\"3\"",
        "\"1\", \"3\"",
        "\"-2\"",
        "\"99999999999999999999\"",
    ];
    let no_others = ["W/\"2\"", "2", "\"2", "\"x\"", "\"\""];
    for tags in others.iter().chain(&no_others) {
        let refused = change_if(&server, job_id, tags, "stale.mp4");
        assert_eq!(
            refused.problem(412, "version_mismatch"),
            [json!(null); 0],
            "{tags}"
        );
    }
    assert_eq!(name(&server, job_id), "lecture.mp4");
    assert_eq!(server.get(&at(job_id, "")).header("ETag"), Some("\"2\""));
}

fn a_stale_version_is_told_before_an_illegal_status(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let request = server
        .request("PATCH", &at(job_id, ""))
        .header("If-Match", "\"9\"");
    request
        .json(&json!({ "status": "completed" }))
        .send()
        .problem(412, "version_mismatch");
}

fn a_version_of_nobody_is_not_found(server: TestServer) {
    let path = format!("{JOBS}/{NOBODY}");
    let body = json!({ "filename": "a.mp4" });
    let change = server
        .request("PATCH", &path)
        .header("If-Match", "\"1\"")
        .json(&body);
    change.send().problem(404, "job_not_found");
    let look = server.request("GET", &path).header("If-None-Match", "*");
    look.send().problem(404, "job_not_found");
}

fn of_fifty_changes_meant_for_one_version_one_is_made(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let answers = at_once(50, |i| {
        change_if(&server, job_id, "\"1\"", &format!("{i}.mp4"))
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    let [winner] = won.as_slice() else {
        panic!("{} changes were made", won.len())
    };
    for loser in lost {
        // A slow disk may keep the others waiting longer than the server lets them.
        match loser.status {
            503 => loser.problem(503, "overloaded"),
            _ => loser.problem(412, "version_mismatch"),
        };
    }
    let now = server.get(&at(job_id, "")).expect(200);
    assert_eq!(now.header("ETag"), Some("\"2\""));
    assert_eq!(now.json(), winner.json());
}
