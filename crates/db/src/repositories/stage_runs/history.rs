//! The history of the stages, computed from the times of their runs.
//!
//! One query reads the latest runs that have ended in the period, and those that are ready or
//! running, each from a partial index that begins with the stage, and groups them by the buckets of
//! their times. At most [`StageHistory::MAX_RUNS`] of each kind are read, so the time of the query is
//! bounded. All times are integers, in microseconds, so that both databases return the same.

use chrono::TimeDelta;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use lectern_domain::{
    HistoryBuckets, HistoryPeriod, RunGroup, RunOutcome, RunTimes, Stage, StageHistory, WorkHistory,
};

use super::StageRuns;
use crate::connection::{Backend, DbConnection};
use crate::error::{Doing, Error};
use crate::sql::prepared::Prepared;
use crate::sql::status_literals::{
    RUN_CANCELLED, RUN_COMPLETED, RUN_FAILED, RUN_READY, RUN_RUNNING, RUN_SKIPPED,
};
use crate::sql::stored::{Check as _, Stored};
use crate::sql::types::{DbTime, Timestamptz};

/// No attempt lasts longer. Times before the period are cut off there, so that their sums are
/// representable.
const LONGEST_ATTEMPT: TimeDelta = TimeDelta::days(400);

impl<Mode> StageRuns<'_, Mode> {
    /// The history of every stage of [`Stage::WORK`], in this order; of an owner, only its runs
    /// count.
    ///
    /// It contains what is stored: not the runs of deleted jobs, and of each run its last attempt.
    pub fn history(&mut self, period: HistoryPeriod) -> Result<WorkHistory, Error> {
        let buckets = HistoryBuckets::new(period, self.0.shared_now()?);
        let (first, now) = (buckets.first(), buckets.now());
        let owner = self.0.context.owner;
        let sql = history_sql(self.0.raw.backend(), owner.is_some());
        // Both arms are the same, for two types.
        macro_rules! load {
            ($conn:expr, $Db:ty) => {{
                let query = sql_query(sql)
                    .into_boxed::<$Db>()
                    .bind::<Timestamptz, _>(DbTime(first))
                    .bind::<Timestamptz, _>(DbTime(now))
                    .bind::<Timestamptz, _>(DbTime(first - LONGEST_ATTEMPT))
                    .bind::<BigInt, _>(first.timestamp_micros())
                    .bind::<BigInt, _>(buckets.width() * 1_000_000);
                Prepared(match owner {
                    Some(owner) => query.bind::<Text, _>(owner.as_str()),
                    None => query,
                })
                .load($conn)
            }};
        }
        let rows: Vec<GroupRow> = match self.0.raw {
            DbConnection::Postgres(conn) => load!(conn, Pg),
            DbConnection::Sqlite(conn) => load!(conn, Sqlite),
        }
        .doing("compute the history of stages")?;
        let mut groups: Vec<(Stage, RunGroup)> = Vec::with_capacity(rows.len());
        for row in rows {
            // Another program may have written a stage that is none.
            if let (Ok(stage), Some(outcome)) = (row.stage.check(), outcome(&row.outcome)) {
                groups.push((stage, row.times.group(outcome)));
            }
        }
        let history = |stage: Stage| {
            let of_stage = groups.iter().filter(|(of, _)| *of == stage);
            let of_stage: Vec<_> = of_stage.map(|(_, group)| *group).collect();
            StageHistory::of(stage, &of_stage, &buckets)
        };
        Ok(WorkHistory {
            buckets,
            stages: Stage::WORK.iter().copied().map(history).collect(),
        })
    }
}

/// Of a run that is ready again: what it was before.
const FAILED_ATTEMPT: &str = "failed_attempt";

fn outcome(name: &str) -> Option<RunOutcome> {
    Some(match name {
        RUN_READY => RunOutcome::Ready,
        RUN_RUNNING => RunOutcome::Running,
        RUN_COMPLETED => RunOutcome::Completed,
        RUN_FAILED => RunOutcome::Failed,
        RUN_CANCELLED | RUN_SKIPPED => RunOutcome::Closed,
        FAILED_ATTEMPT => RunOutcome::FailedAttempt,
        _ => return None,
    })
}

