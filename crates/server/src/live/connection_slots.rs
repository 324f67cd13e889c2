//! Bounds the number of live connections, and shares them between callers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use futures_util::future::BoxFuture;
use lectern_api::Code;
use tokio::time::timeout;

use crate::fair_share::{FairSlot, FairSlots, NoSlot};
use crate::http::error::ApiError;
use crate::metrics::{GaugeGuard, Metrics};

/// The slots of a server, one for each live connection.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    slots: Arc<FairSlots>,
    metrics: Metrics,
}

/// The slot of one connection. Dropping this value frees the slot.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    slot: FairSlot,
    _gauge: GaugeGuard,
}

impl ConnectionSlots {
    /// `quota`: the upper bound of one caller's slots.
    pub(crate) fn new(count: usize, quota: Option<usize>, metrics: Metrics) -> Self {
        Self {
            slots: Arc::new(FairSlots::new(count).with_quota(quota)),
            metrics,
        }
    }

    /// Takes a slot: a free one, or if none is left, one of the caller with the most.
    ///
    /// # Errors
    ///
    /// When no slot is left for this caller.
    pub(crate) fn acquire(&self) -> Result<ConnectionSlot, ApiError> {
        let refused = |reason| match reason {
            NoSlot::Full => {
                ApiError::new(Code::Overloaded, "too many clients are watching; try again")
            }
            NoSlot::QuotaReached(max) => {
                let detail = format!("at most {max} clients of this caller may watch at once");
                ApiError::new(Code::QuotaExceeded, detail)
            }
        };
        Ok(ConnectionSlot {
            slot: self.slots.acquire().map_err(refused)?,
            _gauge: self.metrics.watcher_connected(),
        })
    }
}

impl ConnectionSlot {
    /// The result of `future`; `None` if it takes longer than `limit`, or if the slot is another
    /// caller's before.
    pub(crate) async fn wait_for<T>(
        &self,
        limit: Duration,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            result = timeout(limit, future) => result.ok(),
            () = self.slot.lost() => None,
        }
    }
}

/// A response body that holds a slot until the client has received the whole body or
/// has disconnected. It ends when the slot is another caller's.
pub(super) struct BodyWithSlot<B> {
    body: B,
    lost: BoxFuture<'static, ()>,
    _slot: ConnectionSlot,
}

impl<B> BodyWithSlot<B> {
    pub(super) fn new(body: B, slot: ConnectionSlot) -> Self {
        Self {
            body,
            lost: Box::pin(slot.slot.lost()),
            _slot: slot,
        }
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
        match self.lost.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => Pin::new(&mut self.body).poll_next(cx),
        }
    }
}
