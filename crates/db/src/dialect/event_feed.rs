//! SQL for the events of all jobs in one order.
//!
//! On PostgreSQL, transactions commit in another order than they write. Their events are in
//! the order of `(transaction_id, id)`, and a reader takes only those of transactions before
//! the oldest that is running: these have all ended, and no event can appear before the
//! last one that was read. SQLite has one writer at a time, and the order is that of the
//! ids.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer};

use crate::connection::{Backend, DbConnection, on_either};
use crate::error::{Doing, Error};
use crate::sql::prepared::Prepared;

/// The place of an event or a deletion in the order of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
pub(crate) struct Place {
    /// Always 0 on SQLite.
    #[diesel(sql_type = BigInt)]
    pub(crate) transaction_id: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
}

/// The table `event_feed`, and the end of the order at this moment.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub(crate) struct FeedState {
    #[diesel(sql_type = Integer)]
    pub(crate) generation: i32,
    #[diesel(sql_type = BigInt)]
    pruned_transaction_id: i64,
    #[diesel(sql_type = BigInt)]
    pruned_id: i64,
    /// On PostgreSQL the number of the oldest running transaction, and only events of
    /// earlier transactions are read; on SQLite the last id.
    #[diesel(sql_type = BigInt)]
    pub(crate) bound: i64,
}

impl FeedState {
    /// The last place up to which some events were deleted after their retention.
    pub(crate) fn pruned(&self) -> Place {
        Place {
            transaction_id: self.pruned_transaction_id,
            id: self.pruned_id,
        }
    }

    /// Whether all events after `place` can be read. Places beyond the end are of another
    /// database.
    pub(crate) fn is_complete_after(&self, backend: Backend, place: Place) -> bool {
        let is_known = match backend {
            Backend::Postgres => place.transaction_id < self.bound,
            Backend::Sqlite => place.transaction_id == 0 && place.id <= self.bound,
        };
        is_known && place >= self.pruned()
    }
}

/// Reads the state of the feed.
pub(crate) fn feed_state(conn: &mut DbConnection) -> Result<FeedState, Error> {
    let bound = match conn.backend() {
        Backend::Postgres => "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
        Backend::Sqlite => {
            "COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'job_events'), 0)"
        }
    };
    let state = sql_query(format!(
        "SELECT COALESCE(generation, 0) AS generation,
                COALESCE(pruned_transaction_id, 0) AS pruned_transaction_id,
                COALESCE(pruned_id, 0) AS pruned_id, {bound} AS bound
         FROM (SELECT 1 AS id) AS one LEFT JOIN event_feed USING (id)"
    ));
    on_either!(conn, conn => Prepared(state).get_result(conn))
        .doing("read the state of the event feed")
}

/// The query for the events after `(transaction_id, id)`, the first two parameters, up to
/// the bound, the third; the fourth is their greatest number.
pub(crate) fn events_after(backend: Backend) -> String {
    after(backend, "job_id, seq, type, data, at", "job_events")
}

/// The same query for deleted jobs.
pub(crate) fn deletions_after(backend: Backend) -> String {
    after(backend, "job_id, seq, at", "job_deletions")
}

fn after(backend: Backend, columns: &str, table: &str) -> String {
    match backend {
        Backend::Postgres => format!(
            "SELECT {columns}, transaction_id, id FROM {table}
             WHERE (transaction_id, id) > ($1, $2) AND transaction_id < $3
             ORDER BY transaction_id, id LIMIT $4"
        ),
        Backend::Sqlite => format!(
            "SELECT {columns}, transaction_id, id FROM {table}
             WHERE ?1 = 0 AND id > ?2 AND id <= ?3 ORDER BY id LIMIT ?4"
        ),
    }
}

/// The places of the last event and of the last deletion up to `bound`.
pub(crate) fn last_places(conn: &mut DbConnection, bound: i64) -> Result<Vec<Place>, Error> {
    let last = |table| match conn.backend() {
        Backend::Postgres => format!(
            "SELECT * FROM (SELECT transaction_id, id FROM {table} WHERE transaction_id < $1
                            ORDER BY transaction_id DESC, id DESC LIMIT 1) AS {table}"
        ),
        Backend::Sqlite => format!(
            "SELECT * FROM (SELECT transaction_id, id FROM {table} WHERE id <= ?1
                            ORDER BY id DESC LIMIT 1)"
        ),
    };
    let [event, deletion] = ["job_events", "job_deletions"].map(last);
    let places = sql_query(format!("{event} UNION ALL {deletion}")).bind::<BigInt, _>(bound);
    on_either!(conn, conn => Prepared(places).load(conn)).doing("find the last event of all jobs")
}

/// Records that some events up to `place` were deleted after their retention.
pub(crate) fn mark_pruned(conn: &mut DbConnection, place: Place) -> Result<(), Error> {
    let [transaction_id, id] = match conn.backend() {
        Backend::Postgres => ["$1", "$2"],
        Backend::Sqlite => ["?1", "?2"],
    };
    let mark = sql_query(format!(
        "INSERT INTO event_feed (id, pruned_transaction_id, pruned_id)
         VALUES (1, {transaction_id}, {id})
         ON CONFLICT (id) DO UPDATE
         SET pruned_transaction_id = excluded.pruned_transaction_id, pruned_id = excluded.pruned_id
         WHERE (excluded.pruned_transaction_id, excluded.pruned_id)
             > (event_feed.pruned_transaction_id, event_feed.pruned_id)"
    ));
    let mark = mark
        .bind::<BigInt, _>(place.transaction_id)
        .bind::<BigInt, _>(place.id);
    on_either!(conn, conn => mark.execute(conn))
        .map(drop)
        .doing("record which events were deleted")
}
