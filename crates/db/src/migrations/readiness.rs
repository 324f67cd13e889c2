//! Whether a database can serve requests.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::apply;
use crate::connection::{Database, DbConnection};
use crate::error::{Doing, Error};

/// Whether a database can serve requests and, if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// The database can serve requests.
    Ready,
    /// Migrations are not applied yet.
    MigrationsPending,
    /// The database accepts no writes: a standby.
    ReadOnly,
}

impl Database {
    /// Checks whether requests can be served, by reading only and on a connection
    /// of its own, so that a full pool does not matter. Waits for this connection
    /// for at most `timeout`.
    pub fn readiness(&self, timeout: Duration) -> Result<Readiness, Error> {
        let mut pooled = self.probe(timeout)?;
        let readiness = readiness(&mut pooled.conn);
        if readiness.is_err() {
            // The next check uses a new connection.
            pooled.discard();
        }
        readiness
    }
}

fn readiness(conn: &mut DbConnection) -> Result<Readiness, Error> {
    if let DbConnection::Postgres(conn) = conn {
        let is_read_only = sql::<Bool>("current_setting('transaction_read_only')::boolean");
        let is_read_only = diesel::select(is_read_only).get_result(conn);
        if is_read_only.doing("ask whether the server accepts writes")? {
            return Ok(Readiness::ReadOnly);
        }
    }
    let pending = apply::any_pending(conn)?;
    Ok(if pending {
        Readiness::MigrationsPending
    } else {
        Readiness::Ready
    })
}
