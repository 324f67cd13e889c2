//! Watching a job.

use super::super::operation::Operation;
use super::get;
use crate::{EventsQuery, EventsResponse};

/// The ways to watch a job.
pub(super) fn all() -> Vec<Operation> {
    vec![
        get("/api/v1/jobs/{job_id}/events", "getEvents")
            .about(
                "Read or follow the events of a job",
                "A page of what has happened; with `Accept: text/event-stream` a stream that \
                 goes on until the job is finished: each event has its `seq` as `id`, its `type` \
                 as `event`, and as `data` the same message that is on the page. Both begin with \
                 a snapshot unless told what was seen last.",
            )
            .query::<EventsQuery>()
            .header("Last-Event-ID")
            .header("Prefer")
            .answers::<EventsResponse>(200)
            .or_as_text("text/event-stream")
            .also(
                204,
                "The job is finished and all of it was seen already: no need to come back.",
            ),
        get("/ws/jobs/{job_id}", "watchJob")
            .about(
                "Watch a job over a WebSocket",
                "To be opened with a WebSocket handshake; to anything else there is nothing at \
                 this path. Each text frame is a message as on the page of events: first a \
                 snapshot, unless `after` is given, then what happens. `{\"type\":\"ping\"}` is \
                 answered with `{\"type\":\"pong\"}`. When the job is finished the socket is \
                 closed with 1000.",
            )
            .query::<EventsQuery>()
            .answers_nothing(101)
            .later(),
    ]
}
