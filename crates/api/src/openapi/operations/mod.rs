//! Every operation of the interface.

mod jobs;
mod live;
mod outputs;
mod uploads;
mod work;

use super::operation::Operation;
use crate::Code::JobNotCompleted;
use crate::{HealthResponse, ResultsResponse};

/// The tags and what they are about.
pub(super) const TAGS: [(&str, &str); 7] = [
    (JOBS, "Recordings on their way to clips."),
    (
        UPLOADS,
        "How a recording comes in: ask for an address, PUT the file there, confirm.",
    ),
    (
        WORK,
        "For programs that do the stages: claim one, say how far it is, store what was found, \
         be done with it.",
    ),
    (LIVE, "Watching a job while it is worked on."),
    (
        FOUND,
        "What each stage found. PUT replaces the whole set of a job.",
    ),
    (RESULTS, "What came of a completed job."),
    (OPERATION, "Whether the service is well."),
];

const JOBS: &str = "Jobs";
const UPLOADS: &str = "Uploads";
const WORK: &str = "Work";
const LIVE: &str = "Live";
const FOUND: &str = "What the stages found";
const RESULTS: &str = "Results";
const OPERATION: &str = "Operation";

/// Every operation, grouped by tag.
pub(super) fn all() -> Vec<Operation> {
    let tagged = |operations: Vec<Operation>, tag| {
        operations
            .into_iter()
            .map(move |operation| operation.tag(tag))
    };
    tagged(jobs::all(), JOBS)
        .chain(tagged(uploads::jobs(), UPLOADS))
        .chain(tagged(work::all(), WORK))
        .chain(tagged(live::all(), LIVE))
        .chain(tagged(outputs::all(), FOUND))
        .chain(tagged(results(), RESULTS))
        .map(Operation::stored)
        .chain(tagged(uploads::objects(), UPLOADS))
        .chain(tagged(operation(), OPERATION))
        .collect()
}

fn results() -> Vec<Operation> {
    vec![
        get("/api/v1/results/{job_id}", "getResults")
            .about("Read the results of a completed job", "")
            .answers::<ResultsResponse>(200)
            .or([JobNotCompleted]),
    ]
}

fn operation() -> Vec<Operation> {
    vec![
        get("/healthz", "getHealth")
            .about("Whether the process is alive", "")
            .answers::<HealthResponse>(200),
        get("/readyz", "getReadiness")
            .about(
                "Whether requests can be served",
                "The database answers, its schema is up to date, and the service is not shutting down.",
            )
            .answers::<HealthResponse>(200)
            .stored(),
        get("/metrics", "getMetrics")
            .about("Numbers for Prometheus", "")
            .answers_text("text/plain"),
        get("/openapi.json", "getOpenapi")
            .about("This document", "")
            .answers::<serde_json::Map<String, serde_json::Value>>(200),
    ]
}

fn get(path: &'static str, id: &'static str) -> Operation {
    Operation::new("GET", path, id)
}

fn post(path: &'static str, id: &'static str) -> Operation {
    Operation::new("POST", path, id)
}

fn put(path: &'static str, id: &'static str) -> Operation {
    Operation::new("PUT", path, id)
}

fn patch(path: &'static str, id: &'static str) -> Operation {
    Operation::new("PATCH", path, id)
}

fn delete(path: &'static str, id: &'static str) -> Operation {
    Operation::new("DELETE", path, id)
}
