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
const LAST_CHANCE: Duration = Duration::from_millis(200);

/// How long a request waits for a connection that is kept before it may have
/// one on top.
const BEFORE_OVERFLOW: Duration = Duration::from_millis(50);

/// Claims that stand among the writers at most; `Database::claim` puts them
/// together.
const CLAIMS: u32 = 4;

/// The queue. On SQLite, readers and the one writer queue separately.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    reads: Queue,
    writes: Queue,
    claims: Queue,
    /// How long a request waits in all: for its turn, and for a connection.
    patience: Duration,
    metrics: Metrics,
}

/// Permits for connections that are kept, and for those on top of them.
#[derive(Debug, Clone)]
struct Queue {
    kept: Arc<Semaphore>,
    overflow: Arc<Semaphore>,
}

impl Queue {
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
            tokio::time::sleep(BEFORE_OVERFLOW).await;
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
pub(crate) struct Pass {
    _permit: OwnedSemaphorePermit,
    /// How long the connection may be waited for.
    pub(crate) left: Duration,
}

impl Gate {
    pub(crate) fn new(capacity: Capacity, patience: Duration, metrics: Metrics) -> Self {
        let (reads, writes) = match capacity {
            Capacity::Shared { kept, overflow } => {
                let all = Queue::new(kept, overflow);
                (all.clone(), all)
            }
            Capacity::Split { readers, writers } => {
                (Queue::new(readers, 0), Queue::new(writers, 0))
            }
        };
        Self {
            reads,
            writes,
            claims: Queue::new(CLAIMS, 0),
            patience,
            metrics,
        }
    }

    /// Waits for the turn to read.
    pub(crate) async fn read(&self) -> Result<Pass, ApiError> {
        self.pass(&self.reads).await
    }

    /// Waits for the turn to write.
    pub(crate) async fn write(&self) -> Result<Pass, ApiError> {
        self.pass(&self.writes).await
    }

    /// The same for one who has waited already and has this much patience left.
    pub(crate) async fn write_within(&self, left: Duration) -> Result<Pass, ApiError> {
        self.pass_within(&self.writes, left).await
    }

    /// Waits for the turn to claim work. Claims have a queue of their own, so
    /// that a crowd of workers holds nobody up who has something to report.
    pub(crate) async fn claim(&self) -> Result<Pass, ApiError> {
        self.pass(&self.claims).await
    }

    async fn pass(&self, queue: &Queue) -> Result<Pass, ApiError> {
        self.pass_within(queue, self.patience).await
    }

    async fn pass_within(&self, queue: &Queue, patience: Duration) -> Result<Pass, ApiError> {
        if let Ok(permit) = Arc::clone(&queue.kept).try_acquire_owned() {
            return Ok(Pass {
                _permit: permit,
                left: patience,
            });
        }
        let came = Instant::now();
        let _waiting = self.metrics.gate_waits();
        if let Ok(Ok(permit)) = tokio::time::timeout(patience, queue.permit()).await {
            let left = patience.saturating_sub(came.elapsed());
            Ok(Pass {
                _permit: permit,
                left: left.max(LAST_CHANCE),
            })
        } else {
            self.metrics.gate_refuses();
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
