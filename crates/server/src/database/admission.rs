//! The queue in front of the database: first come, first served.
//!
//! As many requests as there are connections are let through; the others wait
//! here, where waiting costs no thread. Without the queue, hundreds of threads
//! would fight over a few connections, and the unlucky ones would wait long.
//!
//! On PostgreSQL the connections that are kept open come first. Only who has
//! waited a while for one of them may have one on top: a wait that short means
//! that the processors are busy, and more at once would only make it longer; a
//! longer one means that the database is slow or far away, and more at once
//! helps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lectern_api::Code;
use lectern_db::Capacity;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::http::error::ApiError;
use crate::metrics::Metrics;

/// What is left at least for the connection of a request whose turn came late.
const MIN_CONNECTION_WAIT: Duration = Duration::from_millis(200);

/// How long a request waits for a connection that is kept before it may have
/// one on top.
const OVERFLOW_DELAY: Duration = Duration::from_millis(50);

/// Claims that stand among the writers at most; `Database::claim` puts them
/// together.
const MAX_CONCURRENT_CLAIMS: u32 = 4;

/// The queue. On SQLite, readers and the one writer queue separately.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLimiter {
    reads: PermitQueue,
    writes: PermitQueue,
    claims: PermitQueue,
    /// How long a request waits in all: for its turn, and for a connection.
    timeout: Duration,
    metrics: Metrics,
}

/// Permits for connections that are kept, and for those on top of them.
#[derive(Debug, Clone)]
struct PermitQueue {
    kept: Arc<Semaphore>,
    overflow: Arc<Semaphore>,
}

impl PermitQueue {
    fn new(kept: u32, overflow: u32) -> Self {
        let semaphore = |permits: u32| Arc::new(Semaphore::new(permits as usize));
        Self {
            kept: semaphore(kept),
            overflow: semaphore(overflow),
        }
    }

    /// Waits for a permit, in the order of arrival.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        let kept = Arc::clone(&self.kept).acquire_owned();
        let overflow = async {
            tokio::time::sleep(OVERFLOW_DELAY).await;
            Arc::clone(&self.overflow).acquire_owned().await
        };
        tokio::select! {
            biased;
            permit = kept => permit,
            permit = overflow => permit,
        }
    }
}

/// The right to use a connection, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _permit: OwnedSemaphorePermit,
    /// How long the connection may be waited for.
    pub(crate) remaining: Duration,
}

impl ConnectionLimiter {
    pub(crate) fn new(capacity: Capacity, timeout: Duration, metrics: Metrics) -> Self {
        let (reads, writes) = match capacity {
            Capacity::Shared { kept, overflow } => {
                let all = PermitQueue::new(kept, overflow);
                (all.clone(), all)
            }
            Capacity::Split { readers, writers } => {
                (PermitQueue::new(readers, 0), PermitQueue::new(writers, 0))
            }
        };
        Self {
            reads,
            writes,
            claims: PermitQueue::new(MAX_CONCURRENT_CLAIMS, 0),
            timeout,
            metrics,
        }
    }

    /// Waits for the turn to read.
    pub(crate) async fn read(&self) -> Result<Permit, ApiError> {
        self.acquire(&self.reads).await
    }

    /// Waits for the turn to write.
    pub(crate) async fn write(&self) -> Result<Permit, ApiError> {
        self.acquire(&self.writes).await
    }

    /// The same for one who has waited already and has this much patience left.
    pub(crate) async fn write_within(&self, remaining: Duration) -> Result<Permit, ApiError> {
        self.acquire_within(&self.writes, remaining).await
    }

    /// Waits for the turn to claim work. Claims have a queue of their own, so
    /// that a crowd of workers holds nobody up who has something to report.
    pub(crate) async fn claim(&self) -> Result<Permit, ApiError> {
        self.acquire(&self.claims).await
    }

    async fn acquire(&self, queue: &PermitQueue) -> Result<Permit, ApiError> {
        self.acquire_within(queue, self.timeout).await
    }

    async fn acquire_within(
        &self,
        queue: &PermitQueue,
        timeout: Duration,
    ) -> Result<Permit, ApiError> {
        if let Ok(permit) = Arc::clone(&queue.kept).try_acquire_owned() {
            return Ok(Permit {
                _permit: permit,
                remaining: timeout,
            });
        }
        let arrived = Instant::now();
        let _waiting = self.metrics.admission_wait();
        if let Ok(Ok(permit)) = tokio::time::timeout(timeout, queue.permit()).await {
            let remaining = timeout.saturating_sub(arrived.elapsed());
            Ok(Permit {
                _permit: permit,
                remaining: remaining.max(MIN_CONNECTION_WAIT),
            })
        } else {
            self.metrics.admission_refused();
            Err(overloaded())
        }
    }
}

fn overloaded() -> ApiError {
    ApiError::new(
        Code::Overloaded,
        "too many requests are waiting for the database; try again",
    )
}
