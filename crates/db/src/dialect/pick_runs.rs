//! Picks the runs that a claim takes: owners take turns, and each gives its run of the highest
//! priority.
//!
//! The next turn is that of the owner whose latest start of a run is the longest ago. That is
//! known from an index, so a claim writes nothing but its runs: a row for each owner, which every
//! claim would have to change, would make the claims of all servers wait for each other. With the
//! fewest running runs as the rule, a single worker would never leave the owner of the highest
//! priority, because nothing is running whenever it claims.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use lectern_domain::{JobId, OwnerName, Stage};
use serde_json::Value;

use super::claim_queries::expired_jobs;
use crate::connection::DbConnection;
use crate::connection::context::TransactionContext;
use crate::error::{Doing, Error};
use crate::sql::prepared::Prepared;
use crate::sql::status_literals::{RUN_READY, RUN_RUNNING};
use crate::sql::types::{DbTime, Id, Timestamptz, Uuid};

/// The order of an owner's runs, which is that of the partial indexes on ready runs.
const ORDER: &str = "r.priority DESC, r.created_at, r.id";

/// The latest start of a run of an owner.
const LAST_SERVED: &str = "SELECT r.started_at FROM stage_runs AS r
     WHERE r.owner_id = owners.owner_id AND r.started_at IS NOT NULL
     ORDER BY r.started_at DESC LIMIT 1";

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

/// Picks the runs to be claimed next, in turns of their owners, of each owner the highest
/// priority first, then the oldest, and locks their jobs until the transaction ends. Another
/// claim may have taken a run just before its job was locked, so the caller checks the status of
/// each run again.
///
/// Reads at most `limit` runs of each owner that has a ready one. Runs of paused stages are no
/// candidates.
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
    if let DbConnection::Postgres(conn) = conn {
        return pick_on_postgres(conn, context.owner, now, stages, limit)?
            .ok_or(diesel::result::Error::NotFound)
            .doing("pick runs");
    }
    let now = now.unwrap_or_else(|| context.clock.now());
    let owned = context.owned("stage_runs");
    let any_expired = !expired_jobs(conn, owned, DbTime(now), 1)?.is_empty();
    let runs = match conn {
        DbConnection::Sqlite(conn) => pick_on_sqlite(conn, context.owner, now, stages, limit)?,
        DbConnection::Postgres(_) => Vec::new(),
    };
    Ok(Picked {
        now,
        any_expired,
        runs,
    })
}

/// The owners with a ready run. Each is found by one lookup in an index, after the one before,
/// because one owner may have very many runs. With several stages, an owner may have none of
/// these.
fn owners(of_stage: &str) -> String {
    let first = |condition: &str| {
        format!(
            "(SELECT r.owner_id FROM stage_runs AS r
              WHERE r.status = '{RUN_READY}'{of_stage}{condition} ORDER BY r.owner_id LIMIT 1)"
        )
    };
    format!(
        "SELECT {} UNION ALL SELECT {} FROM owners WHERE owners.owner_id IS NOT NULL",
        first(""),
        first(" AND r.owner_id > owners.owner_id"),
    )
}

