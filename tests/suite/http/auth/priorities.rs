//! The priorities that a role allows.

use lectern_domain::Role;
use lectern_server::ServerConfig;
use lectern_tests::{Client, Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::{JOBS, a_recording, job_path};

on_both_backends!(
    a_client_sets_priorities_within_its_bounds_only,
    an_admin_sets_any_priority,
    without_keys_any_priority_may_be_set,
);

/// Sets a priority in each way there is; returns the responses, each with the name of the field.
fn set_everywhere(
    server: &Client,
    key: Option<&Key>,
    job: &str,
    priority: i32,
) -> Vec<(&'static str, Response)> {
    let request = |method: &str, path: &str| match key {
        Some(key) => key.request(server, method, path),
        None => server.request(method, path),
    };
    let with_priority = |mut body: Value| {
        body["priority"] = priority.into();
        body
    };
    let upload = json!({ "filename": "talk.mp4", "file_size": 5 });
    let metadata = {
        let in_base64 = match priority {
            i32::MIN => "LTIxNDc0ODM2NDg=",
            -1001 => "LTEwMDE=",
            -1000 => "LTEwMDA=",
            0 => "MA==",
            1000 => "MTAwMA==",
            1001 => "MTAwMQ==",
            i32::MAX => "MjE0NzQ4MzY0Nw==",
            _ => unreachable!("priorities of these tests"),
        };
        format!("filename dGFsay5tcDQ=,priority {in_base64}")
    };
    vec![
        (
            "priority",
            request("POST", JOBS)
                .json(&with_priority(a_recording()))
                .send(),
        ),
        (
            "priority",
            request("POST", JOBS)
                .json(&with_priority(json!({ "source_job_id": job })))
                .send(),
        ),
        (
            "priority",
            request("PATCH", &format!("{JOBS}/{job}"))
                .json(&with_priority(json!({})))
                .send(),
        ),
        (
            "priority",
            request("POST", "/api/v1/upload")
                .json(&with_priority(upload))
                .send(),
        ),
        (
            "Upload-Metadata.priority",
            request("POST", "/api/v1/uploads/tus")
                .header("Tus-Resumable", "1.0.0")
                .header("Upload-Length", "5")
                .header("Upload-Metadata", &metadata)
                .send(),
        ),
    ]
}

fn all_are_set(responses: Vec<(&str, Response)>) {
    let statuses: Vec<_> = responses
        .iter()
        .map(|(_, response)| response.status)
        .collect();
    assert_eq!(statuses, [201, 201, 200, 201, 201]);
}

fn a_client_sets_priorities_within_its_bounds_only(db: TestDb) {
    let client = Key::create(&db, Role::Client);
    let job = a_job().create(&db).job_id.to_string();
    let server = serve_with_keys(db);
    let bounds = Role::PRIORITIES;
    for priority in [*bounds.start(), 0, *bounds.end()] {
        all_are_set(set_everywhere(&server, Some(&client), &job, priority));
    }
    let count = || {
        let jobs = client.request(&server, "GET", "/api/v1/jobs?include_total=true");
        jobs.send().expect(200).json()["total"].clone()
    };
    let before = count();
    for priority in [i32::MIN, bounds.start() - 1, bounds.end() + 1, i32::MAX] {
        for (field, response) in set_everywhere(&server, Some(&client), &job, priority) {
            let errors = response.problem_with(422, "validation_failed", field);
            let message = "must be from -1000 to 1000 with a key of this role";
            assert_eq!(errors[0]["message"], message);
        }
    }
    assert_eq!(count(), before);
}

fn an_admin_sets_any_priority(db: TestDb) {
    let (admin, client) = (
        Key::create(&db, Role::Admin),
        Key::create(&db, Role::Client),
    );
    let job_id = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    for priority in [i32::MIN, i32::MAX] {
        all_are_set(set_everywhere(
            &server,
            Some(&admin),
            &job_id.to_string(),
            priority,
        ));
    }
    // What an admin has set, a client keeps when it changes something else.
    let rename = client.request(&server, "PATCH", &job_path(job_id, ""));
    let renamed = rename.json(&json!({ "filename": "a.mp4" })).send();
    assert_eq!(renamed.expect(200).json()["priority"], i32::MAX);
}

fn without_keys_any_priority_may_be_set(db: TestDb) {
    let job = a_job().create(&db).job_id.to_string();
    let server = TestServer::serve(db, ServerConfig::default());
    for priority in [i32::MIN, i32::MAX] {
        all_are_set(set_everywhere(&server, None, &job, priority));
    }
}
