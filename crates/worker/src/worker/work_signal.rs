//! Wakes idle worker threads.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Wakes the threads of one worker that wait for something to claim.
#[derive(Debug, Default)]
pub(crate) struct WorkSignal {
    notification_count: Mutex<u64>,
    changed: Condvar,
}

impl WorkSignal {
    /// Wakes every waiting thread.
    pub(crate) fn notify(&self) {
        *self.notification_count.lock() += 1;
        self.changed.notify_all();
    }

    /// The number of notifications so far. Read it before looking for work, and
    /// pass it to [`WorkSignal::wait`].
    pub(crate) fn notification_count(&self) -> u64 {
        *self.notification_count.lock()
    }

    /// Waits until there were more than `seen` notifications, for at most
    /// `timeout`.
    pub(crate) fn wait(&self, seen: u64, timeout: Duration) {
        let mut count = self.notification_count.lock();
        self.changed
            .wait_while_for(&mut count, |count| *count == seen, timeout);
    }
}