fn pick_on_sqlite(
    conn: &mut SqliteConnection,
    owner: Option<&OwnerName>,
    now: DateTime<Utc>,
    stages: &[Stage],
    limit: i64,
) -> Result<Vec<(i64, Id<JobId>)>, Error> {
    if stages.is_empty() {
        return Ok(Vec::new());
    }
    // With `+`, SQLite does not look for each of several stages in the index that begins with
    // the stage, after which it would have to sort all runs of the owner.
    let (stages, of_stage, is_wanted) = if let [stage] = stages {
        let of_stage = " AND r.stage = ?1";
        (stage.as_str().to_owned(), of_stage, of_stage)
    } else {
        let stages: Value = stages.iter().map(|stage| stage.as_str()).collect();
        let is_wanted = " AND +r.stage IN (SELECT value FROM json_each(?1))";
        (stages.to_string(), "", is_wanted)
    };
    let owners = owner.map_or_else(|| owners(of_stage), |_| "SELECT ?4".to_owned());
    // SQLite does not reorder a CROSS JOIN. NULL, for an owner that was never served, comes first.
    let pick = format!(
        "WITH RECURSIVE owners (owner_id) AS ({owners}),
         turns AS MATERIALIZED (
             SELECT owner_id, ({LAST_SERVED}) AS served FROM owners WHERE owner_id IS NOT NULL)
         SELECT r.id, r.job_id FROM turns CROSS JOIN stage_runs AS r ON r.id IN (
             SELECT r.id FROM stage_runs AS r
             WHERE r.status = '{RUN_READY}' AND r.owner_id = turns.owner_id{is_wanted}
               AND (r.available_at IS NULL OR r.available_at <= ?2)
             ORDER BY {ORDER} LIMIT ?3)
         ORDER BY row_number() OVER (PARTITION BY turns.owner_id ORDER BY {ORDER}),
                  turns.served, turns.owner_id
         LIMIT ?3"
    );
    let pick = sql_query(pick)
        .into_boxed::<Sqlite>()
        .bind::<Text, _>(stages)
        .bind::<Timestamptz, _>(DbTime(now))
        .bind::<BigInt, _>(limit);
    let rows: Vec<NextRun> = Prepared(match owner {
        Some(owner) => pick.bind::<Text, _>(owner.as_str()),
        None => pick,
    })
    .load(conn)
    .doing("pick runs")?;
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
/// `shares` has how many runs each owner gives if no job is locked. An owner gives more, in a
/// second round, if locks left fewer of others. Rows are locked as they are returned, and no
/// more are fetched than the outermost LIMIT allows, so no job is locked in vain.
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
    // With one stage, the index that begins with the stage returns the runs in order.
    let (of_stage, is_wanted) = match stages {
        [_] => (" AND r.stage = $2", ONE_WANTED),
        _ => ("", SEVERAL_WANTED),
    };
    let owners = owner.map_or_else(|| owners(of_stage), |_| "SELECT $3::text".to_owned());
    let is_claimable = |owner: &str| {
        format!(
            "r.status = '{RUN_READY}' AND r.owner_id = {owner}
             AND (r.available_at IS NULL OR r.available_at <= seen.now){is_wanted}"
        )
    };
    let pick = format!(
        "
        WITH RECURSIVE seen AS MATERIALIZED (SELECT COALESCE($1, clock_timestamp()) AS now),
        owners (owner_id) AS ({owners}),
        turns AS MATERIALIZED (
            SELECT owner_id, row_number() OVER (ORDER BY served NULLS FIRST, owner_id COLLATE \"C\") AS turn
            FROM (SELECT owner_id, ({LAST_SERVED}) AS served FROM owners WHERE owner_id IS NOT NULL) AS served),
        shares AS MATERIALIZED (
            SELECT turn, count(*) AS share
            FROM (SELECT turns.turn
                  FROM seen, turns, LATERAL (
                      SELECT row_number() OVER () AS place
                      FROM (SELECT 1 FROM stage_runs AS r WHERE {of_turn}
                            ORDER BY {ORDER} LIMIT {limit}) AS claimable) AS places
                  ORDER BY places.place, turns.turn LIMIT {limit}) AS taken
            GROUP BY turn)
        SELECT seen.now,
               COALESCE((SELECT min(lease_expires_at) FROM stage_runs
                         WHERE status = '{RUN_RUNNING}') <= seen.now, FALSE) AS expired,
               next.turn, next.id, next.job_id
        FROM seen LEFT JOIN LATERAL (
            SELECT rounds.turn, given.id, given.job_id
            FROM (SELECT turns.owner_id, turns.turn, round.is_second,
                         CASE WHEN is_second THEN COALESCE(shares.share, 0) ELSE 0 END AS given_before,
                         CASE WHEN is_second THEN {limit} ELSE COALESCE(shares.share, 0) END AS share
                  FROM turns LEFT JOIN shares ON shares.turn = turns.turn
                  CROSS JOIN (VALUES (FALSE), (TRUE)) AS round (is_second)
                  ORDER BY round.is_second, turns.turn) AS rounds,
            LATERAL (
                SELECT free.id, free.job_id
                FROM (SELECT r.id, r.job_id FROM stage_runs AS r JOIN jobs AS j ON j.job_id = r.job_id
                      WHERE {of_round}
                      ORDER BY {ORDER}
                      LIMIT {limit}
                      FOR NO KEY UPDATE OF j SKIP LOCKED) AS free
                OFFSET rounds.given_before LIMIT rounds.share) AS given
            LIMIT {limit}) AS next ON TRUE",
        of_turn = is_claimable("turns.owner_id"),
        of_round = is_claimable("rounds.owner_id"),
    );
    let pick = sql_query(pick)
        .into_boxed::<Pg>()
        .bind::<Nullable<Timestamptz>, _>(now.map(DbTime));
    let pick = if let [stage] = stages {
        pick.bind::<Text, _>(stage.as_str())
    } else {
        let names: Vec<_> = stages.iter().map(|stage| stage.as_str()).collect();
        pick.bind::<Array<Text>, _>(names)
    };
    let rows: Vec<PickedRow> = Prepared(match owner {
        Some(owner) => pick.bind::<Text, _>(owner.as_str()),
        None => pick,
    })
    .load(conn)
    .doing("pick runs")?;
    Ok(rows.first().map(|first| Picked {
        now: first.now.0,
        any_expired: first.expired,
        runs: in_turns(&rows),
    }))
}

/// The conditions that a run is of a wanted stage that is not paused. The subqueries do not depend
/// on the run, so each is executed once, and no run is read if all wanted stages are paused,
/// however many are ready.
const ONE_WANTED: &str =
    " AND r.stage = $2 AND (SELECT NOT EXISTS (SELECT 1 FROM stage_pauses WHERE stage = $2))";
/// The planner takes a CASE for true of every other row. Of a comparison with an array that it does not
/// know it expects that few rows pass, and would read and sort all runs.
const SEVERAL_WANTED: &str = " AND r.stage = ANY($2)
     AND CASE WHEN r.stage = ANY(ARRAY(SELECT stage FROM stage_pauses)) THEN FALSE ELSE TRUE END
     AND (SELECT EXISTS (SELECT unnest($2) EXCEPT SELECT stage FROM stage_pauses))";

#[derive(QueryableByName)]
struct PickedRow {
    #[diesel(sql_type = Timestamptz)]
    now: DbTime,
    #[diesel(sql_type = Bool)]
    expired: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    turn: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
    #[diesel(sql_type = Nullable<Uuid>)]
    job_id: Option<Id<JobId>>,
}

/// The first run of each owner in the order of their turns, then the second of each, and so on.
/// A run that both rounds found, because its job was unlocked between them, is there once.
fn in_turns(rows: &[PickedRow]) -> Vec<(i64, Id<JobId>)> {
    let mut found = HashSet::new();
    let mut counts: HashMap<i64, usize> = HashMap::new();
    let mut runs: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let (turn, id, job_id) = (row.turn?, row.id?, row.job_id?);
            let count = counts.entry(turn).or_default();
            *count += 1;
            found.insert(id).then_some(((*count, turn), (id, job_id)))
        })
        .collect();
    runs.sort_by_key(|(place, _)| *place);
    runs.into_iter().map(|(_, run)| run).collect()
}
