//! One connection, to either database.

#![cfg_attr(
    feature = "diesel",
    expect(
        missing_docs,
        reason = "diesel derives types that have no documentation"
    )
)]

use std::num::NonZeroU32;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::{Error as DieselError, QueryResult};

use super::config::ConnectionSettings;
use super::open::{open_postgres, open_sqlite};
use super::row_security::Fence;
use super::url::Backend;
use super::url::Location;
use crate::error::{Doing, Error, Outage, outage};

/// A connection to either database. A diesel query written against it runs on
/// both.
///
/// [`Tx::diesel`](crate::Tx::diesel) and [`Reader::diesel`](crate::Reader::diesel)
/// lend one. SQL that only one of the databases supports (`ON CONFLICT`, `FOR
/// UPDATE`, `ILIKE`) runs on the connection inside:
///
/// ```
/// # use lectern_db::diesel::{self, prelude::*};
/// # use lectern_db::{Database, DbConnection, Error};
/// # let db = Database::open("sqlite::memory:")?;
/// let version: String = db.read(|conn| {
///     conn.diesel(|conn| match conn {
///         DbConnection::Postgres(conn) => {
///             diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("version()")).get_result(conn)
///         }
///         DbConnection::Sqlite(conn) => {
///             diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("sqlite_version()")).get_result(conn)
///         }
///     })
///     .map_err(Error::from)
/// })?;
/// # Ok::<(), Error>(())
/// ```
///
/// Connections come from [`Database`](crate::Database); one that is established
/// in another way lacks the settings Lectern depends on, such as SQLite's
/// enforcement of foreign keys.
#[derive(diesel::MultiConnection)]
pub enum DbConnection {
    /// To PostgreSQL.
    Postgres(PgConnection),
    /// To an SQLite file, or a database in memory.
    Sqlite(SqliteConnection),
}

impl DbConnection {
    /// Connects, and applies the settings of a connection.
    pub(crate) fn open(
        location: &Location,
        memory_name: &str,
        settings: ConnectionSettings,
    ) -> ConnectionResult<Self> {
        match location {
            Location::Postgres(url) => open_postgres(url, settings.timeouts).map(Self::Postgres),
            Location::Memory => {
                open_sqlite(&format!("file:/{memory_name}?vfs=memdb"), settings).map(Self::Sqlite)
            }
            Location::File(path) => {
                let path = path.to_str().ok_or_else(|| {
                    ConnectionError::InvalidConnectionUrl("the path is not UTF-8".into())
                })?;
                // SQLite reads a name that begins with `file:` as a URI.
                let name = if path.starts_with("file:") {
                    format!("./{path}")
                } else {
                    path.to_owned()
                };
                open_sqlite(&name, settings).map(Self::Sqlite)
            }
        }
    }

    /// The database it is connected to.
    pub fn backend(&self) -> Backend {
        match self {
            Self::Postgres(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// Begins a transaction that may write. SQLite takes the write lock at
    /// once, because a transaction that has already read fails instead of waiting for
    /// the lock.
    ///
    /// On an error with a `fence`, the connection may be in a failed transaction.
    pub(crate) fn begin(&mut self, fence: Option<Fence<'_>>) -> QueryResult<()> {
        match (self, fence) {
            (Self::Postgres(conn), None) => AnsiTransactionManager::begin_transaction(conn),
            (Self::Postgres(conn), Some(fence)) => {
                AnsiTransactionManager::begin_transaction_sql(conn, &fence.begin_with("BEGIN"))
            }
            (Self::Sqlite(conn), _) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
            }
        }
    }

    /// Makes an SQLite connection read-only until it is closed. A PostgreSQL
    /// connection is not changed, because reads and writes share it.
    pub(crate) fn forbid_writes(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(_) => Ok(()),
            Self::Sqlite(conn) => conn.batch_execute("PRAGMA query_only = ON"),
        }
    }

    /// Begins a transaction that sees one snapshot and cannot write.
    ///
    /// On an error with a `fence`, the connection may be in a failed transaction.
    pub(crate) fn begin_snapshot(&mut self, fence: Option<Fence<'_>>) -> QueryResult<()> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        match (self, fence) {
            (Self::Postgres(conn), None) => {
                AnsiTransactionManager::begin_transaction_sql(conn, BEGIN)
            }
            (Self::Postgres(conn), Some(fence)) => {
                AnsiTransactionManager::begin_transaction_sql(conn, &fence.begin_with(BEGIN))
            }
            (Self::Sqlite(conn), _) => AnsiTransactionManager::begin_transaction(conn),
        }
    }

