//! Where what happens meets those who watch.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_api::Code;
use lectern_db::Committed;
use lectern_domain::{JobEvent, JobId};
use tokio::sync::{Notify, watch};

use super::buffer::{EventBuffer, EventsAfter, OfferOutcome, StreamEnd};
use crate::http::error::ApiError;

/// All jobs of a server that are watched, and what is known of their events.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    watched: Mutex<WatchedJobs>,
    /// Calls for the poller: somebody watches, or something is missing.
    poll_requests: Notify,
}

#[derive(Debug, Default)]
struct WatchedJobs {
    jobs: HashMap<JobId, WatchedJob>,
    stopped: bool,
}

/// A job that is watched.
#[derive(Debug)]
struct WatchedJob {
    buffer: watch::Sender<EventBuffer>,
    watchers: usize,
}

impl Hub {
    /// Begins to keep the events of a job, until the subscription is dropped.
    ///
    /// # Errors
    ///
    /// When the server stops.
    pub(crate) fn subscribe(self: &Arc<Self>, job_id: JobId) -> Result<Subscription, ApiError> {
        let mut watched = self.watched();
        if watched.stopped {
            let detail = "the server is shutting down";
            return Err(ApiError::new(Code::Overloaded, detail));
        }
        if watched.jobs.is_empty() {
            self.poll_requests.notify_one();
        }
        let job = watched.jobs.entry(job_id).or_insert_with(|| WatchedJob {
            buffer: watch::Sender::default(),
            watchers: 0,
        });
        job.watchers += 1;
        Ok(Subscription {
            hub: Arc::clone(self),
            job_id,
            buffer: job.buffer.subscribe(),
        })
    }

    /// Passes on what this process has just committed.
    pub(crate) fn publish_commit(&self, committed: &Committed) {
        self.publish(&committed.events);
        self.end(&committed.deleted, StreamEnd::Deleted);
    }

    /// Passes on events, those of one job in a row and in order, to those who
    /// watch and have not heard of them.
    pub(super) fn publish(&self, events: &[JobEvent]) {
        let watched = self.watched();
        for rows_of_job in events.chunk_by(|one, next| one.job_id == next.job_id) {
            let Some(job) = watched.jobs.get(&rows_of_job[0].job_id) else {
                continue;
            };
            job.buffer.send_if_modified(|buffer| {
                let mut any_new = false;
                for event in rows_of_job {
                    match buffer.offer(event) {
                        OfferOutcome::Appended => any_new = true,
                        OfferOutcome::Duplicate => {}
                        OfferOutcome::Gap => self.poll_requests.notify_one(),
                    }
                }
                any_new
            });
        }
    }

    /// Tells the watchers of these jobs that there will be no more.
    pub(super) fn end(&self, jobs: &[JobId], end: StreamEnd) {
        let watched = self.watched();
        for job in jobs.iter().filter_map(|job_id| watched.jobs.get(job_id)) {
            job.buffer.send_modify(|buffer| buffer.end = Some(end));
        }
    }

    /// Sends everybody away, and whoever comes from now on.
    pub(crate) fn close(&self) {
        let mut watched = self.watched();
        watched.stopped = true;
        for job in watched.jobs.values() {
            job.buffer
                .send_modify(|buffer| buffer.end = Some(StreamEnd::Stopping));
        }
    }

    /// The watched jobs, each with the number of the last event heard of.
    pub(super) fn cursors(&self) -> Vec<(JobId, i64)> {
        let watched = self.watched();
        let jobs = watched.jobs.iter();
        jobs.filter_map(|(job_id, job)| Some((*job_id, job.buffer.borrow().last()?)))
            .collect()
    }

    /// Waits for a call for the poller. One that came while nobody waited is
    /// not lost.
    pub(super) async fn poll_requested(&self) {
        self.poll_requests.notified().await;
    }

    /// Whether somebody watches.
    pub(super) fn is_watched(&self) -> bool {
        !self.watched().jobs.is_empty()
    }

    fn watched(&self) -> MutexGuard<'_, WatchedJobs> {
        // Nothing that panics is done under the lock.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events of one job as they happen, for one watcher.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    job_id: JobId,
    buffer: watch::Receiver<EventBuffer>,
}

impl Subscription {
    /// The job.
    pub(crate) fn job_id(&self) -> JobId {
        self.job_id
    }

