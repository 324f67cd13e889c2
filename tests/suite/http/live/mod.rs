//! Live events of jobs: WebSocket, server-sent events and pages.

mod all_events;
pub(crate) mod channel;
mod disconnects;
mod event_pages;
mod events;
mod limits;
mod shutdown;
mod websocket;

use lectern_domain::{Job, JobId, Stage};
use lectern_tests::{Body, Client, a_report};
use serde_json::{Value, json};

use super::support::job_path;

/// Reports progress of the transcription, in per mille.
fn report(client: &Client, job_id: JobId, per_mille: u16) {
    let report = a_report(Stage::Transcription, f64::from(per_mille) / 10.0).body();
    client
        .post(&job_path(job_id, "/progress"), &report)
        .expect(200);
}

/// Sends this many reports on a new job and completes it; returns the number of
/// its last event.
fn report_and_finish(client: &Client, job: &Job, reports: u16) -> i64 {
    for per_mille in 1..=reports {
        report(client, job.job_id, per_mille);
    }
    finish(client, job.job_id);
    last_seq(client, job.job_id)
}

fn finish(client: &Client, job_id: JobId) {
    let completed = json!({ "status": "completed" });
    client.patch(&job_path(job_id, ""), &completed).expect(200);
}

fn last_seq(client: &Client, job_id: JobId) -> i64 {
    let page = client.get(&job_path(job_id, "/events?after=0")).expect(200);
    page.json()["last_seq"].as_i64().unwrap()
}

/// The event numbers of messages.
fn seqs(messages: &[Value]) -> Vec<i64> {
    let seq = |message: &Value| message["seq"].as_i64().unwrap();
    messages.iter().map(seq).collect()
}

/// The types of messages.
fn types(messages: &[Value]) -> Vec<&str> {
    let name = |message| Value::as_str(message).unwrap();
    messages
        .iter()
        .map(|message| name(&message["type"]))
        .collect()
}

/// The value of a metric.
fn metric(client: &Client, name: &str) -> u64 {
    let metrics = client.get("/metrics").expect(200);
    let line = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    metrics.text().lines().find_map(line).unwrap()
}

/// The number of subscribers.
fn watchers(client: &Client) -> u64 {
    metric(client, "lectern_watchers")
}
