//! Delivers the events of all jobs to a client of server-sent events.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lectern_api::{Code, EventCursor};
use tokio::time::sleep;

use super::connection_slots::ConnectionSlot;
use super::delivery::{Channel, Disconnect, send_all};
use super::feed::{Follower, RETRY_DELAY};
use super::handle::Live;
use super::hub::buffer::StreamEnd;
use super::message::Message;
use super::sse;

/// Upper bound of events per read for a stream.
const MAX_EVENTS: usize = 100;

/// Starts a task that delivers events; returns the streaming response.
pub(crate) fn stream(follower: Follower, slot: ConnectionSlot, live: Data<Live>) -> HttpResponse {
    sse::respond(slot, live.config, async move |mut channel| {
        deliver(follower, &mut channel, &live).await;
    })
}

/// Delivers events until the server stops or the client must be disconnected.
async fn deliver(mut follower: Follower, channel: &mut impl Channel, live: &Live) {
    let disconnect = loop {
        let next = tokio::select! {
            next = follower.next(MAX_EVENTS) => next,
            disconnect = channel.keep_alive() => break disconnect,
        };
        let page = match next {
            Ok(Some(page)) => page,
            Ok(None) => break Disconnect::StreamEnd(StreamEnd::Stopping),
            // The client reconnects, and gets the error as the response.
            Err(error) if error.code() == Code::CursorExpired => {
                break Disconnect::StreamEnd(StreamEnd::Finished);
            }
            Err(error) => {
                log::debug!("cannot read the events of all jobs: {}", error.chain());
                tokio::select! {
                    () = sleep(RETRY_DELAY) => continue,
                    disconnect = channel.keep_alive() => break disconnect,
                }
            }
        };
        let events = page.events.into_iter();
        let messages =
            events.map(|(position, event)| Message::of_all_jobs(EventCursor(position), event));
        if let Err(disconnect) = send_all(messages.collect(), channel, live).await {
            break disconnect;
        }
    };
    if disconnect == Disconnect::Slow {
        live.metrics.watcher_dropped();
    }
}
