//! SQL that differs between the databases: both variants of a statement side by side, or
//! the one for PostgreSQL if the other is a query of diesel in the repository.

mod any_case;
mod claim_queries;
mod create_jobs;
mod event_feed;
mod insert_history;
mod lock;
mod newer_events;
mod pick_runs;
mod store_progress;
mod store_runs;

use std::fmt::Display;

use chrono::{DateTime, SubsecRound, Utc};
use diesel::dsl::AsExprOf;
use diesel::dsl::sql;
use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use lectern_domain::{Clock, Fingerprint, IdempotencyKey};

pub(crate) use any_case::contains_in_any_case;
pub(crate) use claim_queries::{
    claimable_stages, expired_jobs, is_ready, lock_free_jobs, start_jobs,
};
pub(crate) use create_jobs::{NewRun, insert_jobs_on_postgres};
pub(crate) use event_feed::{
    Place, deletions_after, end_of_part, events_after, feed_state, last_places, mark_pruned,
};
pub(crate) use insert_history::{NewLogRow, insert_history};
pub use lock::{JobLock, JobRef};
pub(crate) use lock::{LiveLease, LockedJob};
pub(crate) use newer_events::newer_events;
pub(crate) use pick_runs::{Picked, pick_runs};
pub(crate) use store_progress::{store_reports_on_postgres, store_run_reports_on_postgres};
pub(crate) use store_runs::store_runs;

use crate::connection::{Backend, Conn, DbConnection};
use crate::error::{Doing, Error};
use crate::schema::idempotency_keys;
use crate::sql::current_time::CurrentTime;
use crate::sql::prepared::Prepared;

/// Rows of one `INSERT` where `COPY` is refused. A statement has at most 65,535 parameters, and
/// no table has more than 60 columns.
pub(crate) const ROWS_WITHOUT_COPY: usize = 1000;

/// Rows of one `INSERT` of a large set on SQLite. A statement has a cost besides that of its
/// rows, mostly because of its triggers, which this number makes small. SQLite allows 32,766
/// parameters; no table has more than 60 columns.
pub(crate) const ROWS_ON_SQLITE: usize = 100;

/// Inserts many rows in the fastest way of each database: on PostgreSQL by `COPY`,
/// on SQLite with one prepared statement for each row.
///
/// PostgreSQL has no `COPY` for a role to which row-level security applies. With
/// `fenced: true`, rows are inserted by statements of many rows instead.
macro_rules! insert_all {
    (fenced: $fenced:expr, $conn:expr, $table:expr, $rows:expr) => {
        match ($conn, $rows) {
            ($crate::connection::DbConnection::Postgres(conn), rows) if $fenced => rows
                .chunks($crate::dialect::ROWS_WITHOUT_COPY)
                .try_for_each(|chunk| {
                    diesel::insert_into($table)
                        .values(chunk)
                        .execute(conn)
                        .map(drop)
                }),
            (conn, rows) => $crate::dialect::insert_all!(conn, $table, rows),
        }
    };
    ($conn:expr, $table:expr, $rows:expr) => {{
        let rows = $rows;
        match $conn {
            _ if rows.is_empty() => Ok(()),
            $crate::connection::DbConnection::Postgres(conn) => diesel::copy_from($table)
                .from_insertable(rows)
                .execute(conn)
                .map(drop),
            $crate::connection::DbConnection::Sqlite(conn) => {
                rows.into_iter().try_for_each(|row| {
                    diesel::insert_into($table)
                        .values(row)
                        .execute(conn)
                        .map(drop)
                })
            }
        }
    }};
}
pub(crate) use insert_all;

/// As [`insert_all!`] for the rows of a set, of which there may be a hundred thousand. On
/// SQLite with one prepared statement for each [`ROWS_ON_SQLITE`].
macro_rules! insert_set {
    (fenced: $fenced:expr, $conn:expr, $table:expr, $rows:expr) => {
        match ($conn, $rows) {
            ($crate::connection::DbConnection::Sqlite(conn), rows) => {
                let (chunks, rest) = rows.as_chunks::<{ $crate::dialect::ROWS_ON_SQLITE }>();
                // diesel prepares both statements once: their numbers of rows are constants.
                let inserted = chunks.iter().try_for_each(|chunk| {
                    diesel::insert_into($table)
                        .values(chunk)
                        .execute(conn)
                        .map(drop)
                });
                inserted.and_then(|()| {
                    rest.iter().try_for_each(|row| {
                        diesel::insert_into($table)
                            .values(row)
                            .execute(conn)
                            .map(drop)
                    })
                })
            }
            (conn, rows) => $crate::dialect::insert_all!(fenced: $fenced, conn, $table, rows),
        }
    };
}
pub(crate) use insert_set;

/// The condition that `keyword` is one of a content segment's keywords.
pub(crate) fn has_keyword(backend: Backend, keyword: &str) -> TextCondition {
    let (before, after) = match backend {
        // `?` is PostgreSQL's operator, not a parameter: true if the array has this string
        // as an element.
        Backend::Postgres => ("content_segments.keywords ? ", ""),
        Backend::Sqlite => (
            "EXISTS (SELECT 1 FROM json_each(content_segments.keywords) WHERE value = ",
            ")",
        ),
    };
    sql::<Bool>(before)
        .bind::<Text, _>(keyword.to_owned())
        .sql(after)
}

