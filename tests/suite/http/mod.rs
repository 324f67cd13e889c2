//! The service as its clients meet it: over HTTP, each sentence on both
//! databases.

mod bad_input;
mod cli;
mod clips;
mod content_segments;
mod errors;
mod job_list;
mod jobs;
mod layout_analysis;
mod logs;
mod openapi;
mod operation;
mod outage;
mod progress;
mod results;
mod shutdown;
mod silence_regions;
mod stats;
mod transcripts;
mod versions;
mod wire;

use std::sync::Barrier;
use std::thread;

use lectern_domain::JobId;
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
