//! The service as its clients meet it: over HTTP, each sentence on both
//! databases.

mod bad_input;
mod cancel_retry;
mod cli;
mod clips;
mod content_segments;
mod errors;
mod faults;
mod gc;
mod housekeeping;
mod idempotency;
mod job_list;
mod jobs;
mod layout_analysis;
mod leases;
mod live;
mod logs;
mod objects;
mod openapi;
mod operation;
mod outage;
mod pipelines;
mod progress;
mod recordings;
mod results;
mod s3;
mod shutdown;
mod silence_regions;
mod stats;
mod storage_faults;
mod subtitles;
mod transcript_files;
mod transcripts;
mod transfers;
mod uploads;
mod versions;
mod waiting;
mod wire;
mod work;
mod worker;

use std::sync::Barrier;
use std::thread;

use lectern_domain::JobId;
use lectern_tests::{Backend, Client, TestDb};
use serde_json::{Value, json};

/// Where jobs are made and listed.
const JOBS: &str = "/api/v1/jobs";

/// An id no job has, in the form of one that some job might.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// Where a job is, or something below it: `at(job_id, "/clips")`.
fn at(job_id: JobId, below: &str) -> String {
    format!("{JOBS}/{job_id}{below}")
}

/// As little as makes a job.
fn a_recording() -> Value {
    json!({ "filename": "lecture.mp4", "file_size": 734_003_200, "s3_key": "uploads/lecture.mp4" })
}

/// Makes `n` calls at the same time, each from a thread of its own; answers
/// what came of them in the order of their numbers.
fn at_once<T: Send>(n: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
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
fn dump(db: &TestDb) -> Vec<(String, Vec<Vec<Option<String>>>)> {
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
fn in_flight(client: &Client) -> u32 {
    let metrics = client.get("/metrics").expect(200);
    let number = metrics
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("http_requests_in_flight "));
    number.unwrap().parse().unwrap()
}

/// Waits until something is so.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}
