//! Jobs.

use super::super::operation::Operation;
use super::{delete, get, patch, post};
use crate::job::{
    JobCreate, JobListQuery, JobListResponse, JobOfSourceCreate, JobResponse, JobUpdate,
    ProgressReport, RerunBody,
};
use crate::stats::StatsResponse;
use crate::wire::Code::{IllegalTransition, JobNotRunning, QuotaExceeded};

const LIST: &str = "Newest first, unless `order` or `direction` is given. Jobs created between two requests \
    do not shift the pages. The header `Link` has the URL of the next page (`rel=\"next\"`).";

/// Operations on jobs.
pub(super) fn all() -> Vec<Operation> {
    vec![
        post("/api/v1/jobs", "createJob")
            .describe_as("Create a job", "For a recording that is already in the storage, or with `source_job_id` for that of another job. The job is queued immediately.")
            .body_of_either::<JobCreate, JobOfSourceCreate>()
            .idempotent()
            .responds::<JobResponse>(201)
            .with_headers(&["Location", "ETag"])
            .with_problems([QuotaExceeded])
            .links_to("job_id", "$response.body#/job_id"),
        get("/api/v1/jobs", "listJobs")
            .describe_as("List jobs", LIST)
            .query::<JobListQuery>()
            .responds::<JobListResponse>(200)
            .with_headers(&["Link"]),
        get("/api/v1/jobs/{job_id}", "getJob")
            .describe_as("Read a job", "With `If-None-Match`, the response is 304 while the job has not changed.")
            .responds::<JobResponse>(200)
            .with_headers(&["ETag"])
            .if_none_match(),
        patch("/api/v1/jobs/{job_id}", "updateJob")
            .describe_as("Change a job", "Fields left out keep their values. The status must be the current one, or one that the current status may change to.")
            .if_match()
            .leased()
            .body_patch::<JobUpdate>()
            .responds::<JobResponse>(200)
            .with_headers(&["ETag"])
            .with_problems([IllegalTransition, QuotaExceeded]),
        delete("/api/v1/jobs/{job_id}", "deleteJob")
            .describe_as("Delete a job", "Its results and files are deleted, too.")
            .responds_empty(204),
        post("/api/v1/jobs/{job_id}/cancel", "cancelJob")
            .describe_as("Cancel a job", "Its workers learn of it from their next heartbeat. A job that was cancelled already is returned unchanged.")
            .idempotent()
            .responds::<JobResponse>(200)
            .with_headers(&["ETag"])
            .with_problems([IllegalTransition]),
        post("/api/v1/jobs/{job_id}/retry", "retryJob")
            .describe_as("Retry a failed or cancelled job", "Completed stages are kept. A job that is queued already is returned unchanged. A job whose upload was never confirmed cannot be retried.")
            .idempotent()
            .responds::<JobResponse>(200)
            .with_headers(&["ETag"])
            .with_problems([IllegalTransition, QuotaExceeded])
            .exclude_from_links(),
        post("/api/v1/jobs/{job_id}/rerun", "rerunJob")
            .describe_as("Run stages of a finished job again", "The job is queued. The stage and those that depend on it are run again, and what earlier stages have stored stays. Stages that were never completed are run, too. Lectern's `compilation` cuts only clips that have changed.")
            .idempotent()
            .body::<RerunBody>()
            .responds::<JobResponse>(200)
            .with_headers(&["ETag"])
            .with_problems([IllegalTransition, QuotaExceeded])
            .exclude_from_links(),
        post("/api/v1/jobs/{job_id}/progress", "reportProgress")
            .describe_as("Report progress", "The first report moves a queued job to running; a report with a lower percentage than the stored one changes nothing. Workers that claim their stages send heartbeats instead.")
            .idempotent()
            .leased()
            .body::<ProgressReport>()
            .responds::<JobResponse>(200)
            .with_headers(&["ETag"])
            .with_problems([JobNotRunning]),
        get("/api/v1/stats", "getStats")
            .describe_as("Count jobs and bytes", "Over all jobs, from one snapshot.")
            .responds::<StatsResponse>(200),
    ]
}
