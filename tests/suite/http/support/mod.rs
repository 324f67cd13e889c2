//! What several of these tests share.

pub(crate) mod raw_http;
pub(crate) mod recordings;
pub(crate) mod worker;

use std::sync::Barrier;
use std::thread;

use lectern_domain::JobId;
use lectern_tests::{Backend, Client, TestDb};
use serde_json::{Value, json};

/// Where jobs are made and listed.
pub(crate) const JOBS: &str = "/api/v1/jobs";

/// An id no job has, in the form of one that some job might.
pub(crate) const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// Where a job is, or something below it: `at(job_id, "/clips")`.
pub(crate) fn at(job_id: JobId, below: &str) -> String {
    format!("{JOBS}/{job_id}{below}")
}

/// As little as makes a job.
pub(crate) fn a_recording() -> Value {
    json!({ "filename": "lecture.mp4", "file_size": 734_003_200, "s3_key": "uploads/lecture.mp4" })
}

/// Makes `n` calls at the same time, each from a thread of its own; answers
/// what came of them in the order of their numbers.
pub(crate) fn at_once<T: Send>(n: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
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

/// Every row of every table there is.
pub(crate) fn dump(db: &TestDb) -> Vec<(String, Vec<Vec<Option<String>>>)> {
    let mut sql = db.sql();
    let tables = match sql.backend() {
        Backend::Postgres => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        Backend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
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

/// How many requests a server is answering, the one that asks included.
pub(crate) fn in_flight(client: &Client) -> u32 {
    let metrics = client.get("/metrics").expect(200);
    let number = metrics
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("http_requests_in_flight "));
    number.unwrap().parse().unwrap()
}

/// Waits until something is so.
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}
