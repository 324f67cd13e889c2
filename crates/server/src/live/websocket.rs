//! Watching over a WebSocket.

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

use super::connection_slots::{BodyWithSlot, ConnectionSlot};
use super::delivery::{Channel, Disconnect, deliver};
use super::handle::Live;
use super::hub::buffer::StreamEnd;
use super::limits::LiveConfig;
use super::message::Message;
use super::watcher::WatcherStart;
use crate::http::response::long_lived::LongLived;

/// Upper bound of a client's frame, in bytes. The only message clients send is
/// `{"type":"ping"}`.
const MAX_FRAME_BYTES: usize = 1024;

/// The response to the handshake, the sending half and the receiving half.
pub(crate) type Handshake = (HttpResponse, Session, MessageStream);

/// Starts a task that delivers messages; returns the response to the handshake.
pub(crate) fn open(
    (response, session, incoming): Handshake,
    start: WatcherStart,
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
        let disconnect = deliver(start, &mut socket, &live).await;
        socket.close(disconnect).await;
    });
    let mut response = response.map_body(|_, body| BodyWithSlot::new(body, slot).boxed());
    response.extensions_mut().insert(LongLived);
    response
}

struct Socket {
    session: Session,
    incoming: MessageStream,
    pings: Interval,
    /// When the last frame was read.
    last_received: Instant,
    config: LiveConfig,
    /// The next frame to send, besides messages. Sent before another frame is read.
    pending: Option<PendingFrame>,
}

enum PendingFrame {
    Ping,
    Pong(Bytes),
    Text(&'static str),
}

impl Channel for Socket {
    async fn send(&mut self, message: &Message) -> Result<(), Disconnect> {
        let sent = self.session.text(message.json()).await;
        sent.map_err(|Closed| Disconnect::Gone)
    }

    async fn keep_alive(&mut self) -> Disconnect {
        loop {
            if let Err(Closed) = self.send_pending().await {
                return Disconnect::Gone;
            }
            let receive_timeout = sleep_until(self.last_received + self.config.receive_timeout);
            tokio::select! {
                // Polled in order: a frame that arrived in time is read before the
                // timeout is noticed, even if the task runs late.
                biased;
                frame = self.incoming.recv() => {
                    self.last_received = Instant::now();
                    match Self::read_frame(frame) {
                        Ok(pending) => self.pending = pending,
                        Err(disconnect) => return disconnect,
                    }
                }
                () = receive_timeout => return Disconnect::Silent,
                _ = self.pings.tick() => self.pending = Some(PendingFrame::Ping),
            }
        }
    }
}

impl Socket {
    /// Sends the pending frame. Cancel-safe: the frame stays pending until it is sent.
    async fn send_pending(&mut self) -> Result<(), Closed> {
        match &self.pending {
            None => return Ok(()),
            Some(PendingFrame::Ping) => self.session.ping(b"").await?,
            Some(PendingFrame::Pong(payload)) => self.session.pong(payload).await?,
            Some(PendingFrame::Text(text)) => self.session.text(*text).await?,
        }
        self.pending = None;
        Ok(())
    }

    /// Processes a frame of the client; returns the reply, if the frame requires one.
    fn read_frame(
        frame: Option<Result<Frame, ProtocolError>>,
    ) -> Result<Option<PendingFrame>, Disconnect> {
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(ProtocolError::Overflow)) => {
                return Err(Disconnect::ProtocolError("the frame is too large"));
            }
            // The connection has failed.
            Some(Err(ProtocolError::Io(error))) if error.kind() != ErrorKind::InvalidData => {
                return Err(Disconnect::Gone);
            }
            // Includes I/O errors of the kind `InvalidData`, with which actix reports
            // reserved bits and text that is not UTF-8.
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
                Ok(ping @ WsClientMessage::Ping) => Ok(Some(PendingFrame::Text(ping.response()))),
                // Other JSON is ignored: a later version may define more messages.
                Err(_) if serde_json::from_str::<IgnoredAny>(&text).is_ok() => Ok(None),
                Err(_) => Err(Disconnect::ProtocolError("a text frame must be JSON")),
            },
            Frame::Binary(_) => Err(Disconnect::ProtocolError("binary frames are not supported")),
            Frame::Continuation(_) => Err(Disconnect::ProtocolError("a message must be one frame")),
            Frame::Close(_) => Err(Disconnect::Gone),
        }
    }

    /// Sends a close frame with the reason.
    async fn close(self, disconnect: Disconnect) {
        let (code, reason) = match disconnect {
            Disconnect::StreamEnd(StreamEnd::Finished) => {
                (CloseCode::Normal, "the job is finished")
            }
            Disconnect::StreamEnd(StreamEnd::Deleted) => (CloseCode::Normal, "the job was deleted"),
            Disconnect::StreamEnd(StreamEnd::Stopping) => {
                (CloseCode::Away, "the server is shutting down")
            }
            Disconnect::Slow => (CloseCode::Again, "too slow"),
            Disconnect::Silent => (CloseCode::Policy, "no answer to pings"),
            Disconnect::ProtocolError(reason) => (CloseCode::Policy, reason),
            Disconnect::Gone => (CloseCode::Normal, ""),
        };
        // If the client does not read, sending the close frame takes until the kernel
        // closes the connection, at the latest after `tcp_send_timeout`.
        let _ = self
            .session
            .close(Some(CloseReason::from((code, reason))))
            .await;
    }
}
