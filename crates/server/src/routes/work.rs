//! Work: claimed, kept alive, completed, given up.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{
    ClaimBody, ClaimResponse, ClaimsResponse, HeartbeatBody, HeartbeatResponse,
    StageCompletionBody, StageFailureBody, StageRunResponse,
};
use tokio::time::Instant;

use crate::database::handle::Db;
use crate::http::extract::json_body::{Body, BodyOrNone};
use crate::http::extract::lease::Lease;
use crate::http::resource::Resource;
use crate::http::response::{Answer, Reply};
use crate::objects::urls::Urls;
use crate::work_queue::waiting_claims::Board;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/work/claim").on(Method::POST, claim),
        Resource::at("/api/v1/work/{lease_id}/heartbeat").on(Method::POST, heartbeat),
        Resource::at("/api/v1/work/{lease_id}/complete").on(Method::POST, complete),
        Resource::at("/api/v1/work/{lease_id}/fail").on(Method::POST, fail),
    ]
}

async fn claim(
    db: Data<Db>,
    board: Data<Board>,
    urls: Urls,
    Body(asked): Body<ClaimBody>,
) -> Reply {
    let until = Instant::now() + asked.wait;
    let mut place = board.enter(asked.claim.stages.as_slice());
    let claims = loop {
        let claims = db.claim(asked.claim.clone()).await?;
        if !claims.is_empty() || !place.rest(until).await? {
            break claims;
        }
    };
    drop(place);
    let mut told = Vec::with_capacity(claims.len());
    for claim in claims {
        let source_url = urls.source(&claim.job).await;
        told.push(ClaimResponse::new(claim, source_url));
    }
    Answer::ok(&ClaimsResponse { claims: told })
}

async fn heartbeat(
    db: Data<Db>,
    Lease(lease_id): Lease,
    Body(heartbeat): Body<HeartbeatBody>,
) -> Reply {
    db.write(
        move |tx| Ok(tx.work().heartbeat(lease_id, &heartbeat)?),
        |state| Answer::ok(&HeartbeatResponse::from(state)),
    )
    .await?
}

async fn complete(
    db: Data<Db>,
    Lease(lease_id): Lease,
    BodyOrNone(()): BodyOrNone<StageCompletionBody>,
) -> Reply {
    db.write(
        move |tx| Ok(tx.work().complete(lease_id)?),
        |(job, run)| Answer::ok(&StageRunResponse::new(run, job.status)),
    )
    .await?
}

async fn fail(
    db: Data<Db>,
    Lease(lease_id): Lease,
    Body(failure): Body<StageFailureBody>,
) -> Reply {
    db.write(
        move |tx| Ok(tx.work().fail(lease_id, &failure)?),
        |(job, run)| Answer::ok(&StageRunResponse::new(run, job.status)),
    )
    .await?
}
