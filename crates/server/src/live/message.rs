//! Messages to watchers. A message is serialized once for all watchers.

use std::fmt::Display;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use lectern_api::{EventCursor, WsMessage};
use lectern_domain::{Event, EventType, Job, JobEvent};

/// A serialized message. Clones share the bytes.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Sequence number of the event, or of the last event included in a snapshot.
    pub(super) seq: i64,
    /// Whether the job is finished after this message; `None`: unchanged.
    pub(super) finished: Option<bool>,
    /// The complete server-sent event.
    sse_event: ByteString,
    /// The value of the event's `data` field, a slice of `sse_event`.
    json: ByteString,
}

impl Message {
    pub(super) fn event(event: JobEvent) -> Self {
        let finished = match &event.event {
            Event::Stage(_) => None,
            event => Some(event.is_final()),
        };
        let name = sse_name(event.event.event_type());
        Self::new(event.seq, name, finished, &event.into())
    }

    /// An event among those of all jobs, and the position after it.
    pub(super) fn of_all_jobs(position: EventCursor, event: JobEvent) -> Self {
        let name = sse_name(event.event.event_type());
        Self::new(position, name, None, &event.into())
    }

    /// A snapshot of the job at `now`.
    pub(super) fn snapshot(job: Job, now: DateTime<Utc>) -> Self {
        let finished = job.status.is_finished();
        let snapshot = WsMessage::snapshot(job, now);
        Self::new(snapshot.seq, "snapshot", Some(finished), &snapshot)
    }

    /// `id` is that of the server-sent event.
    fn new(id: impl Display, name: &str, finished: Option<bool>, message: &WsMessage) -> Self {
        let seq = message.seq;
        // Serializing cannot fail: a message consists of strings and numbers under
        // string keys. JSON escapes line breaks in strings; an unescaped line break
        // would end the event early.
        let json = serde_json::to_string(message).unwrap_or_default();
        let sse_event = ByteString::from(format!("id: {id}\nevent: {name}\ndata: {json}\n\n"));
        // The data is followed by two line breaks.
        let start = sse_event.len() - json.len() - 2;
        let json = sse_event.slice_ref(&sse_event[start..start + json.len()]);
        Self {
            seq,
            finished,
            sse_event,
            json,
        }
    }

    /// JSON, for a text frame of a WebSocket.
    pub(super) fn json(&self) -> ByteString {
        self.json.clone()
    }

    /// Size of the server-sent event.
    pub(super) fn bytes(&self) -> usize {
        self.sse_event.len()
    }

    /// A complete server-sent event.
    pub(super) fn sse_event(&self) -> ByteString {
        self.sse_event.clone()
    }
}

/// The name of a server-sent event. An `EventSource` calls its own errors `error`, and a
/// page could not distinguish them.
fn sse_name(event_type: EventType) -> &'static str {
    match event_type {
        EventType::Error => "failed",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::{JobId, JobState, JobStatus, LongText, SystemClock};

    use super::*;

    fn error_message(why: &str) -> Message {
        Message::event(JobEvent {
            job_id: JobId::new(&SystemClock),
            seq: 41,
            event: Event::Error(JobState {
                status: JobStatus::Failed,
                progress: None,
                error_message: Some(LongText::new(why).unwrap()),
            }),
            at: DateTime::UNIX_EPOCH,
        })
    }

    #[test]
    fn both_channels_share_one_serialization_of_a_message() {
        let message = error_message("disk full");
        let frame = message.sse_event();
        let data = frame.strip_prefix("id: 41\nevent: failed\ndata: ").unwrap();
        assert_eq!(data.strip_suffix("\n\n").unwrap(), &message.json()[..]);
        assert!(
            frame
                .as_bytes()
                .as_ptr_range()
                .contains(&message.json().as_ptr())
        );
        assert_eq!((message.seq, message.finished), (41, Some(true)));
    }

    #[test]
    fn a_line_break_in_a_text_does_not_end_the_event() {
        let frame = error_message("first\nsecond\r\n\nid: 7").sse_event();
        assert_eq!(frame.matches('\n').count(), 4, "{frame}");
        assert!(!frame.contains('\r'));
    }
}
