//! Admits requests to the database. Callers take turns.
//!
//! The number of admitted requests is the number of connections. Other requests wait
//! here without occupying a thread. Without this bound, hundreds of threads would
//! compete for a few connections, and some threads would wait long.
//!
//! On PostgreSQL, requests get the kept connections first. A request gets an overflow
//! connection only after a wait of [`OVERFLOW_DELAY`]. A shorter wait means that the
//! processors are busy, and more concurrency would only lengthen the waits. A longer
//! wait means that the database is slow or far away, and more concurrency helps.
//!
//! Writes of many rows have at most half of the connections, so that others do not wait until
//! one of these ends. On SQLite, which has one writer, one of them is admitted at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lectern_api::Code;
use lectern_db::Capacity;

use crate::fair_share::{FairPermit, FairSemaphore};
use crate::http::error::ApiError;
use crate::metrics::Metrics;

/// Lower bound of the time that an admitted request may wait for its connection, even if
/// the request was admitted just before its timeout.
const MIN_CONNECTION_WAIT: Duration = Duration::from_millis(200);

/// How long a request waits for a kept connection before it may also take an
/// overflow connection.
const OVERFLOW_DELAY: Duration = Duration::from_millis(50);

/// Limits how many requests use the database at once. On SQLite, readers and the
/// one writer have separate queues.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLimiter {
    reads: PermitQueue,
    writes: PermitQueue,
    /// Permits that long writes need besides those of all writes.
    long_writes: Arc<FairSemaphore>,
    /// Upper bound of a request's wait, for admission and for a connection
    /// together.
    timeout: Duration,
    metrics: Metrics,
}

/// Permits for the kept connections and for the overflow connections.
#[derive(Debug, Clone)]
struct PermitQueue {
    kept: Arc<FairSemaphore>,
    overflow: Arc<FairSemaphore>,
}

impl PermitQueue {
    fn new(kept: u32, overflow: u32) -> Self {
        let semaphore = |permits: u32| Arc::new(FairSemaphore::new(permits as usize));
        Self {
            kept: semaphore(kept),
            overflow: semaphore(overflow),
        }
    }

    async fn permit(&self) -> FairPermit {
        let overflow = async {
            tokio::time::sleep(OVERFLOW_DELAY).await;
            self.overflow.acquire(1).await
        };
        tokio::select! {
            biased;
            permit = self.kept.acquire(1) => permit,
            permit = overflow => permit,
        }
    }
}

/// Permission to use a connection. Dropping this value returns the permission.
#[derive(Debug)]
pub(crate) struct Permit {
    pub(crate) permit: FairPermit,
    /// Upper bound of the wait for the connection.
    pub(crate) remaining: Duration,
}

impl ConnectionLimiter {
    pub(crate) fn new(capacity: Capacity, timeout: Duration, metrics: Metrics) -> Self {
        let (reads, writes, long_writes) = match capacity {
            Capacity::Shared { kept, overflow } => {
                let all = PermitQueue::new(kept, overflow);
                (all.clone(), all, u32::midpoint(kept, overflow).max(1))
            }
            Capacity::Split { readers, writers } => (
                PermitQueue::new(readers, 0),
                PermitQueue::new(writers, 0),
                1,
            ),
        };
        Self {
            reads,
            writes,
            long_writes: Arc::new(FairSemaphore::new(long_writes as usize)),
            timeout,
            metrics,
        }
    }

    /// Upper bound of a request's wait.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Waits for admission as a reader.
    pub(crate) async fn read(&self) -> Result<Permit, ApiError> {
        self.acquire_within(&self.reads, self.timeout).await
    }

    /// Waits for admission as a writer, at most for `remaining`.
    pub(crate) async fn write(&self, remaining: Duration) -> Result<Permit, ApiError> {
        self.acquire_within(&self.writes, remaining).await
    }

    /// Waits for admission as the writer of many rows, at most for `remaining`. Both permits are
    /// needed until the write ends.
    pub(crate) async fn long_write(
        &self,
        remaining: Duration,
    ) -> Result<(FairPermit, Permit), ApiError> {
        let arrived = Instant::now();
        let permit = self.long_writes.acquire(1);
        let Ok(long) = tokio::time::timeout(remaining, permit).await else {
            self.metrics.admission_refused();
            return Err(overloaded());
        };
        let remaining = remaining.saturating_sub(arrived.elapsed());
        let permit = self.acquire_within(&self.writes, remaining).await?;
        Ok((long, permit))
    }

    async fn acquire_within(
        &self,
        queue: &PermitQueue,
        timeout: Duration,
    ) -> Result<Permit, ApiError> {
        if let Some(permit) = queue.kept.try_acquire(1) {
            return Ok(Permit {
                permit,
                remaining: timeout,
            });
        }
        let arrived = Instant::now();
        let _waiting = self.metrics.admission_wait();
        if let Ok(permit) = tokio::time::timeout(timeout, queue.permit()).await {
            let remaining = timeout.saturating_sub(arrived.elapsed());
            Ok(Permit {
                permit,
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
