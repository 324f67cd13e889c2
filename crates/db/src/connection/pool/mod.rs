//! Connection pools.

mod manager;

use std::mem;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::ConnectionError;
use diesel::r2d2;
use parking_lot::RwLock;

pub(super) use self::manager::Pooled;
use self::manager::{Connector, LogFailures, Manager};
use super::config::DatabaseConfig;
use super::context::LeaseRenewal;
use super::db_connection::DbConnection;
use super::url::Backend;
use super::url::Location;
use crate::error::{Error, Outage};

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

/// The number of closures that can run before a further closure has to wait for a
/// connection.
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

/// The pools behind a `Database`: on PostgreSQL one pool for everything, on SQLite
/// one pool for the writer and one pool for the readers.
pub(crate) struct Pools {
    pub(crate) read: Pool,
    pub(crate) write: Pool,
    /// One connection for checks of the database, opened by the first check.
    pub(crate) probe: Pool,
    capacity: Capacity,
    /// Keeps a database in memory alive while the pools close connections.
    _anchor: Option<Mutex<DbConnection>>,
}

impl Pools {
    pub(crate) fn new(config: &DatabaseConfig, renewal: Arc<LeaseRenewal>) -> Result<Self, Error> {
        let connector = Connector::new(config.url.clone(), config.connection(), renewal);
        let connector = Arc::new(connector);
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
            probe: pool(0, 1, true),
            capacity,
            _anchor: anchor,
        })
    }

    /// Replaces the pools that were in use at `time`; returns whether there were any.
    pub(crate) fn replace(&self, time: Instant) -> bool {
        let mut replaced = false;
        for pool in [&self.read, &self.write, &self.probe] {
            replaced |= pool.replace(time);
        }
        replaced
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

/// One r2d2 pool, which is replaced by a new pool when its connections no longer
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

/// A connection from a pool. Dropping the value returns the connection to the pool.
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
        pool.get_timeout(timeout)
            .map_err(|source| Error::Unavailable {
                doing: format!("no connection within {timeout:?}"),
                outage: Outage::Connection,
                source: Box::new(source),
            })
    }

    /// Replaces the r2d2 pool if it was in use at `time`. Its idle connections are
    /// closed at once, and the connections in use when they are returned.
    pub(crate) fn replace(&self, time: Instant) -> bool {
        let mut current = self.current.write();
        if current.began > time {
            return false;
        }
        let next = Generation::new(&self.connector, self.settings);
        let replaced = mem::replace(&mut *current, next);
        drop(current);
        // Without the lock, because closing connections may take time.
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
            // r2d2 pauses at most half of this timeout between two attempts to
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
