//! Operations of those who run the service.

use super::super::operation::Operation;
use super::{get, post};
use crate::active_worker::{WorkersQuery, WorkersResponse};
use crate::work_history::{WorkHistoryQuery, WorkHistoryResponse};
use crate::work_stats::{StagePauseResponse, WorkStatsResponse};

/// What waits for each stage and who works on it, and pauses.
pub(super) fn all() -> Vec<Operation> {
    vec![
        post("/api/v1/work/stages/{stage}/pause", "pauseStage")
            .describe_as(
                "Pause a stage",
                "Claims of the stage give nothing until it is resumed, on every server of the \
                 database. What is being processed goes on. Pausing again changes nothing. Not for \
                 keys of an owner, because a pause concerns the jobs of all.",
            )
            .idempotent()
            .responds::<StagePauseResponse>(200),
        post("/api/v1/work/stages/{stage}/resume", "resumeStage")
            .describe_as(
                "Resume a stage",
                "Claims that wait for the stage get its runs at once. Resuming again changes \
                 nothing. Not for keys of an owner.",
            )
            .idempotent()
            .responds::<StagePauseResponse>(200),
        get("/api/v1/work/stats", "getWorkStats")
            .describe_as(
                "Read what waits for each stage",
                "For each stage how many runs are ready, are processed or wait, how long the oldest \
                 ready one could have been claimed, how many were completed in the last five minutes \
                 and the last hour, and how long they took. With the key of an owner, only runs of \
                 its jobs count. `/metrics` has the same numbers for autoscalers.",
            )
            .responds::<WorkStatsResponse>(200),
        get("/api/v1/work/stats/history", "getWorkHistory")
            .describe_as(
                "Read what waited for each stage over time",
                "A period that ends now, in at most 181 points for each stage: the mean numbers of \
                 ready and running runs, how many were completed and failed, and how long the \
                 completed ones took. It is computed from the runs that are stored: those of deleted \
                 jobs are missing, and each counts with its last attempt. With the key of an owner, \
                 only runs of its jobs count.",
            )
            .query::<WorkHistoryQuery>()
            .responds::<WorkHistoryResponse>(200),
        get("/api/v1/workers", "listWorkers")
            .describe_as(
                "List the workers that hold leases",
                "What each worker is processing now. A worker that waits for work is not in the \
                 list. With the key of an owner, only leases of its jobs are listed.",
            )
            .query::<WorkersQuery>()
            .responds::<WorkersResponse>(200),
    ]
}
