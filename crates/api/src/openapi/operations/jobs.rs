//! Jobs.

use super::super::operation::Operation;
use super::{delete, get, patch, post};
use crate::Code::{IllegalTransition, JobNotRunning};
use crate::{
    JobCreate, JobListQuery, JobListResponse, JobResponse, JobUpdate, ProgressReport, StatsResponse,
};

/// What is done with jobs.
pub(super) fn all() -> Vec<Operation> {
    vec![
        post("/api/v1/jobs", "createJob")
            .about("Make a job", "The recording lies in the storage already; the job is queued.")
            .body::<JobCreate>()
            .idempotent()
            .answers::<JobResponse>(201)
            .with(&["Location", "ETag"])
            .leads_on("job_id", "$response.body#/job_id"),
        get("/api/v1/jobs", "listJobs")
            .about("List jobs", "Newest first. Jobs made meanwhile move nothing to another page.")
            .query::<JobListQuery>()
            .answers::<JobListResponse>(200),
        get("/api/v1/jobs/{job_id}", "getJob")
            .about("Read a job", "")
            .answers::<JobResponse>(200)
            .with(&["ETag"])
            .if_none_match(),
        patch("/api/v1/jobs/{job_id}", "updateJob")
            .about("Change a job", "What is left out stays as it is. A status has to be one that may follow the current one.")
            .if_match()
            .leased()
            .body::<JobUpdate>()
            .answers::<JobResponse>(200)
            .with(&["ETag"])
            .or([IllegalTransition]),
        delete("/api/v1/jobs/{job_id}", "deleteJob")
            .about("Delete a job", "Everything that was found for it and its files go with it.")
            .answers_nothing(204),
        post("/api/v1/jobs/{job_id}/cancel", "cancelJob")
            .about("Cancel a job", "A worker that is on it hears of it with its next heartbeat.")
            .answers::<JobResponse>(200)
            .with(&["ETag"])
            .or([IllegalTransition]),
        post("/api/v1/jobs/{job_id}/retry", "retryJob")
            .about("Try a failed or cancelled job again", "Stages that were completed stay so. A job whose upload was never confirmed cannot be tried again.")
            .answers::<JobResponse>(200)
            .with(&["ETag"])
            .or([IllegalTransition])
            .later(),
        post("/api/v1/jobs/{job_id}/progress", "reportProgress")
            .about("Report progress", "The first report moves a queued job to running; one that would take its stage backwards changes nothing. Workers that claim their stages send heartbeats instead.")
            .leased()
            .body::<ProgressReport>()
            .answers::<JobResponse>(200)
            .with(&["ETag"])
            .or([JobNotRunning]),
        get("/api/v1/stats", "getStats")
            .about("Count jobs and bytes", "")
            .answers::<StatsResponse>(200),
    ]
}
