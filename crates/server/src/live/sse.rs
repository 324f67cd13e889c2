//! Watching over server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY};
use actix_web::rt::spawn;
use actix_web::web::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::connection_slots::{BodyWithSlot, ConnectionSlot};
use super::delivery::{Channel, Disconnect, deliver};
use super::handle::Live;
use super::limits::LiveConfig;
use super::message::Message;
use super::watcher::WatcherStart;
use crate::http::response::long_lived::LongLived;

/// Upper bound of the messages queued for a client. Delivery waits while the queue is
/// full.
const MAX_QUEUED_MESSAGES: usize = 16;

// Neither of the two lines is followed by an empty one, which would end an event: some
// clients report that as an event without data.

/// Sent first. Makes browsers reconnect one second after the stream ends.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n");

/// A comment, which keeps proxies from closing an idle stream.
const COMMENT: Bytes = Bytes::from_static(b":\n");

/// A response with the headers of a stream. The headers forbid intermediaries to
/// cache, buffer or compress the stream.
pub(crate) fn response_builder() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "accept"))
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        // Excludes the stream from compression; the middleware removes the
        // header.
        .insert_header((CONTENT_ENCODING, "identity"));
    response
}

/// Starts a task that delivers messages; returns the streaming response.
pub(crate) fn stream(start: WatcherStart, slot: ConnectionSlot, live: Arc<Live>) -> HttpResponse {
    respond(slot, live.config, async move |mut channel| {
        deliver(start, &mut channel, &live).await;
    })
}

/// Starts a task that runs `send` with the connection to the client; returns the streaming
/// response.
pub(super) fn respond<F>(slot: ConnectionSlot, config: LiveConfig, send: F) -> HttpResponse
where
    F: AsyncFnOnce(Stream) + 'static,
{
    let (sender, receiver) = mpsc::channel(MAX_QUEUED_MESSAGES);
    spawn(async move {
        let mut comments = interval(config.comment_interval);
        comments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        comments.reset();
        let channel = Stream { sender, comments };
        if channel.sender.send(RETRY).await.is_ok() {
            send(channel).await;
        }
    });
    let body = Chunks(receiver);
    let mut response = response_builder().body(BodyWithSlot::new(body, slot));
    response.extensions_mut().insert(LongLived);
    response
}

/// The connection to a client of server-sent events.
pub(super) struct Stream {
    sender: mpsc::Sender<Bytes>,
    comments: Interval,
}

impl Channel for Stream {
    async fn send(&mut self, message: &Message) -> Result<(), Disconnect> {
        let event = message.sse_event().into_bytes();
        let sent = self.sender.send(event).await;
        sent.map_err(|_| Disconnect::Gone)
    }

    async fn keep_alive(&mut self) -> Disconnect {
        loop {
            tokio::select! {
                () = self.sender.closed() => return Disconnect::Gone,
                // A full queue keeps the connection busy, so no comment is
                // needed.
                _ = self.comments.tick() => drop(self.sender.try_send(COMMENT)),
            }
        }
    }
}

/// The response body: queued events and comments until the sender is dropped.
struct Chunks(mpsc::Receiver<Bytes>);

impl MessageBody for Chunks {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(Ok))
    }
}
