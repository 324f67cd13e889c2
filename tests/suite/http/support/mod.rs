//! Helpers shared by several test files.

pub(crate) mod api_key;
pub(crate) mod issuer;
pub(crate) mod job_set;
pub(crate) mod raw_http;
pub(crate) mod recordings;
pub(crate) mod tus;
pub(crate) mod worker;

use std::sync::Barrier;
use std::thread;

use lectern_domain::JobId;
use lectern_tests::{Backend, Client, TestDb};
use serde_json::{Value, json};

/// The path of the list of jobs.
pub(crate) const JOBS: &str = "/api/v1/jobs";

/// A valid id that no job has.
pub(crate) const UNKNOWN_ID: &str = "00000000-0000-7000-8000-000000000000";

/// The path of a job or of a sub-resource: `job_path(job_id, "/clips")`.
pub(crate) fn job_path(job_id: JobId, below: &str) -> String {
    format!("{JOBS}/{job_id}{below}")
}

/// The smallest body that creates a job.
pub(crate) fn a_recording() -> Value {
    json!({ "filename": "lecture.mp4", "file_size": 734_003_200, "s3_key": "uploads/lecture.mp4" })
}

/// `text` percent-encoded for a query string.
pub(crate) fn percent_encoded(text: &str) -> String {
    let bytes: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

/// Makes `n` calls at the same time from `n` threads; returns their results in
/// order.
pub(crate) fn concurrently<T: Send>(n: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(n);
    thread::scope(|scope| {
        let call = |i| {
            start.wait();
            call(i)
        };
        let threads: Vec<_> = (0..n).map(|i| scope.spawn(move || call(i))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// All rows of all tables, including the table of applied migrations.
pub(crate) fn dump(db: &TestDb) -> Vec<(String, Vec<Vec<Option<String>>>)> {
    let mut sql = db.sql();
    let tables = match sql.backend() {
        Backend::Postgres => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        Backend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'"
        }
    };
    let mut tables: Vec<_> = sql.rows(tables).into_iter().flatten().flatten().collect();
    tables.sort();
    let mut rows = |table: &str| {
        let mut rows = sql.rows(&format!("SELECT * FROM {table}"));
        rows.sort();
        rows
    };
    tables
        .into_iter()
        .map(|table| (table.clone(), rows(&table)))
        .collect()
}

/// The number of requests in flight, including the one for the metrics.
pub(crate) fn in_flight(client: &Client) -> u32 {
    let metrics = client.get("/metrics").expect(200);
    let number = metrics
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("http_requests_in_flight "));
    number.unwrap().parse().unwrap()
}

/// Waits until the condition holds.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}
