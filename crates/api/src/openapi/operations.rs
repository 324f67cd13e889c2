//! Every operation of the interface.

use super::operation::Operation;
use crate::Code::{IllegalTransition, JobNotCompleted, JobNotRunning, LayoutAnalysisNotFound};
use crate::{
    ClipsCreate, ClipsQuery, ClipsResponse, ContentSegmentsCreate, ContentSegmentsQuery,
    ContentSegmentsResponse, HealthResponse, JobCreate, JobListQuery, JobListResponse, JobResponse,
    JobUpdate, LayoutAnalysisCreate, LayoutAnalysisResponse, LogCreate, LogEntry, LogListQuery,
    LogListResponse, ProgressReport, ResultsResponse, SilenceRegionsCreate, SilenceRegionsQuery,
    SilenceRegionsResponse, StatsResponse, TranscriptCreate, TranscriptQuery, TranscriptResponse,
};

/// The tags and what they are about.
pub(super) const TAGS: [(&str, &str); 4] = [
    (JOBS, "Recordings on their way to clips."),
    (
        FOUND,
        "What each stage found. PUT replaces the whole set of a job.",
    ),
    (RESULTS, "What came of a completed job."),
    (OPERATION, "Whether the service is well."),
];

const JOBS: &str = "Jobs";
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
    tagged(jobs(), JOBS)
        .chain(tagged(found(), FOUND))
        .chain(tagged(results(), RESULTS))
        .map(Operation::stored)
        .chain(tagged(operation(), OPERATION))
        .collect()
}

fn jobs() -> Vec<Operation> {
    vec![
        post("/api/v1/jobs", "createJob")
            .about("Make a job", "The recording lies in the storage already; the job is queued.")
            .body::<JobCreate>()
            .answers::<JobResponse>(201)
            .with(&["Location", "ETag"]),
        get("/api/v1/jobs", "listJobs")
            .about("List jobs", "Newest first. Jobs made meanwhile move nothing to another page.")
            .query::<JobListQuery>()
            .answers::<JobListResponse>(200),
        get("/api/v1/jobs/{job_id}", "getJob")
            .about("Read a job", "")
            .if_none_match()
            .answers::<JobResponse>(200)
            .with(&["ETag"]),
        patch("/api/v1/jobs/{job_id}", "updateJob")
            .about("Change a job", "What is left out stays as it is. A status has to be one that may follow the current one.")
            .if_match()
            .body::<JobUpdate>()
            .answers::<JobResponse>(200)
            .with(&["ETag"])
            .or([IllegalTransition]),
        delete("/api/v1/jobs/{job_id}", "deleteJob")
            .about("Delete a job", "Everything that was found for it goes with it."),
        post("/api/v1/jobs/{job_id}/progress", "reportProgress")
            .about("Report progress", "The first report moves a queued job to running; one that would take its stage backwards changes nothing.")
            .body::<ProgressReport>()
            .answers::<JobResponse>(200)
            .with(&["ETag"])
            .or([JobNotRunning]),
        get("/api/v1/stats", "getStats")
            .about("Count jobs and bytes", "")
            .answers::<StatsResponse>(200),
    ]
}

fn found() -> Vec<Operation> {
    vec![
        put("/api/v1/jobs/{job_id}/transcripts", "putTranscript")
            .about("Replace the transcript", "")
            .body::<TranscriptCreate>()
            .answers::<TranscriptResponse>(200),
        post("/api/v1/jobs/{job_id}/transcripts", "appendTranscript")
            .about(
                "Append to the transcript",
                "For one who transcribes while it is said. Answers the segments that were added.",
            )
            .body::<TranscriptCreate>()
            .answers::<TranscriptResponse>(201),
        get("/api/v1/jobs/{job_id}/transcripts", "getTranscript")
            .about("Read the transcript", "By time.")
            .query::<TranscriptQuery>()
            .answers::<TranscriptResponse>(200),
        put("/api/v1/jobs/{job_id}/silence-regions", "putSilenceRegions")
            .about("Replace the silence regions", "")
            .body::<SilenceRegionsCreate>()
            .answers::<SilenceRegionsResponse>(200),
        get("/api/v1/jobs/{job_id}/silence-regions", "getSilenceRegions")
            .about("Read the silence regions", "By time.")
            .query::<SilenceRegionsQuery>()
            .answers::<SilenceRegionsResponse>(200),
        put("/api/v1/jobs/{job_id}/layout-analysis", "putLayoutAnalysis")
            .about("Replace the layout analysis", "")
            .body::<LayoutAnalysisCreate>()
            .answers::<LayoutAnalysisResponse>(200),
        get("/api/v1/jobs/{job_id}/layout-analysis", "getLayoutAnalysis")
            .about("Read the layout analysis", "")
            .answers::<LayoutAnalysisResponse>(200)
            .or([LayoutAnalysisNotFound]),
        put(
            "/api/v1/jobs/{job_id}/content-segments",
            "putContentSegments",
        )
        .about("Replace the content segments", "")
        .body::<ContentSegmentsCreate>()
        .answers::<ContentSegmentsResponse>(200),
        get(
            "/api/v1/jobs/{job_id}/content-segments",
            "getContentSegments",
        )
        .about(
            "Read the content segments",
            "By their order or, with `top`, by importance.",
        )
        .query::<ContentSegmentsQuery>()
        .answers::<ContentSegmentsResponse>(200),
        put("/api/v1/jobs/{job_id}/clips", "putClips")
            .about("Replace the clips", "")
            .body::<ClipsCreate>()
            .answers::<ClipsResponse>(200),
        get("/api/v1/jobs/{job_id}/clips", "getClips")
            .about(
                "Read the clips",
                "By their order or, with `top`, by importance.",
            )
            .query::<ClipsQuery>()
            .answers::<ClipsResponse>(200),
        post("/api/v1/jobs/{job_id}/logs", "appendLog")
            .about("Append to the processing log", "")
            .body::<LogCreate>()
            .answers::<LogEntry>(201),
        get("/api/v1/jobs/{job_id}/logs", "listLogs")
            .about("Read the processing log", "")
            .query::<LogListQuery>()
            .answers::<LogListResponse>(200),
    ]
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
