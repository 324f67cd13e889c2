//! Who stores the output of a stage: its worker under the lease, clients and admins.

use lectern_domain::Stage::{self, SilenceDetection, Transcription};
use lectern_domain::{JobId, NewApiKey, Role, Stages};
use lectern_tests::{Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::worker::{CLAIM, example_output};
use crate::http::support::{dump, job_path};

on_both_backends!(
    a_worker_stores_an_output_only_under_the_lease_of_its_stage,
    clients_and_admins_store_outputs_while_no_worker_has_the_stage,
    an_output_without_a_stage_needs_a_key_for_it,
);

fn put(
    server: &TestServer,
    key: &Key,
    job_id: JobId,
    stage: Stage,
    lease: Option<&str>,
) -> Response {
    let (below, body) = example_output(stage);
    let mut request = key.request(server, "PUT", &job_path(job_id, below));
    if let Some(lease) = lease {
        request = request.header("Lease-Id", lease);
    }
    request.json(&body).send()
}

fn claim(server: &TestServer, key: &Key, stage: Stage) -> String {
    let body = json!({ "worker": "w", "stages": [stage] });
    let answer = key.request(server, "POST", CLAIM).json(&body).send();
    let answer = answer.expect(200).json();
    answer["claims"][0]["lease_id"].as_str().unwrap().to_owned()
}

fn complete(server: &TestServer, key: &Key, lease: &str) {
    let path = format!("/api/v1/work/{lease}/complete");
    let completed = key.request(server, "POST", &path).json(&json!({})).send();
    completed.expect(200);
}

/// The rows that outputs change.
fn outputs(server: &TestServer) -> Vec<(String, Vec<Vec<Option<String>>>)> {
    let mut tables = dump(server.db());
    tables.retain(|(name, _)| ["transcripts", "silence_regions"].contains(&name.as_str()));
    tables
}

fn a_worker_stores_an_output_only_under_the_lease_of_its_stage(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let (worker, other) = (
        Key::create(&db, Role::Worker),
        Key::create(&db, Role::Worker),
    );
    let server = serve_with_keys(db);
    let before = outputs(&server);
    // The stage is ready, and nobody has it.
    let refused = put(&server, &worker, job_id, Transcription, None);
    refused.problem(403, "lease_required");
    // Of another stage.
    let lease = claim(&server, &worker, SilenceDetection);
    let refused = put(&server, &worker, job_id, Transcription, Some(&lease));
    refused.problem(403, "lease_required");
    // Of nobody.
    let unknown = "019b76da-a87b-7763-a830-6c97ee0bf06d";
    let refused = put(&server, &worker, job_id, Transcription, Some(unknown));
    refused.problem(409, "lease_lost");
    assert_eq!(outputs(&server), before);
    // Another worker has it.
    let lease = claim(&server, &worker, Transcription);
    put(&server, &other, job_id, Transcription, None).problem(409, "lease_lost");
    put(&server, &worker, job_id, Transcription, Some(&lease)).expect(200);
    complete(&server, &worker, &lease);
    // The stage has ended, and the lease with it.
    let refused = put(&server, &worker, job_id, Transcription, Some(&lease));
    refused.problem(409, "lease_lost");
    let refused = put(&server, &worker, job_id, Transcription, None);
    refused.problem(403, "lease_required");
}

fn clients_and_admins_store_outputs_while_no_worker_has_the_stage(db: TestDb) {
    let roles = [Role::Client, Role::Admin].map(|role| Key::create(&db, role));
    let worker = Key::create(&db, Role::Worker);
    let server = serve_with_keys(db);
    for key in &roles {
        // Before the recording is uploaded.
        let announced = json!({
            "filename": "talk.mp4", "file_size": 4, "content_type": "video/mp4",
        });
        let announced = key
            .request(&server, "POST", "/api/v1/upload")
            .json(&announced);
        let announced: Value = announced.send().expect(201).json();
        let job_id: JobId = announced["job_id"].as_str().unwrap().parse().unwrap();
        put(&server, key, job_id, Transcription, None).expect(200);
        put(&server, &worker, job_id, Transcription, None).problem(403, "lease_required");

        let job_id = a_job().create(server.db()).job_id;
        put(&server, key, job_id, Transcription, None).expect(200);
        let lease = claim(&server, &worker, Transcription);
        put(&server, key, job_id, Transcription, None).problem(409, "lease_lost");
        complete(&server, &worker, &lease);
        // A correction.
        put(&server, key, job_id, Transcription, None).expect(200);
    }
}

fn an_output_without_a_stage_needs_a_key_for_it(db: TestDb) {
    let data = NewApiKey {
        stages: Some(Stages::new(vec![Transcription]).unwrap()),
        ..NewApiKey::new(Role::Worker)
    };
    let (limited, any) = (Key::create_as(&db, &data), Key::create(&db, Role::Worker));
    let config = json!({ "processing_mode": "audio" });
    let job_id = a_job().processing_config(config).create(&db).job_id;
    let server = serve_with_keys(db);
    let refused = put(&server, &limited, job_id, Stage::LayoutAnalysis, None);
    refused.problem(403, "scope_missing");
    put(&server, &any, job_id, Stage::LayoutAnalysis, None).expect(200);
}
