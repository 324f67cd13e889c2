//! Stores changed runs of several jobs, on PostgreSQL with one statement.
//!
//! The arrays are passed as `(SELECT $1)`, which hides their lengths from the planner:
//! otherwise it would plan the statement again for each execution.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid};
use lectern_domain::{
    JsonValue as _, LongText, NonNegativeInt, ProgressMessage, StageRun, StageRunStatus,
};

use super::column_values;
use crate::connection::{DbConnection, on_either};
use crate::error::{Doing, Error};
use crate::schema::stage_runs;
use crate::sql::prepared::Prepared;
use crate::sql::types::{self, DbJson, DbTime, Id};

/// Stores the columns of runs that change during and after an attempt. The caller has
/// locked their jobs; no run occurs twice. Those that are ready can be claimed from `ready_at`
/// on, or from their `available_at`; `None`: none of them is ready. The others keep the time from
/// which they could be claimed, for the history.
pub(crate) fn store_runs(
    conn: &mut DbConnection,
    runs: &[&StageRun],
    ready_at: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    let expires_at = |run: &StageRun| run.lease.map(|lease| lease.expires_at);
    let eta_seconds = |run: &StageRun| run.progress.eta_seconds.map(NonNegativeInt::get);
    let ready_at = |run: &StageRun| {
        let is_ready = run.status == StageRunStatus::Ready;
        run.available_at.or(ready_at).filter(|_| is_ready)
    };
    match conn {
        _ if runs.is_empty() => Ok(()),
        DbConnection::Postgres(conn) => {
            type Times = Array<Nullable<Timestamptz>>;
            let store = "
                UPDATE stage_runs SET
                    status = changed.status, lease_expires_at = changed.lease_expires_at,
                    available_at = changed.available_at, percent = changed.percent,
                    message = changed.message, eta_seconds = changed.eta_seconds,
                    error = changed.error, finished_at = changed.finished_at,
                    notes = changed.notes,
                    ready_at = COALESCE(changed.ready_at, stage_runs.ready_at)
                FROM unnest((SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4), (SELECT $5),
                            (SELECT $6), (SELECT $7), (SELECT $8), (SELECT $9), (SELECT $10),
                            (SELECT $11))
                    AS changed (run_id, status, lease_expires_at, available_at, percent, message,
                                eta_seconds, error, finished_at, notes, ready_at)
                WHERE stage_runs.run_id = changed.run_id";
            let message = |run: &&StageRun| {
                let message = run.progress.message.as_ref();
                message.map(ProgressMessage::to_string)
            };
            let store = sql_query(store)
                .bind::<Array<Uuid>, _>(column_values(runs, |run| run.run_id.as_uuid()))
                .bind::<Array<Text>, _>(column_values(runs, |run| run.status.as_str()))
                .bind::<Times, _>(column_values(runs, |run| expires_at(run)))
                .bind::<Times, _>(column_values(runs, |run| run.available_at))
                .bind::<Array<Double>, _>(column_values(runs, |run| run.progress.percent.get()))
                .bind::<Array<Nullable<Text>>, _>(column_values(runs, message))
                .bind::<Array<Nullable<Integer>>, _>(column_values(runs, |run| eta_seconds(run)))
                .bind::<Array<Nullable<Text>>, _>(column_values(runs, |run| run.error.as_deref()))
                .bind::<Times, _>(column_values(runs, |run| run.finished_at))
                .bind::<Array<Jsonb>, _>(column_values(runs, |run| run.notes.to_json()))
                .bind::<Times, _>(column_values(runs, |run| ready_at(run)));
            Prepared(store).execute(conn)
        }
        DbConnection::Sqlite(_) => runs.iter().try_for_each(|run| {
            let by_id = stage_runs::table.filter(stage_runs::run_id.eq(Id(run.run_id)));
            let store = Prepared(
                diesel::update(by_id).set((
                    stage_runs::status.eq(run.status.as_str()),
                    stage_runs::lease_expires_at.eq(expires_at(run).map(DbTime)),
                    stage_runs::available_at.eq(run.available_at.map(DbTime)),
                    stage_runs::percent.eq(run.progress.percent.get()),
                    stage_runs::message.eq(run.progress.message.as_deref()),
                    stage_runs::eta_seconds.eq(eta_seconds(run)),
                    stage_runs::error.eq(run.error.as_ref().map(LongText::as_str)),
                    stage_runs::finished_at.eq(run.finished_at.map(DbTime)),
                    stage_runs::notes.eq(DbJson(run.notes.to_json())),
                    stage_runs::ready_at.eq(sql::<Nullable<types::Timestamptz>>("COALESCE(")
                        .bind::<Nullable<types::Timestamptz>, _>(ready_at(run).map(DbTime))
                        .sql(", ready_at)")),
                )),
            );
            on_either!(conn, conn => store.execute(conn))
        }),
    }
    .doing("update runs")
}
