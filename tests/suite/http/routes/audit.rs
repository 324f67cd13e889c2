//! Who changed what, over HTTP.

use std::time::Duration;

use chrono::TimeDelta;
use lectern_domain::{NewApiKey, OwnerName, Role};
use lectern_server::ServerConfig;
use lectern_tests::{Lectern, TestDb, TestServer, a_job, on_both_backends, store_output};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::{job_path, wait_until};

on_both_backends!(
    every_change_over_http_is_recorded_with_its_key_and_address,
    without_keys_the_address_is_recorded,
    the_list_is_paged_and_filtered,
    entries_are_kept_for_the_configured_period,
    a_repeated_request_is_recorded_once,
    commands_for_keys_are_recorded,
    edits_of_single_rows_are_recorded_over_http,
    the_access_log_has_the_id_of_the_key,
);

const AUDIT: &str = "/api/v1/audit";

fn entries(response: &Value) -> Vec<Value> {
    response["entries"].as_array().unwrap().clone()
}

fn every_change_over_http_is_recorded_with_its_key_and_address(db: TestDb) {
    let owner = OwnerName::new("exams").unwrap();
    let key = Key::create_as(
        &db,
        &NewApiKey {
            owner: Some(owner.clone()),
            ..NewApiKey::new(Role::Client)
        },
    );
    let admin = Key::create(&db, Role::Admin);
    let admin_of_others = Key::create_as(
        &db,
        &NewApiKey {
            owner: Some(OwnerName::new("library").unwrap()),
            ..NewApiKey::new(Role::Admin)
        },
    );
    let job_id = a_job().create(&db.as_owner(owner)).job_id;
    let server = serve_with_keys(db);
    let send = |method: &str, path: &str, body: &Value| {
        let request = key.request(&server, method, &job_path(job_id, path));
        request.json(body).send()
    };
    let metadata = json!({ "extra_metadata": { "course": "physics" } });
    send("PATCH", "", &metadata).expect(200);
    send("POST", "/cancel", &json!({})).expect(200);
    send("POST", "/retry", &json!({})).expect(200);
    send("POST", "/cancel", &json!({})).expect(200);
    send("POST", "/rerun", &json!({ "from_stage": "segmentation" })).expect(200);
    send("DELETE", "", &json!({})).expect(204);
    // What is refused is not recorded.
    send("POST", "/cancel", &json!({})).expect(404);

    let list = admin.request(&server, "GET", AUDIT).send().expect(200);
    let list = list.json();
    assert_eq!(
        (&list["total"], &list["next_cursor"]),
        (&json!(6), &Value::Null)
    );
    let found = entries(&list);
    let mut actions: Vec<_> = found.iter().map(|entry| &entry["action"]).collect();
    actions.reverse();
    assert_eq!(
        actions,
        [
            "job.update",
            "job.cancel",
            "job.retry",
            "job.cancel",
            "job.rerun",
            "job.delete"
        ]
    );
    for entry in &found {
        assert_eq!(entry["job_id"], job_id.to_string());
        let actor = json!({
            "owner": "exams",
            "key_id": key.id.to_string(),
            "address": "127.0.0.1",
            "command_line_user": null,
            "person": null,
        });
        assert_eq!(entry["actor"], actor);
    }
    let update = found.last().unwrap();
    assert_eq!(update["old_values"], json!({ "extra_metadata": {} }));
    assert_eq!(update["new_values"], metadata);
    let others = admin_of_others.request(&server, "GET", AUDIT).send();
    assert_eq!(others.expect(200).json()["entries"], json!([]));
    // Only administrators read it.
    let refused = key.request(&server, "GET", AUDIT).send();
    refused.problem(403, "scope_missing");
    server.get(AUDIT).problem(401, "authentication_required");
}

fn edits_of_single_rows_are_recorded_over_http(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let clip_id = store_output(&db, job_id)[1].clip_id;
    let key = Key::create(&db, Role::Admin);
    let server = serve_with_keys(db);
    let clip = format!("/api/v1/clips/{clip_id}");
    let send = |method: &str, body: &Value| key.request(&server, method, &clip).json(body).send();
    send("PATCH", &json!({ "topic": "Entropy" })).expect(200);
    send("PATCH", &json!({ "title": "" })).expect(422);
    send("DELETE", &json!({})).expect(204);
    let path = format!("{AUDIT}?action=clip.update");
    let found = entries(&key.request(&server, "GET", &path).send().expect(200).json());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["job_id"], job_id.to_string());
    assert_eq!(found[0]["actor"]["key_id"], key.id.to_string());
    let new = json!({ "clip_id": clip_id.to_string(), "topic": "Entropy" });
    assert_eq!(found[0]["new_values"], new);
    let path = format!("{AUDIT}?action=clip.delete");
    let found = entries(&key.request(&server, "GET", &path).send().expect(200).json());
    assert_eq!(found.len(), 1, "{found:?}");
}

