//! Grants the leases of a claim.

use chrono::{DateTime, Utc};
use diesel::deserialize::QueryableByName;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};

use super::row::RunRow;
use crate::connection::{Backend, DbConnection};
use crate::dialect::{column_values, is_ready, random_uuid};
use crate::error::{Doing, Error};
use crate::schema::stage_runs;
use crate::sql::prepared::Prepared;
use crate::sql::row::columns;
use crate::sql::status_literals::{RUN_READY, RUN_RUNNING};
use crate::sql::types::{DbTime, Timestamptz, Uuid};

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
                     message = NULL, eta_seconds = NULL, agent_name = NULL, started_at = $5,
                     finished_at = NULL
                 FROM unnest((SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4))
                     AS granted (id, worker, expires_at, seconds)
                 WHERE stage_runs.id = granted.id AND stage_runs.status = '{RUN_READY}'
                 RETURNING stage_runs.*"
            );
            let grant = sql_query(grant)
                .bind::<Array<BigInt>, _>(column_values(leases, |lease| lease.run))
                .bind::<Array<Text>, _>(column_values(leases, |lease| lease.worker))
                .bind::<Array<diesel::sql_types::Timestamptz>, _>(column_values(leases, |lease| {
                    lease.expires_at
                }))
                .bind::<Array<Integer>, _>(column_values(leases, |lease| lease.seconds))
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
                            stage_runs::agent_name.eq(None::<&str>),
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
