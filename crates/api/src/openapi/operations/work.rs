//! What workers do.

use super::super::operation::Operation;
use super::{get, post};
use crate::{
    ClaimBody, ClaimsResponse, HeartbeatBody, HeartbeatResponse, StageCompletionBody,
    StageFailureBody, StageRunResponse, StagesResponse,
};

/// What workers do, stage by stage.
pub(super) fn all() -> Vec<Operation> {
    vec![
        post("/api/v1/work/claim", "claimWork")
            .about(
                "Claim stages to work on",
                "Of the jobs with the highest priority, the oldest first, and only stages with \
                 nothing left to wait for. Waits up to `wait_seconds` when there is nothing to do.",
            )
            .body::<ClaimBody>()
            .answers::<ClaimsResponse>(200)
            .leads_on("lease_id", "$response.body#/claims/0/lease_id"),
        post("/api/v1/work/{lease_id}/heartbeat", "heartbeat")
            .about(
                "Keep a lease",
                "Extends it by as much as was claimed, and tells whether the job was cancelled.",
            )
            .body::<HeartbeatBody>()
            .answers::<HeartbeatResponse>(200),
        post("/api/v1/work/{lease_id}/complete", "completeStage")
            .about(
                "Complete a stage",
                "What was found is stored before, with the header `Lease-Id`. Completing again \
                 changes nothing.",
            )
            .maybe_body::<StageCompletionBody>()
            .answers::<StageRunResponse>(200),
        post("/api/v1/work/{lease_id}/fail", "failStage")
            .about(
                "Give up a stage",
                "It is tried again after a while, unless it is not retryable or this was the \
                 last attempt: then its job has failed.",
            )
            .body::<StageFailureBody>()
            .answers::<StageRunResponse>(200),
        get("/api/v1/jobs/{job_id}/stages", "listStages")
            .about(
                "Read what has become of each stage",
                "In the order of the pipeline.",
            )
            .answers::<StagesResponse>(200),
    ]
}
