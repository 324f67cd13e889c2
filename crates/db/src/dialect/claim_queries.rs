//! SQL for claims: finds expired leases, locks jobs, picks ready runs and starts their jobs.
//! `work/claim.rs` runs these statements.

use chrono::{DateTime, Utc};
use diesel::deserialize::QueryableByName;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use lectern_domain::{JobId, OwnerName, Stage};
use serde_json::Value;

use crate::connection::context::TransactionContext;
use crate::connection::{DbConnection, on_either};
use crate::error::{Doing, Error};
use crate::schema::{jobs, stage_runs};
use crate::sql::mean_percent::mean_percent;
use crate::sql::owned::{Owned, owned_sql};
use crate::sql::prepared::{Prepared, PreparedIf};
use crate::sql::status_literals::{JOB_QUEUED, JOB_RUNNING, RUN_READY, RUN_RUNNING};
use crate::sql::types::{DbTime, Id, Timestamptz, Uuid};

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

/// The runs that a claim may take.
pub(crate) struct Picked {
    /// The time of the query.
    pub(crate) now: DateTime<Utc>,
    /// Whether any lease has expired.
    pub(crate) any_expired: bool,
    /// Integer keys of runs and ids of their jobs, in the order in which the runs are to
    /// be claimed.
    pub(crate) runs: Vec<(i64, Id<JobId>)>,
}

/// Picks the runs to be claimed next, the highest priority first, then the
/// oldest, and locks their jobs until the transaction ends. Another claim may
/// have taken a run just before its job was locked, so the caller checks the status of
/// each run again.
///
/// PostgreSQL skips locked jobs instead of waiting for them, so that claims
/// neither queue nor deadlock. SQLite has one writer at a time.
pub(crate) fn pick_runs(
    conn: &mut DbConnection,
    context: &TransactionContext<'_>,
    stages: &[Stage],
    limit: i64,
) -> Result<Picked, Error> {
    let now = context.has_custom_clock.then(|| context.clock.now());
    match conn {
        DbConnection::Postgres(conn) => pick_on_postgres(conn, context.owner, now, stages, limit)?
            .ok_or(diesel::result::Error::NotFound)
            .doing("pick runs"),
        DbConnection::Sqlite(_) => {
            let now = now.unwrap_or_else(|| context.clock.now());
            let owned = context.owned("stage_runs");
            let any_expired = !expired_jobs(conn, owned, DbTime(now), 1)?.is_empty();
            let runs =
                if let (DbConnection::Sqlite(conn), Some(owner)) = (&mut *conn, context.owner) {
                    pick_of_owner_on_sqlite(conn, owner, now, stages, limit)?
                } else {
                    let next = stage_runs::table
                        .filter(is_ready())
                        .filter(stage_runs::stage.eq_any(stages.iter().map(|stage| stage.as_str())))
                        .filter(
                            stage_runs::available_at
                                .is_null()
                                .or(stage_runs::available_at.le(DbTime(now)).assume_not_null()),
                        )
                        .order((
                            stage_runs::priority.desc(),
                            stage_runs::created_at,
                            stage_runs::id,
                        ))
                        .limit(limit)
                        .select((stage_runs::id, stage_runs::job_id));
                    let next = Prepared(next);
                    on_either!(conn, conn => next.load(conn)).doing("pick runs")?
                };
            Ok(Picked {
                now,
                any_expired,
                runs,
            })
        }
    }
}

/// Picks runs of an owner's jobs. It begins with these jobs: the index of all ready runs may
/// have many of others before the first one of the owner.
fn pick_of_owner_on_sqlite(
    conn: &mut SqliteConnection,
    owner: &OwnerName,
    now: DateTime<Utc>,
    stages: &[Stage],
    limit: i64,
) -> Result<Vec<(i64, Id<JobId>)>, Error> {
    // SQLite does not reorder a CROSS JOIN.
    let pick = sql_query(format!(
        "SELECT r.id, r.job_id FROM jobs AS j CROSS JOIN stage_runs AS r ON r.job_id = j.job_id
         WHERE j.owner_id = ?1 AND j.status IN ('{JOB_QUEUED}', '{JOB_RUNNING}')
           AND r.status = '{RUN_READY}' AND r.stage IN (SELECT value FROM json_each(?2))
           AND (r.available_at IS NULL OR r.available_at <= ?3)
         ORDER BY r.priority DESC, r.created_at, r.id LIMIT ?4"
    ));
    let stages: Value = stages.iter().map(|stage| stage.as_str()).collect();
    let pick = pick
        .bind::<Text, _>(owner.as_str())
        .bind::<Text, _>(stages.to_string())
        .bind::<Timestamptz, _>(DbTime(now))
        .bind::<BigInt, _>(limit);
    let rows: Vec<NextRun> = Prepared(pick).load(conn).doing("pick runs")?;
    Ok(rows.into_iter().map(|row| (row.id, row.job_id)).collect())
}

