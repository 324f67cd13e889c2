//! Opens the connections of a pool, and decides how long a connection is assumed to be
//! alive.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::ConnectionError;
use diesel::r2d2::{self, ManageConnection, R2D2Connection};

use super::super::config::ConnectionSettings;
use super::super::context::LeaseRenewal;
use super::super::db_connection::DbConnection;
use super::super::url::Backend;
use super::super::url::DatabaseUrl;
use crate::error::Source;

/// How long a connection is assumed to be alive after its last use. A ping at
/// every checkout would cost a third of the read throughput.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Opens connections, and remembers when a connection was last found broken.
pub(super) struct Connector {
    url: DatabaseUrl,
    pub(super) settings: ConnectionSettings,
    /// Name of the database, if it is in memory.
    memory_name: String,
    started: Instant,
    /// In milliseconds after `started`: a connection last used before this time
    /// needs a ping.
    distrusted_until: AtomicU64,
    renewal: Arc<LeaseRenewal>,
    /// Counts the open connections of the pools: each connection holds one reference, in
    /// addition to this one.
    connections: Arc<()>,
}

impl Connector {
    pub(super) fn new(
        url: DatabaseUrl,
        settings: ConnectionSettings,
        renewal: Arc<LeaseRenewal>,
    ) -> Self {
        Self {
            url,
            settings,
            memory_name: format!("lectern-{}", uuid::Uuid::from_u128(next_number())),
            started: Instant::now(),
            distrusted_until: AtomicU64::new(0),
            renewal,
            connections: Arc::default(),
        }
    }

    pub(super) fn open(&self) -> Result<DbConnection, ConnectionError> {
        self.open_with(self.settings)
    }

    pub(super) fn open_with(
        &self,
        settings: ConnectionSettings,
    ) -> Result<DbConnection, ConnectionError> {
        DbConnection::open(self.url.location(), &self.memory_name, settings)
    }

    fn has_connections(&self) -> bool {
        Arc::strong_count(&self.connections) > 1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn distrust(&self) {
        self.distrusted_until
            .fetch_max(self.now() + 1, Ordering::Relaxed);
    }

    /// Whether a connection last used at `used` needs no ping.
    fn trusts(&self, used: Instant) -> bool {
        let after_start = used.duration_since(self.started).as_millis();
        used.elapsed() < TRUSTED_FOR
            && after_start > u128::from(self.distrusted_until.load(Ordering::Relaxed))
    }
}

/// A number for a database in memory, unique in this process.
fn next_number() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Opens connections for r2d2, and checks whether they are still usable.
pub(crate) struct Manager {
    connector: Arc<Connector>,
    read_only: bool,
}

impl Manager {
    pub(super) fn new(connector: &Arc<Connector>, read_only: bool) -> Self {
        Self {
            connector: Arc::clone(connector),
            read_only,
        }
    }

    fn open(&self) -> Result<DbConnection, Source> {
        let mut conn = self.connector.open()?;
        if self.read_only {
            conn.forbid_writes()?;
        }
        Ok(conn)
    }
}

/// A connection and the time of its last use.
pub(crate) struct Pooled {
    pub(crate) conn: DbConnection,
    used: Instant,
    lost: bool,
    is_to_be_replaced: bool,
    _counted: Arc<()>,
}

impl Pooled {
    /// Whether the connection is closed, after an error. The driver does not
    /// notice this in every case, so this method pings the server.
    pub(crate) fn is_lost(&mut self) -> bool {
        self.lost = self.lost
            || self.conn.is_broken()
            || (self.conn.backend() == Backend::Postgres && self.conn.ping().is_err());
        self.lost
    }

    /// Makes the pool close the connection when it is returned.
    pub(crate) fn discard(&mut self) {
        self.lost = true;
    }

    /// Like [`Pooled::discard`], for a connection that works. Does nothing on SQLite.
    pub(crate) fn replace_when_returned(&mut self) {
        self.is_to_be_replaced = self.conn.backend() == Backend::Postgres;
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Failure;

    fn connect(&self) -> Result<Pooled, Failure> {
        let conn = self.open().inspect_err(|_| {
            // The holders of leases may be unable to reach the database, so the leases are
            // to be extended. A caller that waits for the next attempt would not see that
            // this attempt failed. While another connection is open, the database is
            // available and only refuses more connections.
            if !self.connector.has_connections() {
                self.connector.renewal.request();
            }
        });
        Ok(Pooled {
            conn: conn.map_err(Failure)?,
            used: Instant::now(),
            lost: false,
            is_to_be_replaced: false,
            _counted: Arc::clone(&self.connector.connections),
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Failure> {
        // A file has no server that could close the connection.
        if pooled.conn.backend() == Backend::Sqlite || self.connector.trusts(pooled.used) {
            return Ok(());
        }
        pooled.conn.ping().map_err(|error| Failure(Box::new(error)))
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.used = Instant::now();
        let broken = pooled.lost || pooled.conn.is_broken();
        if broken {
            self.connector.distrust();
        }
        broken || pooled.is_to_be_replaced || std::thread::panicking()
    }
}

/// The error of a connection attempt, in the type r2d2 needs.
#[derive(Debug)]
pub(crate) struct Failure(Source);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failure {}

/// Logs failed attempts at debug level: the last failure is also part of the
/// error that a caller waiting for a connection gets.
#[derive(Debug)]
pub(super) struct LogFailures;

impl r2d2::HandleError<Failure> for LogFailures {
    fn handle_error(&self, error: Failure) {
        log::debug!("database connection: {}", error.to_string().trim());
    }
}
