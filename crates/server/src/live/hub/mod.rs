//! Distributes events to the watchers of their jobs.

pub(super) mod buffer;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use lectern_api::Code;
use lectern_db::Committed;
use lectern_domain::{JobEvent, JobId};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use self::buffer::{EventBuffer, EventsAfter, OfferOutcome, StreamEnd};
use crate::http::error::ApiError;

/// The watched jobs of a server, with their recent events.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    /// Wakes the poller when the first watcher subscribes and when a buffer lacks an
    /// event.
    poll_requests: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The jobs with watchers.
    jobs: HashMap<JobId, WatchedJob>,
    stopped: bool,
}

#[derive(Debug)]
struct WatchedJob {
    buffer: watch::Sender<EventBuffer>,
    watchers: usize,
}

impl Hub {
    /// Subscribes to a job. The hub buffers the events of a job that has a
    /// subscription.
    ///
    /// # Errors
    ///
    /// When the server stops.
    pub(crate) fn subscribe(self: &Arc<Self>, job_id: JobId) -> Result<Subscription, ApiError> {
        let mut state = self.state.lock();
        if state.stopped {
            let detail = "the server is shutting down";
            return Err(ApiError::new(Code::Overloaded, detail));
        }
        if state.jobs.is_empty() {
            self.poll_requests.notify_one();
        }
        let job = state.jobs.entry(job_id).or_insert_with(|| WatchedJob {
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

    /// Publishes the events and deletions of a commit of this process.
    pub(crate) fn publish_commit(&self, committed: &Committed) {
        self.publish(&committed.events);
        self.end_streams(&committed.deleted, StreamEnd::Deleted);
    }

    /// Appends events to the buffers of their jobs and wakes the watchers of these
    /// jobs. Skips events that a buffer holds already. Events of one job must be
    /// adjacent and in order.
    pub(super) fn publish(&self, events: &[JobEvent]) {
        let state = self.state.lock();
        for events_of_job in events.chunk_by(|one, next| one.job_id == next.job_id) {
            let Some(job) = state.jobs.get(&events_of_job[0].job_id) else {
                continue;
            };
            job.buffer.send_if_modified(|buffer| {
                let mut any_new = false;
                for event in events_of_job {
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

    pub(super) fn end_streams(&self, jobs: &[JobId], end: StreamEnd) {
        let state = self.state.lock();
        for job in jobs.iter().filter_map(|job_id| state.jobs.get(job_id)) {
            job.buffer.send_modify(|buffer| buffer.end = Some(end));
        }
    }

    /// Ends all streams and refuses new subscriptions.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.stopped = true;
        for job in state.jobs.values() {
            job.buffer
                .send_modify(|buffer| buffer.end = Some(StreamEnd::Stopping));
        }
    }

    /// The watched jobs, each with its last known sequence number. Omits jobs without
    /// a known sequence number.
    pub(super) fn last_seqs(&self) -> Vec<(JobId, i64)> {
        let state = self.state.lock();
        let jobs = state.jobs.iter();
        jobs.filter_map(|(job_id, job)| Some((*job_id, job.buffer.borrow().last_seq()?)))
            .collect()
    }

    /// Waits until a poll is requested; returns at once if a poll was requested since
    /// the last call.
    pub(super) async fn poll_requested(&self) {
        self.poll_requests.notified().await;
    }

    pub(super) fn is_watched(&self) -> bool {
        !self.state.lock().jobs.is_empty()
    }
}

/// One watcher's subscription to the events of a job.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    job_id: JobId,
    buffer: watch::Receiver<EventBuffer>,
}

impl Subscription {
    pub(crate) fn job_id(&self) -> JobId {
        self.job_id
    }

    /// Reports that the job's last event in the database has the number `seq` or more. A
    /// new buffer starts after `seq`. If a buffer that started earlier lacks an event up
    /// to `seq`, a poll is requested.
    pub(crate) fn report_reached(&self, seq: i64) {
        if let Some(job) = self.hub.state.lock().jobs.get(&self.job_id) {
            job.buffer.send_if_modified(|buffer| {
                buffer.start_after(seq);
                if buffer.is_behind(seq) {
                    self.hub.poll_requests.notify_one();
                }
                // The buffer has no new event, so no watcher is woken.
                false
            });
        }
    }

    /// The events after `cursor`, and why the stream has ended, if it has.
    /// `reached_seq` is the last event that the caller knows to exist.
    pub(super) fn events_after(
        &mut self,
        cursor: i64,
        reached_seq: i64,
    ) -> (EventsAfter, Option<StreamEnd>) {
        let buffer = self.buffer.borrow_and_update();
        (buffer.events_after(cursor, reached_seq), buffer.end)
    }

    /// Waits until the buffer has changed since it was last read.
    pub(super) async fn changed(&mut self) {
        if self.buffer.changed().await.is_err() {
            // Unreachable: the hub keeps the sender while there is a
            // subscription.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the job has an event after `cursor` or the stream ends. Event
    /// `cursor` must exist.
    pub(crate) async fn wait_for_event_after(&mut self, cursor: i64) {
        let reached_seq = cursor;
        while let (EventsAfter::UpToDate, None) = self.events_after(cursor, reached_seq) {
            self.changed().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Entry::Occupied(mut job) = self.hub.state.lock().jobs.entry(self.job_id) {
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

    /// Whether a poll was requested since the last call.
    fn poll_is_requested(hub: &Hub) -> bool {
        let poll_requested = pin!(hub.poll_requested());
        poll_requested.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    /// The number of events after `cursor`; `None` when the buffer lacks one of them.
    fn count_after(subscription: &mut Subscription, cursor: i64) -> Option<usize> {
        match subscription.events_after(cursor, cursor).0 {
            EventsAfter::UpToDate => Some(0),
            EventsAfter::Messages(messages) => Some(messages.len()),
            EventsAfter::Missed => None,
        }
    }

    #[test]
    fn a_job_is_kept_while_it_has_watchers() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        hub.publish(&[event(job_id, 1)]);
        assert!(!hub.is_watched());
        let (first, second) = (
            hub.subscribe(job_id).unwrap(),
            hub.subscribe(job_id).unwrap(),
        );
        assert_eq!(hub.last_seqs(), [], "no sequence number is known yet");
        first.report_reached(1);
        drop(first);
        assert_eq!(hub.last_seqs(), [(job_id, 1)]);
        drop(second);
        assert!(!hub.is_watched());
    }

    #[test]
    fn events_during_a_read_are_not_lost() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        hub.publish(&[event(job_id, 7), event(job_id, 8)]);
        // The read began before these events were committed and found event 6.
        subscription.report_reached(6);
        assert_eq!(count_after(&mut subscription, 6), Some(2));
        // A watcher at event 5 lacks event 6, which the buffer does not hold.
        assert_eq!(count_after(&mut subscription, 5), None);
    }

    #[test]
    fn a_poll_is_requested_by_the_first_watcher_and_by_a_missing_event() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        assert!(poll_is_requested(&hub));
        let _second = hub.subscribe(job_id).unwrap();
        subscription.report_reached(3);
        hub.publish(&[event(job_id, 4), event(JobId::new(&SystemClock), 9)]);
        assert!(!poll_is_requested(&hub));
        hub.publish(&[event(job_id, 6)]);
        assert!(poll_is_requested(&hub), "5 is missing");
        assert_eq!(count_after(&mut subscription, 3), Some(1));
        hub.publish(&[event(job_id, 5), event(job_id, 6)]);
        assert_eq!(count_after(&mut subscription, 3), Some(3));
        subscription.report_reached(7);
        assert!(poll_is_requested(&hub), "7 is missing");
    }

    #[test]
    fn subscriptions_are_refused_when_the_server_stops() {
        let (hub, job_id) = (Arc::new(Hub::default()), JobId::new(&SystemClock));
        let mut subscription = hub.subscribe(job_id).unwrap();
        hub.close();
        assert_eq!(subscription.events_after(0, 0).1, Some(StreamEnd::Stopping));
        assert!(hub.subscribe(job_id).is_err());
    }
}
