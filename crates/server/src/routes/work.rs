//! The work queue: claim, heartbeat, complete, release, fail.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{
    ClaimBody, ClaimResponse, ClaimsResponse, HeartbeatBody, HeartbeatResponse,
    StageCompletionBody, StageFailureBody, StageReleaseBody, StageRunResponse,
};
use tokio::time::Instant;

use crate::database::handle::DatabaseHandle;
use crate::http::extract::json_body::{JsonBody, OptionalBody};
use crate::http::extract::lease_header::LeaseIdPath;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::signed_urls::SignedUrls;
use crate::work_queue::waiting_claims::WaitingClaims;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/work/claim").on(Method::POST, claim),
        Resource::at("/api/v1/work/{lease_id}/heartbeat").on(Method::POST, heartbeat),
        Resource::at("/api/v1/work/{lease_id}/complete").on(Method::POST, complete),
        Resource::at("/api/v1/work/{lease_id}/release").on(Method::POST, release),
        Resource::at("/api/v1/work/{lease_id}/fail").on(Method::POST, fail),
    ]
}

async fn claim(
    db: Data<DatabaseHandle>,
    waiting_claims: Data<WaitingClaims>,
    urls: SignedUrls,
    JsonBody(body): JsonBody<ClaimBody>,
) -> ApiResult {
    let until = Instant::now() + body.wait;
    let mut position = waiting_claims.join(body.claim.stages.as_slice());
    let claims = loop {
        let claims = db.claim(body.claim.clone()).await?;
        if !claims.is_empty() || !position.was_notified_before(until).await? {
            break claims;
        }
    };
    drop(position);
    let mut responses = Vec::with_capacity(claims.len());
    for claim in claims {
        let source_url = urls.recording(&claim.job).await;
        responses.push(ClaimResponse::new(claim, source_url));
    }
    ApiResponse::ok(&ClaimsResponse { claims: responses })
}

async fn heartbeat(
    db: Data<DatabaseHandle>,
    LeaseIdPath(lease_id): LeaseIdPath,
    JsonBody(heartbeat): JsonBody<HeartbeatBody>,
) -> ApiResult {
    let (heartbeat, _) = heartbeat.into_parts();
    let state = db.heartbeat(lease_id, heartbeat).await?;
    ApiResponse::ok(&HeartbeatResponse::from(state))
}

async fn complete(
    db: Data<DatabaseHandle>,
    LeaseIdPath(lease_id): LeaseIdPath,
    _body: OptionalBody<StageCompletionBody>,
) -> ApiResult {
    let (job, run) = db.complete_stage(lease_id).await?;
    ApiResponse::ok(&StageRunResponse::new(run, job.status))
}

async fn release(
    db: Data<DatabaseHandle>,
    LeaseIdPath(lease_id): LeaseIdPath,
    _body: OptionalBody<StageReleaseBody>,
) -> ApiResult {
    db.one_at_a_time_for(lease_id.as_uuid())
        .write(
            move |tx| Ok(tx.work().release(lease_id)?),
            |(job, run)| ApiResponse::ok(&StageRunResponse::new(run, job.status)),
        )
        .await?
}

async fn fail(
    db: Data<DatabaseHandle>,
    LeaseIdPath(lease_id): LeaseIdPath,
    JsonBody(failure): JsonBody<StageFailureBody>,
) -> ApiResult {
    db.one_at_a_time_for(lease_id.as_uuid())
        .write(
            move |tx| Ok(tx.work().fail(lease_id, &failure)?),
            |(job, run)| ApiResponse::ok(&StageRunResponse::new(run, job.status)),
        )
        .await?
}
