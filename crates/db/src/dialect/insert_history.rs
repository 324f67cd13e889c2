//! Inserts events and log entries: frequent inserts of a few rows, for which
//! `COPY` is too slow, because it cannot be prepared.
//!
//! The arrays are passed as `(SELECT $1)`, which hides their lengths from the planner:
//! otherwise it would plan the statement again for each execution.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::BoxedSqlQuery;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text, Timestamptz, Uuid};
use lectern_domain::{JobEvent, JobId, LogEntry, LogEntryId, NewLogEntry, Seconds, Stage};

use super::column_values;
use crate::connection::DbConnection;
use crate::error::{Doing, Error};
use crate::schema::{job_events, processing_logs};
use crate::sql::prepared::Prepared;
use crate::sql::types::{DbJson, DbTime, Id};

/// The ids follow the order of the arrays. A transaction may have its number from before it
/// waited for the lock on a job. Then the job's event before has a higher number, which the
/// new events take over, so that the events of a job are ordered by `(transaction_id, id)`.
const INSERT_EVENTS: &str = "
    INSERT INTO job_events (job_id, seq, type, data, at, transaction_id)
    SELECT new.job_id, new.seq, new.type, new.data, new.at,
           GREATEST(pg_current_xact_id()::text::bigint, previous.transaction_id)
    FROM unnest((SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4), (SELECT $5))
         WITH ORDINALITY AS new (job_id, seq, type, data, at, place)
    LEFT JOIN LATERAL (
        SELECT transaction_id FROM job_events WHERE job_events.job_id = new.job_id
        ORDER BY seq DESC LIMIT 1
    ) AS previous ON TRUE
    ORDER BY new.place";

const INSERT_LOGS: &str = "
    INSERT INTO processing_logs
        (log_id, job_id, stage, agent_name, status, message, error_details, duration_seconds,
         timestamp, created_at)
    SELECT * FROM unnest((SELECT $6), (SELECT $7), (SELECT $8), (SELECT $9), (SELECT $10),
                         (SELECT $11), (SELECT $12), (SELECT $13), (SELECT $14), (SELECT $15))";

#[derive(Insertable)]
#[diesel(table_name = job_events, treat_none_as_default_value = false)]
pub(crate) struct NewEventRow {
    job_id: Id<JobId>,
    seq: i64,
    type_: &'static str,
    data: DbJson,
    at: DbTime,
}

impl From<&JobEvent> for NewEventRow {
    fn from(event: &JobEvent) -> Self {
        Self {
            job_id: Id(event.job_id),
            seq: event.seq,
            type_: event.event.event_type().as_str(),
            data: DbJson(event.event.to_json()),
            at: DbTime(event.at),
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = processing_logs, treat_none_as_default_value = false)]
pub(crate) struct NewLogRow<'a> {
    log_id: Id<LogEntryId>,
    job_id: Id<JobId>,
    stage: &'static str,
    agent_name: Option<&'a str>,
    status: &'static str,
    message: Option<&'a str>,
    error_details: Option<DbJson>,
    duration_seconds: Option<f64>,
    timestamp: DbTime,
    created_at: DbTime,
}

impl<'a> From<&'a LogEntry> for NewLogRow<'a> {
    fn from(log: &'a LogEntry) -> Self {
        Self {
            log_id: Id(log.log_id),
            job_id: Id(log.job_id),
            stage: log.stage.as_str(),
            agent_name: log.agent_name.as_deref(),
            status: log.status.as_str(),
            message: log.message.as_deref(),
            error_details: log.error_details_json().map(DbJson),
            duration_seconds: log.duration_seconds.map(Seconds::get),
            timestamp: DbTime(log.timestamp),
            created_at: DbTime(log.created_at),
        }
    }
}

/// Inserts events and their log entries: on PostgreSQL by one prepared statement
/// for all rows, on SQLite row by row.
pub(crate) fn insert_history(
    conn: &mut DbConnection,
    events: &[JobEvent],
    logs: &[LogEntry],
) -> Result<(), Error> {
    match conn {
        _ if events.is_empty() && logs.is_empty() => Ok(()),
        DbConnection::Postgres(conn) => match (events, logs) {
            (events, []) => {
                Prepared(with_events(sql_query(INSERT_EVENTS).into_boxed(), events)).execute(conn)
            }
            (events, logs) => {
                let both = sql_query(format!("WITH events AS ({INSERT_EVENTS}) {INSERT_LOGS}"))
                    .into_boxed();
                Prepared(with_logs(with_events(both, events), logs)).execute(conn)
            }
        },
        DbConnection::Sqlite(conn) => {
            let events = events.iter().map(NewEventRow::from);
            let logs = logs.iter().map(NewLogRow::from);
            events
                .map(|row| {
                    diesel::insert_into(job_events::table)
                        .values(row)
                        .execute(conn)
                })
                .collect::<QueryResult<Vec<_>>>()
                .and_then(|_| {
                    logs.map(|row| {
                        diesel::insert_into(processing_logs::table)
                            .values(row)
                            .execute(conn)
                    })
                    .collect::<QueryResult<Vec<_>>>()
                })
                .map(drop)
        }
    }
    .doing("store events and log entries")
}

type Statement<'f> = BoxedSqlQuery<'f, Pg, diesel::query_builder::SqlQuery>;

/// Binds `$1` to `$5`.
fn with_events<'f>(insert: Statement<'f>, events: &'f [JobEvent]) -> Statement<'f> {
    insert
        .bind::<Array<Uuid>, _>(column_values(events, |event| event.job_id.as_uuid()))
        .bind::<Array<BigInt>, _>(column_values(events, |event| event.seq))
        .bind::<Array<Text>, _>(column_values(events, |event| {
            event.event.event_type().as_str()
        }))
        .bind::<Array<Jsonb>, _>(column_values(events, |event| event.event.to_json()))
        .bind::<Array<Timestamptz>, _>(column_values(events, |event| event.at))
}

/// Binds `$6` to `$15`.
fn with_logs<'f>(insert: Statement<'f>, logs: &'f [LogEntry]) -> Statement<'f> {
    let text =
        |get: fn(&NewLogEntry) -> Option<&str>| column_values(logs, move |log| get(&log.data));
    insert
        .bind::<Array<Uuid>, _>(column_values(logs, |log| log.log_id.as_uuid()))
        .bind::<Array<Uuid>, _>(column_values(logs, |log| log.job_id.as_uuid()))
        .bind::<Array<Text>, _>(column_values(logs, |log| Stage::as_str(log.stage)))
        .bind::<Array<Nullable<Text>>, _>(text(|entry| entry.agent_name.as_deref()))
        .bind::<Array<Text>, _>(column_values(logs, |log| log.status.as_str()))
        .bind::<Array<Nullable<Text>>, _>(text(|entry| entry.message.as_deref()))
        .bind::<Array<Nullable<Jsonb>>, _>(column_values(logs, |log| log.error_details_json()))
        .bind::<Array<Nullable<Double>>, _>(column_values(logs, |log| {
            log.duration_seconds.map(Seconds::get)
        }))
        .bind::<Array<Timestamptz>, _>(column_values(logs, |log| log.timestamp))
        .bind::<Array<Timestamptz>, _>(column_values(logs, |log| log.created_at))
}
