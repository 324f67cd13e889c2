//! All operations of the interface, one file per tag.

mod events;
mod jobs;
mod operation;
mod outputs;
mod uploads;
mod work;

use super::operation::Operation;
use crate::audit::{AuditQuery, AuditResponse};
use crate::health::HealthResponse;
use crate::results::ResultsResponse;
use crate::session::SessionResponse;
use crate::wire::Code::{JobNotCompleted, OriginNotAllowed};

/// The tags and their descriptions.
pub(super) const TAGS: [(&str, &str); 7] = [
    (JOBS, "Recordings and the state of their processing."),
    (
        UPLOADS,
        "To add a recording: request a URL, PUT the file there, confirm the upload. Or upload \
         it with tus, which resumes after a disconnect and confirms by itself.",
    ),
    (
        WORK,
        "For programs that work on stages: claim one, report progress, store its results, \
         complete it.",
    ),
    (LIVE, "Events of a job while it is processed."),
    (
        OUTPUTS,
        "What each stage stores. PUT replaces the whole set of a job.",
    ),
    (RESULTS, "The results of a completed job."),
    (
        MONITORING,
        "Health and metrics of the service, and who changed what.",
    ),
];

const JOBS: &str = "Jobs";
const UPLOADS: &str = "Uploads";
const WORK: &str = "Work";
const LIVE: &str = "Live";
const OUTPUTS: &str = "Outputs";
const RESULTS: &str = "Results";
const MONITORING: &str = "Operation";

/// Every operation with its tag.
pub(super) fn all() -> Vec<Operation> {
    let tagged = |operations: Vec<Operation>, tag| {
        operations
            .into_iter()
            .map(move |operation| operation.tag(tag))
    };
    tagged(jobs::all(), JOBS)
        .chain(tagged(uploads::requests(), UPLOADS))
        .chain(tagged(work::all(), WORK))
        .chain(tagged(operation::all(), WORK))
        .chain(tagged(events::all(), LIVE))
        .chain(tagged(outputs::all(), OUTPUTS))
        .chain(tagged(results(), RESULTS))
        .map(Operation::uses_database)
        .chain(tagged(uploads::tus(), UPLOADS))
        .chain(tagged(uploads::objects(), UPLOADS))
        .chain(tagged(monitoring(), MONITORING))
        .collect()
}

fn results() -> Vec<Operation> {
    vec![
        get("/api/v1/results/{job_id}", "getResults")
            .describe_as(
                "Read the results of a completed job",
                "Clips, transcript and details of the job. The URLs of files are signed and expire.",
            )
            .responds::<ResultsResponse>(200)
            .with_problems([JobNotCompleted]),
    ]
}

fn monitoring() -> Vec<Operation> {
    vec![
        get("/healthz", "getHealth")
            .describe_as("Whether the process is alive", "Does not use the database.")
            .responds::<HealthResponse>(200),
        get("/readyz", "getReadiness")
            .describe_as(
                "Whether requests can be served",
                "The database answers, its schema is up to date, and the service is not shutting down.",
            )
            .responds::<HealthResponse>(200)
            .uses_database(),
        get("/metrics", "getMetrics")
            .describe_as("Metrics for Prometheus", "In the text format of Prometheus.")
            .responds_text("text/plain"),
        get("/api/v1/audit", "listAudit")
            .describe_as(
                "Read who changed what",
                "Updates, cancellations, retries, reruns and deletions of jobs, and what was done \
                 to keys, newest first: which key, from which address, with the old and the new \
                 values of the fields that changed. Entries are never changed, and deleted after \
                 their retention only.",
            )
            .query::<AuditQuery>()
            .responds::<AuditResponse>(200)
            .uses_database(),
        get("/api/v1/session", "getSession")
            .describe_as(
                "Read who the caller is",
                "The role of the caller's key or session, what it allows, and when it ends. Where \
                 nothing is asked for, everything is allowed.",
            )
            .responds::<SessionResponse>(200),
        post("/api/v1/session", "createSession")
            .describe_as(
                "Sign in in a browser",
                "Sets a cookie with a session, which allows what the key or token in the header \
                 does, and ends with it, at the latest after the configured time. Scripts cannot \
                 read the cookie, and it counts only for pages of this server. With the cookie of \
                 a session, or where nothing is asked for, no cookie is set.",
            )
            .responds::<SessionResponse>(200)
            .with_problems([OriginNotAllowed]),
        delete("/api/v1/session", "deleteSession")
            .describe_as(
                "Sign out",
                "Ends the session of the cookie, and removes the cookie. Keys in headers are not \
                 affected.",
            )
            .responds_empty(204)
            .with_problems([OriginNotAllowed]),
        get("/openapi.json", "getOpenapi")
            .describe_as("This document", "The OpenAPI document of the service.")
            .responds::<serde_json::Map<String, serde_json::Value>>(200),
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

fn head(path: &'static str, id: &'static str) -> Operation {
    Operation::new("HEAD", path, id)
}

fn options(path: &'static str, id: &'static str) -> Operation {
    Operation::new("OPTIONS", path, id)
}

fn patch(path: &'static str, id: &'static str) -> Operation {
    Operation::new("PATCH", path, id)
}

fn delete(path: &'static str, id: &'static str) -> Operation {
    Operation::new("DELETE", path, id)
}
