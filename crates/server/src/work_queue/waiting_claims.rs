//! Claims that wait until a stage run becomes ready.
//!
//! A waiting claim occupies neither a thread nor a database connection. A claim that
//! finds no run waits in a queue for a notification that a run of one of its stages
//! has become ready. Commits of this process send notifications at once. The
//! [poller](super::poller) sends notifications for runs that other processes,
//! expired leases and elapsed retry delays have made ready.
//!
//! A notification wakes one waiter of each owner: the first whose stages include the run's
//! stage.
//! A notified waiter queries the database for a run. If the waiter finds a run, more
//! may be ready, so leaving the queue notifies the next waiter. The same happens if
//! the waiter leaves before the query. A waiter that finds nothing keeps its place in
//! the queue. As a result no notification is lost, and each notification causes at
//! most one unsuccessful claim.
//!
//! The number of claims that wait is bounded. At the bound, a claim takes the slot of the caller
//! with the most of them, so that one caller cannot keep others from waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lectern_api::Code;
use lectern_domain::{OwnerName, Stage};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::fair_share::{FairSlot, FairSlots, NoSlot};
use crate::http::error::ApiError;

/// All waiting claims of a server, across its threads.
#[derive(Debug)]
pub(crate) struct WaitingClaims {
    queue: Mutex<Queue>,
    /// For the claims that wait.
    slots: Arc<FairSlots>,
    /// Wakes the poller when a claim begins to wait.
    pub(super) wait_started: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// Keyed by a sequence number, so that iteration is in order of arrival.
    waiters: BTreeMap<u64, Waiter>,
    /// Sequence number of the last waiter that joined.
    last_number: u64,
    closed: bool,
}

#[derive(Debug)]
struct Waiter {
    stages: Vec<Stage>,
    /// The owner whose runs it can claim; `None`: all.
    owner: Option<OwnerName>,
    /// `false` while its query for a run is in progress.
    is_waiting: bool,
    /// Set by a notification, cleared when the claim queries again.
    is_notified: bool,
    wakeup: Arc<Notify>,
}

impl WaitingClaims {
    /// `quota`: the upper bound of one caller's waiting claims.
    pub(crate) fn new(max_waiters: usize, quota: Option<usize>) -> Self {
        Self {
            queue: Mutex::default(),
            slots: Arc::new(FairSlots::new(max_waiters).with_quota(quota)),
            wait_started: Notify::new(),
        }
    }

    /// Joins the end of the queue. The caller then tries to claim a run of one of
    /// `stages`; a notification that arrives in the meantime is kept.
    pub(crate) fn join(&self, stages: &[Stage], owner: Option<&OwnerName>) -> QueuePosition<'_> {
        let mut queue = self.queue();
        queue.last_number += 1;
        let (number, wakeup) = (queue.last_number, Arc::new(Notify::new()));
        let waiter = Waiter {
            stages: stages.to_vec(),
            owner: owner.cloned(),
            is_waiting: false,
            is_notified: false,
            wakeup: Arc::clone(&wakeup),
        };
        queue.waiters.insert(number, waiter);
        QueuePosition {
            claims: self,
            number,
            wakeup,
            is_notified: false,
            slot: None,
        }
    }

    /// Notifies one waiter of each owner for each run that has become ready: whose run it is
    /// is not known here. `ready` lists the stage of each run, so a stage may occur several
    /// times.
    pub(crate) fn notify(&self, ready: &[Stage]) {
        let mut queue = self.queue();
        for stage in ready {
            let wants = |waiter: &Waiter| waiter.stages.contains(stage);
            let waiting = queue.waiters.values().filter(|waiter| wants(waiter));
            let owners: BTreeSet<_> = waiting.map(|waiter| waiter.owner.clone()).collect();
            for owner in owners {
                queue.notify(|waiter| wants(waiter) && waiter.owner == owner);
            }
        }
    }

    /// Ends all waits, now and in the future.
    pub(crate) fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        for waiter in queue.waiters.values() {
            waiter.wakeup.notify_one();
        }
    }

    /// The number of claims that wait, and of those that query again after a notification.
    pub(crate) fn count(&self) -> usize {
        self.slots.taken()
    }

    /// The stages that claims are waiting for.
    pub(super) fn wanted_stages(&self) -> Vec<Stage> {
        let queue = self.queue();
        let waiting = queue.waiters.values().filter(|waiter| waiter.is_waiting);
        let stages: BTreeSet<_> = waiting.flat_map(|waiter| &waiter.stages).collect();
        stages.into_iter().copied().collect()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock()
    }
}

