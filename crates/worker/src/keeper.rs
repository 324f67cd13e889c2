//! Keeping a lease while a stage is worked on.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lectern_db::{Database, Error};
use lectern_domain::{
    Claim, Heartbeat, LeaseDuration, LeaseId, NonNegativeInt, Percent, ProgressMessage,
};
use lectern_media::CancellationToken;

use crate::failure::chain;

/// How long what is to be told waits for more to be told with it.
const TOGETHER: Duration = Duration::from_secs(1);

/// A thread that extends a lease until it is dropped, and tells with each
/// heartbeat how far the stage is. When the lease is lost or the job is called
/// off, it cancels the work.
///
/// Each heartbeat that tells something is an event for all who watch: one comes
/// for a whole percent more or another message, and what is less waits for the
/// next that is due.
#[derive(Debug)]
pub(crate) struct Keeper(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Database,
    lease_id: LeaseId,
    /// How long the lease lasts from a heartbeat on.
    lease: Duration,
    cancel: CancellationToken,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What there is to tell.
    beat: Heartbeat,
    /// What was said last, in whole percent.
    said: (Option<Percent>, Option<ProgressMessage>),
    changed: bool,
    phase: Phase,
}

#[derive(Debug, Default, PartialEq)]
enum Phase {
    /// The stage is worked on.
    #[default]
    Work,
    /// Nothing may be written under the lease any more.
    Lost,
    /// The work is done. Whoever completes the stage learns first what becomes of
    /// the lease.
    Done,
    /// There is nobody any more to keep it for.
    Ended,
}

impl Keeper {
    pub(crate) fn new(
        db: Database,
        claim: &Claim,
        lease: LeaseDuration,
        cancel: CancellationToken,
    ) -> std::io::Result<Self> {
        let keeper = Self::idle(db, claim, lease, cancel);
        let shared = Arc::clone(&keeper.0);
        thread::Builder::new()
            .name(format!("lease of {}", claim.run.stage))
            .spawn(move || shared.keep())?;
        Ok(keeper)
    }

    /// One whose thread is not there yet.
    fn idle(db: Database, claim: &Claim, lease: LeaseDuration, cancel: CancellationToken) -> Self {
        Self(Arc::new(Shared {
            db,
            lease_id: claim.lease_id,
            lease: Duration::from_secs(lease.seconds().into()),
            cancel,
            state: Mutex::default(),
            wake: Condvar::new(),
        }))
    }

    /// Says how far the stage is, with the next heartbeat.
    pub(crate) fn tell(&self, percent: f64, message: &str, eta: Option<Duration>) {
        let mut state = self.0.state();
        let percent = percent.clamp(0.0, 100.0);
        state.beat.percent = Percent::new(percent).ok();
        state.beat.message = ProgressMessage::new(message).ok();
        let eta = eta.and_then(|eta| NonNegativeInt::new(eta.as_secs().try_into().ok()?).ok());
        state.beat.eta_seconds = eta;
        let whole = Percent::new(percent.floor()).ok();
        let saying = (whole, state.beat.message.clone());
        if state.said != saying {
            state.said = saying;
            state.changed = true;
            self.0.wake.notify_all();
        }
    }

    /// Says that the work is done, and answers whether the lease was kept until
    /// now. It is kept on; that it is lost is no news from here on, as it ends
    /// when the stage is completed.
    pub(crate) fn work_is_done(&self) -> bool {
        let mut state = self.0.state();
        let kept = state.phase == Phase::Work;
        if kept {
            state.phase = Phase::Done;
        }
        kept
    }
}

impl Drop for Keeper {
    /// Waits for nothing: a heartbeat that is under way finds no lease any more.
    fn drop(&mut self) {
        self.0.state().phase = Phase::Ended;
        self.0.wake.notify_all();
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
            if state.phase == Phase::Ended {
                return None;
            }
            let mut pause = self.lease / 3;
            if state.changed {
                pause = pause.min(TOGETHER);
            }
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
        let mut state = self.state();
        if state.phase != Phase::Work {
            return;
        }
        state.phase = Phase::Lost;
        drop(state);
        log::warn!("{why}: the work on it stops");
        self.cancel.cancel();
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::{ClaimLimit, ClaimRequest, NewJob, Stage, Stages, StorageKey, WorkerName};

    use super::*;

    /// One that keeps nothing yet.
    fn keeper() -> Keeper {
        let db = Database::open("sqlite::memory:").unwrap();
        db.init().unwrap();
        let mut job = NewJob::new("talk.mp4").unwrap();
        job.original_s3_key = Some(StorageKey::new("talks/1.mp4").unwrap());
        db.write(|tx| tx.jobs().create(&job)).unwrap();
        // Long in the database, and short for who waits a third of it.
        let [long, short] = [3600, 1].map(|seconds| LeaseDuration::new(seconds).unwrap());
        let request = ClaimRequest {
            worker: WorkerName::new("worker-1").unwrap(),
            stages: Stages::new(vec![Stage::SilenceDetection]).unwrap(),
            max: ClaimLimit::default(),
            lease: long,
        };
        let claim = db.claim(&request).unwrap().remove(0);
        Keeper::idle(db, &claim, short, CancellationToken::new())
    }

    /// Has the stage completed, and the keeper find that out.
    fn complete(keeper: &Keeper) {
        let Shared { db, lease_id, .. } = &*keeper.0;
        db.write(|tx| tx.work().complete(*lease_id)).unwrap();
        keeper.0.keep();
    }

    #[test]
    fn a_lease_that_ends_before_the_work_stops_it() {
        let keeper = keeper();
        complete(&keeper);
        assert!(keeper.0.cancel.is_cancelled());
        assert!(!keeper.work_is_done());
    }

    #[test]
    fn a_lease_that_ends_after_the_work_is_no_news() {
        let keeper = keeper();
        assert!(keeper.work_is_done());
        complete(&keeper);
        assert!(!keeper.0.cancel.is_cancelled());
    }

    #[test]
    fn a_whole_percent_is_told_and_what_is_less_waits() {
        let keeper = keeper();
        let is_told = |percent, message| {
            keeper.tell(percent, message, Some(Duration::from_secs(9)));
            mem::take(&mut keeper.0.state().changed)
        };
        assert!(is_told(0.0, "listening"));
        mem::take(&mut keeper.0.state().beat);
        assert!(!is_told(0.9, "listening"));
        assert_eq!(keeper.0.state().beat.percent, Percent::new(0.9).ok());
        assert_eq!(
            keeper.0.state().beat.eta_seconds,
            NonNegativeInt::new(9).ok()
        );
        assert!(is_told(1.1, "listening"));
        assert!(is_told(1.2, "looking"));
    }
}
