//! The WebSocket of a watcher.

use std::io::ErrorKind;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::MessageBody as _;
use actix_web::rt::spawn;
use actix_web::web::Bytes;
use actix_ws::{
    CloseCode, CloseReason, Closed, Message as Frame, MessageStream, ProtocolError, Session,
};
use lectern_api::WsClientMessage;
use serde::de::IgnoredAny;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use super::buffer::End;
use super::config::LiveConfig;
use super::delivery::{Channel, Parting, deliver};
use super::handle::Live;
use super::message::Message;
use super::slots::{Seat, Seated};
use super::watcher::Beginning;
use crate::http::middleware::access_log::Endless;

/// The largest frame a client may send, in bytes. It has nothing to say but
/// `{"type":"ping"}`.
const MAX_FRAME: usize = 1024;

/// What comes of a handshake: the answer, and the two ends of the socket.
pub(crate) type Handshake = (HttpResponse, Session, MessageStream);

/// Tells a watcher on a WebSocket what happens.
pub(crate) fn open(
    (response, session, incoming): Handshake,
    beginning: Beginning,
    seat: Seat,
    live: Arc<Live>,
) -> HttpResponse {
    spawn(async move {
        let config = live.config;
        let mut pings = interval(config.ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        let mut socket = Socket {
            session,
            incoming: incoming.max_frame_size(MAX_FRAME),
            pings,
            heard: Instant::now(),
            config,
            owed: None,
        };
        let parting = deliver(beginning, &mut socket, &live).await;
        socket.close(parting).await;
    });
    let mut response = response.map_body(|_, body| Seated::new(body, seat).boxed());
    response.extensions_mut().insert(Endless);
    response
}

struct Socket {
    session: Session,
    incoming: MessageStream,
    pings: Interval,
    /// When something came last.
    heard: Instant,
    config: LiveConfig,
    /// What is to be sent as soon as there is room.
    owed: Option<Owed>,
}

enum Owed {
    Ping,
    Pong(Bytes),
    Answer(&'static str),
}

impl Channel for Socket {
    async fn send(&mut self, message: &Message) -> Result<(), Parting> {
        let sent = self.session.text(message.json()).await;
        sent.map_err(|Closed| Parting::Gone)
    }

    async fn attend(&mut self) -> Parting {
        loop {
            if let Err(Closed) = self.pay().await {
                return Parting::Gone;
            }
            let silent = sleep_until(self.heard + self.config.silence);
            tokio::select! {
                // In this order: what has come counts, however late it is read.
                biased;
                frame = self.incoming.recv() => {
                    self.heard = Instant::now();
                    match Self::hear(frame) {
                        Ok(owed) => self.owed = owed,
                        Err(parting) => return parting,
                    }
                }
                () = silent => return Parting::Silent,
                _ = self.pings.tick() => self.owed = Some(Owed::Ping),
            }
        }
    }
}

impl Socket {
    /// Sends what is owed. It is owed until it is sent.
    async fn pay(&mut self) -> Result<(), Closed> {
        match &self.owed {
            None => return Ok(()),
            Some(Owed::Ping) => self.session.ping(b"").await?,
            Some(Owed::Pong(payload)) => self.session.pong(payload).await?,
            Some(Owed::Answer(text)) => self.session.text(*text).await?,
        }
        self.owed = None;
        Ok(())
    }

    /// Takes in what the client sends; answers what it is owed.
    fn hear(frame: Option<Result<Frame, ProtocolError>>) -> Result<Option<Owed>, Parting> {
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(ProtocolError::Overflow)) => {
                return Err(Parting::Broken("the frame is too large"));
            }
            // This is also how the bits of a frame are called wrong.
            Some(Err(ProtocolError::Io(error))) if error.kind() != ErrorKind::InvalidData => {
                return Err(Parting::Gone);
            }
            Some(Err(_)) => return Err(Parting::Broken("this is not the WebSocket protocol")),
            None => return Err(Parting::Gone),
        };
        match frame {
            Frame::Ping(payload) => Ok(Some(Owed::Pong(payload))),
            Frame::Pong(_) | Frame::Nop => Ok(None),
            Frame::Text(text) => match serde_json::from_str(&text) {
                Ok(ping @ WsClientMessage::Ping) => Ok(Some(Owed::Answer(ping.answer()))),
                // Something of a later version, perhaps.
                Err(_) if serde_json::from_str::<IgnoredAny>(&text).is_ok() => Ok(None),
                Err(_) => Err(Parting::Broken("a text frame must be JSON")),
            },
            Frame::Binary(_) => Err(Parting::Broken("binary frames are not taken")),
            Frame::Continuation(_) => Err(Parting::Broken("a message must be one frame")),
            Frame::Close(_) => Err(Parting::Gone),
        }
    }

    /// Says goodbye, if there is still somebody to hear it.
    async fn close(self, parting: Parting) {
        let (code, why) = match parting {
            Parting::End(End::Finished) => (CloseCode::Normal, "the job is finished"),
            Parting::End(End::Deleted) => (CloseCode::Normal, "the job was deleted"),
            Parting::End(End::Stopping) => (CloseCode::Away, "the server is shutting down"),
            Parting::Slow => (CloseCode::Again, "too slow"),
            Parting::Silent => (CloseCode::Policy, "no answer to pings"),
            Parting::Broken(why) => (CloseCode::Policy, why),
            Parting::Gone => (CloseCode::Normal, ""),
        };
        // Waits for room as long as there is a connection.
        let _ = self
            .session
            .close(Some(CloseReason::from((code, why))))
            .await;
    }
}
