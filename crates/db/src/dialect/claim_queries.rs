//! SQL for claims: finds expired leases, locks jobs, finds claimable stages and starts jobs.
//! `work/claim.rs` runs these statements.

use diesel::deserialize::QueryableByName;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use lectern_domain::{JobId, OwnerName, Stage};
use serde_json::Value;

use crate::connection::{DbConnection, on_either};
use crate::error::{Doing, Error};
use crate::schema::{jobs, stage_runs};
use crate::sql::mean_percent::mean_percent;
use crate::sql::owned::Owned;
use crate::sql::prepared::Prepared;
use crate::sql::status_literals::{JOB_QUEUED, JOB_RUNNING, RUN_READY, RUN_RUNNING};
use crate::sql::types::{DbTime, Id, Timestamptz};

/// The jobs of runs with expired leases, the longest expired first.
pub(crate) fn expired_jobs(
    conn: &mut DbConnection,
    owned: Owned,
    now: DbTime,
    limit: i64,
) -> Result<Vec<Id<JobId>>, Error> {
    let expired = stage_runs::table
        .filter(is_running())
        .filter(owned)
        .filter(stage_runs::lease_expires_at.le(now))
        .order(stage_runs::lease_expires_at)
        .limit(limit)
        .select(stage_runs::job_id);
    let expired = Prepared(expired);
    on_either!(conn, conn => expired.load(conn)).doing("find expired leases")
}

/// The condition of the partial indexes on ready runs. The status is a literal, because
/// the planner does not use a partial index for a condition with a parameter.
pub(crate) fn is_ready() -> SqlLiteral<Bool> {
    sql(&format!("stage_runs.status = '{RUN_READY}'"))
}

/// The condition of the partial index on running runs, also as a literal.
fn is_running() -> SqlLiteral<Bool> {
    sql(&format!("stage_runs.status = '{RUN_RUNNING}'"))
}

/// Updates the jobs of runs that were just claimed, with one statement for all jobs.
/// Adds one event per run and one event for the job to the job's sequence number.
/// For the other changes of a run, see `repositories::jobs::rollup`.
pub(crate) fn start_jobs<Row>(
    conn: &mut DbConnection,
    job_ids: &[JobId],
    claimed: &[i64],
    now: DbTime,
) -> Result<Vec<Row>, Error>
where
    Row: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static,
{
    let start = format!(
        "
        UPDATE jobs SET
            status = '{JOB_RUNNING}', current_stage = begun.stage, version = version + 1,
            progress_percent = begun.percent,
            progress_message = CASE WHEN jobs.current_stage = begun.stage THEN progress_message END,
            eta_seconds = CASE WHEN jobs.current_stage = begun.stage THEN jobs.eta_seconds END,
            progress_agent_name =
                CASE WHEN jobs.current_stage = begun.stage THEN progress_agent_name END,
            last_seq = last_seq + begun.claimed + 1, updated_at = {{now}}
        FROM (
            SELECT r.job_id, r.stage, counted.claimed, counted.percent
            FROM (SELECT job_id,
                         min(id) FILTER (WHERE status = '{RUN_RUNNING}') AS first,
                         count(*) FILTER (WHERE id {{claimed}}) AS claimed,
                         {percent} AS percent
                  FROM stage_runs WHERE job_id {{jobs}} GROUP BY job_id) AS counted
            JOIN stage_runs AS r ON r.id = counted.first) AS begun
        WHERE jobs.job_id = begun.job_id AND jobs.status IN ('{JOB_QUEUED}', '{JOB_RUNNING}')
        RETURNING {{job}}",
        percent = mean_percent("stage_runs"),
    );
    match conn {
        DbConnection::Postgres(conn) => {
            let ids: Vec<_> = job_ids.iter().map(|id| id.as_uuid()).collect();
            let start = start
                .replace("{now}", "$1")
                .replace("{claimed}", "= ANY($2)")
                .replace("{jobs}", "= ANY(ARRAY(SELECT unnest($3)))")
                .replace("{job}", "jobs.*");
            let start = sql_query(start)
                .bind::<Timestamptz, _>(now)
                .bind::<Array<BigInt>, _>(claimed)
                .bind::<Array<diesel::sql_types::Uuid>, _>(ids);
            Prepared(start).load(conn)
        }
        DbConnection::Sqlite(conn) => {
            let list = |values: Value| values.to_string();
            let start = start
                .replace("{now}", "?")
                .replace("{claimed}", "IN (SELECT value FROM json_each(?))")
                .replace("{jobs}", "IN (SELECT value FROM json_each(?))")
                .replace("{job}", "*");
            let start = sql_query(start)
                .bind::<Timestamptz, _>(now)
                .bind::<Text, _>(list(claimed.into()))
                .bind::<Text, _>(list(job_ids.iter().map(ToString::to_string).collect()));
            Prepared(start).load(conn)
        }
    }
    .doing("start jobs")
}

