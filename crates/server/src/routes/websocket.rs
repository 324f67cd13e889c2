//! Events of a job over a WebSocket.

use actix_web::http::header::{HeaderValue, ORIGIN, SEC_WEBSOCKET_VERSION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use lectern_api::{Code, EventsQuery};

use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query::Query;
use crate::http::middleware::cors::AllowedOrigins;
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
    if !may_watch(&request, &origins.0) {
        let detail = "pages of this origin may not watch here";
        return Err(ApiError::new(Code::NotFound, detail));
    }
    let slot = live.slots.acquire()?;
    let start = Watcher::start(&live.hub, &db, job_id, query.after).await?;
    Ok(websocket::open(handshake, start, slot, live.into_inner()))
}

/// The response to a request that is no valid handshake, with the supported
/// version (RFC 6455, 4.4).
fn handshake_error(error: &actix_web::Error) -> HttpResponse {
    let detail = format!("this path accepts only WebSocket handshakes: {error}");
    let mut response = ApiError::new(Code::NotFound, detail).error_response();
    let version = HeaderValue::from_static("13");
    response
        .headers_mut()
        .insert(SEC_WEBSOCKET_VERSION, version);
    response
}

/// Whether the origin of a handshake, if it has one, is this server or an allowed
/// origin. Browsers do not apply CORS to a `WebSocket`.
fn may_watch(request: &HttpRequest, origins: &[String]) -> bool {
    let Some(origin) = request.headers().get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some_and(|host| host.eq_ignore_ascii_case(request.connection_info().host()))
        || origins.iter().any(|may| may == "*" || may == origin)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn pages_of_the_same_or_an_allowed_origin_may_watch() {
        let may = |origin: &str, allowed: &[&str]| {
            let request = TestRequest::get()
                .insert_header(("Host", "lectern.example:8080"))
                .insert_header((ORIGIN, origin))
                .to_http_request();
            let allowed: Vec<_> = allowed.iter().map(|&origin| origin.to_owned()).collect();
            may_watch(&request, &allowed)
        };
        assert!(may("http://lectern.example:8080", &[]));
        assert!(may("https://other.example", &["https://other.example"]));
        assert!(may("null", &["*"]));
        for elsewhere in [
            "https://other.example",
            "http://lectern.example",
            "null",
            "",
        ] {
            assert!(!may(elsewhere, &["https://third.example"]), "{elsewhere}");
        }
        let no_page = TestRequest::get().to_http_request();
        assert!(may_watch(&no_page, &[]));
    }
}
