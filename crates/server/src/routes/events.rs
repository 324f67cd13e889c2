//! Events of a job: one page, a stream of server-sent events, or a WebSocket, whose
//! frames are in `live::websocket`.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{
    Accept, Header as _, HeaderMap, HeaderName, HeaderValue, Quality, SEC_WEBSOCKET_VERSION,
};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder as _, ResponseError as _};
use lectern_api::{Code, EventsQuery};
use lectern_domain::{Access, JobId, Scope};

use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::address::{AllowedOrigins, RequestAddress, TrustedProxies};
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query::Query;
use crate::http::request::app_data::app_data;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::live::{CatchUp, Live, Watcher, sse, websocket};

/// Upper bound of the wait of a long poll.
const MAX_WAIT_SECONDS: u64 = 60;

pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/events")
            .waits()
            .get(Access::ScopeOrWatchToken(Scope::JobsRead), events),
        Resource::at("/ws/jobs/{job_id}").get(Access::ScopeOrWatchToken(Scope::JobsRead), watch),
    ]
}

async fn events(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    live: Data<Live>,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<EventsQuery>,
) -> Result<HttpResponse, ApiError> {
    let headers = request.headers();
    // The header takes precedence: a browser that reconnects repeats the original URL and
    // sends its current position in the header.
    let after = last_event_id(headers).or(query.after);
    if wants_stream(&request) {
        stream_events(&db, live, job_id, after, request.method()).await
    } else {
        let page = page(&db, &live, job_id, after, preferred_wait(headers)).await?;
        Ok(page.respond_to(&request))
    }
}

async fn stream_events(
    db: &DatabaseHandle,
    live: Data<Live>,
    job_id: JobId,
    after: Option<i64>,
    method: &Method,
) -> Result<HttpResponse, ApiError> {
    let slot = live.slots.acquire()?;
    let start = Watcher::start(&live.hub, db, job_id, after).await?;
    Ok(if start.is_over {
        // 204 is the only response after which a browser does not reconnect.
        HttpResponse::NoContent().finish()
    } else if method == Method::HEAD {
        sse::response_builder().finish()
    } else {
        sse::stream(start, slot, live.into_inner())
    })
}

async fn page(
    db: &DatabaseHandle,
    live: &Live,
    job_id: JobId,
    after: Option<i64>,
    wait: Option<Duration>,
) -> ApiResult {
    let Some(wait) = wait else {
        return read(db, job_id, after).await?.response;
    };
    let slot = live.slots.acquire()?;
    // Subscribes before the read: an event that is published after the read then reaches
    // the subscription.
    let mut subscription = live.hub.subscribe(job_id)?;
    let mut found = read(db, job_id, after).await?;
    if found.is_empty {
        subscription.report_reached(found.last_seq);
        let next_event = subscription.wait_for_event_after(found.last_seq);
        if slot.wait_for(wait, next_event).await.is_some() {
            found = read(db, job_id, after).await?;
        }
    }
    let applied = format!("wait={}", wait.as_secs());
    found.response?.with_header(PREFERENCE_APPLIED, &applied)
}

/// A page of events as a response.
struct EventPage {
    response: ApiResult,
    is_empty: bool,
    last_seq: i64,
}

async fn read(
    db: &DatabaseHandle,
    job_id: JobId,
    after: Option<i64>,
) -> Result<EventPage, ApiError> {
    let now = db.now();
    let catch_up = db.read(
        move |conn| CatchUp::read(conn, job_id, after)?.ok_or_else(|| ApiError::no_job(job_id)),
        move |catch_up| EventPage {
            is_empty: catch_up.is_empty(),
            last_seq: catch_up.last_seq(),
            response: ApiResponse::ok(&catch_up.page(now)),
        },
    );
    catch_up.await
}

/// Sequence number of the last event that the client has received, from the header
/// `Last-Event-ID`. An invalid number is ignored, because no event ever has such a number.
fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    let id = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    id.trim().parse().ok().filter(|seq| *seq >= 0)
}

/// Whether the client accepts `text/event-stream` by name. A wildcard is not enough.
pub(super) fn wants_stream(request: &HttpRequest) -> bool {
    let ranges = Accept::parse(request).map_or_else(|_| Vec::new(), |Accept(ranges)| ranges);
    ranges.iter().any(|range| {
        range.item.essence_str() == "text/event-stream" && range.quality > Quality::ZERO
    })
}

/// The preferred wait (RFC 7240); invalid preferences are ignored.
pub(super) fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let mut preferences = list_elements(headers, &PREFER);
    let seconds: u64 = preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim()
            .eq_ignore_ascii_case("wait")
            .then(|| value.parse().ok())?
    })?;
    Some(Duration::from_secs(seconds.min(MAX_WAIT_SECONDS)))
}

/// The elements of a header whose value is a comma-separated list.
fn list_elements<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'h str> + use<'h> {
    let lines = headers.get_all(name).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Opens a WebSocket.
async fn watch(
    request: HttpRequest,
    payload: Payload,
    CallerDatabase(db): CallerDatabase,
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

#[cfg(test)]
mod tests {
    use actix_web::http::header::{ACCEPT, HeaderValue};
    use actix_web::test::TestRequest;

    use super::*;

    fn headers(name: &HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn a_stream_requires_its_media_type_by_name() {
        let wants = |lines: &[&str]| {
            let request = TestRequest::get();
            let request = lines.iter().fold(request, |request, line| {
                request.append_header((ACCEPT, *line))
            });
            wants_stream(&request.to_http_request())
        };
        for yes in ["text/event-stream", "text/html, Text/Event-Stream;q=0.5"] {
            assert!(wants(&[yes]), "{yes}");
        }
        assert!(wants(&["application/json", "text/event-stream"]));
        for no in [
            "",
            "*/*",
            "text/*",
            "application/json",
            "text/event-stream; q=0",
        ] {
            assert!(!wants(&[no]), "{no}");
        }
        assert!(!wants(&[]));
    }

    #[test]
    fn a_wait_preference_is_found_among_others_and_ignored_when_invalid() {
        let wait =
            |lines: &[&str]| preferred_wait(&headers(&PREFER, lines)).map(|wait| wait.as_secs());
        assert_eq!(wait(&["wait=10"]), Some(10));
        assert_eq!(wait(&["respond-async, Wait=\"7\"; foo"]), Some(7));
        assert_eq!(wait(&["respond-async", "wait = 5"]), Some(5));
        assert_eq!(wait(&["wait=3600"]), Some(60));
        for none in ["", "wait", "wait=", "wait=-1", "wait=soon", "await=5"] {
            assert_eq!(wait(&[none]), None, "{none}");
        }
    }

    #[test]
    fn invalid_event_ids_are_ignored() {
        let id = |line| last_event_id(&headers(&LAST_EVENT_ID, &[line]));
        assert_eq!((id("7"), id("0")), (Some(7), Some(0)));
        for none in ["", "-1", "seven", "7.0", "99999999999999999999"] {
            assert_eq!(id(none), None, "{none}");
        }
    }
}
