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
pub(crate) struct Board {
    line: Mutex<Line>,
    /// How many may wait at once.
    room: usize,
    /// Tells [`watch`](super::poller::watch) that somebody waits.
    pub(super) occupied: Notify,
}

#[derive(Debug, Default)]
struct Line {
    /// By the number of their arrival.
    waiters: BTreeMap<u64, Waiter>,
    arrivals: u64,
    closed: bool,
}

#[derive(Debug)]
struct Waiter {
    stages: Vec<Stage>,
    /// Whether it waits for word, rather than looking for a run right now.
    rests: bool,
    /// Whether it has had word and not looked since.
    told: bool,
    call: Arc<Notify>,
}

impl Board {
    /// A board with room for so many.
    pub(crate) fn new(room: usize) -> Self {
        Self {
            line: Mutex::default(),
            room,
            occupied: Notify::new(),
        }
    }

    /// Gives a place at the end of the line to somebody who is about to look
    /// for a run of one of these stages.
    pub(crate) fn enter(&self, stages: &[Stage]) -> Place<'_> {
        let mut line = self.line();
        line.arrivals += 1;
        let (number, call) = (line.arrivals, Arc::new(Notify::new()));
        let waiter = Waiter {
            stages: stages.to_vec(),
            rests: false,
            told: false,
            call: Arc::clone(&call),
        };
        line.waiters.insert(number, waiter);
        Place {
            board: self,
            number,
            call,
            told: false,
        }
    }

    /// Passes on word that runs of these stages have become ready: a stage
    /// named twice reaches two who want it.
    pub(crate) fn tell(&self, ready: &[Stage]) {
        let mut line = self.line();
        for stage in ready {
            line.tell(|wanted| wanted.contains(stage));
        }
    }

    /// Sends everybody home, for good.
    pub(crate) fn close(&self) {
        let mut line = self.line();
        line.closed = true;
        for waiter in line.waiters.values() {
            waiter.call.notify_one();
        }
    }

    /// What those who wait for word want.
    pub(super) fn wanted(&self) -> Vec<Stage> {
        let line = self.line();
        let resting = line.waiters.values().filter(|waiter| waiter.rests);
        let stages: BTreeSet<_> = resting.flat_map(|waiter| &waiter.stages).collect();
        stages.into_iter().copied().collect()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // Nothing that panics is done under the lock.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Tells the first whose stages are wanted and who has had no word yet. One
    /// who is looking just now may have looked too early, and will look again
    /// when nobody else is free. Who has had word has not looked since, and
    /// will find this run as well.
    fn tell(&mut self, is_wanted: impl Fn(&[Stage]) -> bool) {
        let first = |rests: bool| {
            let mut line = self.waiters.iter();
            line.find(|(_, waiter)| {
                waiter.rests == rests && !waiter.told && is_wanted(&waiter.stages)
            })
            .map(|(number, _)| *number)
        };
        let number = first(true).or_else(|| first(false));
        if let Some(waiter) = number.and_then(|number| self.waiters.get_mut(&number)) {
            waiter.told = true;
            waiter.call.notify_one();
        }
    }
}

/// A place in line. Dropping it leaves the line, and passes word on that came
/// and was not found to be in vain.
#[derive(Debug)]
pub(crate) struct Place<'b> {
    board: &'b Board,
    number: u64,
    call: Arc<Notify>,
    /// Whether what is being looked for was told of.
    told: bool,
}

impl Place<'_> {
    /// Waits for word after a look in vain; `false` when the time is over or
    /// the server stops.
    ///
    /// # Errors
    ///
    /// When the line is too long.
    pub(crate) async fn rest(&mut self, until: Instant) -> Result<bool, ApiError> {
        self.told = false;
        if !self.sit_down(until)? {
            return Ok(false);
        }
        let _: Result<(), _> = timeout_at(until, self.call.notified()).await;
        Ok(self.get_up())
    }

    /// `false` when there is no use in waiting.
    fn sit_down(&self, until: Instant) -> Result<bool, ApiError> {
        let mut line = self.board.line();
        if line.closed || until <= Instant::now() {
            return Ok(false);
        }
        // Nobody comes in between, so who has room once has it until the end.
        if line.waiters.range(..self.number).count() >= self.board.room {
            return Err(ApiError::new(
                Code::Overloaded,
                "too many are waiting for work; try again",
            ));
        }
        if let Some(waiter) = line.waiters.get_mut(&self.number) {
            waiter.rests = true;
        }
        self.board.occupied.notify_one();
        Ok(true)
    }

    /// Whether there was word.
    fn get_up(&mut self) -> bool {
        let mut line = self.board.line();
        let is_open = !line.closed;
        if let Some(waiter) = line.waiters.get_mut(&self.number) {
            waiter.rests = false;
            self.told = std::mem::take(&mut waiter.told);
        }
        self.told && is_open
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut line = self.board.line();
        let Some(waiter) = line.waiters.remove(&self.number) else {
            return;
        };
        if self.told || waiter.told {
            line.tell(|wanted| waiter.stages.iter().any(|stage| wanted.contains(stage)));
        }
    }
}

#[cfg(test)]
mod tests;
