//! How messages get from a watcher to a client, whatever the channel.

use tokio::time::timeout;

use super::buffer::End;
use super::handle::Live;
use super::message::Message;
use super::watcher::{Beginning, Next};

/// The way to a client.
pub(super) trait Channel {
    /// Sends a message, once there is room.
    async fn send(&mut self, message: &Message) -> Result<(), Parting>;

    /// Does what else there is to do while there is nothing to send, until the
    /// client is to be left. Can be dropped and begun again at any time.
    async fn attend(&mut self) -> Parting;
}

/// Why a client is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parting {
    /// There is nothing more to tell.
    End(End),
    /// It has left.
    Gone,
    /// It does not take what it is sent.
    Slow,
    /// It is not heard of any more.
    Silent,
    /// It does not keep to the rules.
    Broken(&'static str),
}

/// Tells a client all there is to tell, until one of the two has had enough.
pub(super) async fn deliver(
    beginning: Beginning,
    channel: &mut impl Channel,
    live: &Live,
) -> Parting {
    let Beginning {
        mut watcher,
        mut messages,
        ..
    } = beginning;
    let parting = loop {
        if let Err(parting) = send_all(messages, channel, live).await {
            break parting;
        }
        let next = tokio::select! {
            next = watcher.next() => next,
            parting = channel.attend() => break parting,
        };
        match next {
            Next::Messages(these) => messages = these,
            Next::End(end) => break Parting::End(end),
        }
    };
    if matches!(parting, Parting::Slow | Parting::Silent) {
        live.metrics.drops_watcher();
    }
    parting
}

async fn send_all(
    messages: Vec<Message>,
    channel: &mut impl Channel,
    live: &Live,
) -> Result<(), Parting> {
    for message in messages {
        let sent = timeout(live.config.patience, channel.send(&message)).await;
        sent.unwrap_or(Err(Parting::Slow))?;
        live.metrics.delivers();
    }
    Ok(())
}
