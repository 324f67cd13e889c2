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
use crate::sql::owned::owned_sql;
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
///
/// With `is_owned`, only those of the owner, the fifth parameter, up to a place, which the
/// next two parameters are.
pub(crate) fn events_after(backend: Backend, is_owned: bool) -> String {
    let columns = "job_id, seq, type, data, at";
    let owned = is_owned.then(|| owned_sql("job_events", OWNER[index(backend)]));
    after(backend, columns, "job_events", owned)
}

/// The same query for deleted jobs.
pub(crate) fn deletions_after(backend: Backend, is_owned: bool) -> String {
    let owned = is_owned.then(|| format!("job_deletions.owner_id = {}", OWNER[index(backend)]));
    after(backend, "job_id, seq, at", "job_deletions", owned)
}

/// The parameter of the owner, on PostgreSQL and on SQLite.
const OWNER: [&str; 2] = ["$5", "?5"];

fn index(backend: Backend) -> usize {
    match backend {
        Backend::Postgres => 0,
        Backend::Sqlite => 1,
    }
}

fn after(backend: Backend, columns: &str, table: &str, owned: Option<String>) -> String {
    let condition = match (backend, owned) {
        (_, None) => String::new(),
        (Backend::Postgres, Some(owned)) => {
            format!("AND {owned} AND (transaction_id, id) <= ($6, $7)")
        }
        (Backend::Sqlite, Some(owned)) => format!("AND {owned} AND ?6 = 0 AND id <= ?7"),
    };
    match backend {
        Backend::Postgres => format!(
            "SELECT {columns}, transaction_id, id FROM {table}
             WHERE (transaction_id, id) > ($1, $2) AND transaction_id < $3 {condition}
             ORDER BY transaction_id, id LIMIT $4"
        ),
        Backend::Sqlite => format!(
            "SELECT {columns}, transaction_id, id FROM {table}
             WHERE ?1 = 0 AND id > ?2 AND id <= ?3 {condition} ORDER BY id LIMIT ?4"
        ),
    }
}

/// The end of the part of the order after `place` in which the events of an owner are looked
/// for: it has at most `count` events of all owners and as many deletions, so that the time of
/// the query is bounded. Without more, it ends with the last of them up to the bound.
pub(crate) fn end_of_part(
    conn: &mut DbConnection,
    place: Place,
    bound: i64,
    count: i64,
) -> Result<Place, Error> {
    let nth = |table| match conn.backend() {
        Backend::Postgres => format!(
            "SELECT * FROM (SELECT transaction_id, id FROM {table}
                            WHERE (transaction_id, id) > ($1, $2) AND transaction_id < $3
                            ORDER BY transaction_id, id LIMIT 1 OFFSET $4) AS {table}"
        ),
        Backend::Sqlite => format!(
            "SELECT * FROM (SELECT transaction_id, id FROM {table}
                            WHERE ?1 = 0 AND id > ?2 AND id <= ?3 ORDER BY id LIMIT 1 OFFSET ?4)"
        ),
    };
    let [event, deletion] = ["job_events", "job_deletions"].map(nth);
    let ends = sql_query(format!("{event} UNION ALL {deletion}"))
        .bind::<BigInt, _>(place.transaction_id)
        .bind::<BigInt, _>(place.id)
        .bind::<BigInt, _>(bound)
        .bind::<BigInt, _>(count - 1);
    let ends: Vec<Place> = on_either!(conn, conn => Prepared(ends).load(conn))
        .doing("find the end of a part of the event feed")?;
    match ends.into_iter().min() {
        Some(end) => Ok(end),
        None => Ok(last_places(conn, bound)?
            .into_iter()
            .fold(place, Place::max)),
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