/// Parameters: the start of the first bucket; the end of the last; the earliest time; the first one
/// as microseconds since 1970; the length of a bucket in microseconds; the owner.
fn history_sql(backend: Backend, has_owner: bool) -> String {
    let (mark, none) = match backend {
        Backend::Postgres => ('$', "NULL::timestamptz"),
        Backend::Sqlite => ('?', "NULL"),
    };
    let of_owner = if has_owner {
        format!(" AND r.owner_id = {mark}6")
    } else {
        String::new()
    };
    let max = StageHistory::MAX_RUNS;
    let runs = Stage::WORK.iter().map(|stage| {
        format!(
            "SELECT * FROM (
                 SELECT r.stage,
                        CASE r.status WHEN '{RUN_READY}' THEN '{FAILED_ATTEMPT}' ELSE r.status END AS outcome,
                        r.ready_at, r.started_at, r.finished_at
                 FROM stage_runs AS r
                 WHERE r.stage = '{stage}' AND r.finished_at >= {mark}1
                   AND r.status IN ('{RUN_COMPLETED}', '{RUN_FAILED}', '{RUN_CANCELLED}',
                                    '{RUN_SKIPPED}', '{RUN_READY}'){of_owner}
                 ORDER BY r.finished_at DESC LIMIT {max}) AS {stage}_ended
             UNION ALL
             SELECT * FROM (
                 SELECT r.stage, '{RUN_READY}' AS outcome, r.ready_at,
                        {none} AS started_at, {none} AS finished_at
                 FROM stage_runs AS r
                 WHERE r.status = '{RUN_READY}' AND r.stage = '{stage}' AND r.ready_at <= {mark}2{of_owner}
                 ORDER BY r.ready_at LIMIT {max}) AS {stage}_ready
             UNION ALL
             SELECT * FROM (
                 SELECT r.stage, '{RUN_RUNNING}' AS outcome, r.ready_at, r.started_at, {none} AS finished_at
                 FROM stage_runs AS r
                 WHERE r.status = '{RUN_RUNNING}' AND r.stage = '{stage}'{of_owner}
                 LIMIT {max}) AS {stage}_running"
        )
    });
    let runs = runs.collect::<Vec<_>>().join(" UNION ALL ");
    let micros = |column: &str| micros_sql(backend, column);
    // Integer division rounds towards zero.
    let bucket = |time: &str| format!("CASE WHEN {time} < 0 THEN -1 ELSE {time} / {mark}5 END");
    let sum = |value: &str| match backend {
        Backend::Postgres => format!("sum({value})::bigint"),
        Backend::Sqlite => format!("sum({value})"),
    };
    // Without MATERIALIZED, SQLite computes the times again wherever they are used.
    format!(
        "WITH timed AS MATERIALIZED
             (SELECT stage, outcome, {ready} AS ready, {started} AS started,
                     {finished} AS finished, COALESCE(started_at >= ready_at, FALSE) AS is_claimed
              FROM ({runs}) AS runs)
         SELECT stage, outcome, is_claimed, count(*) AS runs,
                {ready_bucket} AS ready_bucket, {ready_sum} AS ready_sum,
                {started_bucket} AS started_bucket, {started_sum} AS started_sum,
                {finished_bucket} AS finished_bucket, {finished_sum} AS finished_sum,
                max(finished - started) AS longest
         FROM timed
         GROUP BY stage, outcome, is_claimed, {ready_bucket}, {started_bucket}, {finished_bucket}",
        ready = micros("ready_at"),
        started = micros("started_at"),
        finished = micros("finished_at"),
        ready_bucket = bucket("ready"),
        started_bucket = bucket("started"),
        finished_bucket = bucket("finished"),
        ready_sum = sum("ready"),
        started_sum = sum("started"),
        finished_sum = sum("finished"),
    )
}

/// A time as microseconds since the first bucket, cut off at the earliest time and now.
fn micros_sql(backend: Backend, column: &str) -> String {
    match backend {
        // A double has seconds since 1970 to a quarter of a microsecond.
        Backend::Postgres => format!(
            "CASE WHEN {column} IS NOT NULL
             THEN (date_part('epoch', greatest(least({column}, $2), $3)) * 1000000)::bigint - $4 END"
        ),
        // Of a text with decimals, unixepoch() rounds the third one.
        Backend::Sqlite => {
            let time = format!("max(min({column}, ?2), ?3)");
            format!(
                "unixepoch(substr({time}, 1, 19)) * 1000000 + CAST(substr({time}, 21, 6) AS INTEGER) - ?4"
            )
        }
    }
}

#[derive(QueryableByName)]
struct GroupRow {
    #[diesel(sql_type = Text)]
    stage: Stored<Stage>,
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(embed)]
    times: TimesRow,
}

/// The buckets of the times, and their sums. What another program wrote that is no time is NULL.
#[derive(QueryableByName)]
struct TimesRow {
    #[diesel(sql_type = BigInt)]
    runs: i64,
    #[diesel(sql_type = Bool)]
    is_claimed: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    ready_bucket: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    ready_sum: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    started_bucket: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    started_sum: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    finished_bucket: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    finished_sum: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    longest: Option<i64>,
}

impl TimesRow {
    fn group(&self, outcome: RunOutcome) -> RunGroup {
        let times = |(bucket, sum)| RunTimes { bucket, sum };
        RunGroup {
            outcome,
            runs: self.runs,
            ready: self.ready_bucket.zip(self.ready_sum).map(times),
            started: self.started_bucket.zip(self.started_sum).map(times),
            finished: self.finished_bucket.zip(self.finished_sum).map(times),
            is_claimed: self.is_claimed,
            longest: self.longest,
        }
    }
}
