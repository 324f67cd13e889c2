//! Numbered events for subscribers: the table `job_events`, and for those who follow all
//! jobs also `job_deletions` and `event_feed`.

use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use lectern_domain::{
    Event, EventPage, EventPosition, Job, JobEvent, JobId, JobStatus, LogEntry, LogEntryId,
    NewLogEntry, OwnerName, json_memory,
};
use serde_json::Value;

use crate::connection::{Backend, Conn, ReadWrite, each_row};
use crate::dialect::{self, Place};
use crate::error::{Doing, Error};
use crate::schema::job_events;
use crate::sql::page::row_count;
use crate::sql::prepared::Prepared;
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

/// An event with its place among those of all jobs.
#[derive(QueryableByName)]
struct PlacedEventRow {
    #[diesel(embed)]
    event: EventRow,
    #[diesel(embed)]
    place: Place,
}

/// A row of `job_deletions`.
#[derive(QueryableByName)]
struct DeletionRow {
    #[diesel(sql_type = Uuid)]
    job_id: Id<JobId>,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Timestamptz)]
    at: StoredTime,
    #[diesel(embed)]
    place: Place,
}

impl TryFrom<DeletionRow> for JobEvent {
    type Error = Error;

    fn try_from(row: DeletionRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("job_deletions", row.job_id.0);
        Ok(Self {
            job_id: row.job_id.0,
            seq: row.seq,
            event: Event::Deleted,
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

/// Bytes of text after which a page of events ends; a single error message may have a
/// megabyte.
const MAX_BYTES: usize = 1 << 20;

/// Upper bound of the events among which a page looks for those of an owner.
const MAX_SEARCHED: i64 = 10_000;

/// A query of `dialect::events_after` or `dialect::deletions_after` with its parameters.
macro_rules! page_query {
    ($sql:expr, $db:ty, $after:expr, $state:expr, $limit:expr, $owner:expr, $end:expr) => {{
        let query = sql_query($sql)
            .into_boxed::<$db>()
            .bind::<BigInt, _>($after.transaction_id)
            .bind::<BigInt, _>($after.id)
            .bind::<BigInt, _>($state.bound)
            .bind::<BigInt, _>(row_count($limit));
        match $owner.zip($end) {
            None => query,
            Some((owner, end)) => query
                .bind::<Text, _>(owner)
                .bind::<BigInt, _>(end.transaction_id)
                .bind::<BigInt, _>(end.id),
        }
    }};
}

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
                .filter(self.0.context.owned("job_events"))
                .filter(job_events::seq.gt(seq))
                .order(job_events::seq)
                .limit(row_count(limit))
                .select((
                    job_events::job_id,
                    job_events::seq,
                    job_events::type_,
                    job_events::data,
                    job_events::at,
                ))
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

    /// At most `limit` events of all jobs after a position, in the order in which their
    /// transactions can have committed; `None`: from the first one after which none was
    /// deleted by [`JobEvents::prune`]. Fewer if they have more than a megabyte of text,
    /// but at least one if there is one. The events of one job are in the order of their
    /// numbers.
    ///
    /// No event ever appears before a position that was returned: with the `next` of each
    /// page as the position of the next call, a caller receives every event once. For that,
    /// on PostgreSQL the events of a transaction, and of all later ones, are held back until
    /// the earlier ones have ended. The events of a deleted job are deleted with it; instead
    /// there is an [`Event::Deleted`].
    ///
    /// With [`Database::as_owner`](crate::Database::as_owner), it looks at ten thousand events of
    /// all owners at most: a page may have fewer events than `limit`, or none, although there
    /// are more. The last page is the one whose `next` is the position that was given.
    ///
    /// Call it in [`Database::read`](crate::Database::read), whose queries see one snapshot.
    ///
    /// # Errors
    ///
    /// [`Error::PositionExpired`] when events after the position have been deleted by
    /// [`JobEvents::prune`], or the position is one of another database.
    pub fn of_all_jobs(
        &mut self,
        after: Option<EventPosition>,
        limit: usize,
    ) -> Result<EventPage, Error> {
        let backend = self.0.raw.backend();
        let state = dialect::feed_state(self.0.raw)?;
        let after = match after {
            None => state.pruned(),
            Some(position) => {
                let place = Place {
                    transaction_id: position.transaction_id,
                    id: position.id,
                };
                let is_valid = position.generation == state.generation
                    && state.is_complete_after(backend, place);
                is_valid.then_some(place).ok_or(Error::PositionExpired)?
            }
        };
        let context = self.0.context;
        let owner = context.owner.map(OwnerName::as_str);
        let end_of_part = match owner {
            Some(_) => {
                let end = dialect::end_of_part(self.0.raw, after, state.bound, MAX_SEARCHED)?;
                Some(end)
            }
            None => None,
        };
        let is_owned = owner.is_some();
        let (mut found, mut bytes, mut is_cut) = (Vec::new(), 0, false);
        each_row!(
            self.0.raw,
            Prepared(page_query!(
                dialect::events_after(backend, is_owned), Db, after, state, limit, owner, end_of_part
            )) => PlacedEventRow,
            "list the events of all jobs",
            |row: PlacedEventRow| {
                bytes += row.event.data.readable().map_or(0, json_memory);
                found.push((row.place, context.readable(row.event)?));
                is_cut = bytes >= MAX_BYTES;
                Ok::<_, Error>(if is_cut {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            }
        );
        let end = found.last().map(|(place, _)| *place).filter(|_| is_cut);
        each_row!(
            self.0.raw,
            Prepared(page_query!(
                dialect::deletions_after(backend, is_owned), Db, after, state, limit, owner, end_of_part
            )) => DeletionRow,
            "list the deleted jobs",
            |row: DeletionRow| {
                if end.is_none_or(|end| row.place < end) {
                    found.push((row.place, context.readable(row)?));
                }
                Ok::<_, Error>(ControlFlow::<()>::Continue(()))
            }
        );
        found.sort_by_key(|(place, _)| *place);
        let is_full = is_cut || found.len() >= limit;
        found.truncate(limit);
        let last = found.last().map_or(after, |(place, _)| *place);
        let next = match end_of_part {
            // All events of the owner up to there are on the page.
            Some(end) if !is_full => end,
            _ => last,
        };
        let position = |place: Place| EventPosition {
            generation: state.generation,
            transaction_id: place.transaction_id,
            id: place.id,
        };
        Ok(EventPage {
            next: position(next),
            events: found
                .into_iter()
                .filter_map(|(place, event)| Some((position(place), event?)))
                .collect(),
        })
    }

    /// The position after the last event of all jobs.
    pub fn last_position(&mut self) -> Result<EventPosition, Error> {
        let state = dialect::feed_state(self.0.raw)?;
        let last = dialect::last_places(self.0.raw, state.bound)?;
        let last = last.into_iter().fold(state.pruned(), Place::max);
        Ok(EventPosition {
            generation: state.generation,
            transaction_id: last.transaction_id,
            id: last.id,
        })
    }

    /// At most `limit` events of several jobs, each after the given number, by job
    /// and number: one query.
    pub fn newer(&mut self, seen: &[(JobId, i64)], limit: usize) -> Result<Vec<JobEvent>, Error> {
        let found: Vec<EventRow> =
            dialect::newer_events(self.0.raw, self.0.context.owner, seen, row_count(limit))?;
        self.0.readable(found)
    }
}

/// The statuses of finished jobs as SQL literals.
fn finished_statuses() -> String {
    let finished = JobStatus::ALL.iter().filter(|status| status.is_finished());
    let literals: Vec<_> = finished.map(|status| format!("'{status}'")).collect();
    literals.join(", ")
}

impl JobEvents<'_, ReadWrite> {
    /// Deletes the events of finished jobs that have not changed for longer than
    /// `retention`, by the database's clock, and the records of jobs that were deleted
    /// earlier than that. Returns the number of deleted events.
    pub fn prune(&mut self, retention: TimeDelta) -> Result<usize, Error> {
        let before = self.0.retention_start(retention)?;
        let before_sql = before.to_sql(
            self.0.raw,
            match self.0.raw.backend() {
                Backend::Postgres => "$1",
                Backend::Sqlite => "?1",
            },
        );
        let owner = self.0.context.owner.map(OwnerName::as_str);
        let limit_to_owner = match (owner, self.0.raw.backend()) {
            (None, _) => "TRUE",
            (Some(_), Backend::Postgres) => "owner_id = $2",
            (Some(_), Backend::Sqlite) => "owner_id = ?2",
        };
        let events = format!(
            "DELETE FROM job_events WHERE job_id IN (
                SELECT job_id FROM jobs
                WHERE status IN ({}) AND updated_at < {before_sql} AND {limit_to_owner}
             ) RETURNING transaction_id, id",
            finished_statuses()
        );
        let deletions = format!(
            "DELETE FROM job_deletions WHERE at < {before_sql} AND {limit_to_owner}
             RETURNING transaction_id, id"
        );
        let mut last = None;
        let mut delete = |sql: String| {
            let mut count = 0;
            each_row!(
                self.0.raw,
                {
                    let delete = sql_query(&sql)
                        .into_boxed::<Db>()
                        .bind::<Nullable<Timestamptz>, _>(before.parameter());
                    match owner {
                        Some(owner) => delete.bind::<Text, _>(owner),
                        None => delete,
                    }
                } => Place,
                "delete old events",
                |place: Place| {
                    count += 1;
                    last = last.max(Some(place));
                    Ok::<_, Error>(ControlFlow::<()>::Continue(()))
                }
            );
            Ok::<usize, Error>(count)
        };
        let count = delete(events)?;
        delete(deletions)?;
        if let Some(last) = last {
            dialect::mark_pruned(self.0.raw, last)?;
        }
        Ok(count)
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
