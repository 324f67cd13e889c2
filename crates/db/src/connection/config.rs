//! Settings of a database: its pool and its timeouts.

use std::time::Duration;

use super::row_security::RoleName;
use super::url::DatabaseUrl;
use crate::error::Error;

/// The address of a database and the limits of its connection pool.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// The address of the database.
    pub url: DatabaseUrl,
    /// Connections kept open. On SQLite these only read; there is one more that writes.
    pub pool_size: u32,
    /// Connections opened in addition under load. Unused on SQLite.
    pub max_overflow: u32,
    /// Age at which a connection is replaced.
    pub recycle: Duration,
    /// The longest wait for a connection.
    pub checkout_timeout: Duration,
    /// Timeouts of each connection.
    pub timeouts: Timeouts,
    /// When a commit on SQLite counts as done. PostgreSQL has its own setting,
    /// `synchronous_commit`.
    pub durability: Durability,
    /// The role that transactions of [`Database::as_owner`](crate::Database::as_owner) take,
    /// so that row-level security hides the rows of other owners from them; PostgreSQL only.
    /// Call [`Database::enable_row_security`](crate::Database::enable_row_security) before.
    pub owner_role: Option<RoleName>,
}

/// When a commit on SQLite counts as done (`PRAGMA synchronous`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk. Concurrent writes share the wait for the disk.
    #[default]
    Full,
    /// When the operating system has it. A loss of power may undo the last commits,
    /// but leaves the file consistent.
    Relaxed,
}

/// The settings of each connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ConnectionSettings {
    pub(crate) timeouts: Timeouts,
    pub(crate) durability: Durability,
}

/// Timeouts that are set on each new connection. A parameter of the same name in
/// a PostgreSQL URL takes precedence.
///
/// Migrations are not subject to the timeouts of statements, locks and idle
/// transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The longest wait for a new connection; PostgreSQL only. In whole seconds,
    /// at least two (`connect_timeout`).
    pub connect: Duration,
    /// How long data may stay unacknowledged by the server's machine, and a
    /// connection without traffic unconfirmed, before the connection is closed
    /// (`tcp_user_timeout`, `keepalives_idle`); PostgreSQL on Linux only.
    pub unacknowledged: Duration,
    /// The longest time of one statement; PostgreSQL only (`statement_timeout`).
    /// Zero: unlimited.
    pub statement: Duration,
    /// The longest wait for a row that another transaction has locked
    /// (`lock_timeout`), and on SQLite for another process that writes
    /// (`busy_timeout`). Zero: unlimited.
    pub lock: Duration,
    /// How long a transaction may wait for its next statement before PostgreSQL
    /// ends it and releases its locks (`idle_in_transaction_session_timeout`).
    /// Zero: unlimited.
    pub idle_in_transaction: Duration,
}

impl Default for Timeouts {
    /// 5 seconds to connect, 10 seconds unacknowledged, a minute for a statement
    /// and for an idle transaction, 10 seconds for a lock.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            unacknowledged: Duration::from_secs(10),
            statement: Duration::from_mins(1),
            lock: Duration::from_secs(10),
            idle_in_transaction: Duration::from_mins(1),
        }
    }
}

impl ConnectionSettings {
    /// For work that may take long, such as migrations: only connecting has a
    /// timeout.
    pub(crate) fn without_timeouts(self) -> Self {
        let timeouts = Timeouts {
            statement: Duration::ZERO,
            lock: Duration::ZERO,
            idle_in_transaction: Duration::ZERO,
            ..self.timeouts
        };
        Self { timeouts, ..self }
    }
}

impl DatabaseConfig {
    pub(crate) fn connection(&self) -> ConnectionSettings {
        ConnectionSettings {
            timeouts: self.timeouts,
            durability: self.durability,
        }
    }

    /// Five connections and up to ten more under load, replaced after an hour,
    /// with a checkout timeout of 30 seconds and the default [`Timeouts`].
    ///
    /// # Errors
    ///
    /// [`Error::Url`].
    pub fn new(url: &str) -> Result<Self, Error> {
        url.parse().map(Self::at)
    }

    /// Like [`DatabaseConfig::new`], for an address that is already parsed.
    pub fn at(url: DatabaseUrl) -> Self {
        Self {
            url,
            pool_size: 5,
            max_overflow: 10,
            recycle: Duration::from_hours(1),
            checkout_timeout: Duration::from_secs(30),
            timeouts: Timeouts::default(),
            durability: Durability::default(),
            owner_role: None,
        }
    }
}
