//! The events of all jobs, for clients that follow everything.
//!
//! The order of the events is decided by the database, so a follower always reads them from
//! there. What is shared is the wait: one poller looks for the last event on behalf of all
//! followers, and wakes them when it is another one.

use std::time::Duration;

use lectern_api::Code;
use lectern_db::Committed;
use lectern_domain::{EventPage, EventPosition};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::database::failure_log::FailureLog;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;

/// Time between two looks for commits of other processes, and for events that were held
/// back by an earlier transaction.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Lower bound of the time between two looks, however many commits this process makes.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Pause after a read that failed.
pub(super) const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Wakes the followers of the events of all jobs.
#[derive(Debug)]
pub(crate) struct Feed {
    state: watch::Sender<FeedState>,
    /// Wakes the poller at a commit of this process and at the first follower.
    poll_requests: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FeedState {
    /// The position after the last known event.
    last: Option<EventPosition>,
    is_stopped: bool,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(FeedState {
                last: None,
                is_stopped: false,
            }),
            poll_requests: Notify::new(),
        }
    }
}

impl Feed {
    /// Requests a poll after a commit of this process with events or deletions.
    pub(crate) fn publish_commit(&self, committed: &Committed) {
        if !committed.events.is_empty() || !committed.deleted.is_empty() {
            self.poll_requests.notify_one();
        }
    }

    /// Ends all streams and waits, and refuses new ones.
    pub(crate) fn close(&self) {
        self.state.send_modify(|state| state.is_stopped = true);
    }

    /// Subscribes to the feed.
    ///
    /// # Errors
    ///
    /// When the server stops.
    pub(crate) fn follow(
        &self,
        db: &DatabaseHandle,
        after: Option<EventPosition>,
    ) -> Result<Follower, ApiError> {
        let state = self.state.subscribe();
        if state.borrow().is_stopped {
            let detail = "the server is shutting down";
            return Err(ApiError::new(Code::Overloaded, detail));
        }
        self.poll_requests.notify_one();
        Ok(Follower {
            state,
            db: db.clone(),
            after,
        })
    }
}

/// Looks for the last event on behalf of all followers: every [`POLL_INTERVAL`], sooner
/// after a commit of this process, and not at all without followers. Never returns.
pub(crate) async fn poll_feed(feed: &Feed, db: &DatabaseHandle) {
    let mut failures = FailureLog::new("looking for new events of all jobs");
    loop {
        while feed.state.is_closed() {
            feed.poll_requests.notified().await;
        }
        let started = Instant::now();
        let last = db.read(|conn| Ok(conn.job_events().last_position()?), |last| last);
        if let Some(last) = failures.record(last.await) {
            feed.state.send_if_modified(|state| {
                let is_new = state.last != Some(last);
                state.last = Some(last);
                is_new
            });
        }
        let poll_request = feed.poll_requests.notified();
        let _: Result<(), _> = timeout_at(started + POLL_INTERVAL, poll_request).await;
        sleep_until(started + MIN_POLL_INTERVAL).await;
    }
}

/// A client's position in the events of all jobs.
#[derive(Debug)]
pub(crate) struct Follower {
    state: watch::Receiver<FeedState>,
    db: DatabaseHandle,
    /// `None`: before the oldest event.
    after: Option<EventPosition>,
}

impl Follower {
    /// Waits until there are events after the position, and advances it past them; `None`
    /// when the server stops. Cancel-safe: dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When the position has expired, or the database does not respond.
    pub(crate) async fn next(&mut self, limit: usize) -> Result<Option<EventPage>, ApiError> {
        loop {
            // Marks the state as seen before the read, so that an event that is found
            // after the read ends the wait.
            if self.state.borrow_and_update().is_stopped {
                return Ok(None);
            }
            let page = read(&self.db, self.after, limit).await?;
            let has_advanced = Some(page.next) != self.after;
            self.after = Some(page.next);
            if !page.events.is_empty() {
                return Ok(Some(page));
            }
            // All of the events were unreadable, or there was no position yet.
            if !has_advanced && self.state.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// The position after the last event that was returned; `None` if none was read yet.
    pub(crate) fn position(&self) -> Option<EventPosition> {
        self.after
    }
}

/// Reads a page of the events of all jobs.
pub(crate) async fn read(
    db: &DatabaseHandle,
    after: Option<EventPosition>,
    limit: usize,
) -> Result<EventPage, ApiError> {
    db.read(
        move |conn| Ok(conn.job_events().of_all_jobs(after, limit)?),
        |page| page,
    )
    .await
}
