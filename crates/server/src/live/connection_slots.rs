//! Bounds the number of live connections.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use lectern_api::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::error::ApiError;
use crate::metrics::{GaugeGuard, Metrics};

/// The slots of a server, one for each live connection.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    available: Arc<Semaphore>,
    metrics: Metrics,
}

/// The slot of one connection. Dropping this value frees the slot.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    _permit: OwnedSemaphorePermit,
    _gauge: GaugeGuard,
}

impl ConnectionSlots {
    pub(crate) fn new(count: usize, metrics: Metrics) -> Self {
        Self {
            available: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))),
            metrics,
        }
    }

    /// Takes a free slot.
    ///
    /// # Errors
    ///
    /// When all slots are in use.
    pub(crate) fn acquire(&self) -> Result<ConnectionSlot, ApiError> {
        let permit = Arc::clone(&self.available).try_acquire_owned();
        let full = |_| ApiError::new(Code::Overloaded, "too many clients are watching; try again");
        Ok(ConnectionSlot {
            _permit: permit.map_err(full)?,
            _gauge: self.metrics.watcher_connected(),
        })
    }
}

/// A response body that holds a slot until the client has received the whole body or
/// has disconnected.
pub(super) struct BodyWithSlot<B> {
    body: B,
    _slot: ConnectionSlot,
}

impl<B> BodyWithSlot<B> {
    pub(super) fn new(body: B, slot: ConnectionSlot) -> Self {
        Self { body, _slot: slot }
    }
}

impl<B: MessageBody + Unpin> MessageBody for BodyWithSlot<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
