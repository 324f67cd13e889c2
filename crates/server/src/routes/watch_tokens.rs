//! Tokens with which browsers watch a job.

use actix_web::http::Method;
use actix_web::http::header::CACHE_CONTROL;
use lectern_api::{WatchTokenBody, WatchTokenResponse};
use lectern_domain::Scope;

use crate::database::caller_database::{CallerDatabase, SessionDatabase};
use crate::database::sessions;
use crate::http::auth::{MaybeCaller, RequestActor, key_has_ended, make_watch_token};
use crate::http::error::ApiError;
use crate::http::extract::json_body::OptionalBody;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/jobs/{job_id}/watch-token").on(
        Method::POST,
        Scope::JobsRead,
        create,
    )]
}

async fn create(
    CallerDatabase(db): CallerDatabase,
    SessionDatabase(session_db): SessionDatabase,
    caller: MaybeCaller,
    RequestActor(actor): RequestActor,
    JobIdPath(job_id): JobIdPath,
    OptionalBody(lifetime): OptionalBody<WatchTokenBody>,
) -> ApiResult {
    let exists = db.read_committed(move |conn| Ok(conn.jobs().exists(job_id)?), |exists| exists);
    ApiError::unless_found(job_id, exists.await?)?;
    let (lifetime, _) = lifetime.into_parts();
    let expires_at = WatchTokenResponse::round(db.now() + lifetime.duration());
    let key = match caller.get() {
        // A token needs a key that other servers know.
        Some(caller) if !caller.is_stored() => {
            let session = sessions::begin(&session_db, caller, actor, expires_at).await?;
            let (session, _) = session.ok_or_else(key_has_ended)?;
            Some(session)
        }
        caller => caller.map(|caller| caller.key().clone()),
    };
    let token = make_watch_token(key.as_ref(), job_id, expires_at)?;
    let response = WatchTokenResponse {
        job_id,
        token,
        expires_at,
    };
    ApiResponse::ok(&response)?.with_header(CACHE_CONTROL, "no-store")
}
