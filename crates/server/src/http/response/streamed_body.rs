//! Response bodies that are produced while they are sent.
//!
//! Only one part is in memory: the next part is read when the client has received the
//! current part.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use lectern_api::Code;
use tokio::time::{Instant, sleep};

use crate::http::error::ApiError;
use crate::http::memory_budget::{MemoryBudget, MemoryPermit};

/// Largest chunk, in bytes, that is handed to the client's connection at once. The
/// connection buffers the chunk until it is sent.
const MAX_CHUNK: usize = 64 << 10;

/// Pause between two attempts to read a part while the database is overloaded or
/// unavailable.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Total time for which reading a part is retried. The response has begun, so no error
/// can be sent instead.
const MAX_RETRY_TIME: Duration = Duration::from_secs(30);

/// Memory needed for a large row, as a multiple of its size: the row as it is received,
/// its text, and its JSON.
const ROW_FACTOR: usize = 3;

/// A part of a response body. Clones share the bytes and the memory for them.
#[derive(Clone)]
pub(crate) struct Part {
    bytes: Bytes,
    /// Memory for `bytes`.
    permit: Option<Arc<MemoryPermit>>,
    /// Reads the next part; `None`: this is the last part.
    read_next: Option<ReadNext>,
}

pub(crate) type NextPart = Pin<Box<dyn Future<Output = Result<Part, ApiError>>>>;

/// Begins to read the next part.
type ReadNext = Arc<dyn Fn() -> NextPart + Send + Sync>;

impl Part {
    pub(crate) fn new(bytes: Vec<u8>, read_next: Option<ReadNext>) -> Self {
        Self {
            bytes: bytes.into(),
            permit: None,
            read_next,
        }
    }

    /// The bytes as text.
    pub(crate) fn to_text(&self) -> Result<String, ApiError> {
        String::from_utf8(self.bytes.to_vec()).map_err(ApiError::internal)
    }

    /// Keeps `permit` until the bytes are sent.
    pub(crate) fn with_permit(self, permit: MemoryPermit) -> Self {
        Self {
            permit: Some(Arc::new(permit)),
            ..self
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("bytes", &self.bytes.len())
            .field("is_last", &self.read_next.is_none())
            .finish_non_exhaustive()
    }
}

/// Waits for the memory for a large row.
pub(crate) async fn memory_for_row(
    memory: &MemoryBudget,
    bytes: Option<usize>,
) -> Result<MemoryPermit, ApiError> {
    match bytes {
        Some(bytes) => memory.for_response(ROW_FACTOR * bytes).await,
        None => Ok(MemoryPermit::default()),
    }
}

/// Reads the next part with `read`, and retries while the database is overloaded or
/// unavailable.
pub(crate) fn with_retries(read: impl Fn() -> NextPart + Send + Sync + 'static) -> ReadNext {
    let read = Arc::new(read);
    Arc::new(move || {
        let read = Arc::clone(&read);
        Box::pin(async move {
            let until = Instant::now() + MAX_RETRY_TIME;
            loop {
                match read().await {
                    Err(error) if is_transient(&error) && Instant::now() < until => {
                        sleep(RETRY_DELAY).await;
                    }
                    outcome => return outcome,
                }
            }
        })
    })
}

fn is_transient(error: &ApiError) -> bool {
    matches!(error.code(), Code::Overloaded | Code::DatabaseUnavailable)
}

/// The body of a response, sent in chunks.
pub(crate) struct StreamedBody {
    bytes: Bytes,
    permit: Option<Arc<MemoryPermit>>,
    read_next: Option<ReadNext>,
    /// The next part while it is being read.
    next: Option<NextPart>,
    size: BodySize,
}

impl StreamedBody {
    /// A body whose length is known if `first` is its only part.
    pub(crate) fn new(first: Part) -> Self {
        let size = match first.read_next {
            None => BodySize::Sized(first.bytes.len() as u64),
            Some(_) => BodySize::Stream,
        };
        Self {
            bytes: first.bytes,
            permit: first.permit,
            read_next: first.read_next,
            next: None,
            size,
        }
    }

    /// Never reads the next part, for a response to HEAD.
    pub(crate) fn first_part_only(self) -> Self {
        Self {
            read_next: None,
            ..self
        }
    }
}

impl MessageBody for StreamedBody {
    type Error = actix_web::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        loop {
            if !self.bytes.is_empty() {
                let length = self.bytes.len().min(MAX_CHUNK);
                let chunk = self.bytes.split_to(length);
                return Poll::Ready(Some(Ok(chunk)));
            }
            self.bytes = Bytes::new();
            self.permit = None;
            if let Some(read_next) = self.read_next.take() {
                self.next = Some(read_next());
            }
            let Some(next) = &mut self.next else {
                return Poll::Ready(None);
            };
            match std::task::ready!(next.as_mut().poll(cx)) {
                Ok(part) => {
                    self.next = None;
                    (self.bytes, self.permit) = (part.bytes, part.permit);
                    self.read_next = part.read_next;
                }
                Err(error) => {
                    self.next = None;
                    // The missing last chunk tells the client that the body is incomplete.
                    log::warn!(
                        "a response was cut off because its next part could not be read: {}",
                        error.chain()
                    );
                    return Poll::Ready(Some(Err(error.into())));
                }
            }
        }
    }
}
