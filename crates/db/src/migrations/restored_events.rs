//! Numbers the events again after a PostgreSQL database was restored in another cluster.
//!
//! The order of the events of all jobs contains transaction ids, which a dump brings along.
//! In a cluster with lower ones, the restored events would come after all new ones, and
//! would not be read until the cluster has reached their ids.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::connection::DbConnection;
use crate::error::{Doing, Error};

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Whether there are events of transactions that the cluster has not begun yet.
pub(super) fn found(conn: &mut DbConnection) -> Result<bool, Error> {
    let DbConnection::Postgres(conn) = conn else {
        return Ok(false);
    };
    let query = diesel::sql_query(
        // Each maximum is one lookup in an index.
        "SELECT COALESCE(GREATEST(
             (SELECT max(transaction_id) FROM job_events),
             (SELECT max(transaction_id) FROM job_deletions),
             (SELECT max(pruned_transaction_id) FROM event_feed)
         ) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint, FALSE) AS found",
    );
    let found = query.get_result::<Found>(conn);
    found
        .map(|row| row.found)
        .doing("look for events of another cluster")
}

/// Gives all events the id of this transaction, which keeps their order, and invalidates
/// the positions from before. Does nothing unless there are events of another cluster.
pub(super) fn renumber(conn: &mut DbConnection) -> Result<(), Error> {
    if !found(conn)? {
        return Ok(());
    }
    conn.batch_execute(
        "UPDATE job_events SET transaction_id = pg_current_xact_id()::text::bigint;
         UPDATE job_deletions SET transaction_id = pg_current_xact_id()::text::bigint;
         INSERT INTO event_feed (id, generation) VALUES (1, floor(random() * 2147483648)::integer)
         ON CONFLICT (id) DO UPDATE
         SET generation = excluded.generation, pruned_transaction_id = 0, pruned_id = 0",
    )
    .doing("number the events of another cluster again")
}
