//! What waits for each stage, and how fast workers get through it.
//!
//! Every number comes from a partial index of one status that begins with the stage, and counting
//! ends at [`RunCounts::MAX`]. So the time of both queries is
//! bounded, however many runs wait or have ended.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use lectern_domain::{Durations, OwnerName, RunCounts, Stage, StageStats};

use super::StageRuns;
use crate::connection::{Backend, DbConnection};
use crate::error::{Doing, Error};
use crate::sql::prepared::Prepared;
use crate::sql::status_literals::{RUN_COMPLETED, RUN_FAILED, RUN_READY, RUN_RUNNING, RUN_WAITING};
use crate::sql::stored::{Check as _, Stored};
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbTime, Timestamptz};

impl<Mode> StageRuns<'_, Mode> {
    /// The state of every stage of [`Stage::WORK`], in this order; of an owner, only its runs
    /// count. Use it in a snapshot.
    pub fn stats(&mut self) -> Result<Vec<StageStats>, Error> {
        let now = self.0.shared_now()?;
        let times = Times {
            now,
            recently: now - TimeDelta::minutes(5),
            hour_ago: now - TimeDelta::hours(1),
        };
        let owner = self.0.context.owner;
        let counts: Vec<CountsRow> = times
            .load(self.0.raw, owner, counts_sql)
            .doing("count the runs of stages")?;
        let completed: Vec<CompletedRow> = times
            .load(self.0.raw, owner, completed_sql)
            .doing("list the runs that were completed lately")?;
        let mut durations: BTreeMap<Stage, Vec<TimeDelta>> = BTreeMap::new();
        for row in completed {
            // Another program may have written times that are none.
            let times = (
                row.stage.check(),
                row.started_at.check(),
                row.finished_at.check(),
            );
            if let (Ok(stage), Ok(started_at), Ok(finished_at)) = times {
                let durations = durations.entry(stage).or_default();
                durations.push(finished_at - started_at);
            }
        }
        let stats = counts.into_iter().filter_map(|row| {
            let stage = row.stage.check().ok()?;
            let oldest_ready_at = row.oldest_ready_at.check().ok().flatten();
            Some(StageStats {
                stage,
                paused_at: row.paused_at.check().ok().flatten(),
                runs: RunCounts {
                    ready: (row.all_ready - row.scheduled).min(RunCounts::MAX),
                    scheduled: row.scheduled,
                    waiting: row.waiting,
                    running: row.running,
                    failed: row.failed,
                    completed_last_5m: row.completed_last_5m,
                    completed_last_hour: row.completed_last_hour,
                },
                oldest_ready_seconds: oldest_ready_at.map(|at| StageStats::seconds_since(at, now)),
                durations: durations.remove(&stage).and_then(Durations::of),
            })
        });
        let mut stats: Vec<_> = stats.collect();
        stats.sort_by_key(|stats| Stage::WORK.iter().position(|stage| *stage == stats.stage));
        Ok(stats)
    }
}

/// The parameters of the queries, in their order, before that of the owner.
struct Times {
    now: DateTime<Utc>,
    recently: DateTime<Utc>,
    hour_ago: DateTime<Utc>,
}

impl Times {
    fn load<Row>(
        &self,
        conn: &mut DbConnection,
        owner: Option<&OwnerName>,
        sql: fn(&Parameters) -> String,
    ) -> QueryResult<Vec<Row>>
    where
        Row: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static,
    {
        let parameters = Parameters {
            backend: conn.backend(),
            has_owner: owner.is_some(),
        };
        let query = sql_query(sql(&parameters));
        // Both arms are the same, for two types.
        macro_rules! load {
            ($conn:expr, $Db:ty) => {{
                let query = query
                    .into_boxed::<$Db>()
                    .bind::<Timestamptz, _>(DbTime(self.now))
                    .bind::<Timestamptz, _>(DbTime(self.recently))
                    .bind::<Timestamptz, _>(DbTime(self.hour_ago));
                Prepared(match owner {
                    Some(owner) => query.bind::<Text, _>(owner.as_str()),
                    None => query,
                })
                .load($conn)
            }};
        }
        match conn {
            DbConnection::Postgres(conn) => load!(conn, Pg),
            DbConnection::Sqlite(conn) => load!(conn, Sqlite),
        }
    }
}

/// The names of the parameters in SQL.
struct Parameters {
    backend: Backend,
    has_owner: bool,
}

