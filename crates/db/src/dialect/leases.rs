//! Stores leases and changed runs of several jobs, on PostgreSQL with one statement each.
//!
//! The arrays are passed as `(SELECT $1)`, which hides their lengths from the planner:
//! otherwise it would plan the statement again for each execution.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text};
use lectern_domain::{LongText, NonNegativeInt, ProgressMessage, StageRun};

use super::claim_queries::is_ready;
use super::insert_history::list;
use super::random_uuid;
use crate::connection::{Backend, DbConnection, on_either};
use crate::error::{Doing, Error};
use crate::repositories::stage_runs::row::RunRow;
use crate::schema::stage_runs;
use crate::sql::prepared::Prepared;
use crate::sql::row::columns;
use crate::sql::status::{RUN_READY, RUN_RUNNING};
use crate::sql::types::{DbTime, Id, Timestamptz, Uuid};

/// A lease to be granted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewLease<'a> {
    /// Integer key of the run.
    pub(crate) run: i64,
    pub(crate) worker: &'a str,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) seconds: i32,
}

/// A run whose lease was granted.
#[derive(Queryable, QueryableByName)]
pub(crate) struct LeasedRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(embed)]
    pub(crate) run: RunRow,
}

/// Begins attempts at the runs that are still ready; returns these runs.
pub(crate) fn grant_leases(
    conn: &mut DbConnection,
    leases: &[NewLease<'_>],
    now: DbTime,
) -> Result<Vec<LeasedRow>, Error> {
    match conn {
        _ if leases.is_empty() => Ok(Vec::new()),
        DbConnection::Postgres(conn) => {
            let grant = format!(
                "UPDATE stage_runs SET
                     status = '{RUN_RUNNING}', attempt = attempt + 1, worker = granted.worker,
                     lease_id = gen_random_uuid(), lease_expires_at = granted.expires_at,
                     lease_seconds = granted.seconds, available_at = NULL, percent = 0,
                     message = NULL, eta_seconds = NULL, started_at = $5, finished_at = NULL
                 FROM unnest((SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4))
                     AS granted (id, worker, expires_at, seconds)
                 WHERE stage_runs.id = granted.id AND stage_runs.status = '{RUN_READY}'
                 RETURNING stage_runs.*"
            );
            let grant = sql_query(grant)
                .bind::<Array<BigInt>, _>(list(leases, |lease| lease.run))
                .bind::<Array<Text>, _>(list(leases, |lease| lease.worker))
                .bind::<Array<diesel::sql_types::Timestamptz>, _>(list(leases, |lease| {
                    lease.expires_at
                }))
                .bind::<Array<Integer>, _>(list(leases, |lease| lease.seconds))
                .bind::<Timestamptz, _>(now);
            Prepared(grant).load(conn)
        }
        DbConnection::Sqlite(conn) => {
            let lease_id = random_uuid(Backend::Sqlite);
            let mut granted = Vec::with_capacity(leases.len());
            for leases in leases.chunk_by(|a, b| (a.worker, a.seconds) == (b.worker, b.seconds)) {
                let runs: serde_json::Value = leases.iter().map(|lease| lease.run).collect();
                let runs = stage_runs::table
                    .filter(
                        sql::<Bool>("stage_runs.id IN (SELECT value FROM json_each(")
                            .bind::<Text, _>(runs.to_string())
                            .sql("))"),
                    )
                    .filter(is_ready());
                let grant = diesel::update(runs)
                    .set((
                        (
                            stage_runs::status.eq(RUN_RUNNING),
                            stage_runs::attempt.eq(stage_runs::attempt + 1),
                            stage_runs::worker.eq(leases[0].worker),
                            stage_runs::lease_id.eq(sql::<Nullable<Uuid>>(lease_id)),
                            stage_runs::lease_expires_at.eq(DbTime(leases[0].expires_at)),
                            stage_runs::lease_seconds.eq(leases[0].seconds),
                            stage_runs::available_at.eq(None::<DbTime>),
                        ),
                        (
                            stage_runs::percent.eq(0.0),
                            stage_runs::message.eq(None::<&str>),
                            stage_runs::eta_seconds.eq(None::<i32>),
                            stage_runs::started_at.eq(now),
                            stage_runs::finished_at.eq(None::<DbTime>),
                        ),
                    ))
                    .returning((stage_runs::id, columns::<RunRow>()));
                let rows: Vec<LeasedRow> = Prepared(grant).load(conn).doing("claim runs")?;
                granted.extend(rows);
            }
            Ok(granted)
        }
    }
    .doing("claim runs")
}

/// Stores the columns of runs that change during and after an attempt. The caller has
/// locked their jobs; no run occurs twice.
pub(crate) fn store_runs(conn: &mut DbConnection, runs: &[&StageRun]) -> Result<(), Error> {
    let expires_at = |run: &StageRun| run.lease.map(|lease| lease.expires_at);
    let eta_seconds = |run: &StageRun| run.progress.eta_seconds.map(NonNegativeInt::get);
    match conn {
        _ if runs.is_empty() => Ok(()),
        DbConnection::Postgres(conn) => {
            type Times = Array<Nullable<diesel::sql_types::Timestamptz>>;
            let store = "
                UPDATE stage_runs SET
                    status = changed.status, lease_expires_at = changed.lease_expires_at,
                    available_at = changed.available_at, percent = changed.percent,
                    message = changed.message, eta_seconds = changed.eta_seconds,
                    error = changed.error, finished_at = changed.finished_at
                FROM unnest((SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4), (SELECT $5),
                            (SELECT $6), (SELECT $7), (SELECT $8), (SELECT $9))
                    AS changed (run_id, status, lease_expires_at, available_at, percent, message,
                                eta_seconds, error, finished_at)
                WHERE stage_runs.run_id = changed.run_id";
            let message = |run: &&StageRun| {
                let message = run.progress.message.as_ref();
                message.map(ProgressMessage::to_string)
            };
            let store = sql_query(store)
                .bind::<Array<diesel::sql_types::Uuid>, _>(list(runs, |run| run.run_id.as_uuid()))
                .bind::<Array<Text>, _>(list(runs, |run| run.status.as_str()))
                .bind::<Times, _>(list(runs, |run| expires_at(run)))
                .bind::<Times, _>(list(runs, |run| run.available_at))
                .bind::<Array<Double>, _>(list(runs, |run| run.progress.percent.get()))
                .bind::<Array<Nullable<Text>>, _>(list(runs, message))
                .bind::<Array<Nullable<Integer>>, _>(list(runs, |run| eta_seconds(run)))
                .bind::<Array<Nullable<Text>>, _>(list(runs, |run| run.error.as_deref()))
                .bind::<Times, _>(list(runs, |run| run.finished_at));
            Prepared(store).execute(conn).map(drop)
        }
        DbConnection::Sqlite(_) => runs.iter().try_for_each(|run| {
            let by_id = stage_runs::table.filter(stage_runs::run_id.eq(Id(run.run_id)));
            let store = Prepared(diesel::update(by_id).set((
                stage_runs::status.eq(run.status.as_str()),
                stage_runs::lease_expires_at.eq(expires_at(run).map(DbTime)),
                stage_runs::available_at.eq(run.available_at.map(DbTime)),
                stage_runs::percent.eq(run.progress.percent.get()),
                stage_runs::message.eq(run.progress.message.as_deref()),
                stage_runs::eta_seconds.eq(eta_seconds(run)),
                stage_runs::error.eq(run.error.as_ref().map(LongText::as_str)),
                stage_runs::finished_at.eq(run.finished_at.map(DbTime)),
            )));
            on_either!(conn, conn => store.execute(conn)).map(drop)
        }),
    }
    .doing("update runs")
}
