//! Workers that hold leases, and what they hold.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Float8, Int4, Text};
use diesel::sqlite::Sqlite;
use lectern_domain::{
    ActiveWorker, HeldLease, JobId, LeaseDuration, Percent, Stage, StageRunId, WorkerName,
    WorkerPage, WorkerPageRequest,
};

use chrono::TimeDelta;

use super::StageRuns;
use crate::connection::DbConnection;
use crate::error::{Doing, Error};
use crate::sql::page::query_limit;
use crate::sql::prepared::Prepared;
use crate::sql::row::RowDecoder;
use crate::sql::status_literals::RUN_RUNNING;
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{Id, Timestamptz, Uuid};

impl<Mode> StageRuns<'_, Mode> {
    /// A page of the workers that hold leases, in the order of the bytes of their names; of an
    /// owner, only leases of its jobs count. Reads the running runs, of which there are no more
    /// than workers can hold.
    pub fn active_workers(&mut self, page: &WorkerPageRequest) -> Result<WorkerPage, Error> {
        let owner = self.0.context.owner;
        let after = page.after.as_ref().map_or("", WorkerName::as_str);
        let limit = query_limit(page.limit);
        // Both arms are the same, for two types. A name is not empty, so all come after "".
        macro_rules! load {
            ($conn:expr, $Db:ty, $sql:expr) => {{
                let query = sql_query($sql)
                    .into_boxed::<$Db>()
                    .bind::<Text, _>(after)
                    .bind::<BigInt, _>(limit);
                Prepared(match owner {
                    Some(owner) => query.bind::<Text, _>(owner.as_str()),
                    None => query,
                })
                .load($conn)
            }};
        }
        let has_owner = owner.is_some();
        let rows: Vec<HeldRow> = match self.0.raw {
            DbConnection::Postgres(conn) => {
                load!(conn, Pg, held_sql("$", " COLLATE \"C\"", has_owner))
            }
            DbConnection::Sqlite(conn) => load!(conn, Sqlite, held_sql("?", "", has_owner)),
        }
        .doing("list the leases of workers")?;
        let mut workers: Vec<ActiveWorker> = Vec::new();
        for held in self.0.context.readable_rows::<_, Held>(rows)? {
            match workers.last_mut() {
                Some(last) if last.worker == held.worker => last.leases.push(held.lease),
                _ => workers.push(ActiveWorker {
                    worker: held.worker,
                    lease_count: held.lease_count,
                    leases: vec![held.lease],
                }),
            }
        }
        let more = workers.len() > page.limit.get();
        workers.truncate(page.limit.get());
        let next = workers.last().filter(|_| more);
        Ok(WorkerPage {
            next: next.map(|worker| worker.worker.clone()),
            items: workers,
        })
    }
}

/// SQL for the leases of the workers of a page. Parameters: the name after which the page
/// begins, the number of workers, the owner.
fn held_sql(parameter: &str, byte_order: &str, has_owner: bool) -> String {
    let of_owner = if has_owner {
        format!(" AND r.owner_id = {parameter}3")
    } else {
        String::new()
    };
    let is_held = format!(
        "r.status = '{RUN_RUNNING}' AND r.lease_id IS NOT NULL AND r.worker{byte_order} > {parameter}1{of_owner}"
    );
    format!(
        "SELECT held.run_id, held.job_id, held.stage, held.attempt, held.max_attempts, held.percent,
                held.worker, held.started_at, held.lease_expires_at, held.lease_seconds,
                held.lease_count
         FROM (SELECT r.*, row_number() OVER (PARTITION BY r.worker ORDER BY r.started_at, r.id) AS place,
                      count(*) OVER (PARTITION BY r.worker) AS lease_count
               FROM stage_runs AS r
               WHERE {is_held} AND r.worker IN (
                   SELECT DISTINCT r.worker{byte_order} FROM stage_runs AS r WHERE {is_held}
                   ORDER BY 1 LIMIT {parameter}2)) AS held
         WHERE held.place <= {}
         ORDER BY held.worker{byte_order}, held.place",
        ActiveWorker::MAX_LEASES
    )
}

#[derive(QueryableByName)]
struct HeldRow {
    #[diesel(sql_type = Uuid)]
    run_id: Id<StageRunId>,
    #[diesel(sql_type = Uuid)]
    job_id: Id<JobId>,
    #[diesel(sql_type = Text)]
    stage: Stored<Stage>,
    #[diesel(sql_type = Int4)]
    attempt: i32,
    #[diesel(sql_type = Int4)]
    max_attempts: i32,
    #[diesel(sql_type = Float8)]
    percent: Stored<Percent>,
    #[diesel(sql_type = Text)]
    worker: Stored<WorkerName>,
    #[diesel(sql_type = Timestamptz)]
    started_at: StoredTime,
    #[diesel(sql_type = Timestamptz)]
    lease_expires_at: StoredTime,
    #[diesel(sql_type = Int4)]
    lease_seconds: i32,
    /// The number of the worker's leases.
    #[diesel(sql_type = BigInt)]
    lease_count: i64,
}

/// A lease with its worker.
struct Held {
    worker: WorkerName,
    lease_count: i64,
    lease: HeldLease,
}

impl TryFrom<HeldRow> for Held {
    type Error = Error;

    fn try_from(row: HeldRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("stage_runs", row.run_id.0);
        let claimed_at = decoder.column("started_at", row.started_at)?;
        let expires_at = decoder.column("lease_expires_at", row.lease_expires_at)?;
        let duration = LeaseDuration::new(row.lease_seconds.into());
        let duration = decoder.converted("lease_seconds", duration)?;
        let extended_at = expires_at - TimeDelta::seconds(duration.seconds().into());
        Ok(Self {
            worker: decoder.column("worker", row.worker)?,
            lease_count: row.lease_count,
            lease: HeldLease {
                job_id: row.job_id.0,
                stage: decoder.column("stage", row.stage)?,
                attempt: row.attempt,
                max_attempts: row.max_attempts,
                percent: decoder.column("percent", row.percent)?,
                claimed_at,
                last_seen_at: extended_at.max(claimed_at),
                expires_at,
            },
        })
    }
}
