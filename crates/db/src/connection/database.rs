//! The one handle to the database.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::R2D2Connection;
use lectern_domain::{Clock, Pipelines, SystemClock};

use super::backend::DbConnection;
use super::batch::ClaimBatcher;
use super::config::DatabaseConfig;
use super::context::Committed;
use super::context::TransactionContext;
use super::nesting::{self, WriteMark};
use super::pool::{Capacity, Checkout, Pool, PoolStats, Pooled, Pools};
use super::transaction::{Reader, Tx};
use super::unreadable::UnreadableRows;
use super::url::{Backend, DatabaseUrl};
use crate::error::{Doing, Error};

/// Who is told of every commit.
type Listener = Arc<dyn Fn(&Committed) + Send + Sync>;

/// The one handle to the database: cheap to clone, made once, shared by all.
///
/// Work is done in closures, which give the connection back whatever becomes of
/// them: a value, an error or a panic.
///
/// ```
/// use lectern_db::Database;
/// use lectern_db::domain::{JobStatus, NewJob};
///
/// let db = Database::open("sqlite::memory:")?;
/// db.migrate()?;
///
/// let job = db.write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?))?;
/// let found = db.read(|conn| conn.jobs().find(job.job_id))?;
/// assert_eq!(found, Some(job));
/// # Ok::<(), lectern_db::Error>(())
/// ```
#[derive(Clone)]
pub struct Database {
    pools: Arc<Pools>,
    url: Arc<DatabaseUrl>,
    /// Another source of time than the machine's.
    clock: Option<Arc<dyn Clock>>,
    pipelines: Arc<Pipelines>,
    unreadable: Arc<UnreadableRows>,
    listener: Option<Listener>,
    pub(crate) claims: Arc<ClaimBatcher>,
    checkout_timeout: Duration,
}