#[derive(QueryableByName)]
struct NextRun {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Uuid)]
    job_id: Id<JobId>,
}

/// Picks runs with one statement, because each further round trip would prolong the
/// locks. The statement is written as SQL, because diesel would lock the runs as well,
/// and other transactions lock the job before its runs.
///
/// The prepared plan must be good for every execution. With the limit as a parameter,
/// the planner would assume a tenth of all rows and sort them, so the limit is part of
/// the text. With `EXISTS`, the planner would assume an early match and scan the table,
/// so expired leases are found with `min`.
fn pick_on_postgres(
    conn: &mut PgConnection,
    owner: Option<&OwnerName>,
    now: Option<DateTime<Utc>>,
    stages: &[Stage],
    limit: i64,
) -> Result<Option<Picked>, Error> {
    // The jobs with a ready run are queued or running. With this condition, the planner can
    // begin with those of the owner, which may be few among many of others.
    let limit_to_owner = owner.map_or_else(String::new, |_| {
        format!(" AND j.status IN ('{JOB_QUEUED}', '{JOB_RUNNING}') AND j.owner_id = $3")
    });
    let pick = format!(
        "
        WITH seen AS MATERIALIZED (SELECT COALESCE($1, clock_timestamp()) AS now)
        SELECT seen.now,
               COALESCE((SELECT min(lease_expires_at) FROM stage_runs
                         WHERE status = '{RUN_RUNNING}') <= seen.now, FALSE) AS expired,
               next.id, next.job_id
        FROM seen LEFT JOIN LATERAL (
            SELECT r.id, r.job_id FROM stage_runs AS r JOIN jobs AS j ON j.job_id = r.job_id
            WHERE r.status = '{RUN_READY}' AND (r.available_at IS NULL OR r.available_at <= seen.now)
              AND r.stage = $2{limit_to_owner}
            ORDER BY r.priority DESC, r.created_at, r.id
            LIMIT {limit}
            FOR NO KEY UPDATE OF j SKIP LOCKED) AS next ON TRUE"
    );
    let now = now.map(DbTime);
    // With one stage, the index that begins with the stage returns the runs in
    // order.
    let rows: Vec<PickedRow> = if let [stage] = stages {
        let pick = sql_query(pick)
            .into_boxed::<Pg>()
            .bind::<Nullable<Timestamptz>, _>(now)
            .bind::<Text, _>(stage.as_str());
        pick_of(owner, pick).load(conn)
    } else {
        let names: Vec<_> = stages.iter().map(|stage| stage.as_str()).collect();
        let pick = sql_query(pick.replace("= $2", "= ANY($2)"))
            .into_boxed::<Pg>()
            .bind::<Nullable<Timestamptz>, _>(now)
            .bind::<Array<Text>, _>(names);
        pick_of(owner, pick).load(conn)
    }
    .doing("pick runs")?;
    Ok(rows.first().map(|first| Picked {
        now: first.now.0,
        any_expired: first.expired,
        runs: rows
            .iter()
            .filter_map(|row| row.id.zip(row.job_id))
            .collect(),
    }))
}

/// The query of a claim with the owner bound, if there is one. How many jobs an owner has
/// decides which plan is good, so it is prepared only without an owner.
fn pick_of<'q>(
    owner: Option<&'q OwnerName>,
    pick: BoxedSqlQuery<'q, Pg, SqlQuery>,
) -> PreparedIf<BoxedSqlQuery<'q, Pg, SqlQuery>> {
    PreparedIf {
        is_prepared: owner.is_none(),
        query: match owner {
            Some(owner) => pick.bind::<Text, _>(owner.as_str()),
            None => pick,
        },
    }
}

#[derive(QueryableByName)]
struct PickedRow {
    #[diesel(sql_type = Timestamptz)]
    now: DbTime,
    #[diesel(sql_type = Bool)]
    expired: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
    #[diesel(sql_type = Nullable<Uuid>)]
    job_id: Option<Id<JobId>>,
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

/// The stages in `stages` that have a ready run or an expired lease: two index lookups
/// per stage.
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
        format!(" AND {}", owned_sql("r", parameter))
    });
    let claimable = format!(
        "
        (SELECT r.id FROM stage_runs AS r
         WHERE r.status = '{RUN_READY}' AND r.stage = wanted.value
           AND (r.available_at IS NULL OR r.available_at <= seen.now){limit_to_owner}
         ORDER BY r.priority DESC, r.created_at, r.id LIMIT 1) IS NOT NULL
        OR (SELECT min(r.lease_expires_at) FROM stage_runs AS r
            WHERE r.status = '{RUN_RUNNING}' AND r.stage = wanted.value{limit_to_owner}) <= seen.now"
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
