//! Connection pools, and how long a connection is assumed to be alive.

use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::ConnectionError;
use diesel::r2d2::{self, ManageConnection, R2D2Connection};
use parking_lot::RwLock;

use super::backend::DbConnection;
use super::config::{ConnectionSettings, DatabaseConfig};
use super::group_commit::WriterQueue;
use super::url::{Backend, DatabaseUrl, Location};
use crate::error::{Error, Outage, Source, count_outage};

/// How long a connection is assumed to be alive after its last use. A ping at
/// every checkout would cost a third of the read throughput.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How long connections beyond `pool_size` stay open when they are idle.
const OVERFLOW_IDLE: Duration = Duration::from_mins(1);

/// The longest pause between two attempts to connect to a database that is down.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// The number of writers that may wait for SQLite's one writing connection, and so
/// for a common commit.
const CONCURRENT_WRITERS: u32 = 16;

/// The connections of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStats {
    /// Open connections.
    pub connections: u32,
    /// Open connections that are not in use.
    pub idle: u32,
    /// Connections in use.
    pub in_use: u32,
    /// The greatest number of open connections.
    pub max: u32,
}

/// The number of closures that can run before one has to wait for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Reads and writes share their connections (PostgreSQL).
    Shared {
        /// Connections kept open.
        kept: u32,
        /// Connections opened in addition under load.
        overflow: u32,
    },
    /// Reads and writes have separate connections (SQLite).
    Split {
        /// Connections that read.
        readers: u32,
        /// Writers that share one connection, and their commits.
        writers: u32,
    },
}

/// The pools behind a `Database`: on PostgreSQL one for everything, on SQLite
/// one for the writer and one for the readers.
pub(crate) struct Pools {
    pub(crate) read: Pool,
    pub(crate) write: Pool,
    /// The writers of SQLite, which commit together.
    writers: Option<RwLock<Arc<WriterQueue>>>,
    /// One connection for checks of the database, opened by the first.
    pub(crate) probe: Pool,
    capacity: Capacity,
    /// Keeps a database in memory alive while the pools close connections.
    _anchor: Option<Mutex<DbConnection>>,
}

impl Pools {
    pub(crate) fn new(config: &DatabaseConfig) -> Result<Self, Error> {
        let connector = Arc::new(Connector::new(config.url.clone(), config.connection()));
        let anchor = match config.url.location() {
            Location::Memory => Some(connector.open().map_err(unavailable)?.into()),
            _ => None,
        };
        let total = config.pool_size.saturating_add(config.max_overflow).max(1);
        let pool = |kept, max, read_only| {
            let settings = PoolSettings {
                kept,
                max,
                recycle: config.recycle,
                read_only,
            };
            Pool::new(&connector, settings)
        };
        let (read, write, capacity) = match config.url.backend() {
            Backend::Postgres => {
                let kept = config.pool_size.clamp(1, total);
                let overflow = total - kept;
                let shared = pool(kept, total, false);
                (shared.clone(), shared, Capacity::Shared { kept, overflow })
            }
            Backend::Sqlite => {
                let readers = config.pool_size.max(1);
                let capacity = Capacity::Split {
                    readers,
                    writers: CONCURRENT_WRITERS,
                };
                (pool(1, readers, true), pool(1, 1, false), capacity)
            }
        };
        Ok(Self {
            read,
            write,
            writers: match config.url.backend() {
                Backend::Postgres => None,
                Backend::Sqlite => Some(RwLock::default()),
            },
            probe: pool(0, 1, true),
            capacity,
            _anchor: anchor,
        })
    }

    /// Replaces the pools that were in use at `time`.
    pub(crate) fn replace(&self, time: Instant) {
        for pool in [&self.read, &self.write, &self.probe] {
            if pool.replace(time)
                && let Some(writers) = &self.writers
            {
                // A writer that does not return would keep its turn for ever.
                *writers.write() = Arc::default();
            }
        }
    }

    /// The queue of the writers of SQLite.
    pub(crate) fn writers(&self) -> Option<Arc<WriterQueue>> {
        let writers = self.writers.as_ref()?;
        Some(Arc::clone(&writers.read()))
    }

    pub(crate) fn capacity(&self) -> Capacity {
        self.capacity
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let (read, write) = (self.read.stats(), self.write.stats());
        match self.capacity {
            Capacity::Shared { .. } => read,
            Capacity::Split { .. } => PoolStats {
                connections: read.connections + write.connections,
                idle: read.idle + write.idle,
                in_use: read.in_use + write.in_use,
                max: read.max + write.max,
            },
        }
    }
}

/// One r2d2 pool, which is replaced by a new one when its connections no longer
/// respond.
#[derive(Clone)]
pub(crate) struct Pool {
    current: Arc<RwLock<Generation>>,
    connector: Arc<Connector>,
    settings: PoolSettings,
}

