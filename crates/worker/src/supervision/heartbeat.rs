//! Renewing a lease while its stage runs.

use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lectern_domain::{Heartbeat, LeaseDuration, LeaseId, NonNegativeInt, Percent, ProgressMessage};
use lectern_media::CancellationToken;
use parking_lot::{Condvar, Mutex};

use crate::work_source::{ClaimedStage, WorkError, WorkSource};

/// Shortest time between two heartbeats. All progress reported in that time is
/// sent with the second one.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// A thread that renews a lease until this value is dropped, and sends the
/// stage's progress with each heartbeat. It cancels the stage when the lease is
/// lost or the job is cancelled.
///
/// A heartbeat with progress sends an event to every subscriber of the job.
/// Therefore a heartbeat is sent early only when the whole percent or the message
/// changes. Smaller changes wait until the lease has to be renewed.
pub(crate) struct LeaseHeartbeat(Arc<Shared>);

struct Shared {
    source: Arc<dyn WorkSource>,
    lease_id: LeaseId,
    /// How long the lease lasts after a heartbeat.
    lease: Duration,
    cancellation: CancellationToken,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The progress for the next heartbeat.
    next: Heartbeat,
    /// The last significant progress: whole percent and message.
    significant: (Option<Percent>, Option<ProgressMessage>),
    /// Whether there is significant progress that was not sent.
    is_pending: bool,
    phase: Phase,
}

#[derive(Debug, Default, PartialEq)]
enum Phase {
    /// The handler runs.
    #[default]
    Running,
    /// The lease is lost: nothing more may be written under it.
    Lost,
    /// The handler has returned. From here on, only the transaction that
    /// completes the stage decides whether the lease is still valid.
    Returned,
    /// The attempt is over: the thread ends.
    Over,
}

impl LeaseHeartbeat {
    /// Starts the thread. Losing the lease cancels `cancellation`.
    pub(crate) fn start(
        source: Arc<dyn WorkSource>,
        claim: &ClaimedStage,
        lease: LeaseDuration,
        cancellation: CancellationToken,
    ) -> std::io::Result<Self> {
        let heartbeat = Self::without_thread(source, claim, lease, cancellation);
        let shared = Arc::clone(&heartbeat.0);
        thread::Builder::new()
            .name(format!("lease of {}", claim.stage))
            .spawn(move || shared.renew_until_over())?;
        Ok(heartbeat)
    }

