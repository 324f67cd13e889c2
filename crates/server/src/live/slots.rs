//! How many may watch at once.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use lectern_api::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::error::ApiError;
use crate::metrics::{Held, Metrics};

/// The seats of a server, one for each who watches.
#[derive(Debug)]
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    metrics: Metrics,
}

/// A seat, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    _permit: OwnedSemaphorePermit,
    _counted: Held,
}

impl Seats {
    pub(crate) fn new(count: usize, metrics: Metrics) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))),
            metrics,
        }
    }

    /// Takes a seat.
    ///
    /// # Errors
    ///
    /// When all are taken.
    pub(crate) fn take(&self) -> Result<Seat, ApiError> {
        let permit = Arc::clone(&self.free).try_acquire_owned();
        let full = |_| ApiError::new(Code::Overloaded, "too many are watching; try again");
        Ok(Seat {
            _permit: permit.map_err(full)?,
            _counted: self.metrics.watches(),
        })
    }
}

/// The body of an answer that keeps its seat for as long as the connection
/// keeps the body, which is until the client has got it all or is gone.
pub(super) struct Seated<B> {
    body: B,
    _seat: Seat,
}

impl<B> Seated<B> {
    pub(super) fn new(body: B, seat: Seat) -> Self {
        Self { body, _seat: seat }
    }
}

impl<B: MessageBody + Unpin> MessageBody for Seated<B> {
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
