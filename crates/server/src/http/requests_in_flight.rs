//! Counts requests in flight and announces the shutdown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// The server's state between start and shutdown, shared by all HTTP threads.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    stopping: AtomicBool,
    in_flight: AtomicUsize,
    /// Notified when the last request in flight ends during the shutdown.
    idle: Notify,
}

/// Counts a request as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Lifecycle>);

impl Lifecycle {
    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight(Arc::clone(self))
    }

    /// The number of requests in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Whether the shutdown has begun.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Announces the shutdown, then waits until no request is in flight, at most
    /// for `grace`.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.stopping.store(true, Ordering::SeqCst);
        let idle = async {
            while self.in_flight() > 0 {
                self.idle.notified().await;
            }
        };
        let _ = tokio::time::timeout(grace, idle).await;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // `notify_one` stores a permit, so a wake-up before the wait is not lost.
        if self.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.is_stopping() {
            self.0.idle.notify_one();
        }
    }
}
