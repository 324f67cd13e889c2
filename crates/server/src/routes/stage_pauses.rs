//! Pausing and resuming a stage.

use actix_web::http::Method;
use lectern_api::StagePauseResponse;
use lectern_db::Tx;
use lectern_domain::Scope;

use crate::database::caller_database::CallerDatabase;
use crate::http::auth::{MaybeCaller, RequestActor};
use crate::http::extract::idempotent_body::RequestKey;
use crate::http::extract::path_ids::StagePath;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/work/stages/{stage}/pause").on(
            Method::POST,
            Scope::WorkManage,
            pause,
        ),
        Resource::at("/api/v1/work/stages/{stage}/resume").on(
            Method::POST,
            Scope::WorkManage,
            resume,
        ),
    ]
}

async fn pause(
    CallerDatabase(db): CallerDatabase,
    caller: MaybeCaller,
    RequestActor(actor): RequestActor,
    StagePath(stage): StagePath,
    key: RequestKey,
) -> ApiResult {
    caller.has_no_owner()?;
    let pause = move |tx: &mut Tx<'_>| Ok((None, tx.stage_pauses().pause(stage)?));
    db.acting_as(actor)
        .write_once(key, pause, move |paused_at| {
            ApiResponse::ok(&StagePauseResponse {
                stage,
                paused_at: Some(paused_at),
            })
        })
        .await
}

async fn resume(
    CallerDatabase(db): CallerDatabase,
    caller: MaybeCaller,
    RequestActor(actor): RequestActor,
    StagePath(stage): StagePath,
    key: RequestKey,
) -> ApiResult {
    caller.has_no_owner()?;
    let resume = move |tx: &mut Tx<'_>| Ok((None, tx.stage_pauses().resume(stage)?));
    db.acting_as(actor)
        .write_once(key, resume, move |_| {
            ApiResponse::ok(&StagePauseResponse {
                stage,
                paused_at: None,
            })
        })
        .await
}
