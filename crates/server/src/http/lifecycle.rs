//! Which requests are being answered, and whether the server is on its way
//! out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Shared by all threads of a server.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    stopping: AtomicBool,
    in_flight: AtomicUsize,
    idle: Notify,
}

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Lifecycle>);

impl Lifecycle {
    /// Counts a request as being answered.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight(Arc::clone(self))
    }

    /// How many requests are being answered.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Whether the server was told to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Makes the server say that it stops, and waits until no request is being
    /// answered, at most `grace`.
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
        // A permit is left when nobody waits yet, so no wake-up is lost.
        if self.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.is_stopping() {
            self.0.idle.notify_one();
        }
    }
}
