//! The dashboard in `docs/grafana-dashboard.json`, and the metrics of stages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::TimeDelta;
use lectern_domain::Stage::Transcription;
use lectern_domain::{NewApiKey, OwnerName, Role, Stage};
use lectern_tests::{Client, TestDb, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::worker::{claim, create_job};

on_both_backends!(
    the_dashboard_uses_metrics_that_exist,
    the_metrics_of_stages_are_those_of_the_statistics,
    the_key_of_an_owner_gets_the_metrics_of_its_jobs,
    without_its_tables_the_other_metrics_are_there,
);

fn dashboard() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/grafana-dashboard.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The names of metrics in an expression: words that begin like one.
fn metric_names(expression: &str) -> BTreeSet<&str> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = expression.split(|character| !is_word(character));
    let begins = ["lectern_", "http_", "process_"];
    words
        .filter(|word| begins.iter().any(|begin| word.starts_with(begin)))
        .collect()
}

/// Values by name and labels.
fn metrics(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

fn stage_metrics(client: &Client) -> BTreeMap<String, f64> {
    let mut metrics = metrics(client.get("/metrics").expect(200).text());
    metrics.retain(|name, _| name.starts_with("lectern_stage_"));
    metrics
}

fn the_dashboard_uses_metrics_that_exist(server: TestServer) {
    // Metrics with labels appear with their first value.
    create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    claimed.send(&server, "complete", &json!({})).expect(200);
    let printed = metrics(server.get("/metrics").expect(200).text());
    let printed: BTreeSet<_> = printed
        .keys()
        .map(|name| name.split('{').next().unwrap())
        .collect();
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let mut used = 0;
    for target in targets {
        let expression = target["expr"].as_str().unwrap();
        let names = metric_names(expression);
        assert!(!names.is_empty(), "{expression}");
        for name in names {
            assert!(printed.contains(name), "{name} is no metric: {expression}");
            used += 1;
        }
    }
    assert!(used >= 18, "{used}");
}

fn the_metrics_of_stages_are_those_of_the_statistics(server: TestServer) {
    for _ in 0..3 {
        create_job(&server, json!({}));
    }
    let claimed = claim(&server, &[Transcription]).unwrap();
    server.db().clock().advance(TimeDelta::seconds(90));
    claimed.send(&server, "complete", &json!({})).expect(409);
    let claimed = claim(&server, &[Transcription]).unwrap();
    server.db().clock().advance(TimeDelta::seconds(7));
    claimed.send(&server, "complete", &json!({})).expect(200);
    server
        .request("POST", "/api/v1/work/stages/transcription/pause")
        .send()
        .expect(200);
    let found = stage_metrics(&server);
    for (name, value) in [
        (r#"runs{stage="transcription",status="ready"}"#, 2.0),
        (r#"runs{stage="transcription",status="running"}"#, 0.0),
        (r#"runs{stage="content_analysis",status="waiting"}"#, 3.0),
        (r#"oldest_ready_seconds{stage="transcription"}"#, 97.0),
        (r#"oldest_ready_seconds{stage="content_analysis"}"#, 0.0),
        (r#"completed_runs{stage="transcription",window="1h"}"#, 1.0),
        (r#"completed_runs{stage="transcription",window="5m"}"#, 1.0),
        (
            r#"duration_seconds{quantile="0.5",stage="transcription"}"#,
            7.0,
        ),
        (r#"paused{stage="transcription"}"#, 1.0),
        (r#"paused{stage="compilation"}"#, 0.0),
    ] {
        let name = format!("lectern_stage_{name}");
        assert_eq!(found.get(&name), Some(&value), "{name}: {found:#?}");
    }
    let statuses = 5;
    let runs = found
        .keys()
        .filter(|name| name.starts_with("lectern_stage_runs{"));
    assert_eq!(runs.count(), Stage::WORK.len() * statuses);
}

fn the_key_of_an_owner_gets_the_metrics_of_its_jobs(db: TestDb) {
    let library = OwnerName::new("library").unwrap();
    let of_owner = NewApiKey {
        owner: Some(library.clone()),
        ..NewApiKey::new(Role::Metrics)
    };
    let keys = [
        Key::create_as(&db, &of_owner),
        Key::create(&db, Role::Metrics),
    ];
    a_job().create(&db.as_owner(library));
    a_job().create(&db);
    let server = serve_with_keys(db);
    let ready = keys.map(|key| {
        let text = key.request(&server, "GET", "/metrics").send().expect(200);
        metrics(text.text())[r#"lectern_stage_runs{stage="transcription",status="ready"}"#]
    });
    assert_eq!(ready.map(|count| count.to_string()), ["1", "2"]);
}

fn without_its_tables_the_other_metrics_are_there(server: TestServer) {
    let mut sql = server.db().sql();
    sql.execute("ALTER TABLE stage_pauses RENAME TO hidden")
        .unwrap();
    let found = metrics(server.get("/metrics").expect(200).text());
    assert!(found.contains_key("lectern_waiting_claims"));
    assert!(!found.keys().any(|name| name.starts_with("lectern_stage_")));
}
