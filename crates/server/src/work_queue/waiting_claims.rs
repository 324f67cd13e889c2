//! The board where workers wait for something to do.
//!
//! Waiting costs neither a thread nor a connection. Whoever waits has looked
//! once and found nothing, and then stands in line until somebody tells that a
//! run of a wanted stage has become ready: a commit of this process, at once,
//! or [`watch`], which asks the database for all who wait about what other
//! processes, expired leases and the end of a back-off have made ready.
//!
//! Word of a run goes to one waiter, the first in line who wants it. Whoever
//! finds something passes the word on, for there may be more; so does whoever
//! leaves without having looked. Who finds nothing keeps the place in line. So
//! no word is lost, and each costs at most one look in vain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_api::Code;
use lectern_domain::Stage;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::http::error::ApiError;

/// Everybody who waits, on all threads of a server.
#[derive(Debug)]
pub(crate) struct WaitingClaims {
    queue: Mutex<Queue>,
    /// How many may wait at once.
    max_waiters: usize,
    /// Tells [`watch`](super::poller::watch) that somebody waits.
    pub(super) has_waiters: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// By the number of their arrival.
    waiters: BTreeMap<u64, Waiter>,
    arrivals: u64,
    closed: bool,
}

#[derive(Debug)]
struct Waiter {
    stages: Vec<Stage>,
    /// Whether it waits for word, rather than looking for a run right now.
    is_waiting: bool,
    /// Whether it has had word and not looked since.
    is_notified: bool,
    wakeup: Arc<Notify>,
}

impl WaitingClaims {
    /// A board with room for so many.
    pub(crate) fn new(max_waiters: usize) -> Self {
        Self {
            queue: Mutex::default(),
            max_waiters,
            has_waiters: Notify::new(),
        }
    }

    /// Gives a place at the end of the line to somebody who is about to look
    /// for a run of one of these stages.
    pub(crate) fn join(&self, stages: &[Stage]) -> QueuePosition<'_> {
        let mut queue = self.queue();
        queue.arrivals += 1;
        let (number, wakeup) = (queue.arrivals, Arc::new(Notify::new()));
        let waiter = Waiter {
            stages: stages.to_vec(),
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
        }
    }

    /// Passes on word that runs of these stages have become ready: a stage
    /// named twice reaches two who want it.
    pub(crate) fn notify(&self, ready: &[Stage]) {
        let mut queue = self.queue();
        for stage in ready {
            queue.notify(|wanted_stages| wanted_stages.contains(stage));
        }
    }

    /// Sends everybody home, for good.
    pub(crate) fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        for waiter in queue.waiters.values() {
            waiter.wakeup.notify_one();
        }
    }

    /// What those who wait for word want.
    pub(super) fn wanted_stages(&self) -> Vec<Stage> {
        let queue = self.queue();
        let resting = queue.waiters.values().filter(|waiter| waiter.is_waiting);
        let stages: BTreeSet<_> = resting.flat_map(|waiter| &waiter.stages).collect();
        stages.into_iter().copied().collect()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that panics is done under the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Tells the first whose stages are wanted and who has had no word yet. One
    /// who is looking just now may have looked too early, and will look again
    /// when nobody else is free. Who has had word has not looked since, and
    /// will find this run as well.
    fn notify(&mut self, is_wanted: impl Fn(&[Stage]) -> bool) {
        let first = |is_waiting: bool| {
            let mut queue = self.waiters.iter();
            queue
                .find(|(_, waiter)| {
                    waiter.is_waiting == is_waiting
                        && !waiter.is_notified
                        && is_wanted(&waiter.stages)
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

/// A place in line. Dropping it leaves the line, and passes word on that came
/// and was not found to be in vain.
#[derive(Debug)]
pub(crate) struct QueuePosition<'b> {
    claims: &'b WaitingClaims,
    number: u64,
    wakeup: Arc<Notify>,
    /// Whether what is being looked for was told of.
    is_notified: bool,
}

impl QueuePosition<'_> {
    /// Waits for word after a look in vain; `false` when the time is over or
    /// the server stops.
    ///
    /// # Errors
    ///
    /// When the line is too long.
    pub(crate) async fn wait(&mut self, until: Instant) -> Result<bool, ApiError> {
        self.is_notified = false;
        if !self.begin_wait(until)? {
            return Ok(false);
        }
        let _: Result<(), _> = timeout_at(until, self.wakeup.notified()).await;
        Ok(self.end_wait())
    }

    /// `false` when there is no use in waiting.
    fn begin_wait(&self, until: Instant) -> Result<bool, ApiError> {
        let mut queue = self.claims.queue();
        if queue.closed || until <= Instant::now() {
            return Ok(false);
        }
        // Nobody comes in between, so who has room once has it until the end.
        if queue.waiters.range(..self.number).count() >= self.claims.max_waiters {
            return Err(ApiError::new(
                Code::Overloaded,
                "too many are waiting for work; try again",
            ));
        }
        if let Some(waiter) = queue.waiters.get_mut(&self.number) {
            waiter.is_waiting = true;
        }
        self.claims.has_waiters.notify_one();
        Ok(true)
    }

    /// Whether there was word.
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
            queue.notify(|wanted_stages| {
                waiter
                    .stages
                    .iter()
                    .any(|stage| wanted_stages.contains(stage))
            });
        }
    }
}

#[cfg(test)]
mod tests;
