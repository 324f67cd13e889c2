//! Events of all jobs: a page, or a stream of server-sent events.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder as _};
use lectern_api::{AllEventsQuery, AllEventsResponse, EventCursor, FeedStart};
use lectern_domain::{EventPage, EventPosition, Scope};

use super::events::{LAST_EVENT_ID, PREFERENCE_APPLIED, preferred_wait, wants_stream};
use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::query::Query;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::live::{Live, feed, feed_stream, sse};

pub(super) fn resources() -> Vec<Resource> {
    let events = Resource::at("/api/v1/events")
        .waits()
        .get(Scope::JobsRead, events);
    vec![events]
}

async fn events(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    live: Data<Live>,
    Query(query): Query<AllEventsQuery>,
) -> Result<HttpResponse, ApiError> {
    let headers = request.headers();
    let after = start(&db, last_event_id(headers).or(query.after)).await?;
    let limit = query.limit.get();
    if wants_stream(&request) {
        stream_events(&db, live, after, request.method()).await
    } else {
        let page = page(&db, &live, after, limit, preferred_wait(headers)).await?;
        Ok(page.respond_to(&request))
    }
}

/// The position at which a client starts; `None` is the oldest event.
async fn start(
    db: &DatabaseHandle,
    start: Option<FeedStart>,
) -> Result<Option<EventPosition>, ApiError> {
    match start {
        None => Ok(None),
        Some(FeedStart::After(position)) => Ok(Some(position)),
        Some(FeedStart::Latest) => {
            let last = db.read(|conn| Ok(conn.job_events().last_position()?), Some);
            last.await
        }
    }
}

async fn stream_events(
    db: &DatabaseHandle,
    live: Data<Live>,
    after: Option<EventPosition>,
    method: &Method,
) -> Result<HttpResponse, ApiError> {
    let slot = live.slots.acquire()?;
    let follower = live.feed.follow(db, after)?;
    // A cursor that has expired is a response of its own, which is not possible any more
    // once the stream has begun.
    feed::read(db, after, 1).await?;
    Ok(if method == Method::HEAD {
        sse::response_builder().finish()
    } else {
        feed_stream::stream(follower, slot, live)
    })
}

async fn page(
    db: &DatabaseHandle,
    live: &Live,
    after: Option<EventPosition>,
    limit: usize,
    wait: Option<Duration>,
) -> ApiResult {
    let Some(wait) = wait else {
        return respond(feed::read(db, after, limit).await?);
    };
    let slot = live.slots.acquire()?;
    let mut follower = live.feed.follow(db, after)?;
    let page = slot.wait_for(wait, follower.next(limit)).await;
    let page = page.transpose()?.flatten();
    let page = match page {
        Some(page) => page,
        // Nothing was found in time, another caller needs the slot, or the server stops.
        None => feed::read(db, follower.position(), limit).await?,
    };
    let applied = format!("wait={}", wait.as_secs());
    respond(page)?.with_header(PREFERENCE_APPLIED, &applied)
}

fn respond(page: EventPage) -> ApiResult {
    ApiResponse::ok(&AllEventsResponse::from(page))
}

/// The cursor after the last event that the client has received, from the header
/// `Last-Event-ID`. Text that is no cursor is ignored, because no event has such an id.
fn last_event_id(headers: &HeaderMap) -> Option<FeedStart> {
    let id = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    let EventCursor(position) = id.trim().parse().ok()?;
    Some(FeedStart::After(position))
}
