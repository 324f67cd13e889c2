//! Delivers a watcher's messages over a WebSocket or server-sent events.

use tokio::time::timeout;

use super::handle::Live;
use super::hub::buffer::StreamEnd;
use super::message::Message;
use super::watcher::{Next, WatcherStart};

/// The connection to a client.
pub(super) trait Channel {
    /// Sends a message, waiting until the client reads.
    async fn send(&mut self, message: &Message) -> Result<(), Disconnect>;

    /// Keeps the connection alive while there is no message to send; returns when
    /// the client must be disconnected. Cancel-safe.
    async fn keep_alive(&mut self) -> Disconnect;
}

/// Why a client is disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disconnect {
    /// There are no more messages.
    StreamEnd(StreamEnd),
    /// The client has disconnected.
    Gone,
    /// The client does not read its messages.
    Slow,
    /// The client does not respond to pings.
    Silent,
    /// The client violates the protocol.
    ProtocolError(&'static str),
}

/// Delivers messages until the stream ends or the client must be disconnected.
pub(super) async fn deliver(
    start: WatcherStart,
    channel: &mut impl Channel,
    live: &Live,
) -> Disconnect {
    let WatcherStart {
        mut watcher,
        mut messages,
        ..
    } = start;
    let disconnect = loop {
        if let Err(disconnect) = send_all(messages, channel, live).await {
            break disconnect;
        }
        let next = tokio::select! {
            next = watcher.next() => next,
            disconnect = channel.keep_alive() => break disconnect,
        };
        match next {
            Next::Messages(new) => messages = new,
            Next::StreamEnd(end) => break Disconnect::StreamEnd(end),
        }
    };
    if matches!(disconnect, Disconnect::Slow | Disconnect::Silent) {
        live.metrics.watcher_dropped();
    }
    disconnect
}

/// Sends messages in order.
pub(super) async fn send_all(
    messages: Vec<Message>,
    channel: &mut impl Channel,
    live: &Live,
) -> Result<(), Disconnect> {
    for message in messages {
        let sent = timeout(live.config.send_timeout, channel.send(&message)).await;
        sent.unwrap_or(Err(Disconnect::Slow))?;
        live.metrics.message_delivered();
    }
    Ok(())
}