/// The r2d2 pool in use.
struct Generation {
    pool: r2d2::Pool<Manager>,
    began: Instant,
}

#[derive(Clone, Copy)]
struct PoolSettings {
    /// Connections kept open.
    kept: u32,
    /// The greatest number of connections.
    max: u32,
    recycle: Duration,
    read_only: bool,
}

/// A connection from a pool, which it returns to when it is dropped.
pub(crate) type Checkout = r2d2::PooledConnection<Manager>;

impl Pool {
    fn new(connector: &Arc<Connector>, settings: PoolSettings) -> Self {
        Self {
            current: Arc::new(RwLock::new(Generation::new(connector, settings))),
            connector: Arc::clone(connector),
            settings,
        }
    }

    /// Waits for a connection, at most `timeout`.
    pub(crate) fn checkout(&self, timeout: Duration) -> Result<Checkout, Error> {
        let pool = self.current.read().pool.clone();
        pool.get_timeout(timeout).map_err(|source| {
            if pool.state().connections == 0 {
                count_outage();
            }
            Error::Unavailable {
                doing: format!("no connection within {timeout:?}"),
                outage: Outage::Connection,
                source: Box::new(source),
            }
        })
    }

    /// Replaces the r2d2 pool if it was in use at `time`. Its idle connections are
    /// closed at once, the others when they are returned.
    pub(crate) fn replace(&self, time: Instant) -> bool {
        let mut current = self.current.write();
        if current.began > time {
            return false;
        }
        let next = Generation::new(&self.connector, self.settings);
        let replaced = mem::replace(&mut *current, next);
        drop(current);
        // Closing connections may take time.
        drop(replaced);
        true
    }

    /// Opens a connection outside the pool, on which only connecting has a
    /// timeout.
    pub(crate) fn open_unlimited(&self) -> Result<DbConnection, Error> {
        let settings = self.connector.settings.without_timeouts();
        self.connector.open_with(settings).map_err(unavailable)
    }

    fn stats(&self) -> PoolStats {
        let current = self.current.read();
        let state = current.pool.state();
        PoolStats {
            connections: state.connections,
            idle: state.idle_connections,
            in_use: state.connections.saturating_sub(state.idle_connections),
            max: self.settings.max,
        }
    }
}

impl Generation {
    fn new(connector: &Arc<Connector>, settings: PoolSettings) -> Self {
        let PoolSettings { kept, max, .. } = settings;
        let pool = r2d2::Pool::builder()
            .max_size(max)
            .min_idle(Some(kept.min(max)))
            .max_lifetime(Some(settings.recycle))
            .idle_timeout(Some(OVERFLOW_IDLE))
            // r2d2 takes half of it as the longest pause between two attempts to
            // connect. The timeout of a checkout is given with each checkout.
            .connection_timeout(RECONNECT_PAUSE * 2)
            .test_on_check_out(true)
            .error_handler(Box::new(LogFailures))
            // Connects in the background: the process must start, and report its
            // state, while the database is down.
            .build_unchecked(Manager::new(connector, settings.read_only));
        Self {
            pool,
            began: Instant::now(),
        }
    }
}

fn unavailable(source: ConnectionError) -> Error {
    Error::Unavailable {
        doing: "could not connect".to_owned(),
        outage: Outage::Connection,
        source: Box::new(source),
    }
}

/// Opens connections, and remembers when one was last found broken.
pub(crate) struct Connector {
    url: DatabaseUrl,
    settings: ConnectionSettings,
    memory_name: String,
    started: Instant,
    /// In milliseconds after `started`: a connection last used before this time
    /// needs a ping.
    distrusted_until: AtomicU64,
}

impl Connector {
    fn new(url: DatabaseUrl, settings: ConnectionSettings) -> Self {
        Self {
            url,
            settings,
            memory_name: format!("lectern-{}", uuid::Uuid::from_u128(next_number())),
            started: Instant::now(),
            distrusted_until: AtomicU64::new(0),
        }
    }

    fn open(&self) -> Result<DbConnection, ConnectionError> {
        self.open_with(self.settings)
    }

    fn open_with(&self, settings: ConnectionSettings) -> Result<DbConnection, ConnectionError> {
        DbConnection::open(self.url.location(), &self.memory_name, settings)
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
    fn new(connector: &Arc<Connector>, read_only: bool) -> Self {
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
}

impl Pooled {
    /// Whether the connection is closed, after an error. The driver does not
    /// notice in every case, so this pings the server.
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
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Failure;

    fn connect(&self) -> Result<Pooled, Failure> {
        let conn = self.open().map_err(Failure)?;
        Ok(Pooled {
            conn,
            used: Instant::now(),
            lost: false,
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
        broken || std::thread::panicking()
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
struct LogFailures;

impl r2d2::HandleError<Failure> for LogFailures {
    fn handle_error(&self, error: Failure) {
        log::debug!("database connection: {}", error.to_string().trim());
    }
}