fn without_keys_the_address_is_recorded(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let server = TestServer::serve(db, ServerConfig::default());
    server
        .post(&job_path(job_id, "/cancel"), &json!({}))
        .expect(200);
    let found = entries(&server.get(AUDIT).expect(200).json());
    assert_eq!(found[0]["actor"]["address"], "127.0.0.1");
    assert_eq!(found[0]["actor"]["key_id"], Value::Null);
}

fn the_list_is_paged_and_filtered(db: TestDb) {
    let jobs = [(); 3].map(|()| a_job().create(&db).job_id);
    let server = TestServer::serve(db, ServerConfig::default());
    for job_id in jobs {
        for action in ["/cancel", "/retry"] {
            server.db().clock().advance(TimeDelta::seconds(1));
            server
                .post(&job_path(job_id, action), &json!({}))
                .expect(200);
        }
    }
    let all = entries(&server.get(AUDIT).expect(200).json());
    assert_eq!(all.len(), 6);
    let mut paged = Vec::new();
    let mut path = format!("{AUDIT}?limit=4");
    loop {
        let page = server.get(&path).expect(200).json();
        paged.extend(entries(&page));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{AUDIT}?limit=4&cursor={cursor}");
    }
    assert_eq!(paged, all);
    let of_job = format!("{AUDIT}?job_id={}", jobs[1]);
    assert_eq!(entries(&server.get(&of_job).expect(200).json()), all[2..4]);
    let cancelled = format!("{of_job}&action=job.cancel");
    assert_eq!(
        entries(&server.get(&cancelled).expect(200).json()),
        all[3..4]
    );
    let unknown = format!("{AUDIT}?key_id={}", jobs[0]);
    assert_eq!(
        entries(&server.get(&unknown).expect(200).json()),
        [Value::Null; 0]
    );
}

fn entries_are_kept_for_the_configured_period(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let config = || ServerConfig {
        audit_retention: Duration::from_hours(1),
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config());
    server
        .post(&job_path(job_id, "/cancel"), &json!({}))
        .expect(200);
    server.db().clock().advance(TimeDelta::hours(2));
    server
        .post(&job_path(job_id, "/retry"), &json!({}))
        .expect(200);
    let database = lectern_db::Database::clone(server.db());
    let _other = lectern_server::Server::start(config(), database).unwrap();
    wait_until(|| server.db().sql().count("audit_entries") == 1);
    let found = entries(&server.get(AUDIT).expect(200).json());
    assert_eq!(found[0]["action"], "job.retry");
}

fn a_repeated_request_is_recorded_once(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let server = TestServer::serve(db, ServerConfig::default());
    for _ in 0..2 {
        let cancel = server.request("POST", &job_path(job_id, "/cancel"));
        cancel.header("Idempotency-Key", "a").send().expect(200);
    }
    assert_eq!(server.db().sql().count("audit_entries"), 1);
}

fn commands_for_keys_are_recorded(db: TestDb) {
    let run = |arguments: &[&str]| {
        let output = Lectern::run(db.url(), &[&["keys"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let key = run(&["new", "--role=viewer", "--name=dashboard"]);
    let id = &key[4..36];
    run(&["rotate", id]);
    run(&["revoke", id]);
    let server = TestServer::serve(db, ServerConfig::default());
    let list = server.get(&format!("{AUDIT}?key_id={id}")).expect(200);
    let mut found = entries(&list.json());
    found.sort_by_key(|entry| entry["at"].to_string());
    let actions: Vec<_> = found.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["key.create", "key.rotate", "key.revoke"]);
    assert_eq!(
        found[0]["new_values"],
        json!({ "name": "dashboard", "role": "viewer" })
    );
    for entry in &found {
        let user = entry["actor"]["command_line_user"].as_str().unwrap();
        assert!(!user.is_empty());
        assert_eq!(entry["actor"]["address"], Value::Null);
    }
    assert!(!list.text().contains(&key[40..60]));
}

fn the_access_log_has_the_id_of_the_key(db: TestDb) {
    let key = Key::create(&db, Role::Viewer);
    let settings = [("LECTERN_AUTH", "keys"), ("LECTERN_LOG_FORMAT", "json")];
    let mut server = Lectern::serve_with(db.url(), &settings);
    key.request(&server, "GET", "/api/v1/stats")
        .send()
        .expect(200);
    server.get("/api/v1/jobs").expect(401);
    server.signal("TERM");
    assert!(server.wait().success());
    let log = server.log();
    let line = |path: &str| -> Value {
        let line = log.lines().find(|line| line.contains(path)).unwrap();
        serde_json::from_str(line).unwrap()
    };
    assert_eq!(line("/api/v1/stats")["key_id"], key.id.to_string());
    assert_eq!(line("/api/v1/jobs")["key_id"], Value::Null);
}