impl Parameters {
    fn number(&self, number: u8) -> String {
        match self.backend {
            Backend::Postgres => format!("${number}"),
            Backend::Sqlite => format!("?{number}"),
        }
    }

    fn now(&self) -> String {
        self.number(1)
    }

    fn recently(&self) -> String {
        self.number(2)
    }

    fn hour_ago(&self) -> String {
        self.number(3)
    }

    /// The condition that a run `r` is the owner's.
    fn of_owner(&self) -> String {
        if self.has_owner {
            format!(" AND r.owner_id = {}", self.number(4))
        } else {
            String::new()
        }
    }
}

/// SQL for the stages and how many runs of each there are.
fn counts_sql(parameters: &Parameters) -> String {
    let (now, of_owner) = (parameters.now(), parameters.of_owner());
    let count = |status: &str, condition: &str, limit: i64| {
        format!(
            "(SELECT count(*) FROM (
                 SELECT 1 FROM stage_runs AS r
                 WHERE r.status = '{status}' AND r.stage = wanted.stage{condition}{of_owner}
                 LIMIT {limit}) AS counted)"
        )
    };
    let max = RunCounts::MAX;
    let since = |time: String| format!(" AND r.finished_at >= {time}");
    let stages = Stage::WORK
        .iter()
        .map(|stage| format!("SELECT '{stage}' AS stage"));
    format!(
        "SELECT wanted.stage,
                (SELECT p.paused_at FROM stage_pauses AS p WHERE p.stage = wanted.stage) AS paused_at,
                {all_ready} AS all_ready, {scheduled} AS scheduled, {waiting} AS waiting,
                {running} AS running, {failed} AS failed, {recently} AS completed_last_5m,
                {hour} AS completed_last_hour,
                (SELECT min(r.ready_at) FROM stage_runs AS r
                 WHERE r.status = '{RUN_READY}' AND r.stage = wanted.stage
                   AND r.ready_at <= {now}{of_owner}) AS oldest_ready_at
         FROM ({stages}) AS wanted",
        // The scheduled runs are among these.
        all_ready = count(RUN_READY, "", 2 * max),
        scheduled = count(RUN_READY, &format!(" AND r.ready_at > {now}"), max),
        waiting = count(RUN_WAITING, "", max),
        running = count(RUN_RUNNING, "", max),
        failed = count(RUN_FAILED, "", max),
        recently = count(RUN_COMPLETED, &since(parameters.recently()), max),
        hour = count(RUN_COMPLETED, &since(parameters.hour_ago()), max),
        stages = stages.collect::<Vec<_>>().join(" UNION ALL "),
    )
}

/// SQL for the latest runs of each stage that were completed in the last hour.
fn completed_sql(parameters: &Parameters) -> String {
    let (hour_ago, of_owner) = (parameters.hour_ago(), parameters.of_owner());
    let completed = Stage::WORK.iter().map(|stage| {
        format!(
            "SELECT * FROM (
                 SELECT r.stage, r.started_at, r.finished_at FROM stage_runs AS r
                 WHERE r.status = '{RUN_COMPLETED}' AND r.stage = '{stage}'
                   AND r.finished_at >= {hour_ago} AND r.started_at IS NOT NULL{of_owner}
                 ORDER BY r.finished_at DESC LIMIT {}) AS {stage}",
            Durations::MAX_RUNS
        )
    });
    // All parameters have to occur, so that both queries have the same.
    format!(
        "SELECT completed.* FROM ({}) AS completed WHERE {} <= {}",
        completed.collect::<Vec<_>>().join(" UNION ALL "),
        parameters.recently(),
        parameters.now(),
    )
}

#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = Text)]
    stage: Stored<Stage>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paused_at: Option<StoredTime>,
    /// Ready runs, with those that are scheduled.
    #[diesel(sql_type = BigInt)]
    all_ready: i64,
    #[diesel(sql_type = BigInt)]
    scheduled: i64,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    running: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = BigInt)]
    completed_last_5m: i64,
    #[diesel(sql_type = BigInt)]
    completed_last_hour: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    oldest_ready_at: Option<StoredTime>,
}

#[derive(QueryableByName)]
struct CompletedRow {
    #[diesel(sql_type = Text)]
    stage: Stored<Stage>,
    #[diesel(sql_type = Timestamptz)]
    started_at: StoredTime,
    #[diesel(sql_type = Timestamptz)]
    finished_at: StoredTime,
}
