//! What wakes a worker and ends it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lectern_media::{CancellationCallback, CancellationToken};

/// Wakes a worker that waits, or ends it.
#[derive(Debug, Default)]
pub struct Bell {
    stop: CancellationToken,
    /// Counts how often there was something to do.
    times: Mutex<u64>,
    ring: Condvar,
}

impl Bell {
    /// There may be something to do.
    pub fn wake(&self) {
        *self.times() += 1;
        self.ring.notify_all();
    }

    /// Ends the worker: what it works on is stopped and given back.
    pub fn stop(&self) {
        self.stop.cancel();
        // Whoever is about to wait has the lock, or will see it.
        drop(self.times());
        self.ring.notify_all();
    }

    /// Whether the worker was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// How often it has rung.
    pub(crate) fn heard(&self) -> u64 {
        *self.times()
    }

    /// Has `call` made when the worker is told to stop, or right now when that has
    /// happened already. Dropping what is returned takes the call back.
    pub fn on_stop(&self, call: impl FnOnce() + Send + 'static) -> CancellationCallback {
        self.stop.on_cancel(call)
    }

    fn times(&self) -> MutexGuard<'_, u64> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it rings once more than it had `heard`, or for `pause`.
    pub(crate) fn wait(&self, heard: u64, pause: Duration) {
        let times = self.times();
        let quiet = |times: &mut u64| *times == heard && !self.is_stopped();
        drop(self.ring.wait_timeout_while(times, pause, quiet));
    }
}
