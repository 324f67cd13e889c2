//! Keeping a lease while a stage is worked on.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lectern_db::{Database, Error};
use lectern_domain::{Claim, Heartbeat, LeaseDuration, LeaseId, Percent, ProgressMessage, Whole};
use lectern_media::Cancel;

use crate::failure::chain;

/// How long what is to be told waits for more to be told with it.
const TOGETHER: Duration = Duration::from_millis(500);

/// A thread that extends a lease until it is dropped, and tells with each
/// heartbeat how far the stage is. When the lease is lost or the job is called
/// off, it cancels the work.
#[derive(Debug)]
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    db: Database,
    lease_id: LeaseId,
    /// How long the lease lasts from a heartbeat on.
    lease: Duration,
    cancel: Cancel,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What there is to tell.
    beat: Heartbeat,
    changed: bool,
    ended: bool,
    /// Whether nothing may be written under the lease any more.
    over: bool,
}

impl Keeper {
    pub(crate) fn new(
        db: Database,
        claim: &Claim,
        lease: LeaseDuration,
        cancel: Cancel,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            db,
            lease_id: claim.lease_id,
            lease: Duration::from_secs(lease.seconds().into()),
            cancel,
            state: Mutex::default(),
            wake: Condvar::new(),
        });
        let inner = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name(format!("lease of {}", claim.run.stage))
            .spawn(move || inner.keep())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Says how far the stage is, with the next heartbeat.
    pub(crate) fn tell(&self, percent: f64, message: Option<&str>, eta: Option<Duration>) {
        let mut state = self.shared.state();
        state.beat.percent = Percent::new(percent.clamp(0.0, 100.0)).ok();
        if let Some(message) = message {
            state.beat.message = ProgressMessage::new(message).ok();
        }
        let eta = eta.and_then(|eta| Whole::new(eta.as_secs().try_into().ok()?).ok());
        state.beat.eta_seconds = eta;
        state.changed = true;
        self.shared.wake.notify_all();
    }

    /// Whether nothing may be written under the lease any more.
    pub(crate) fn is_over(&self) -> bool {
        self.shared.state().over
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self) {
        let mut beaten = Instant::now();
        let mut tried = beaten;
        loop {
            let Some(beat) = self.next(tried) else {
                return;
            };
            tried = Instant::now();
            let error = match self
                .db
                .write(|tx| tx.work().heartbeat(self.lease_id, &beat))
            {
                Ok(lease) if lease.cancelled => return self.give_up("the job was called off"),
                Ok(_) => {
                    beaten = tried;
                    continue;
                }
                Err(Error::LeaseLost { .. }) => return self.give_up("another has the stage now"),
                Err(error) => error,
            };
            if beaten.elapsed() > self.lease {
                return self.give_up("the database did not answer for as long as the lease");
            }
            log::warn!("a heartbeat failed: {}", chain(&error));
        }
    }

    /// What to tell next, when it is time to; `None` when the work has ended.
    fn next(&self, tried: Instant) -> Option<Heartbeat> {
        let mut state = self.state();
        loop {
            if state.ended {
                return None;
            }
            let pause = if state.changed {
                TOGETHER
            } else {
                self.lease / 3
            };
            let left = pause.saturating_sub(tried.elapsed());
            if left.is_zero() {
                state.changed = false;
                return Some(mem::take(&mut state.beat));
            }
            let waited = self.wake.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn give_up(&self, why: &str) {
        log::warn!("{why}: the work on it stops");
        self.state().over = true;
        self.cancel.cancel();
    }
}
