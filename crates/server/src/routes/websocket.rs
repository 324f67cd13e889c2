//! Events of a job over a WebSocket.

use actix_web::http::header::{HeaderValue, SEC_WEBSOCKET_VERSION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use lectern_api::{Code, EventsQuery};

use crate::database::handle::DatabaseHandle;
use crate::http::address::{AllowedOrigins, RequestAddress, TrustedProxies};
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query::Query;
use crate::http::request::app_data::app_data;
use crate::http::resource::Resource;
use crate::live::{Live, Watcher, websocket};

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/ws/jobs/{job_id}").get(watch)]
}

async fn watch(
    request: HttpRequest,
    payload: Payload,
    db: Data<DatabaseHandle>,
    live: Data<Live>,
    origins: Data<AllowedOrigins>,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<EventsQuery>,
) -> Result<HttpResponse, ApiError> {
    let handshake = match actix_ws::handle(&request, payload) {
        Ok(handshake) => handshake,
        Err(error) => return Ok(handshake_error(&error)),
    };
    // Browsers do not apply CORS to WebSockets, so the server checks the origin.
    let proxies = app_data::<TrustedProxies>(&request)?;
    origins.check(&request, RequestAddress::of(&request, proxies))?;
    let slot = live.slots.acquire()?;
    let start = Watcher::start(&live.hub, &db, job_id, query.after).await?;
    Ok(websocket::open(handshake, start, slot, live.into_inner()))
}

/// The response to an invalid handshake. A header names the supported version of the
/// protocol (RFC 6455, section 4.4).
fn handshake_error(error: &actix_web::Error) -> HttpResponse {
    let detail = format!("this path accepts only WebSocket handshakes: {error}");
    let mut response = ApiError::new(Code::NotFound, detail).error_response();
    let version = HeaderValue::from_static("13");
    response
        .headers_mut()
        .insert(SEC_WEBSOCKET_VERSION, version);
    response
}
