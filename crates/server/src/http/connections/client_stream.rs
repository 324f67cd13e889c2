//! The bytes of a client connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::connection::Connection;

/// A socket that reports the end of the stream when its connection has to be closed: to
/// make room for another one, or because the client has not sent a request in time.
///
/// The deadline applies only when all bytes that have arrived are read, so that a client
/// is not disconnected because the server is slow.
#[derive(Debug)]
pub(crate) struct ClientStream {
    socket: TcpStream,
    connection: Arc<Connection>,
    /// Wakes the task at the deadline of the next request.
    timer: Option<Pin<Box<Sleep>>>,
    is_late: bool,
}

impl ClientStream {
    pub(crate) fn new(socket: TcpStream, connection: Connection) -> Self {
        Self {
            socket,
            connection: Arc::new(connection),
            timer: None,
            is_late: false,
        }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    fn has_ended(&self) -> bool {
        self.is_late || self.connection.is_closing()
    }

    /// Whether the deadline of the next request has passed. If not, the task is woken at
    /// the deadline.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.connection.deadline() else {
            return false;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let end = Poll::Ready(Ok(()));
        if self.has_ended() {
            return end;
        }
        if let read @ Poll::Ready(_) = Pin::new(&mut self.socket).poll_read(cx, buffer) {
            return read;
        }
        // Registered before the check, or an eviction between the two would wake no task.
        self.connection.register(cx.waker());
        self.is_late = self.poll_deadline(cx);
        if self.has_ended() { end } else { Poll::Pending }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.socket).poll_write(cx, bytes) {
            // A client that does not read must not keep the connection open.
            Poll::Pending if self.is_late || self.connection.is_evicted() => {
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            written => {
                if let Poll::Ready(Ok(_)) = written {
                    self.connection.note_progress();
                }
                written
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