    /// Takes note that the job has come to event `seq`.
    pub(crate) fn note_seq(&self, seq: i64) {
        if let Some(job) = self.hub.watched().jobs.get(&self.job_id) {
            job.buffer.send_if_modified(|buffer| {
                if buffer.note_seq(seq) {
                    self.hub.poll_requests.notify_one();
                }
                false
            });
        }
    }

    /// What comes after event `cursor` for a watcher who knows that the job has
    /// come to event `known` at least, and whether that is the end of it.
    pub(super) fn after(&mut self, cursor: i64, known: i64) -> (EventsAfter, Option<StreamEnd>) {
        let buffer = self.buffer.borrow_and_update();
        (buffer.after(cursor, known), buffer.end)
    }

    /// Waits until something has changed since the last look.
    pub(super) async fn changed(&mut self) {
        if self.buffer.changed().await.is_err() {
            // Cannot be: a job is forgotten only once nobody watches it.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until there is something after event `cursor`, or there will never
    /// be.
    pub(crate) async fn wait_for_event_after(&mut self, cursor: i64) {
        while let (EventsAfter::UpToDate, None) = self.after(cursor, cursor) {
            self.changed().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Entry::Occupied(mut job) = self.hub.watched().jobs.entry(self.job_id) {
            job.get_mut().watchers -= 1;
            if job.get().watchers == 0 {
                job.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use chrono::DateTime;
    use lectern_domain::{Event, JobState, JobStatus, SystemClock};

    use super::*;

    fn event(job_id: JobId, seq: i64) -> JobEvent {
        JobEvent {
            job_id,
            seq,
            event: Event::Progress(JobState {
                status: JobStatus::Running,
                progress: None,
                error_message: None,
            }),
            at: DateTime::UNIX_EPOCH,
        }
    }

    /// Whether the poller was called since the last time.
    fn poll_is_requested(hub: &Hub) -> bool {
        let poll_requested = pin!(hub.poll_requested());
        poll_requested.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    fn count(subscription: &mut Subscription, cursor: i64) -> Option<usize> {
        match subscription.after(cursor, cursor).0 {
            EventsAfter::UpToDate => Some(0),
            EventsAfter::Messages(messages) => Some(messages.len()),
            EventsAfter::Missed => None,
        }
    }

    #[test]
    fn a_job_is_kept_for_as_long_as_somebody_watches_it() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        hub.publish(&[event(job_id, 1)]);
        assert!(!hub.is_watched());
        let (one, other) = (
            hub.subscribe(job_id).unwrap(),
            hub.subscribe(job_id).unwrap(),
        );
        assert_eq!(hub.cursors(), [], "nobody has looked yet");
        one.note_seq(1);
        drop(one);
        assert_eq!(hub.cursors(), [(job_id, 1)]);
        drop(other);
        assert!(!hub.is_watched());
    }

    #[test]
    fn what_happens_while_somebody_looks_is_not_lost() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        hub.publish(&[event(job_id, 7), event(job_id, 8)]);
        // The look was at a time before these.
        subscription.note_seq(6);
        assert_eq!(count(&mut subscription, 6), Some(2));
        // Or so long before that others are missing.
        assert_eq!(count(&mut subscription, 5), None);
    }

    #[test]
    fn the_poller_is_called_when_somebody_comes_and_when_something_is_missing() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        assert!(poll_is_requested(&hub));
        let _second = hub.subscribe(job_id).unwrap();
        subscription.note_seq(3);
        hub.publish(&[event(job_id, 4), event(JobId::new(&SystemClock), 9)]);
        assert!(!poll_is_requested(&hub));
        hub.publish(&[event(job_id, 6)]);
        assert!(poll_is_requested(&hub), "5 is missing");
        assert_eq!(count(&mut subscription, 3), Some(1));
        hub.publish(&[event(job_id, 5), event(job_id, 6)]);
        assert_eq!(count(&mut subscription, 3), Some(3));
        subscription.note_seq(7);
        assert!(poll_is_requested(&hub), "7 is missing");
    }

    #[test]
    fn nobody_is_let_in_when_the_server_stops() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        hub.close();
        assert_eq!(subscription.after(0, 0).1, Some(StreamEnd::Stopping));
        assert!(hub.subscribe(job_id).is_err());
    }
}
