//! Numbered events for subscribers: the table `job_events`.

use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use lectern_domain::{
    Event, Job, JobEvent, JobId, JobStatus, LogEntry, LogEntryId, NewLogEntry, json_memory,
};
use serde_json::Value;

use crate::connection::{Conn, ReadWrite, each_row, on_either};
use crate::dialect;
use crate::error::{Doing, Error};
use crate::schema::{job_events, jobs};
use crate::sql::page::row_count;
use crate::sql::row::RowDecoder;
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{Id, Jsonb, Timestamptz, Uuid};

/// A row of `job_events`. `QueryableByName` is for a query written as SQL text.
#[derive(Queryable, QueryableByName)]
pub(crate) struct EventRow {
    #[diesel(sql_type = Uuid)]
    job_id: Id<JobId>,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    r#type: String,
    #[diesel(sql_type = Jsonb)]
    data: Stored<Value>,
    #[diesel(sql_type = Timestamptz)]
    at: StoredTime,
}

impl TryFrom<EventRow> for JobEvent {
    type Error = Error;

    fn try_from(row: EventRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("job_events", row.job_id.0);
        let event_type = decoder.converted("type", row.r#type.parse())?;
        let data = decoder.column("data", row.data)?;
        Ok(Self {
            job_id: row.job_id.0,
            seq: row.seq,
            event: decoder.converted("data", Event::from_json(event_type, data))?,
            at: decoder.column("at", row.at)?,
        })
    }
}

/// A change of a job and its events, to be recorded.
pub(crate) struct JobChange<'a> {
    /// The job after the change. Its `last_seq` includes the events: it is the number of
    /// the last one.
    pub(crate) job: &'a Job,
    pub(crate) at: DateTime<Utc>,
    pub(crate) events: Vec<Event>,
}

/// A log entry about an attempt, to be recorded.
pub(crate) struct AttemptEntry {
    pub(crate) job_id: JobId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) data: NewLogEntry,
}

/// Bytes of text after which [`JobEvents::after`] ends; a single error message may have
/// a megabyte.
const MAX_BYTES: usize = 1 << 20;

/// The repository of the events: `conn.job_events()`.
///
/// Every change of a job records its events in the same transaction, so there is
/// no method to write one.
#[derive(Debug)]
pub struct JobEvents<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> JobEvents<'_, Mode> {
    /// At most `limit` events of a job after number `seq`, by number; fewer if they
    /// have more than a megabyte of text, but at least one if there is one.
    pub fn after(&mut self, job_id: JobId, seq: i64, limit: usize) -> Result<Vec<JobEvent>, Error> {
        let context = self.0.context;
        let (mut events, mut bytes) = (Vec::new(), 0);
        each_row!(
            self.0.raw,
            job_events::table
                .filter(job_events::job_id.eq(Id(job_id)))
                .filter(job_events::seq.gt(seq))
                .order(job_events::seq)
                .limit(row_count(limit))
                .into_boxed::<Db>() => EventRow,
            "list the events of a job",
            |row: EventRow| {
                bytes += row.data.readable().map_or(0, json_memory);
                events.extend(context.readable(row)?);
                Ok::<_, Error>(if bytes < MAX_BYTES {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            }
        );
        Ok(events)
    }

    /// At most `limit` events of several jobs, each after the given number, by job
    /// and number: one query.
    pub fn newer(&mut self, seen: &[(JobId, i64)], limit: usize) -> Result<Vec<JobEvent>, Error> {
        let found: Vec<EventRow> = dialect::newer_events(self.0.raw, seen, row_count(limit))?;
        self.0.readable(found)
    }
}

impl JobEvents<'_, ReadWrite> {
    /// Deletes the events of finished jobs that have not changed for longer than
    /// `retention`, by the database's clock. Returns the number of deleted events.
    pub fn prune(&mut self, retention: TimeDelta) -> Result<usize, Error> {
        let before = self.0.retention_start(retention)?;
        let finished = JobStatus::ALL
            .iter()
            .filter(|status| status.is_finished())
            .map(|status| status.as_str());
        let job_ids = jobs::table
            .filter(jobs::status.eq_any(finished))
            .filter(jobs::updated_at.lt(before))
            .select(jobs::job_id);
        let old = job_events::table.filter(job_events::job_id.eq_any(job_ids));
        on_either!(self.0.raw, conn => diesel::delete(old).execute(conn)).doing("delete old events")
    }

    /// Stores events and log entries.
    pub(crate) fn record(
        &mut self,
        changes: Vec<JobChange<'_>>,
        entries: Vec<AttemptEntry>,
    ) -> Result<(), Error> {
        let mut events = Vec::new();
        for change in changes {
            let JobChange {
                job,
                at,
                events: job_events,
            } = change;
            let first = job.last_seq + 1 - row_count(job_events.len());
            events.extend((first..).zip(job_events).map(|(seq, event)| JobEvent {
                job_id: job.job_id,
                seq,
                event,
                at,
            }));
        }
        let clock = self.0.clock;
        let logs: Vec<_> = entries
            .into_iter()
            .map(|entry| LogEntry {
                log_id: LogEntryId::new(clock),
                job_id: entry.job_id,
                data: entry.data,
                timestamp: entry.at,
                created_at: entry.at,
            })
            .collect();
        dialect::insert_history(self.0.raw, &events, &logs)?;
        self.0
            .context
            .publish(|committed| committed.events.extend(events));
        Ok(())
    }
}
