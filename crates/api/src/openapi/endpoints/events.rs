//! Events of a job, and of all jobs.

use super::super::operation::Operation;
use super::{get, post};
use crate::event::{
    AllEventsQuery, AllEventsResponse, EventsQuery, EventsResponse, WatchTokenBody,
    WatchTokenResponse,
};
use crate::wire::Code::{CursorExpired, OriginNotAllowed, QuotaExceeded};

/// Operations to follow a job, or all jobs.
pub(super) fn all() -> Vec<Operation> {
    vec![
        get("/api/v1/jobs/{job_id}/events", "getEvents")
            .describe_as(
                "Read or follow the events of a job",
                "Returns a page of events or, with `Accept: text/event-stream`, a stream that ends \
                 when the job is finished. In the stream, `id` is the `seq` of the event, `event` \
                 is its `type`, except that `error` is named `failed`, and `data` is the same \
                 message as on a page. Both begin with a snapshot unless the request has the \
                 number of the last event received.",
            )
            .query::<EventsQuery>()
            .header("Last-Event-ID")
            .header("Prefer")
            .responds::<EventsResponse>(200)
            .or_text("text/event-stream")
            .or_responds(
                204,
                "The job is finished and the client has received all of its events.",
            )
            .with_problems([QuotaExceeded]),
        get("/api/v1/events", "getAllEvents")
            .describe_as(
                "Read or follow the events of all jobs",
                "With one cursor, a client receives every event of every job once and in order, \
                 whichever server stored it. Returns a page of events after the cursor or, with \
                 `Accept: text/event-stream`, a stream that goes on until the server stops, in \
                 which `id` is the cursor after the event. The events of a deleted job are \
                 deleted with it; instead there is one of type `deleted`. A cursor whose next \
                 events were deleted after their retention gets a 410: take the cursor of a page \
                 after `latest`, list the jobs, and go on with that cursor. With a key that has \
                 an owner, these are the events of the owner's jobs, and a page may be empty \
                 although more follow: the last page has the cursor of the request.",
            )
            .query::<AllEventsQuery>()
            .header("Last-Event-ID")
            .header("Prefer")
            .responds::<AllEventsResponse>(200)
            .or_text("text/event-stream")
            .with_problems([CursorExpired, QuotaExceeded]),
        get("/ws/jobs/{job_id}", "watchJob")
            .describe_as(
                "Follow a job over a WebSocket",
                "Opened with a WebSocket handshake; other requests get a 404. Each text frame is \
                 one message, the same as on a page of events: first a snapshot, unless `after` is \
                 given, then the events. The response to `{\"type\":\"ping\"}` is \
                 `{\"type\":\"pong\"}`. When the job is finished, the socket is closed with 1000.",
            )
            .query::<EventsQuery>()
            .responds_empty(101)
            .with_problems([OriginNotAllowed, QuotaExceeded])
            .exclude_from_links(),
        post("/api/v1/jobs/{job_id}/watch-token", "createWatchToken")
            .describe_as(
                "Make a token with which a browser watches a job",
                "`EventSource` and `WebSocket` cannot send the header with a key: they send the \
                 token, in the parameter `token`. It is accepted for the events, the WebSocket and \
                 the results of this job only, until it expires or the key that made it ends. \
                 Streams end then, too. A service that asks for no keys ignores it.",
            )
            .optional_body::<WatchTokenBody>()
            .responds::<WatchTokenResponse>(200),
    ]
}
