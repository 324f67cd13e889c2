//! Asking running work to stop.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Tells work on other threads to stop: once, for all clones, and for good.
///
/// ```
/// use lectern_media::CancellationToken;
///
/// let cancel = CancellationToken::new();
/// let for_the_lease = cancel.clone();
/// std::thread::spawn(move || for_the_lease.cancel()).join().unwrap();
/// assert!(cancel.is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct CancellationToken(Arc<State>);

#[derive(Default)]
struct State {
    cancelled: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    calls: BTreeMap<u64, Box<dyn FnOnce() + Send>>,
}

impl CancellationToken {
    /// A token nobody has cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels, and wakes whoever waits; more often is the same as once.
    pub fn cancel(&self) {
        let calls = {
            let mut waiting = self.waiting();
            self.0.cancelled.store(true, Ordering::SeqCst);
            std::mem::take(&mut waiting.calls)
        };
        for call in calls.into_values() {
            call();
        }
    }

    /// Whether somebody has cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Waits for somebody to cancel, for as long as `time`; whether somebody has.
    pub fn wait(&self, time: Duration) -> bool {
        let (wake, woken) = mpsc::channel();
        let _link = self.on_cancel(move || {
            let _ = wake.send(());
        });
        woken.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }

    /// Has `call` made on the thread that cancels, or right now when that has
    /// happened already. Dropping what is returned takes the call back.
    pub fn on_cancel(&self, call: impl FnOnce() + Send + 'static) -> CancellationCallback {
        let mut waiting = self.waiting();
        let id = waiting.next;
        if self.is_cancelled() {
            drop(waiting);
            call();
        } else {
            waiting.next += 1;
            waiting.calls.insert(id, Box::new(call));
        }
        CancellationCallback {
            cancel: self.clone(),
            id,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        let lock = self.0.waiting.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancellationToken")
            .field(&self.is_cancelled())
            .finish()
    }
}

/// A call that waits for a [`CancellationToken`]; dropped, it is not made any more.
#[derive(Debug)]
#[must_use = "dropping it takes the call back"]
pub struct CancellationCallback {
    cancel: CancellationToken,
    id: u64,
}

impl Drop for CancellationCallback {
    fn drop(&mut self) {
        self.cancel.waiting().calls.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn who_waits_is_woken_by_whoever_cancels_or_by_the_time() {
        let cancel = CancellationToken::new();
        assert!(!cancel.wait(Duration::ZERO));
        thread::scope(|scope| {
            let waits = scope.spawn(|| cancel.wait(Duration::MAX));
            while cancel.waiting().calls.is_empty() {
                thread::yield_now();
            }
            cancel.cancel();
            assert!(waits.join().unwrap());
        });
        assert!(cancel.wait(Duration::MAX));
    }
}