impl Queue {
    /// Notifies the first waiter that satisfies `is_meant` and has no pending notification.
    ///
    /// Waiters whose query is in progress come second: the query may have begun before
    /// the run was ready, so the notification makes them query again. A waiter with a
    /// pending notification needs no other, because its next query includes this run.
    fn notify(&mut self, is_meant: impl Fn(&Waiter) -> bool) {
        let first = |is_waiting: bool| {
            let mut queue = self.waiters.iter();
            queue
                .find(|(_, waiter)| {
                    waiter.is_waiting == is_waiting && !waiter.is_notified && is_meant(waiter)
                })
                .map(|(number, _)| *number)
        };
        let number = first(true).or_else(|| first(false));
        if let Some(waiter) = number.and_then(|number| self.waiters.get_mut(&number)) {
            waiter.is_notified = true;
            waiter.wakeup.notify_one();
        }
    }
}

/// The place of a claim in the queue. Dropping this value leaves the queue and passes a
/// notification on to the next waiter, unless the claim has queried after the
/// notification and found nothing.
#[derive(Debug)]
pub(crate) struct QueuePosition<'a> {
    claims: &'a WaitingClaims,
    number: u64,
    wakeup: Arc<Notify>,
    /// Whether the current query follows a notification.
    is_notified: bool,
    /// Taken by the first wait, and kept until the claim leaves.
    slot: Option<FairSlot>,
}

impl QueuePosition<'_> {
    /// Waits for a notification after a query that found nothing. Returns `true` after a
    /// notification, and `false` when the deadline has passed or the server stops.
    ///
    /// # Errors
    ///
    /// When too many claims are waiting.
    pub(crate) async fn was_notified_before(&mut self, until: Instant) -> Result<bool, ApiError> {
        self.is_notified = false;
        let Some(lost) = self.begin_wait(until)? else {
            return Ok(false);
        };
        let wait = timeout_at(until, self.wakeup.notified());
        let is_lost = tokio::select! {
            biased;
            _ = wait => false,
            () = lost => true,
        };
        let is_notified = self.end_wait();
        if is_lost {
            return Err(too_many_waiters());
        }
        Ok(is_notified)
    }

    /// Begins to wait; the future is ready when another caller takes the slot. `None` if there is
    /// no wait: the deadline has passed or the queue is closed.
    fn begin_wait(
        &mut self,
        until: Instant,
    ) -> Result<Option<impl Future<Output = ()> + use<>>, ApiError> {
        let mut queue = self.claims.queue();
        if queue.closed || until <= Instant::now() {
            return Ok(None);
        }
        let slot = match self.slot.take() {
            Some(slot) => slot,
            None => self.claims.slots.acquire().map_err(refused)?,
        };
        let lost = slot.lost();
        self.slot = Some(slot);
        if let Some(waiter) = queue.waiters.get_mut(&self.number) {
            waiter.is_waiting = true;
        }
        self.claims.wait_started.notify_one();
        Ok(Some(lost))
    }

    /// Whether a notification arrived and the queue is still open.
    fn end_wait(&mut self) -> bool {
        let mut queue = self.claims.queue();
        let is_open = !queue.closed;
        if let Some(waiter) = queue.waiters.get_mut(&self.number) {
            waiter.is_waiting = false;
            self.is_notified = std::mem::take(&mut waiter.is_notified);
        }
        self.is_notified && is_open
    }
}

impl Drop for QueuePosition<'_> {
    fn drop(&mut self) {
        let mut queue = self.claims.queue();
        let Some(waiter) = queue.waiters.remove(&self.number) else {
            return;
        };
        if self.is_notified || waiter.is_notified {
            queue.notify(|next| {
                let has_stage = |stage| next.stages.contains(stage);
                next.owner == waiter.owner && waiter.stages.iter().any(has_stage)
            });
        }
    }
}

fn refused(reason: NoSlot) -> ApiError {
    match reason {
        NoSlot::Full => too_many_waiters(),
        NoSlot::QuotaReached(max) => {
            let detail = format!("at most {max} claims of this caller may wait at once");
            ApiError::new(Code::QuotaExceeded, detail)
        }
    }
}

fn too_many_waiters() -> ApiError {
    let detail = "too many workers are waiting for work; try again";
    ApiError::new(Code::Overloaded, detail)
}

#[cfg(test)]
mod tests;
