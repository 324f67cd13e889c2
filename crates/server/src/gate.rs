//! The queue in front of the database: first come, first served.
//!
//! As many requests as there are connections are let through; the others wait
//! here, where waiting costs no thread. Without the queue, hundreds of threads
//! would fight over a few connections, and the unlucky ones would wait long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lectern_api::Code;
use lectern_db::Capacity;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::ApiError;
use crate::metrics::Metrics;

/// How long a request waits in all: for its turn, and for a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is left at least for the connection of a request whose turn came late.
const LAST_CHANCE: Duration = Duration::from_millis(200);

/// The queue. On SQLite, readers and the one writer queue separately.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    metrics: Metrics,
}

/// The right to use a connection, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    _permit: OwnedSemaphorePermit,
    /// How long the connection may be waited for.
    pub(crate) left: Duration,
}

impl Gate {
    pub(crate) fn new(capacity: Capacity, metrics: Metrics) -> Self {
        let semaphore = |permits: u32| Arc::new(Semaphore::new(permits as usize));
        let (reads, writes) = match capacity {
            Capacity::Shared(all) => {
                let all = semaphore(all);
                (Arc::clone(&all), all)
            }
            Capacity::Split { readers, writers } => (semaphore(readers), semaphore(writers)),
        };
        Self {
            reads,
            writes,
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

    async fn pass(&self, queue: &Arc<Semaphore>) -> Result<Pass, ApiError> {
        match Arc::clone(queue).try_acquire_owned() {
            Ok(permit) => {
                return Ok(Pass {
                    _permit: permit,
                    left: PATIENCE,
                });
            }
            Err(TryAcquireError::NoPermits) => {}
            Err(TryAcquireError::Closed) => return Err(overloaded()),
        }
        let came = Instant::now();
        let _waiting = self.metrics.gate_waits();
        if let Ok(Ok(permit)) =
            tokio::time::timeout(PATIENCE, Arc::clone(queue).acquire_owned()).await
        {
            let left = PATIENCE.saturating_sub(came.elapsed()).max(LAST_CHANCE);
            Ok(Pass {
                _permit: permit,
                left,
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
