//! A few rows at a time, often: what `COPY`, which is never prepared, is too
//! slow for.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text, Timestamptz, Uuid};
use lectern_domain::{JobEvent, NewLogEntry, Seconds, Stage};

use crate::Error;
use crate::connection::DbConnection;
use crate::error::Doing;
use crate::job_events::NewEventRow;
use crate::prepared::Prepared;
use crate::processing_logs::{NewLog, NewLogRow};
use crate::schema::{job_events, processing_logs};

/// Inserts events: on PostgreSQL by one prepared statement, however many there
/// are; on SQLite row by row, which is the same there.
pub(crate) fn insert_events(conn: &mut DbConnection, events: &[JobEvent]) -> Result<(), Error> {
    let rows = events.iter().map(NewEventRow::from);
    match conn {
        DbConnection::Postgres(conn) if events.len() > 1 => {
            let insert = sql_query(
                "INSERT INTO job_events (job_id, seq, type, data, at)
                 SELECT * FROM unnest($1, $2, $3, $4, $5)",
            );
            let insert = insert
                .bind::<Array<Uuid>, _>(list(events, |event| event.job_id.as_uuid()))
                .bind::<Array<BigInt>, _>(list(events, |event| event.seq))
                .bind::<Array<Text>, _>(list(events, |event| event.event.event_type().as_str()))
                .bind::<Array<Jsonb>, _>(list(events, |event| event.event.to_json()))
                .bind::<Array<Timestamptz>, _>(list(events, |event| event.at));
            Prepared(insert).execute(conn).map(drop)
        }
        DbConnection::Postgres(conn) => rows.into_iter().try_for_each(|row| {
            let insert = diesel::insert_into(job_events::table).values(row);
            insert.execute(conn).map(drop)
        }),
        DbConnection::Sqlite(conn) => rows.into_iter().try_for_each(|row| {
            let insert = diesel::insert_into(job_events::table).values(row);
            insert.execute(conn).map(drop)
        }),
    }
    .doing("store events")
}

/// Inserts entries of the audit trail; as [`insert_events`].
pub(crate) fn insert_logs(conn: &mut DbConnection, logs: &[NewLog<'_>]) -> Result<(), Error> {
    let rows = logs.iter().map(NewLogRow::from);
    match conn {
        DbConnection::Postgres(conn) if logs.len() > 1 => {
            let text =
                |get: fn(&NewLogEntry) -> Option<&str>| list(logs, move |log| get(log.event));
            let insert = sql_query(
                "INSERT INTO processing_logs
                     (log_id, job_id, stage, agent_name, status, message, error_details,
                      duration_seconds, timestamp, created_at)
                 SELECT l.*, l.t FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
                     AS l (log_id, job_id, stage, agent_name, status, message, details, took, t)",
            );
            let insert = insert
                .bind::<Array<Uuid>, _>(list(logs, |log| log.log_id.as_uuid()))
                .bind::<Array<Uuid>, _>(list(logs, |log| log.job_id.as_uuid()))
                .bind::<Array<Text>, _>(list(logs, |log| Stage::as_str(log.event.stage)))
                .bind::<Array<Nullable<Text>>, _>(text(|event| event.agent_name.as_deref()))
                .bind::<Array<Text>, _>(list(logs, |log| log.event.status.as_str()))
                .bind::<Array<Nullable<Text>>, _>(text(|event| event.message.as_deref()))
                .bind::<Array<Nullable<Jsonb>>, _>(list(logs, |log| log.event.error_details_json()))
                .bind::<Array<Nullable<Double>>, _>(list(logs, |log| {
                    log.event.duration_seconds.map(Seconds::get)
                }))
                .bind::<Array<Timestamptz>, _>(list(logs, |log| log.at));
            Prepared(insert).execute(conn).map(drop)
        }
        DbConnection::Postgres(conn) => rows.into_iter().try_for_each(|row| {
            let insert = diesel::insert_into(processing_logs::table).values(row);
            insert.execute(conn).map(drop)
        }),
        DbConnection::Sqlite(conn) => rows.into_iter().try_for_each(|row| {
            let insert = diesel::insert_into(processing_logs::table).values(row);
            insert.execute(conn).map(drop)
        }),
    }
    .doing("append to processing logs")
}

fn list<'a, R, T>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}
