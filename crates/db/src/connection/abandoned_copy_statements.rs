//! Ends `COPY` statements whose client no longer responds. PostgreSQL does not end them by
//! itself.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::db_connection::DbConnection;
use super::transaction::Conn;
use crate::error::{Doing, Error};

/// Ends only sessions of this application and role, because a `COPY` of `pg_restore`
/// may take longer.
const END_ABANDONED_COPIES: &str = "
    SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user
        AND application_name = current_setting('application_name')
        AND state = 'active' AND wait_event = 'ClientRead'
        AND current_setting('statement_timeout') <> '0'
        AND query_start < clock_timestamp() - current_setting('statement_timeout')::interval";

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = BigInt)]
    ended: i64,
}

impl<Mode> Conn<'_, Mode> {
    /// Ends the sessions on PostgreSQL that have waited for the rows of a `COPY` for longer
    /// than the statement timeout of this connection, because their client is suspended or
    /// unreachable. PostgreSQL applies no timeout in this state, and the session would keep
    /// its locks. Call this method every few seconds. Returns the number of sessions ended;
    /// 0 on SQLite.
    pub fn end_abandoned_copies(&mut self) -> Result<i64, Error> {
        match self.raw {
            DbConnection::Sqlite(_) => Ok(0),
            DbConnection::Postgres(conn) => diesel::sql_query(END_ABANDONED_COPIES)
                .get_result(conn)
                .map(|found: Ended| found.ended)
                .doing("end abandoned statements"),
        }
    }
}