impl Database {
    /// A database at `url` with the defaults of [`DatabaseConfig::new`].
    ///
    /// Connects lazily: [`Database::migrate`] is the first call that needs the database.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::connect(&DatabaseConfig::new(url)?)
    }

    /// A database with settings of one's own.
    pub fn connect(config: &DatabaseConfig) -> Result<Self, Error> {
        if config.url.backend() == Backend::Sqlite {
            prepare_file(config)?;
        }
        Ok(Self {
            pools: Arc::new(Pools::new(config)?),
            url: Arc::new(config.url.clone()),
            clock: None,
            pipelines: Arc::default(),
            unreadable: Arc::default(),
            listener: None,
            claims: ClaimBatcher::new(turns(config.url.backend())),
            checkout_timeout: config.checkout_timeout,
        })
    }

    /// The same database with another source of time.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: Some(clock),
            claims: ClaimBatcher::new(turns(self.backend())),
            ..self
        }
    }

    /// The same database with other pipelines for new jobs to go through.
    pub fn with_pipelines(self, pipelines: Arc<Pipelines>) -> Self {
        Self { pipelines, ..self }
    }

    /// The same database with somebody who is told, right after a commit and on
    /// the thread that made it, what others may be waiting to hear of. What is
    /// done through this handle and its clones is told; what other processes do
    /// is to be looked for in [`crate::JobEvents::newer`].
    pub fn on_commit(self, listener: Arc<dyn Fn(&Committed) + Send + Sync>) -> Self {
        Self {
            listener: Some(listener),
            // Who claims together is told by one listener.
            claims: ClaimBatcher::new(turns(self.backend())),
            ..self
        }
    }

    /// The same pool with another wait for a connection.
    pub fn within(&self, checkout_timeout: Duration) -> Self {
        Self {
            checkout_timeout,
            ..self.clone()
        }
    }

    /// Where the time of new rows comes from.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_deref().unwrap_or(&SystemClock)
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        self.url.backend()
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Runs `look` on one snapshot of the database: all its queries see what was
    /// committed when the first one began (`REPEATABLE READ READ ONLY` on
    /// PostgreSQL, a deferred transaction on SQLite).
    ///
    /// When the server has closed the connection, `look` runs once more on
    /// another one, which is why it is an [`Fn`].
    pub fn read<T, E>(&self, look: impl Fn(&mut Reader<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.with_reader(|conn, context| {
            conn.conn.begin_snapshot().doing("begin a snapshot")?;
            let raw = &mut conn.conn;
            let outcome = catch_unwind(AssertUnwindSafe(|| look(&mut Reader::new(raw, context))));
            if conn.conn.rollback().is_err() {
                conn.give_up();
            }
            outcome.unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Runs `look` without a snapshot: each of its queries sees what was
    /// committed when that query began. For a single query this is the same as
    /// [`Database::read`], and on PostgreSQL saves the two round trips that
    /// begin and end a transaction.
    ///
    /// `look` may run twice, as with [`Database::read`].
    pub fn read_committed<T, E>(
        &self,
        look: impl Fn(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.with_reader(|conn, context| look(&mut Reader::new(&mut conn.conn, context)))
    }

    /// Runs `look` with a connection of the readers, and once more with another
    /// one when the server has closed the first.
    fn with_reader<T, E>(
        &self,
        look: impl Fn(&mut Pooled, &TransactionContext<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let context = self.context();
        let mut conn = self.reader()?;
        let result = look(&mut conn, &context);
        // diesel does not notice that a connection is closed while it prepares a
        // statement; a ping makes it notice.
        if result.is_err() && conn.conn.ping().is_err() {
            drop(conn);
            return look(&mut *self.reader()?, &context);
        }
        result
    }

    /// Runs `change` within one transaction: commits it when `change` returns
    /// `Ok`, rolls it back when it returns `Err` or panics.
    ///
    /// SQLite's write lock is taken at once. From async code call it, as every
    /// method here, in `tokio::task::spawn_blocking`.
    ///
    /// # Errors
    ///
    /// [`Error::NestedWrite`] within a `write` on the same database, whichever
    /// clone of the handle it is called on: pass the `Tx` on instead.
    /// [`Error::NotCommitted`] when `change` returns `Ok` although one of its
    /// statements failed, on PostgreSQL.
    pub fn write<T, E>(&self, change: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        let mark = WriteMark::set(self.identity())?;
        let context = self.context();
        let mut conn = self.begin()?;
        let raw = &mut conn.conn;
        let outcome = catch_unwind(AssertUnwindSafe(|| change(&mut Tx::new(raw, &context))));
        let ended = match outcome {
            Ok(Ok(_)) => conn.conn.commit(),
            _ => conn.conn.rollback(),
        };
        if ended.is_err() {
            // Closing it makes the database take back what was not committed.
            conn.give_up();
        }
        drop(conn);
        // A listener of the commit may write.
        drop(mark);
        match outcome {
            Ok(Ok(value)) => {
                ended?;
                self.tell(&context.committed.into_inner());
                Ok(value)
            }
            Ok(Err(error)) => Err(error),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Asks the database for an answer.
    pub fn ping(&self) -> Result<(), Error> {
        self.read_committed(|conn| conn.raw.ping().doing("ask the database for an answer"))
    }

    /// How many connections there are.
    pub fn stats(&self) -> PoolStats {
        self.pools.stats()
    }

    /// How often a row was left out of a list since the start because it breaks a
    /// rule of the domain. The log names each such row once, with its column.
    pub fn unreadable_rows(&self) -> u64 {
        self.unreadable.omissions()
    }

    /// How many closures can run at once.
    pub fn capacity(&self) -> Capacity {
        self.pools.capacity()
    }

    fn context(&self) -> TransactionContext<'_> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        TransactionContext {
            clock: self.clock(),
            transaction: NEXT.fetch_add(1, Ordering::Relaxed),
            own_clock: self.clock.is_some(),
            pipelines: &self.pipelines,
            unreadable: &self.unreadable,
            committed: RefCell::default(),
        }
    }

    fn tell(&self, committed: &Committed) {
        if let Some(listener) = self.listener.as_ref().filter(|_| !committed.is_empty()) {
            listener(committed);
        }
    }

    /// The same for all clones of the handle, and for no other database.
    fn identity(&self) -> usize {
        Arc::as_ptr(&self.pools).addr()
    }

    /// [`Error::NestedWrite`] when the current thread is within
    /// [`Database::write`].
    pub(crate) fn refuse_nested_write(&self) -> Result<(), Error> {
        nesting::check(self.identity())
    }

    /// A connection outside the pool, for what a pool is no good for.
    pub(crate) fn connection(&self) -> Result<DbConnection, Error> {
        self.pools.write.open()
    }

    /// A connection of the readers.
    pub(crate) fn reader(&self) -> Result<Checkout, Error> {
        self.checkout(&self.pools.read)
    }

    fn checkout(&self, pool: &Pool) -> Result<Checkout, Error> {
        pool.checkout(self.checkout_timeout)
    }

    /// A connection with a transaction begun. A connection that turns out to be
    /// closed is exchanged: nothing has been asked of it yet.
    fn begin(&self) -> Result<Checkout, Error> {
        let mut conn = self.checkout(&self.pools.write)?;
        let mut begun = conn.conn.begin();
        if begun.is_err() && conn.is_lost() {
            drop(conn);
            conn = self.checkout(&self.pools.write)?;
            begun = conn.conn.begin();
        }
        begun.doing("begin a transaction")?;
        Ok(conn)
    }
}

/// Sets what a SQLite file keeps: the write-ahead log, which lets readers go on
/// while one connection writes. Done once, before connections compete.
fn prepare_file(config: &DatabaseConfig) -> Result<(), Error> {
    let super::url::Location::File(_) = config.url.location() else {
        return Ok(());
    };
    DbConnection::open(config.url.location(), "")
        .map_err(|source| Error::Unavailable {
            doing: format!("could not open {}", config.url),
            source: Box::new(source),
        })?
        .batch_execute("PRAGMA journal_mode = WAL")
        .doing("switch the database file to its write-ahead log")
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("url", &self.url)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// How many claims run side by side.
fn turns(backend: Backend) -> usize {
    match backend {
        Backend::Sqlite => 1,
        Backend::Postgres => 2,
    }
}
