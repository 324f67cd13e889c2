//! What operators ask: what waits for each stage, now and over time, and which workers process what.
//!
//! All need the scope of reading jobs: they show nothing of a job that its stages do not show.
//! A key with an owner gets the numbers of the owner's jobs. Monitoring systems, whose role reads
//! no jobs, find the same numbers in `/metrics`.

use lectern_api::{
    WorkHistoryQuery, WorkHistoryResponse, WorkStatsResponse, WorkersQuery, WorkersResponse,
};
use lectern_domain::Scope;

use crate::database::caller_database::CallerDatabase;
use crate::http::extract::query::Query;
use crate::http::resource::Resource;
use crate::http::response::shared::SharedRequest;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/work/stats").get(Scope::JobsRead, stats),
        Resource::at("/api/v1/work/stats/history").get(Scope::JobsRead, history),
        Resource::at("/api/v1/workers").get(Scope::JobsRead, workers),
    ]
}

async fn stats(CallerDatabase(db): CallerDatabase, request: SharedRequest) -> ApiResult {
    let stats = async move {
        db.read(
            |conn| Ok(conn.stage_runs().stats()?),
            |stats| ApiResponse::ok(&WorkStatsResponse::from(stats)),
        )
        .await?
    };
    request.respond(stats).await
}

async fn history(
    CallerDatabase(db): CallerDatabase,
    request: SharedRequest,
    Query(period): Query<WorkHistoryQuery>,
) -> ApiResult {
    let history = async move {
        db.read(
            move |conn| Ok(conn.stage_runs().history(period)?),
            |history| ApiResponse::ok(&WorkHistoryResponse::from(history)),
        )
        .await?
    };
    request.respond(history).await
}

async fn workers(
    CallerDatabase(db): CallerDatabase,
    request: SharedRequest,
    Query(page): Query<WorkersQuery>,
) -> ApiResult {
    let workers = async move {
        db.read_committed(
            move |conn| Ok(conn.stage_runs().active_workers(&page)?),
            |page| ApiResponse::ok(&WorkersResponse::from(page)),
        )
        .await?
    };
    request.respond(workers).await
}
