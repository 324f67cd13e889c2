//! The work queue: claim, heartbeat, complete, release, fail.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{
    ClaimBody, ClaimResponse, ClaimWithWait, ClaimsResponse, HeartbeatBody, HeartbeatResponse,
    StageCompletion, StageCompletionBody, StageFailureBody, StageReleaseBody, StageRunResponse,
};
use lectern_db::Tx;
use lectern_domain::{Job, JobId, Scope, StageRun};
use serde_json::Value;
use tokio::time::Instant;

use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::auth::MaybeCaller;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::{IdempotentBody, IdempotentOptionalBody, RequestKey};
use crate::http::extract::lease_header::LeaseIdPath;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::signed_urls::SignedUrls;
use crate::work_queue::waiting_claims::WaitingClaims;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/work/claim")
            .waits()
            .on(Method::POST, Scope::Work, claim),
        Resource::at("/api/v1/work/{lease_id}/heartbeat").on(Method::POST, Scope::Work, heartbeat),
        Resource::at("/api/v1/work/{lease_id}/complete").on(Method::POST, Scope::Work, complete),
        Resource::at("/api/v1/work/{lease_id}/release").on(Method::POST, Scope::Work, release),
        Resource::at("/api/v1/work/{lease_id}/fail").on(Method::POST, Scope::Work, fail),
    ]
}

async fn claim(
    CallerDatabase(db): CallerDatabase,
    waiting_claims: Data<WaitingClaims>,
    urls: SignedUrls,
    caller: MaybeCaller,
    IdempotentBody { body, key }: IdempotentBody<ClaimBody>,
) -> ApiResult {
    caller.may_claim(body.claim.stages.as_slice())?;
    if !key.is_none() {
        return claim_once(&db, &waiting_claims, &urls, &body, key).await;
    }
    let until = Instant::now() + body.wait;
    let mut position = waiting_claims.join(body.claim.stages.as_slice(), db.owner());
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

/// As [`claim`], once per idempotency key. A claim that finds no run releases its key.
async fn claim_once(
    db: &DatabaseHandle,
    waiting_claims: &WaitingClaims,
    urls: &SignedUrls,
    body: &ClaimWithWait,
    key: RequestKey,
) -> ApiResult {
    let until = Instant::now() + body.wait;
    let mut position = waiting_claims.join(body.claim.stages.as_slice(), db.owner());
    let stored = loop {
        let (key, request) = (key.clone(), body.claim.clone());
        let claim = move |tx: &mut Tx<'_>| {
            if let Some(stored) = key.take(tx)? {
                return Ok(Some(stored));
            }
            let claims = tx.work().claim(&request)?;
            let Some(job_id) = claims.first().map(|claim| claim.job.job_id) else {
                key.release(tx)?;
                return Ok(None);
            };
            let claims = claims.into_iter();
            let claims = claims
                .map(|claim| ClaimResponse::new(claim, None))
                .collect();
            let stored = ApiResponse::ok(&ClaimsResponse { claims })?.store()?;
            key.store(tx, Some(job_id), &stored)?;
            Ok(Some(stored))
        };
        let stored = db.write(claim, |stored| stored).await?;
        if stored.is_some() || !position.was_notified_before(until).await? {
            break stored;
        }
    };
    drop(position);
    let Some(stored) = stored else {
        return ApiResponse::ok(&ClaimsResponse { claims: Vec::new() });
    };
    let claims = ApiResponse::restore(stored)?.text()?;
    let mut response: Value = serde_json::from_str(&claims).map_err(ApiError::internal)?;
    // Not stored, because they expire before the key does.
    for claim in response["claims"].as_array_mut().into_iter().flatten() {
        let job_id = claim["job"]["job_id"].as_str();
        let Some(job_id) = job_id.and_then(|id| id.parse().ok()) else {
            continue;
        };
        if let Some(job) = db.find_job(job_id).await? {
            claim["source_url"] = urls.recording(&job).await.into();
        }
    }
    ApiResponse::ok(&response)
}

async fn heartbeat(
    CallerDatabase(db): CallerDatabase,
    LeaseIdPath(lease_id): LeaseIdPath,
    IdempotentBody { body, key }: IdempotentBody<HeartbeatBody>,
) -> ApiResult {
    let (heartbeat, _) = body.into_parts();
    let respond = |state| ApiResponse::ok(&HeartbeatResponse::from(state));
    if key.is_none() {
        return respond(db.heartbeat(lease_id, heartbeat).await?);
    }
    let extend = move |tx: &mut Tx<'_>| Ok((None, tx.work().heartbeat(lease_id, &heartbeat)?));
    db.write_once(key, extend, respond).await
}

async fn complete(
    CallerDatabase(db): CallerDatabase,
    LeaseIdPath(lease_id): LeaseIdPath,
    IdempotentOptionalBody { body, key }: IdempotentOptionalBody<StageCompletionBody>,
) -> ApiResult {
    if key.is_none() && body.results.is_empty() {
        return ended(db.complete_stage(lease_id, body.notes.clone()).await?);
    }
    let complete = move |tx: &mut Tx<'_>| {
        let StageCompletion { notes, results } = &*body;
        let completed = tx.work().complete_with_results(lease_id, notes, results)?;
        Ok(of_job(completed))
    };
    db.one_at_a_time_for(lease_id.as_uuid())
        .write_once(key, complete, ended)
        .await
}

async fn release(
    CallerDatabase(db): CallerDatabase,
    LeaseIdPath(lease_id): LeaseIdPath,
    IdempotentOptionalBody { key, .. }: IdempotentOptionalBody<StageReleaseBody>,
) -> ApiResult {
    let release = move |tx: &mut Tx<'_>| Ok(of_job(tx.work().release(lease_id)?));
    db.one_at_a_time_for(lease_id.as_uuid())
        .write_once(key, release, ended)
        .await
}

async fn fail(
    CallerDatabase(db): CallerDatabase,
    LeaseIdPath(lease_id): LeaseIdPath,
    IdempotentBody { body: failure, key }: IdempotentBody<StageFailureBody>,
) -> ApiResult {
    let fail = move |tx: &mut Tx<'_>| Ok(of_job(tx.work().fail(lease_id, &failure)?));
    db.one_at_a_time_for(lease_id.as_uuid())
        .write_once(key, fail, ended)
        .await
}

/// A run whose lease has ended, with the job that it belongs to.
type EndedRun = (Job, StageRun);

fn of_job(ended: EndedRun) -> (Option<JobId>, EndedRun) {
    (Some(ended.0.job_id), ended)
}

fn ended((job, run): EndedRun) -> ApiResult {
    ApiResponse::ok(&StageRunResponse::new(run, job.status))
}
