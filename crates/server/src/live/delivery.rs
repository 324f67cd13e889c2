//! How messages get from a watcher to a client, whatever the channel.

use std::time::Duration;

use tokio::time::timeout;

use super::buffer::End;
use super::message::Message;
use super::watcher::{Beginning, Next};
use crate::app::state::State;

/// How a client is watched by the server in turn.
#[derive(Debug, Clone, Copy)]
pub struct LiveConfig {
    /// How many clients may watch at once; 10,000 by default.
    pub max_watchers: usize,
    /// How long a client may take to make room for a message; 30 seconds by
    /// default.
    pub patience: Duration,
    /// How long a connection may take nothing of what it is sent before the
    /// system closes it, whatever it is used for (Linux only); two minutes by
    /// default.
    pub stall: Duration,
    /// Time between two pings on a WebSocket; 30 seconds by default.
    pub ping: Duration,
    /// How long nothing may be heard on a WebSocket; 75 seconds by default,
    /// which is two pings without an answer.
    pub silence: Duration,
    /// Time between two comments in a stream of server-sent events; 15 seconds
    /// by default.
    pub comment: Duration,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            max_watchers: 10_000,
            patience: Duration::from_secs(30),
            stall: Duration::from_mins(2),
            ping: Duration::from_secs(30),
            silence: Duration::from_secs(75),
            comment: Duration::from_secs(15),
        }
    }
}

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
    state: &State,
) -> Parting {
    let Beginning {
        mut watcher,
        mut messages,
        ..
    } = beginning;
    let parting = loop {
        if let Err(parting) = send_all(messages, channel, state).await {
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
        state.metrics.drops_watcher();
    }
    parting
}

async fn send_all(
    messages: Vec<Message>,
    channel: &mut impl Channel,
    state: &State,
) -> Result<(), Parting> {
    for message in messages {
        let sent = timeout(state.live.config.patience, channel.send(&message)).await;
        sent.unwrap_or(Err(Parting::Slow))?;
        state.metrics.delivers();
    }
    Ok(())
}
