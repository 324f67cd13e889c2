//! Where what happens meets those who watch.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_api::Code;
use lectern_db::Committed;
use lectern_domain::{JobEvent, JobId};
use tokio::sync::{Notify, watch};

use super::buffer::{Beyond, End, Offered, Ring};
use crate::http::error::ApiError;

/// All jobs of a server that are watched, and what is known of their events.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    topics: Mutex<Topics>,
    /// Calls for the poller: somebody watches, or something is missing.
    calls: Notify,
}

#[derive(Debug, Default)]
struct Topics {
    jobs: HashMap<JobId, Topic>,
    stopped: bool,
}

/// A job that is watched.
#[derive(Debug)]
struct Topic {
    ring: watch::Sender<Ring>,
    watchers: usize,
}

impl Hub {
    /// Begins to keep the events of a job, until the subscription is dropped.
    ///
    /// # Errors
    ///
    /// When the server stops.
    pub(crate) fn subscribe(self: &Arc<Self>, job_id: JobId) -> Result<Subscription, ApiError> {
        let mut topics = self.topics();
        if topics.stopped {
            let detail = "the server is shutting down";
            return Err(ApiError::new(Code::Overloaded, detail));
        }
        if topics.jobs.is_empty() {
            self.calls.notify_one();
        }
        let topic = topics.jobs.entry(job_id).or_insert_with(|| Topic {
            ring: watch::Sender::default(),
            watchers: 0,
        });
        topic.watchers += 1;
        Ok(Subscription {
            hub: Arc::clone(self),
            job_id,
            ring: topic.ring.subscribe(),
        })
    }

    /// Passes on what this process has just committed.
    pub(crate) fn tell(&self, committed: &Committed) {
        self.offer(&committed.events);
        self.end(&committed.deleted, End::Deleted);
    }

    /// Passes on events, those of one job in a row and in order, to those who
    /// watch and have not heard of them.
    pub(super) fn offer(&self, events: &[JobEvent]) {
        let topics = self.topics();
        for of_job in events.chunk_by(|one, next| one.job_id == next.job_id) {
            let Some(topic) = topics.jobs.get(&of_job[0].job_id) else {
                continue;
            };
            topic.ring.send_if_modified(|ring| {
                let mut any_new = false;
                for event in of_job {
                    match ring.offer(event) {
                        Offered::New => any_new = true,
                        Offered::Known => {}
                        Offered::Early => self.calls.notify_one(),
                    }
                }
                any_new
            });
        }
    }

    /// Tells the watchers of these jobs that there will be no more.
    pub(super) fn end(&self, jobs: &[JobId], end: End) {
        let topics = self.topics();
        for topic in jobs.iter().filter_map(|job_id| topics.jobs.get(job_id)) {
            topic.ring.send_modify(|ring| ring.end = Some(end));
        }
    }

    /// Sends everybody away, and whoever comes from now on.
    pub(crate) fn stop(&self) {
        let mut topics = self.topics();
        topics.stopped = true;
        for topic in topics.jobs.values() {
            topic
                .ring
                .send_modify(|ring| ring.end = Some(End::Stopping));
        }
    }

    /// The watched jobs, each with the number of the last event heard of.
    pub(super) fn cursors(&self) -> Vec<(JobId, i64)> {
        let topics = self.topics();
        let jobs = topics.jobs.iter();
        jobs.filter_map(|(job_id, topic)| Some((*job_id, topic.ring.borrow().last()?)))
            .collect()
    }

    /// Waits for a call for the poller. One that came while nobody waited is
    /// not lost.
    pub(super) async fn called(&self) {
        self.calls.notified().await;
    }

    /// Whether somebody watches.
    pub(super) fn is_watched(&self) -> bool {
        !self.topics().jobs.is_empty()
    }

    fn topics(&self) -> MutexGuard<'_, Topics> {
        // Nothing that panics is done under the lock.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events of one job as they happen, for one watcher.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    job_id: JobId,
    ring: watch::Receiver<Ring>,
}

