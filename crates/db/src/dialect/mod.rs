//! What the two databases do differently: both arms of each statement, side
//! by side.

mod claim;
mod event;
mod history;
mod lock;

use chrono::{DateTime, SubsecRound, Utc};
use diesel::dsl::sql;
use diesel::expression::BoxableExpression;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use lectern_domain::{Clock, Fingerprint, IdempotencyKey};

pub(crate) use claim::{
    Picked, claimable_stages, expired_jobs, first_ready, is_ready, lock_free_jobs, pick_runs,
    random_uuid, start_jobs,
};
pub(crate) use event::newer_events;
pub(crate) use history::{NewLogRow, insert_history};
pub(crate) use lock::LiveLease;
pub use lock::{JobLock, JobRef};

use crate::connection::{Conn, DbConnection, MultiBackend};
use crate::error::{Doing, Error};
use crate::schema::{content_segments, idempotency_keys};
use crate::sql::prepared::Prepared;
use crate::sql::time::CurrentTime;

/// Inserts many rows: PostgreSQL by `COPY`, the fastest way in; SQLite row by
/// row with one prepared statement, which within a transaction is as fast as
/// it gets.
macro_rules! insert_all {
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

/// The condition that `keyword` is one of a content segment's keywords.
pub(crate) fn has_keyword(conn: &DbConnection, keyword: &str) -> Condition {
    let (before, after) = match conn {
        // True of an array that has this string as an element.
        DbConnection::Postgres(_) => ("content_segments.keywords ? ", ""),
        DbConnection::Sqlite(_) => (
            "EXISTS (SELECT 1 FROM json_each(content_segments.keywords) WHERE value = ",
            ")",
        ),
    };
    Box::new(
        sql::<Bool>(before)
            .bind::<Text, _>(keyword.to_owned())
            .sql(after),
    )
}

/// A condition on content segments whose SQL depends on the database.
pub(crate) type Condition =
    Box<dyn BoxableExpression<content_segments::table, MultiBackend, SqlType = Bool>>;

/// SQL for the sum of `jobs.file_size` as a bigint that stops at its greatest
/// value instead of overflowing.
pub(crate) fn sum_of_file_sizes(conn: &DbConnection) -> &'static str {
    match conn {
        // The sum of bigints is a numeric, which does not overflow.
        DbConnection::Postgres(_) => {
            "CAST(LEAST(COALESCE(SUM(file_size), 0), 9223372036854775807) AS BIGINT)"
        }
        // The total is a double; casting it stops at the greatest integer.
        DbConnection::Sqlite(_) => "CAST(TOTAL(file_size) AS INTEGER)",
    }
}

impl<Mode> Conn<'_, Mode> {
    /// The time leases expire by: the database server's, which all its clients
    /// share, unless the caller brought a clock.
    pub(crate) fn shared_now(&mut self) -> Result<DateTime<Utc>, Error> {
        if self.context.own_clock {
            Ok(self.clock.now())
        } else {
            now(self.raw, self.clock)
        }
    }
}

/// What time it is, for everyone who works on this database.
fn now(conn: &mut DbConnection, clock: &dyn Clock) -> Result<DateTime<Utc>, Error> {
    match conn {
        // The server's clock, past the lock just waited for; `now()` would be
        // the time the transaction began.
        DbConnection::Postgres(conn) => {
            let now = sql::<diesel::sql_types::Timestamptz>("clock_timestamp()");
            Prepared(diesel::select(now))
                .get_result::<DateTime<Utc>>(conn)
                .map(|now| now.trunc_subsecs(6))
                .doing("ask the database what time it is")
        }
        // Everyone who works on the file does so on this machine.
        DbConnection::Sqlite(_) => Ok(clock.now()),
    }
}

/// Stores a key unless it is there already; `false` when it is. Who comes
/// second waits for the end of the first one's transaction: on PostgreSQL at
/// the unique index, on SQLite at the write lock.
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
    // The two arms are one statement; the enum has no ON CONFLICT.
    match conn {
        DbConnection::Postgres(conn) => insert.on_conflict_do_nothing().execute(conn),
        DbConnection::Sqlite(conn) => insert.on_conflict_do_nothing().execute(conn),
    }
    .map(|stored| stored > 0)
    .doing("take an idempotency key")
}
