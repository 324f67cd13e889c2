//! What the database tells one who begins to watch, or has fallen behind.

use chrono::{DateTime, Utc};
use lectern_api::{EventsResponse, WsMessage};
use lectern_db::{Error, Reader};
use lectern_domain::{Job, JobEvent, JobId};

use super::message::Message;

/// How many events are read at once.
const MAX_EVENTS: usize = 100;

/// A job and those of its events that were asked for.
#[derive(Debug)]
pub(crate) struct CatchUp {
    job: Job,
    /// `None`: it has to begin with a snapshot.
    events: Option<Vec<JobEvent>>,
}

impl CatchUp {
    /// Looks for what comes after event `after`; `None` when there is no such
    /// job. Without `after`, and when some of it is not kept any more, and when
    /// there never was such an event, it begins with a snapshot.
    pub(crate) fn read(
        conn: &mut Reader<'_>,
        job_id: JobId,
        after: Option<i64>,
    ) -> Result<Option<Self>, Error> {
        // The job comes first: the events may be ahead of it, never behind.
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

    /// Whether there is nothing new.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether nothing more will happen to the job by itself.
    pub(crate) fn is_finished(&self) -> bool {
        self.job.status.is_finished()
    }

    /// Number of the last event of the job.
    pub(crate) fn last_seq(&self) -> i64 {
        let last = self.events.as_ref().and_then(|events| events.last());
        last.map_or(self.job.last_seq, |event| event.seq.max(self.job.last_seq))
    }

    /// What there is to tell, ready to be sent.
    pub(super) fn messages(self, now: DateTime<Utc>) -> Vec<Message> {
        match self.events {
            Some(events) => events.into_iter().map(Message::event).collect(),
            None => vec![Message::snapshot(self.job, now)],
        }
    }

    /// The same as a page.
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
