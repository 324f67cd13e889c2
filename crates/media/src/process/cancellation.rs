//! Cancellation of running work.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use parking_lot::Mutex;

/// Asks work on other threads to stop. Clones share one state, and cancellation
/// cannot be undone.
///
/// ```
/// use lectern_media::CancellationToken;
///
/// let token = CancellationToken::new();
/// let clone = token.clone();
/// std::thread::spawn(move || clone.cancel()).join().unwrap();
/// assert!(token.is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct CancellationToken(Arc<State>);

#[derive(Default)]
struct State {
    cancelled: AtomicBool,
    callbacks: Mutex<Callbacks>,
}

#[derive(Default)]
struct Callbacks {
    next_id: u64,
    pending: BTreeMap<u64, Box<dyn FnOnce() + Send>>,
}

impl CancellationToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the work and runs the callbacks. Further calls do nothing.
    pub fn cancel(&self) {
        let pending = {
            let mut callbacks = self.0.callbacks.lock();
            self.0.cancelled.store(true, Ordering::SeqCst);
            std::mem::take(&mut callbacks.pending)
        };
        // Without the lock: a callback may use this token.
        for callback in pending.into_values() {
            callback();
        }
    }

    /// Whether [`CancellationToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Waits for cancellation, for at most `timeout`. Returns whether the token
    /// is cancelled.
    pub fn wait(&self, timeout: Duration) -> bool {
        let (sender, receiver) = mpsc::channel();
        let _callback = self.on_cancel(move || {
            let _ = sender.send(());
        });
        receiver.recv_timeout(timeout) != Err(RecvTimeoutError::Timeout)
    }

    /// Registers a callback that runs on the cancelling thread, or at once if the
    /// token is already cancelled. Dropping the returned guard unregisters it.
    pub fn on_cancel(&self, callback: impl FnOnce() + Send + 'static) -> CancellationCallback {
        let mut callbacks = self.0.callbacks.lock();
        let id = callbacks.next_id;
        if self.is_cancelled() {
            drop(callbacks);
            callback();
        } else {
            callbacks.next_id += 1;
            callbacks.pending.insert(id, Box::new(callback));
        }
        CancellationCallback {
            token: self.clone(),
            id,
        }
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancellationToken")
            .field(&self.is_cancelled())
            .finish()
    }
}

/// A callback registered with [`CancellationToken::on_cancel`]; dropping the
/// guard unregisters it.
#[derive(Debug)]
#[must_use = "dropping the guard unregisters the callback"]
pub struct CancellationCallback {
    token: CancellationToken,
    id: u64,
}

impl Drop for CancellationCallback {
    fn drop(&mut self) {
        self.token.0.callbacks.lock().pending.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn wait_returns_on_cancellation_or_timeout() {
        let token = CancellationToken::new();
        assert!(!token.wait(Duration::ZERO));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| token.wait(Duration::MAX));
            while token.0.callbacks.lock().pending.is_empty() {
                thread::yield_now();
            }
            token.cancel();
            assert!(waiting.join().unwrap());
        });
        assert!(token.wait(Duration::MAX));
    }
}
