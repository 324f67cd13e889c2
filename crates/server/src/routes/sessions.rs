//! Who the caller is, and sessions of browsers.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, SET_COOKIE};
use actix_web::web::Data;
use chrono::TimeDelta;
use lectern_api::SessionResponse;
use lectern_domain::{Access, Actor, ApiKey};

use crate::database::caller_database::SessionDatabase;
use crate::database::handle::DatabaseHandle;
use crate::database::sessions;
use crate::http::auth::{Caller, MaybeCaller, RequestActor, ServerCookie, key_has_ended};
use crate::http::error::ApiError;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

/// How long somebody who has signed in stays signed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLifetime(pub(crate) Duration);

impl SessionLifetime {
    pub(super) fn get(self) -> TimeDelta {
        TimeDelta::from_std(self.0).unwrap_or(TimeDelta::MAX)
    }
}

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/session")
            .get(Access::AnyKey, get)
            .on(Method::POST, Access::AnyKey, create)
            .on(Method::DELETE, Access::AnyKey, delete),
    ]
}

async fn get(caller: MaybeCaller) -> ApiResult {
    let key = caller.get().map(Caller::key);
    respond(key)
}

async fn create(
    SessionDatabase(db): SessionDatabase,
    caller: MaybeCaller,
    RequestActor(actor): RequestActor,
    lifetime: Data<SessionLifetime>,
    request: HttpRequest,
) -> ApiResult {
    let Some(caller) = caller.get() else {
        return respond(None);
    };
    if caller.is_stored() && caller.key().data.session.is_some() {
        // Or a session would last for as long as it is renewed.
        return respond(Some(caller.key()));
    }
    let lifetime = lifetime.get();
    let expires_at = db.now() + lifetime;
    let session = sessions::begin(&db, caller, actor, expires_at).await?;
    let (session, text) = session.ok_or_else(key_has_ended)?;
    let cookie = ServerCookie::Session.set(&request, &text.reveal(), lifetime)?;
    respond(Some(&session))?.with_header(SET_COOKIE, &cookie)
}

async fn delete(
    SessionDatabase(db): SessionDatabase,
    caller: MaybeCaller,
    RequestActor(actor): RequestActor,
    request: HttpRequest,
) -> ApiResult {
    let cookie = end(&db, &caller, actor, &request).await?;
    ApiResponse::no_content().with_header(SET_COOKIE, &cookie)
}

/// Ends the session of the caller, if it has one; returns the header that removes its cookie.
pub(super) async fn end(
    db: &DatabaseHandle,
    caller: &MaybeCaller,
    actor: Actor,
    request: &HttpRequest,
) -> Result<String, ApiError> {
    if let Some(caller) = caller.get()
        && caller.is_stored()
        && caller.key().data.session.is_some()
    {
        let key_id = caller.key().key_id;
        let db = db.acting_as(actor);
        db.write(move |tx| Ok(tx.api_keys().revoke(key_id)?), |_| ())
            .await?;
    }
    ServerCookie::Session.clear(request)
}

fn respond(key: Option<&ApiKey>) -> ApiResult {
    let response = SessionResponse::new(key);
    ApiResponse::ok(&response)?.with_header(CACHE_CONTROL, "no-store")
}
