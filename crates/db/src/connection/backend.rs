//! One connection, to either database.

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::QueryResult;

use super::url::{Backend, Location};

/// A connection to either database. A query written against it runs on both;
/// what only one of them can do is in `dialect.rs`.
#[derive(diesel::MultiConnection)]
pub(crate) enum DbConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Milliseconds SQLite waits for another process' write to end.
const BUSY_TIMEOUT_MS: u32 = 5_000;

impl DbConnection {
    /// Connects, and on SQLite sets what is set per connection.
    pub(crate) fn open(location: &Location, memory_name: &str) -> ConnectionResult<Self> {
        let sqlite = |path: &str| {
            let mut conn = SqliteConnection::establish(path)?;
            conn.batch_execute(&format!(
                "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};
                 PRAGMA foreign_keys = ON;
                 PRAGMA synchronous = NORMAL;"
            ))
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(Self::Sqlite(conn))
        };
        match location {
            Location::Postgres(url) => PgConnection::establish(url).map(Self::Postgres),
            Location::Memory => sqlite(&format!("file:/{memory_name}?vfs=memdb")),
            Location::File(path) => {
                let path = path.to_str().ok_or_else(|| {
                    ConnectionError::InvalidConnectionUrl("the path is not UTF-8".into())
                })?;
                // SQLite reads a name that begins with `file:` as a URI.
                if path.starts_with("file:") {
                    sqlite(&format!("./{path}"))
                } else {
                    sqlite(path)
                }
            }
        }
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Self::Postgres(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// Begins a transaction that may write. SQLite takes the write lock at
    /// once: a transaction that reads first and then finds the lock taken could
    /// not wait for it.
    pub(crate) fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn),
            Self::Sqlite(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
            }
        }
    }

    pub(crate) fn commit(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::commit_transaction(self)
    }

    pub(crate) fn rollback(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::rollback_transaction(self)
    }
}

/// Runs a statement on the connection inside the enum.
///
/// Through the enum, diesel renders a statement as SQL anew in each of its
/// passes over it, each time it is sent, prepared or not: that doubles the time
/// of a lookup on SQLite. Hot statements of one shape go this way instead.
macro_rules! on_either {
    ($conn:expr, $inner:ident => $run:expr) => {
        match $conn {
            $crate::connection::DbConnection::Postgres($inner) => $run,
            $crate::connection::DbConnection::Sqlite($inner) => $run,
        }
    };
}
pub(crate) use on_either;