    fn without_thread(
        source: Arc<dyn WorkSource>,
        claim: &ClaimedStage,
        lease: LeaseDuration,
        cancellation: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared {
            source,
            lease_id: claim.lease_id,
            lease: Duration::from_secs(lease.seconds().into()),
            cancellation,
            state: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// Sets the progress for the next heartbeat. `percent` is from 0 to 100.
    pub(crate) fn report_progress(&self, percent: f64, message: &str, eta: Option<Duration>) {
        let mut state = self.0.state.lock();
        let percent = percent.clamp(0.0, 100.0);
        state.next.percent = Percent::new(percent).ok();
        state.next.message = ProgressMessage::new(message).ok();
        let eta = eta.and_then(|eta| NonNegativeInt::new(eta.as_secs().try_into().ok()?).ok());
        state.next.eta_seconds = eta;
        let whole_percent = Percent::new(percent.floor()).ok();
        let significant = (whole_percent, state.next.message.clone());
        if state.significant != significant {
            state.significant = significant;
            state.is_pending = true;
            self.0.changed.notify_all();
        }
    }

    /// Called when the handler has returned. Returns whether the lease was kept
    /// until now. The lease is still renewed, but losing it no longer cancels
    /// anything, because completing the stage also ends the lease.
    pub(crate) fn handler_returned(&self) -> bool {
        let mut state = self.0.state.lock();
        let is_kept = state.phase == Phase::Running;
        if is_kept {
            state.phase = Phase::Returned;
        }
        is_kept
    }
}

impl Drop for LeaseHeartbeat {
    /// Does not wait for the thread. Its last heartbeat may fail, which is harmless:
    /// the lease has ended.
    fn drop(&mut self) {
        self.0.state.lock().phase = Phase::Over;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn renew_until_over(&self) {
        let mut last_renewal = Instant::now();
        let mut last_try = last_renewal;
        while let Some(heartbeat) = self.wait_for_next(last_try) {
            last_try = Instant::now();
            let error = match self.source.heartbeat(self.lease_id, &heartbeat) {
                Ok(true) => return self.cancel_handler("the job was cancelled"),
                Ok(false) => {
                    last_renewal = last_try;
                    continue;
                }
                Err(error @ (WorkError::LeaseLost | WorkError::NotAllowed(_))) => {
                    return self.cancel_handler(&error.to_string());
                }
                Err(error) => error,
            };
            if last_renewal.elapsed() > self.lease {
                return self.cancel_handler("the lease expired while no heartbeat succeeded");
            }
            log::warn!("a heartbeat failed: {error}");
        }
    }

    /// Waits until the next heartbeat is due, and returns its content. `None`
    /// when the attempt is over.
    fn wait_for_next(&self, last_try: Instant) -> Option<Heartbeat> {
        let mut state = self.state.lock();
        loop {
            if state.phase == Phase::Over {
                return None;
            }
            let mut interval = self.lease / 3;
            if state.is_pending {
                interval = interval.min(MIN_INTERVAL);
            }
            let remaining = interval.saturating_sub(last_try.elapsed());
            if remaining.is_zero() {
                state.is_pending = false;
                return Some(mem::take(&mut state.next));
            }
            self.changed.wait_for(&mut state, remaining);
        }
    }

    /// Cancels the handler if it is still running.
    fn cancel_handler(&self, reason: &str) {
        let mut state = self.state.lock();
        if state.phase != Phase::Running {
            return;
        }
        state.phase = Phase::Lost;
        drop(state);
        log::warn!("cancelling the stage: {reason}");
        self.cancellation.cancel();
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::{
        ClaimLimit, ClaimRequest, NewJob, Stage, StageNotes, Stages, StorageKey, WorkerName,
    };

    use super::*;
    use crate::stage_output::OutputRows;
    use crate::testing::{local_storage, memory_database};
    use crate::work_source::DatabaseWork;

    /// The heartbeat of a real claim, without its thread, and the claim.
    fn heartbeat() -> (LeaseHeartbeat, ClaimedStage) {
        let db = memory_database();
        let mut job = NewJob::new("talk.mp4").unwrap();
        job.original_s3_key = Some(StorageKey::new("talks/1.mp4").unwrap());
        db.write(|tx| tx.jobs().create(&job)).unwrap();
        // The lease is long in the database, but the first renewal is due early.
        let [long, short] = [3600, 1].map(|seconds| LeaseDuration::new(seconds).unwrap());
        let request = ClaimRequest {
            worker: WorkerName::new("worker-1").unwrap(),
            stages: Stages::new(vec![Stage::SilenceDetection]).unwrap(),
            max: ClaimLimit::default(),
            lease: long,
        };
        let claim = ClaimedStage::from(db.claim(&request).unwrap().remove(0));
        let dir = tempfile::tempdir().unwrap();
        let source = Arc::new(DatabaseWork::new(db, local_storage(dir.path())));
        let token = CancellationToken::new();
        (
            LeaseHeartbeat::without_thread(source, &claim, short, token),
            claim,
        )
    }

    /// Completes the stage, and sends heartbeats until one finds the lease lost.
    fn complete(heartbeat: &LeaseHeartbeat, claim: &ClaimedStage) {
        let source = &heartbeat.0.source;
        let completed = source.complete(claim, &OutputRows::Unchanged, &StageNotes::default());
        completed.unwrap();
        heartbeat.0.renew_until_over();
    }

    #[test]
    fn a_lease_lost_while_the_handler_runs_cancels_it() {
        let (heartbeat, claim) = heartbeat();
        complete(&heartbeat, &claim);
        assert!(heartbeat.0.cancellation.is_cancelled());
        assert!(!heartbeat.handler_returned());
    }

    #[test]
    fn a_lease_lost_after_the_handler_returned_cancels_nothing() {
        let (heartbeat, claim) = heartbeat();
        assert!(heartbeat.handler_returned());
        complete(&heartbeat, &claim);
        assert!(!heartbeat.0.cancellation.is_cancelled());
    }

    #[test]
    fn a_whole_percent_or_a_new_message_is_sent_early() {
        let (heartbeat, _) = heartbeat();
        let is_pending = |percent, message| {
            heartbeat.report_progress(percent, message, Some(Duration::from_secs(9)));
            mem::take(&mut heartbeat.0.state.lock().is_pending)
        };
        assert!(is_pending(0.0, "listening"));
        mem::take(&mut heartbeat.0.state.lock().next);
        assert!(!is_pending(0.9, "listening"));
        let next = heartbeat.0.state.lock().next.clone();
        assert_eq!(next.percent, Percent::new(0.9).ok());
        assert_eq!(next.eta_seconds, NonNegativeInt::new(9).ok());
        assert!(is_pending(1.1, "listening"));
        assert!(is_pending(1.2, "looking"));
    }
}