impl Subscription {
    /// The job.
    pub(crate) fn job_id(&self) -> JobId {
        self.job_id
    }

    /// Takes note that the job has come to event `seq`.
    pub(crate) fn heard_of(&self, seq: i64) {
        if let Some(topic) = self.hub.topics().jobs.get(&self.job_id) {
            topic.ring.send_if_modified(|ring| {
                if ring.heard_of(seq) {
                    self.hub.calls.notify_one();
                }
                false
            });
        }
    }

    /// What comes after event `cursor` for a watcher who knows that the job has
    /// come to event `known` at least, and whether that is the end of it.
    pub(super) fn beyond(&mut self, cursor: i64, known: i64) -> (Beyond, Option<End>) {
        let ring = self.ring.borrow_and_update();
        (ring.beyond(cursor, known), ring.end)
    }

    /// Waits until something has changed since the last look.
    pub(super) async fn changed(&mut self) {
        if self.ring.changed().await.is_err() {
            // Cannot be: a job is forgotten only once nobody watches it.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until there is something after event `cursor`, or there will never
    /// be.
    pub(crate) async fn moved_beyond(&mut self, cursor: i64) {
        while let (Beyond::Nothing, None) = self.beyond(cursor, cursor) {
            self.changed().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Entry::Occupied(mut topic) = self.hub.topics().jobs.entry(self.job_id) {
            topic.get_mut().watchers -= 1;
            if topic.get().watchers == 0 {
                topic.remove();
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
    fn is_called(hub: &Hub) -> bool {
        let called = pin!(hub.called());
        called.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    fn count(subscription: &mut Subscription, cursor: i64) -> Option<usize> {
        match subscription.beyond(cursor, cursor).0 {
            Beyond::Nothing => Some(0),
            Beyond::These(messages) => Some(messages.len()),
            Beyond::Missed => None,
        }
    }

    #[test]
    fn a_job_is_kept_for_as_long_as_somebody_watches_it() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        hub.offer(&[event(job_id, 1)]);
        assert!(!hub.is_watched());
        let (one, other) = (
            hub.subscribe(job_id).unwrap(),
            hub.subscribe(job_id).unwrap(),
        );
        assert_eq!(hub.cursors(), [], "nobody has looked yet");
        one.heard_of(1);
        drop(one);
        assert_eq!(hub.cursors(), [(job_id, 1)]);
        drop(other);
        assert!(!hub.is_watched());
    }

    #[test]
    fn what_happens_while_somebody_looks_is_not_lost() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        hub.offer(&[event(job_id, 7), event(job_id, 8)]);
        // The look was at a time before these.
        subscription.heard_of(6);
        assert_eq!(count(&mut subscription, 6), Some(2));
        // Or so long before that others are missing.
        assert_eq!(count(&mut subscription, 5), None);
    }

    #[test]
    fn the_poller_is_called_when_somebody_comes_and_when_something_is_missing() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        assert!(is_called(&hub));
        let _second = hub.subscribe(job_id).unwrap();
        subscription.heard_of(3);
        hub.offer(&[event(job_id, 4), event(JobId::new(&SystemClock), 9)]);
        assert!(!is_called(&hub));
        hub.offer(&[event(job_id, 6)]);
        assert!(is_called(&hub), "5 is missing");
        assert_eq!(count(&mut subscription, 3), Some(1));
        hub.offer(&[event(job_id, 5), event(job_id, 6)]);
        assert_eq!(count(&mut subscription, 3), Some(3));
        subscription.heard_of(7);
        assert!(is_called(&hub), "7 is missing");
    }

    #[test]
    fn nobody_is_let_in_when_the_server_stops() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        hub.stop();
        assert_eq!(subscription.beyond(0, 0).1, Some(End::Stopping));
        assert!(hub.subscribe(job_id).is_err());
    }
}