/// The stages in `stages` that have a ready run or an expired lease, and are not paused: three
/// index lookups per stage.
pub(crate) fn claimable_stages(
    conn: &mut DbConnection,
    owner: Option<&OwnerName>,
    stages: &[Stage],
    now: DbTime,
) -> Result<Vec<Stage>, Error> {
    let (parameter, owner) = match (&conn, owner) {
        (_, None) => (None, ""),
        (DbConnection::Postgres(_), Some(owner)) => (Some("$3"), owner.as_str()),
        (DbConnection::Sqlite(_), Some(owner)) => (Some("?3"), owner.as_str()),
    };
    let limit_to_owner = parameter.map_or_else(String::new, |parameter| {
        format!(" AND r.owner_id = {parameter}")
    });
    let claimable = format!(
        "
        NOT EXISTS (SELECT 1 FROM stage_pauses AS p WHERE p.stage = wanted.value)
        AND ((SELECT r.id FROM stage_runs AS r
         WHERE r.status = '{RUN_READY}' AND r.stage = wanted.value
           AND (r.available_at IS NULL OR r.available_at <= seen.now){limit_to_owner}
         ORDER BY r.owner_id, r.priority DESC, r.created_at, r.id LIMIT 1) IS NOT NULL
        OR (SELECT min(r.lease_expires_at) FROM stage_runs AS r
            WHERE r.status = '{RUN_RUNNING}' AND r.stage = wanted.value{limit_to_owner}) <= seen.now)"
    );
    let names: Vec<_> = stages.iter().map(|stage| stage.as_str()).collect();
    let found: Vec<StageRow> = match conn {
        DbConnection::Postgres(conn) => {
            let claimable = sql_query(format!(
                "SELECT wanted.value AS stage
                 FROM unnest($1) AS wanted (value), (SELECT $2 AS now) AS seen
                 WHERE {claimable}"
            ));
            let claimable = claimable
                .into_boxed::<Pg>()
                .bind::<Array<Text>, _>(names)
                .bind::<Timestamptz, _>(now);
            Prepared(match parameter {
                Some(_) => claimable.bind::<Text, _>(owner),
                None => claimable,
            })
            .load(conn)
        }
        DbConnection::Sqlite(conn) => {
            let claimable = sql_query(format!(
                "SELECT wanted.value AS stage
                 FROM json_each(?1) AS wanted, (SELECT ?2 AS now) AS seen
                 WHERE {claimable}"
            ));
            let claimable = claimable
                .into_boxed::<Sqlite>()
                .bind::<Text, _>(serde_json::Value::from(names).to_string())
                .bind::<Timestamptz, _>(now);
            Prepared(match parameter {
                Some(_) => claimable.bind::<Text, _>(owner),
                None => claimable,
            })
            .load(conn)
        }
    }
    .doing("find claimable stages")?;
    Ok(found
        .iter()
        .filter_map(|row| row.stage.parse().ok())
        .collect())
}

#[derive(QueryableByName)]
struct StageRow {
    #[diesel(sql_type = Text)]
    stage: String,
}

/// Locks the jobs in `job_ids`, which are sorted, except those that another transaction has
/// locked, and returns their ids in this order.
pub(crate) fn lock_free_jobs(
    conn: &mut DbConnection,
    job_ids: &[Id<JobId>],
) -> Result<Vec<Id<JobId>>, Error> {
    match conn {
        DbConnection::Postgres(conn) => jobs::table
            .filter(jobs::job_id.eq_any(job_ids))
            .order(jobs::job_id)
            .select(jobs::job_id)
            .for_no_key_update()
            .skip_locked()
            .load(conn)
            .doing("lock jobs without waiting"),
        DbConnection::Sqlite(_) => Ok(job_ids.to_vec()),
    }
}