    /// Begins a transaction on PostgreSQL in which each query sees what is committed when it
    /// begins.
    ///
    /// On an error, the connection may be in a failed transaction.
    pub(crate) fn begin_read_committed(&mut self, fence: Fence<'_>) -> QueryResult<()> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
        match self {
            Self::Postgres(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, &fence.begin_with(BEGIN))
            }
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction(conn),
        }
    }

    /// Runs `queries` in a transaction that sees one snapshot and cannot write,
    /// or in the one that is open.
    #[cfg(feature = "diesel")]
    pub(crate) fn snapshot<T, E>(
        &mut self,
        queries: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<DieselError>,
    {
        if self.depth()?.is_some() {
            return queries(self);
        }
        self.begin_snapshot(None)?;
        let result = queries(self);
        // The pool drops a connection that is left in a transaction.
        let _ = <Self as Connection>::TransactionManager::rollback_transaction(self);
        result
    }

    /// Commits the transaction, unless a statement failed or ended it.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        self.check_depth(1)?;
        let committed = match self {
            // After a failed statement, PostgreSQL rolls back on COMMIT without an
            // error. The empty SELECT fails in that state, and with it the batch.
            Self::Postgres(conn) => conn.batch_execute("SELECT; COMMIT"),
            Self::Sqlite(conn) => AnsiTransactionManager::commit_transaction(conn),
        };
        match (committed, self.depth()) {
            // Except in an outage: SQLite also leaves a transaction open if it cannot
            // write it to the disk.
            (Err(error), Ok(Some(_))) if outage(&error).is_none() => {
                Err(not_committed("one of its statements had failed"))
            }
            // SQLite: a statement had ended it without diesel's knowledge.
            (Err(DieselError::DatabaseError(_, info)), _)
                if info.message().contains("no transaction is active") =>
            {
                Err(not_committed(ENDED))
            }
            (committed, _) => {
                committed
                    .doing("commit a transaction")
                    .map_err(|error| match error {
                        Error::Unavailable {
                            doing,
                            outage: Outage::Connection,
                            source,
                        } => Error::Unavailable {
                            doing,
                            outage: Outage::Commit,
                            source,
                        },
                        error => error,
                    })
            }
        }
    }

    /// Checks that the transaction is open, without savepoints.
    pub(crate) fn check_open(&mut self) -> Result<(), Error> {
        self.check_depth(1)
    }

    /// Begins a savepoint in the open transaction.
    pub(crate) fn begin_savepoint(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::begin_transaction(self)
    }

    /// Makes the changes since the savepoint part of the transaction.
    pub(crate) fn release_savepoint(&mut self) -> Result<(), Error> {
        self.check_depth(2)?;
        <Self as Connection>::TransactionManager::commit_transaction(self)
            .doing("release a savepoint")
    }

    /// Rolls back to the savepoint, which leaves the earlier changes of the transaction in
    /// place.
    pub(crate) fn rollback_to_savepoint(&mut self) -> Result<(), Error> {
        self.rollback()
    }

    fn check_depth(&mut self, expected: u32) -> Result<(), Error> {
        match self.depth().doing("commit a transaction")? {
            Some(depth) if depth == expected => Ok(()),
            Some(_) => Err(not_committed("its closure left a savepoint open")),
            None => Err(not_committed(ENDED)),
        }
    }

    /// Rolls back the transaction, or only to its last savepoint if it has one.
    pub(crate) fn rollback(&mut self) -> Result<(), Error> {
        <Self as Connection>::TransactionManager::rollback_transaction(self)
            .doing("roll back a transaction")
    }

    /// How many transactions are open, savepoints included.
    fn depth(&mut self) -> QueryResult<Option<u32>> {
        let status = <Self as Connection>::TransactionManager::transaction_manager_status_mut(self);
        Ok(status.transaction_depth()?.map(NonZeroU32::get))
    }
}

const ENDED: &str = "its closure had committed it or rolled it back";

fn not_committed(reason: &'static str) -> Error {
    Error::NotCommitted { reason }
}

/// Runs a statement on the connection inside the enum.
///
/// Through the enum, diesel renders the SQL of a statement several times for
/// each execution, even if it is prepared, which doubles the time of a lookup on
/// SQLite. Use this macro for frequent statements with a constant text.
macro_rules! on_either {
    ($conn:expr, $inner:ident => $run:expr) => {
        match $conn {
            $crate::connection::DbConnection::Postgres($inner) => $run,
            $crate::connection::DbConnection::Sqlite($inner) => $run,
        }
    };
}
pub(crate) use on_either;

/// Runs a query on the connection inside the enum and passes each row to a function
/// that returns a [`ControlFlow`](std::ops::ControlFlow). Only one row is in memory at
/// a time; a default load on PostgreSQL would receive all of them first.
///
/// `$query` is evaluated for one of the backends, whose type is `Db`.
macro_rules! each_row {
    ($conn:expr, $query:expr => $row:ty, $doing:expr, $each:expr) => {{
        let doing = $doing;
        match $conn {
            $crate::connection::DbConnection::Postgres(conn) => {
                type Db = diesel::pg::Pg;
                let rows = $query
                    .load_iter::<$row, diesel::pg::PgRowByRowLoadingMode>(conn)
                    .doing(doing)?;
                let mut each = $each;
                for row in rows {
                    if each(row.doing(doing)?)?.is_break() {
                        break;
                    }
                }
            }
            $crate::connection::DbConnection::Sqlite(conn) => {
                type Db = diesel::sqlite::Sqlite;
                let rows = $query
                    .load_iter::<$row, diesel::connection::DefaultLoadingMode>(conn)
                    .doing(doing)?;
                let mut each = $each;
                for row in rows {
                    if each(row.doing(doing)?)?.is_break() {
                        break;
                    }
                }
            }
        }
    }};
}
pub(crate) use each_row;
