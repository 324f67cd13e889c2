//! Events of a job.

use super::super::operation::Operation;
use super::get;
use crate::event::{EventsQuery, EventsResponse};

/// Operations to follow a job.
pub(super) fn all() -> Vec<Operation> {
    vec![
        get("/api/v1/jobs/{job_id}/events", "getEvents")
            .describe_as(
                "Read or follow the events of a job",
                "A page of events; with `Accept: text/event-stream` a stream that lasts until the \
                 job is finished: each event has its `seq` as `id`, its `type` as `event`, and as \
                 `data` the same message as on the page. Both begin with a snapshot unless the \
                 last seen event is given.",
            )
            .query::<EventsQuery>()
            .header("Last-Event-ID")
            .header("Prefer")
            .responds::<EventsResponse>(200)
            .or_text("text/event-stream")
            .or_responds(
                204,
                "The job is finished and the client has seen all of its events.",
            ),
        get("/ws/jobs/{job_id}", "watchJob")
            .describe_as(
                "Follow a job over a WebSocket",
                "Opened with a WebSocket handshake; other requests get a 404. Each text frame is a \
                 message as on the page of events: first a snapshot, unless `after` is given, \
                 then the events. `{\"type\":\"ping\"}` is \
                 answered with `{\"type\":\"pong\"}`. When the job is finished the socket is \
                 closed with 1000.",
            )
            .query::<EventsQuery>()
            .responds_empty(101)
            .unlinked(),
    ]
}
