//! Reads the events that a new or late watcher has missed.

use chrono::{DateTime, Utc};
use lectern_api::{EventsResponse, WsMessage};
use lectern_db::{Error, Reader};
use lectern_domain::{Job, JobEvent, JobId};

use super::message::Message;

/// Upper bound of events per query.
const MAX_EVENTS: usize = 100;

/// A job and the events that a watcher of the job has missed.
#[derive(Debug)]
pub(crate) struct CatchUp {
    job: Job,
    /// `None`: the watcher needs a snapshot.
    events: Option<Vec<JobEvent>>,
}

impl CatchUp {
    /// Reads the events after event `after`; `None` when the job does not exist.
    /// The watcher needs a snapshot when `after` is `None`, when some of the events
    /// were pruned, or when `after` is beyond the job's last event.
    pub(crate) fn read(
        conn: &mut Reader<'_>,
        job_id: JobId,
        after: Option<i64>,
    ) -> Result<Option<Self>, Error> {
        // The job is read first: if the job changes before the second query, the events
        // may go beyond `job.last_seq` but have no gap.
        let Some(job) = conn.jobs().find(job_id)? else {
            return Ok(None);
        };
        let events = match after {
            Some(after) if after == job.last_seq => Some(Vec::new()),
            Some(after) if after < job.last_seq => {
                let events = conn.job_events().after(job_id, after, MAX_EVENTS)?;
                let is_next = |event: &JobEvent| event.seq == after + 1;
                events.first().is_some_and(is_next).then_some(events)
            }
            _ => None,
        };
        Ok(Some(Self { job, events }))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether the job has ended; only a retry can continue it.
    pub(crate) fn is_finished(&self) -> bool {
        self.job.status.is_finished()
    }

    /// Sequence number of the job's last event.
    pub(crate) fn last_seq(&self) -> i64 {
        let last = self.events.as_ref().and_then(|events| events.last());
        last.map_or(self.job.last_seq, |event| event.seq.max(self.job.last_seq))
    }

    /// The messages for a watcher.
    pub(super) fn messages(self, now: DateTime<Utc>) -> Vec<Message> {
        match self.events {
            Some(events) => events.into_iter().map(Message::event).collect(),
            None => vec![Message::snapshot(self.job, now)],
        }
    }

    /// The response for a client that polls.
    pub(crate) fn page(self, now: DateTime<Utc>) -> EventsResponse {
        let (job_id, last_seq) = (self.job.job_id, self.last_seq());
        let events = match self.events {
            Some(events) => events.into_iter().map(WsMessage::from).collect(),
            None => vec![WsMessage::snapshot(self.job, now)],
        };
        EventsResponse {
            job_id,
            events,
            last_seq,
        }
    }
}
