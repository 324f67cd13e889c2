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

use super::buffer::StreamEnd;
use super::config::LiveConfig;
use super::delivery::{Channel, Disconnect, deliver};
use super::handle::Live;
use super::message::Message;
use super::slots::{ConnectionSlot, WithSlot};
use super::watcher::WatcherStart;
use crate::http::middleware::access_log::LongLived;

/// The largest frame a client may send, in bytes. It has nothing to say but
/// `{"type":"ping_interval"}`.
const MAX_FRAME_BYTES: usize = 1024;

/// What comes of a handshake: the answer, and the two ends of the socket.
pub(crate) type Handshake = (HttpResponse, Session, MessageStream);

/// Tells a watcher on a WebSocket what happens.
pub(crate) fn open(
    (response, session, incoming): Handshake,
    beginning: WatcherStart,
    slot: ConnectionSlot,
    live: Arc<Live>,
) -> HttpResponse {
    spawn(async move {
        let config = live.config;
        let mut pings = interval(config.ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        let mut socket = Socket {
            session,
            incoming: incoming.max_frame_size(MAX_FRAME_BYTES),
            pings,
            last_received: Instant::now(),
            config,
            pending: None,
        };
        let disconnect = deliver(beginning, &mut socket, &live).await;
        socket.close(disconnect).await;
    });
    let mut response = response.map_body(|_, body| WithSlot::new(body, slot).boxed());
    response.extensions_mut().insert(LongLived);
    response
}

struct Socket {
    session: Session,
    incoming: MessageStream,
    pings: Interval,
    /// When something came last.
    last_received: Instant,
    config: LiveConfig,
    /// What is to be sent as soon as there is room.
    pending: Option<PendingFrame>,
}

enum PendingFrame {
    Ping,
    Pong(Bytes),
    ApiResponse(&'static str),
}

impl Channel for Socket {
    async fn send(&mut self, message: &Message) -> Result<(), Disconnect> {
        let sent = self.session.text(message.json()).await;
        sent.map_err(|Closed| Disconnect::Gone)
    }

    async fn run_idle(&mut self) -> Disconnect {
        loop {
            if let Err(Closed) = self.send_pending().await {
                return Disconnect::Gone;
            }
            let timed_out = sleep_until(self.last_received + self.config.receive_timeout);
            tokio::select! {
                // In this order: what has come counts, however late it is read.
                biased;
                frame = self.incoming.recv() => {
                    self.last_received = Instant::now();
                    match Self::read_frame(frame) {
                        Ok(pending) => self.pending = pending,
                        Err(disconnect) => return disconnect,
                    }
                }
                () = timed_out => return Disconnect::Silent,
                _ = self.pings.tick() => self.pending = Some(PendingFrame::Ping),
            }
        }
    }
}

impl Socket {
    /// Sends what is owed. It is owed until it is sent.
    async fn send_pending(&mut self) -> Result<(), Closed> {
        match &self.pending {
            None => return Ok(()),
            Some(PendingFrame::Ping) => self.session.ping(b"").await?,
            Some(PendingFrame::Pong(payload)) => self.session.pong(payload).await?,
            Some(PendingFrame::ApiResponse(text)) => self.session.text(*text).await?,
        }
        self.pending = None;
        Ok(())
    }

    /// Takes in what the client sends; answers what it is owed.
    fn read_frame(
        frame: Option<Result<Frame, ProtocolError>>,
    ) -> Result<Option<PendingFrame>, Disconnect> {
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(ProtocolError::Overflow)) => {
                return Err(Disconnect::ProtocolError("the frame is too large"));
            }
            // This is also how the bits of a frame are called wrong.
            Some(Err(ProtocolError::Io(error))) if error.kind() != ErrorKind::InvalidData => {
                return Err(Disconnect::Gone);
            }
            Some(Err(_)) => {
                return Err(Disconnect::ProtocolError(
                    "this is not the WebSocket protocol",
                ));
            }
            None => return Err(Disconnect::Gone),
        };
        match frame {
            Frame::Ping(payload) => Ok(Some(PendingFrame::Pong(payload))),
            Frame::Pong(_) | Frame::Nop => Ok(None),
            Frame::Text(text) => match serde_json::from_str(&text) {
                Ok(ping_interval @ WsClientMessage::Ping) => {
                    Ok(Some(PendingFrame::ApiResponse(ping_interval.answer())))
                }
                // Something of a later version, perhaps.
                Err(_) if serde_json::from_str::<IgnoredAny>(&text).is_ok() => Ok(None),
                Err(_) => Err(Disconnect::ProtocolError("a text frame must be JSON")),
            },
            Frame::Binary(_) => Err(Disconnect::ProtocolError("binary frames are not taken")),
            Frame::Continuation(_) => Err(Disconnect::ProtocolError("a message must be one frame")),
            Frame::Close(_) => Err(Disconnect::Gone),
        }
    }

    /// Says goodbye, if there is still somebody to hear it.
    async fn close(self, disconnect: Disconnect) {
        let (code, why) = match disconnect {
            Disconnect::StreamEnd(StreamEnd::Finished) => {
                (CloseCode::Normal, "the job is finished")
            }
            Disconnect::StreamEnd(StreamEnd::Deleted) => (CloseCode::Normal, "the job was deleted"),
            Disconnect::StreamEnd(StreamEnd::Stopping) => {
                (CloseCode::Away, "the server is shutting down")
            }
            Disconnect::Slow => (CloseCode::Again, "too slow"),
            Disconnect::Silent => (CloseCode::Policy, "no answer to pings"),
            Disconnect::ProtocolError(why) => (CloseCode::Policy, why),
            Disconnect::Gone => (CloseCode::Normal, ""),
        };
        // Waits for room as long as there is a connection.
        let _ = self
            .session
            .close(Some(CloseReason::from((code, why))))
            .await;
    }
}