/// SQL for the condition that the values of unbounded size in a row of `jobs` are small, so
/// that many such rows can be in memory at once. On PostgreSQL the stored size counts,
/// which is known without reading the value. It may be compressed, and the value a hundred
/// times larger, so this bound is lower than SQLite's.
pub(crate) fn is_small(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres => {
            "(COALESCE(pg_column_size(jobs.extra_metadata), 0)
              + COALESCE(pg_column_size(jobs.video_metadata), 0)
              + COALESCE(pg_column_size(jobs.processing_config), 0)
              + COALESCE(pg_column_size(jobs.error_message), 0) < 4096)"
        }
        Backend::Sqlite => {
            "(COALESCE(octet_length(jobs.extra_metadata), 0)
              + COALESCE(octet_length(jobs.video_metadata), 0)
              + COALESCE(octet_length(jobs.processing_config), 0)
              + COALESCE(octet_length(jobs.error_message), 0) < 65536)"
        }
    }
}

/// The condition that a column, such as `jobs.job_id`, is one of `ids`.
pub(crate) fn is_one_of(backend: Backend, column: &str, ids: &[impl Display]) -> TextCondition {
    if let [id] = ids {
        let parameter = match backend {
            Backend::Postgres => ("(", ")::uuid"),
            Backend::Sqlite => ("", ""),
        };
        return sql::<Bool>(&format!("{column} = {}", parameter.0))
            .bind::<Text, _>(id.to_string())
            .sql(parameter.1);
    }
    let (before, after) = match backend {
        // The subquery hides the number of ids from the planner, which would otherwise plan
        // the statement again for each execution.
        Backend::Postgres => (
            format!("{column} = ANY(ARRAY(SELECT jsonb_array_elements_text(("),
            ")::jsonb)::uuid))",
        ),
        Backend::Sqlite => (format!("{column} IN (SELECT value FROM json_each("), "))"),
    };
    let ids: serde_json::Value = ids.iter().map(ToString::to_string).collect();
    sql::<Bool>(&before)
        .bind::<Text, _>(ids.to_string())
        .sql(after)
}

/// A condition with a text as parameter, whose SQL depends on the database.
pub(crate) type TextCondition =
    SqlLiteral<Bool, UncheckedBind<SqlLiteral<Bool>, AsExprOf<String, Text>>>;

/// The values of a column, as the array that is bound for it.
pub(crate) fn column_values<'a, R, T>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

/// SQL for a random UUID (version 4).
pub(crate) fn random_uuid(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres => "gen_random_uuid()",
        Backend::Sqlite => {
            "(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
              || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2)
              || '-' || hex(randomblob(6))))"
        }
    }
}

/// SQL for the start of the hour, in UTC, of a stored time. The triggers that count jobs
/// have the same expressions.
pub(crate) fn start_of_hour(conn: &DbConnection, time: &str) -> String {
    match conn {
        DbConnection::Postgres(_) => format!("date_trunc('hour', {time}, 'UTC')"),
        DbConnection::Sqlite(_) => format!("substr({time}, 1, 13) || ':00:00.000000Z'"),
    }
}

impl<Mode> Conn<'_, Mode> {
    /// The current time for the expiry of leases: the database server's, which
    /// all clients share, or that of the caller's clock.
    pub(crate) fn shared_now(&mut self) -> Result<DateTime<Utc>, Error> {
        if self.context.has_custom_clock {
            Ok(self.clock.now())
        } else {
            now(self.raw, self.clock)
        }
    }
}

/// The current time of the database.
fn now(conn: &mut DbConnection, clock: &dyn Clock) -> Result<DateTime<Utc>, Error> {
    match conn {
        // PostgreSQL's `now()` would be the start of the transaction. This is the time
        // after any wait for a lock.
        DbConnection::Postgres(conn) => {
            let now = sql::<diesel::sql_types::Timestamptz>("clock_timestamp()");
            Prepared(diesel::select(now))
                .get_result::<DateTime<Utc>>(conn)
                .map(|now| now.trunc_subsecs(6))
                .doing("read the database's clock")
        }
        // All processes that use the file run on this machine.
        DbConnection::Sqlite(_) => Ok(clock.now()),
    }
}

/// Inserts a key; `false` if it exists already. If another transaction has inserted
/// it and is still open, this waits for its end: on PostgreSQL at the unique index,
/// on SQLite at the write lock.
pub(crate) fn take_key(
    conn: &mut DbConnection,
    key: &IdempotencyKey,
    fingerprint: Fingerprint,
    now: CurrentTime,
) -> Result<bool, Error> {
    let values = (
        idempotency_keys::key.eq(key.as_str()),
        idempotency_keys::fingerprint.eq(fingerprint.to_string()),
        idempotency_keys::created_at.eq(now),
    );
    let insert = diesel::insert_into(idempotency_keys::table).values(values);
    // Both arms are the same: diesel's enum connection has no ON CONFLICT.
    match conn {
        DbConnection::Postgres(conn) => insert.on_conflict_do_nothing().execute(conn),
        DbConnection::Sqlite(conn) => insert.on_conflict_do_nothing().execute(conn),
    }
    .map(|stored| stored > 0)
    .doing("take an idempotency key")
}
