//! Operations of workers.

use super::super::operation::Operation;
use super::{get, post};
use crate::claim::{ClaimBody, ClaimsResponse};
use crate::lease::{
    HeartbeatBody, HeartbeatResponse, StageCompletionBody, StageFailureBody, StageReleaseBody,
};
use crate::stage_run::{StageRunResponse, StagesResponse};
use crate::wire::Code::{self, InsufficientStorage};
use crate::work_object::{
    WorkObjectsQuery, WorkObjectsResponse, WorkUploadRequest, WorkUploadResponse,
};

/// Claims, the end of attempts, and the stages of a job.
pub(super) fn all() -> Vec<Operation> {
    vec![
        post("/api/v1/work/claim", "claimWork")
            .describe_as(
                "Claim stages to work on",
                "Only stages whose dependencies are completed; owners take turns, each with \
                 its job of the highest priority, then the oldest. Waits up to `wait_seconds` if no stage is ready.",
            )
            .with_problems([Code::QuotaExceeded])
            .idempotent()
            .body::<ClaimBody>()
            .responds::<ClaimsResponse>(200)
            .links_to("lease_id", "$response.body#/claims/0/lease_id"),
        post("/api/v1/work/{lease_id}/heartbeat", "heartbeat")
            .describe_as(
                "Extend a lease",
                "Extends the lease by its duration and reports whether the job was cancelled.",
            )
            .idempotent()
            .body::<HeartbeatBody>()
            .responds::<HeartbeatResponse>(200),
        post("/api/v1/work/{lease_id}/complete", "completeStage")
            .describe_as(
                "Complete a stage",
                "Store the output first, with the header `Lease-Id`. What the body has is stored with \
                 the completion. Completing again changes nothing.",
            )
            .idempotent()
            .optional_body::<StageCompletionBody>()
            .responds::<StageRunResponse>(200),
        get("/api/v1/work/{lease_id}/objects", "listWorkObjects")
            .describe_as(
                "Find the objects that a stage reads",
                "The recording and files beside it, or one object, with URLs that need no key. \
                 Objects that do not exist, or that the stage may not read, are left out.",
            )
            .query::<WorkObjectsQuery>()
            .responds::<WorkObjectsResponse>(200),
        post("/api/v1/work/{lease_id}/objects", "createWorkUpload")
            .describe_as(
                "Request the upload of a file",
                "For a file of the job, such as a clip: PUT it to `upload_url`, then store the \
                 `s3_key`. A file with the same name replaces the earlier one.",
            )
            .idempotent()
            .body::<WorkUploadRequest>()
            .responds::<WorkUploadResponse>(201)
            .exclude_from_links()
            .with_problems([InsufficientStorage]),
        post("/api/v1/work/{lease_id}/release", "releaseStage")
            .describe_as(
                "Give a stage back",
                "For a worker that shuts down: the stage can be claimed again at once, and the \
                 attempt does not count.",
            )
            .idempotent()
            .optional_body::<StageReleaseBody>()
            .responds::<StageRunResponse>(200),
        post("/api/v1/work/{lease_id}/fail", "failStage")
            .describe_as(
                "Report a failed stage",
                "The stage is retried after a delay, or after `retry_after_seconds`. If it is not retryable, or this was the last \
                 attempt, its job fails.",
            )
            .idempotent()
            .body::<StageFailureBody>()
            .responds::<StageRunResponse>(200),
        get("/api/v1/jobs/{job_id}/stages", "listStages")
            .describe_as(
                "List the stages of a job",
                "In the order of the pipeline.",
            )
            .responds::<StagesResponse>(200),
    ]
}
