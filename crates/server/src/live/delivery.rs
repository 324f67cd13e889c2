//! How messages get from a watcher to a client, whatever the channel.

use tokio::time::timeout;

use super::buffer::StreamEnd;
use super::handle::Live;
use super::message::Message;
use super::watcher::{Next, WatcherStart};

/// The way to a client.
pub(super) trait Channel {
    /// Sends a message, once there is room.
    async fn send(&mut self, message: &Message) -> Result<(), Disconnect>;

    /// Does what else there is to do while there is nothing to send, until the
    /// client is to be left. Can be dropped and begun again at any time.
    async fn run_idle(&mut self) -> Disconnect;
}

/// Why a client is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disconnect {
    /// There is nothing more to tell.
    StreamEnd(StreamEnd),
    /// It has left.
    Gone,
    /// It does not take what it is sent.
    Slow,
    /// It is not heard of any more.
    Silent,
    /// It does not keep to the rules.
    ProtocolError(&'static str),
}

/// Tells a client all there is to tell, until one of the two has had enough.
pub(super) async fn deliver(
    beginning: WatcherStart,
    channel: &mut impl Channel,
    live: &Live,
) -> Disconnect {
    let WatcherStart {
        mut watcher,
        mut messages,
        ..
    } = beginning;
    let disconnect = loop {
        if let Err(disconnect) = send_all(messages, channel, live).await {
            break disconnect;
        }
        let next = tokio::select! {
            next = watcher.next() => next,
            disconnect = channel.run_idle() => break disconnect,
        };
        match next {
            Next::Messages(these) => messages = these,
            Next::StreamEnd(end) => break Disconnect::StreamEnd(end),
        }
    };
    if matches!(disconnect, Disconnect::Slow | Disconnect::Silent) {
        live.metrics.watcher_dropped();
    }
    disconnect
}

async fn send_all(
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
