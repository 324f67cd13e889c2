//! The handle to the database.

mod nested_write;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::r2d2::R2D2Connection;
use diesel::result::QueryResult;
use lectern_domain::{Actor, Clock, JobQuota, OwnerName, Pipelines, SystemClock};
use parking_lot::RwLock;

use self::nested_write::WriteMark;
use super::batch::{Batchers, OfOwner};
use super::config::DatabaseConfig;
use super::context::{Committed, LeaseRenewal, RetentionClock, TransactionContext, UnreadableRows};
use super::db_connection::DbConnection;
use super::group_commit::{Length, WriteTransaction, WriterQueue, WriterTurn};
use super::pool::{Capacity, Checkout, Pool, PoolStats, Pooled, Pools};
use super::row_security::{Fence, RoleName};
use super::transaction::{Reader, Tx};
use super::url::Backend;
use super::url::DatabaseUrl;
use crate::error::{Doing, Error, Outage, conflicts_on_this_thread};

/// Pause before a transaction is repeated after a conflict. Meanwhile the other
/// transaction can take the locks that it waited for.
const CONFLICT_PAUSE: Duration = Duration::from_millis(50);

/// Called after every commit.
type Listener = Arc<dyn Fn(&Committed) + Send + Sync>;

/// The handle to the database. Cheap to clone; open it once and share it.
///
/// Work is done in closures. When a closure ends, in a value, an error or a panic,
/// its connection returns to the pool.
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
    /// What all handles to the database share.
    shared: Arc<Shared>,
    /// What is set when the database is opened.
    settings: Arc<Settings>,
    /// Set by [`Database::as_owner`].
    owner: Option<Arc<OwnerName>>,
    /// Set by [`Database::acting_as`].
    actor: Option<Arc<Actor>>,
    pub(crate) batchers: Arc<Batchers>,
    checkout_timeout: Duration,
    /// Set by [`Database::for_long_writes`].
    write_length: Length,
}

/// What all handles to a database share. It is behind one pointer, and so are the settings: a
/// request to a server clones handles, and each counter that a clone increments is one that other
/// threads increment too.
struct Shared {
    pools: Pools,
    /// The queue of writers, which commit together; only on SQLite.
    writers: Option<RwLock<Arc<WriterQueue>>>,
    url: DatabaseUrl,
    /// See [`DatabaseConfig::owner_role`].
    owner_role: Option<RoleName>,
    unreadable: UnreadableRows,
    retention_clock: RetentionClock,
    lease_renewal: Arc<LeaseRenewal>,
}

/// What is set when a database is opened.
#[derive(Clone, Default)]
struct Settings {
    /// Set by [`Database::with_clock`].
    clock: Option<Arc<dyn Clock>>,
    pipelines: Arc<Pipelines>,
    /// Set by [`Database::with_job_quota`].
    job_quota: JobQuota,
    listener: Option<Listener>,
}

impl Database {
    /// A database at `url` with the defaults of [`DatabaseConfig::new`].
    ///
    /// Does not wait for PostgreSQL, which may be down; opens an SQLite file at
    /// once, and creates it if it is missing.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::connect(&DatabaseConfig::new(url)?)
    }

    /// A database with the given settings.
    pub fn connect(config: &DatabaseConfig) -> Result<Self, Error> {
        if config.url.backend() == Backend::Sqlite {
            prepare_file(config)?;
        }
        let lease_renewal = Arc::<LeaseRenewal>::default();
        let writers = match config.url.backend() {
            Backend::Postgres => None,
            Backend::Sqlite => Some(RwLock::default()),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                pools: Pools::new(config, Arc::clone(&lease_renewal))?,
                writers,
                url: config.url.clone(),
                owner_role: config.owner_role.clone(),
                unreadable: UnreadableRows::default(),
                retention_clock: RetentionClock::default(),
                lease_renewal,
            }),
            settings: Arc::default(),
            owner: None,
            actor: None,
            batchers: Batchers::new(config.url.backend()),
            checkout_timeout: config.checkout_timeout,
            write_length: Length::Short,
        })
    }

    /// The same database with another clock, for the times of rows and the
    /// expiry of leases.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        self.with_settings(|settings| settings.clock = Some(clock))
    }

    /// The same database with other pipelines for new jobs.
    pub fn with_pipelines(self, pipelines: Arc<Pipelines>) -> Self {
        self.with_settings(|settings| settings.pipelines = pipelines)
    }

    /// The same database with bounds for the jobs of each owner. Whatever creates a job, or opens
    /// a finished one again, keeps them, also when others do so at the same time.
    pub fn with_job_quota(self, job_quota: JobQuota) -> Self {
        self.with_settings(|settings| settings.job_quota = job_quota)
    }

    /// The same database with a listener, called after each commit that has
    /// something to publish, on the thread of the commit. It is called for the
    /// commits of this handle and its clones; poll [`crate::JobEvents::newer`]
    /// for those of other processes.
    pub fn on_commit(self, listener: Arc<dyn Fn(&Committed) + Send + Sync>) -> Self {
        self.with_settings(|settings| settings.listener = Some(listener))
    }

    fn with_settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        Self {
            // A batch is one transaction, which has the settings of one handle.
            batchers: Batchers::new(self.backend()),
            ..self
        }
    }

    /// The same database as one owner sees it: everything that is done with this handle, and
    /// with what its closures receive, finds, counts, changes and deletes only the jobs of
    /// `owner` and what belongs to them. To all others, it responds as if they did not exist.
    /// The jobs that it creates are the owner's.
    ///
    /// ```
    /// use lectern_db::Database;
    /// use lectern_db::domain::{NewJob, OwnerName};
    ///
    /// let db = Database::open("sqlite::memory:")?;
    /// db.migrate()?;
    /// let exams = db.as_owner(OwnerName::new("exams")?);
    /// let library = db.as_owner(OwnerName::new("library")?);
    ///
    /// let job = exams.create_job(NewJob::new("lecture.mp4")?)?;
    /// assert_eq!(job.owner_id, Some(OwnerName::new("exams")?));
    /// assert_eq!(library.find_job(job.job_id)?, None);
    /// // Without an owner, all jobs are found.
    /// assert_eq!(db.find_job(job.job_id)?, Some(job));
    /// # Ok::<(), lectern_db::Error>(())
    /// ```
    ///
    /// Not limited are the listener of [`Database::on_commit`], which receives what this
    /// handle commits; `api_keys`, `idempotency_keys` and `database_identity`, which are not
    /// about jobs; migrations, backups and imports, which are about the whole database; and
    /// statements of your own.
    pub fn as_owner(&self, owner: OwnerName) -> Self {
        self.with_owner(Some(Arc::new(owner)))
    }

    /// A handle to the same database whose changes of jobs and keys are recorded in
    /// `audit_entries` as those of `actor`, in the transaction that makes them: updates,
    /// cancellations, retries, reruns and deletions of jobs, and what is done to keys. Changes
    /// by the work on stages are not; the log of the job has them.
    ///
    /// ```
    /// use lectern_db::Database;
    /// use lectern_db::domain::{Actor, AuditFilter, NewJob, PageRequest};
    ///
    /// let db = Database::open("sqlite::memory:")?;
    /// db.migrate()?;
    /// let job = db.write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?))?;
    /// let db = db.acting_as(Actor::command_line("ada"));
    /// db.write(|tx| tx.jobs().cancel(job.job_id))?;
    ///
    /// let (all, first) = (AuditFilter::default(), PageRequest::default());
    /// let entries = db.read(|conn| conn.audit_entries().list(&all, first))?.items;
    /// assert_eq!(entries[0].change.new_values.get()["status"], "cancelled");
    /// # Ok::<(), lectern_db::Error>(())
    /// ```
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self {
            actor: Some(Arc::new(actor)),
            ..self.clone()
        }
    }

    /// The same database with another owner, or none.
    pub(crate) fn with_owner(&self, owner: Option<Arc<OwnerName>>) -> Self {
        Self {
            owner,
            ..self.clone()
        }
    }

    /// An operation of this handle, which is executed with those of other handles.
    pub(crate) fn of_owner<Op>(&self, op: Op) -> OfOwner<Op> {
        OfOwner {
            owner: self.owner.clone(),
            op,
        }
    }

    /// The owner that the handle is limited to.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_deref()
    }

    /// A handle to the same pool with another timeout for connections.
    pub fn with_checkout_timeout(&self, checkout_timeout: Duration) -> Self {
        Self {
            checkout_timeout,
            ..self.clone()
        }
    }

    /// A handle to the same database for writes of thousands of rows. SQLite has one writer at
    /// a time: there, writes with other handles wait for at most one such write.
    pub fn for_long_writes(&self) -> Self {
        Self {
            write_length: Length::Long,
            ..self.clone()
        }
    }

    /// The handle of a thread that executes batches. It does not keep the batchers alive,
    /// whose end ends the thread. It has no owner: each operation names its own.
    pub(crate) fn for_batches(&self) -> Self {
        Self {
            owner: None,
            batchers: Batchers::new(self.backend()),
            // A batch has the changes of several callers, of which none is audited.
            actor: None,
            write_length: Length::Short,
            ..self.clone()
        }
    }

    /// The clock given to [`Database::with_clock`], or the machine's.
    pub fn clock(&self) -> &dyn Clock {
        self.settings.clock.as_deref().unwrap_or(&SystemClock)
    }

    /// PostgreSQL or SQLite.
    pub fn backend(&self) -> Backend {
        self.shared.url.backend()
    }

    /// The address of the database; shown without its password.
    pub fn url(&self) -> &DatabaseUrl {
        &self.shared.url
    }

    /// Runs `queries` on one snapshot of the database: all its queries see what was
    /// committed when the first one began (`REPEATABLE READ READ ONLY` on
    /// PostgreSQL, a deferred transaction on SQLite).
    ///
    /// When the server has closed the connection, `queries` runs once more on
    /// another connection, which is why it is an [`Fn`].
    pub fn read<T, E>(&self, queries: impl Fn(&mut Reader<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.with_reader(|pooled, context| {
            let begun = pooled.conn.begin_snapshot(self.fence());
            self.begun(pooled, begun).doing("begin a snapshot")?;
            read_and_roll_back(pooled, context, &queries)
        })
    }

    /// Runs `queries` without a snapshot: each of its queries sees what was
    /// committed when that query began. For a single query this is the same as
    /// [`Database::read`], and on PostgreSQL saves the two round trips that
    /// begin and end a transaction, except for an owner with
    /// [`DatabaseConfig::owner_role`].
    ///
    /// `queries` may run twice, as with [`Database::read`].
    pub fn read_committed<T, E>(
        &self,
        queries: impl Fn(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.with_reader(|pooled, context| {
            let Some(fence) = self.fence() else {
                return queries(&mut Reader::new(&mut pooled.conn, context));
            };
            let begun = pooled.conn.begin_read_committed(fence);
            self.begun(pooled, begun).doing("begin to read")?;
            read_and_roll_back(pooled, context, &queries)
        })
    }

    /// Runs `queries` with a read connection, and once more with another one if the
    /// server has closed the first.
    fn with_reader<T, E>(
        &self,
        queries: impl Fn(&mut Pooled, &TransactionContext<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let _outages = self.shared.lease_renewal.watch();
        let context = self.context();
        let mut pooled = self.reader()?;
        let result = queries(&mut pooled, &context);
        if context.has_large_value.get() {
            pooled.replace_when_returned();
        }
        // diesel does not notice that a connection is closed while it prepares a
        // statement; a ping makes it notice.
        if result.is_err() && pooled.conn.ping().is_err() {
            drop(pooled);
            return queries(&mut *self.reader()?, &context);
        }
        result
    }

    /// Runs `change` within one transaction: commits it when `change` returns
    /// `Ok`, rolls it back when it returns `Err` or panics.
    ///
    /// When PostgreSQL cancels the transaction because of a conflict with another
    /// one, `change` runs once more, which is why it is an [`FnMut`].
    ///
    /// On SQLite, the transaction takes the write lock at once. From async code, call
    /// `write` and every other method in `tokio::task::spawn_blocking`.
    ///
    /// # Errors
    ///
    /// [`Error::NestedWrite`] within a `write` on the same database, whichever
    /// clone of the handle it is called on: pass the `Tx` on instead.
    /// [`Error::NotCommitted`] when `change` returns `Ok` although one of its
    /// statements failed, on PostgreSQL.
    pub fn write<T, E>(&self, mut change: impl FnMut(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        let conflicts = conflicts_on_this_thread();
        let result = self.write_once(&mut change);
        if result.is_err() && conflicts_on_this_thread() > conflicts {
            thread::sleep(CONFLICT_PAUSE);
            return self.write_once(&mut change);
        }
        result
    }

    fn write_once<T, E>(&self, change: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        let mark = WriteMark::set(self.identity())?;
        let _outages = self.shared.lease_renewal.watch();
        let context = self.context();
        let mut transaction = self.begin()?;
        let raw = transaction.connection()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| change(&mut Tx::new(raw, &context))));
        if context.has_large_value.get() {
            transaction.replace_connection_afterwards();
        }
        let ended = match outcome {
            Ok(Ok(_)) => transaction.commit(),
            _ => transaction.rollback(),
        };
        // The listener, which is called below, may write.
        drop(mark);
        match outcome {
            Ok(Ok(value)) => {
                ended?;
                if let Some(request) = context.renewed_leases.get() {
                    self.shared.lease_renewal.mark_renewed(request);
                }
                self.notify(&context.committed.into_inner());
                Ok(value)
            }
            Ok(Err(error)) => Err(error),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Checks that the database responds.
    pub fn ping(&self) -> Result<(), Error> {
        self.read_committed(|conn| conn.raw.ping().doing("ping the database"))
    }

    /// Replaces the connections that were open at `time` by new ones. Use it after
    /// giving up a call because the database did not respond. That call keeps its
    /// thread and its connection until the driver notices the failure, but later
    /// calls do not have to wait for them.
    pub fn replace_connections(&self, time: Instant) {
        self.renew_leases_before_expiry();
        if self.shared.pools.replace(time) {
            self.batchers.replace_threads();
            if let Some(writers) = &self.shared.writers {
                // A writer that does not return would keep its turn for ever.
                *writers.write() = Arc::default();
            }
        }
    }

    /// Extends all leases by their length before the next one expires. Call it after
    /// a time in which holders of leases could not send heartbeats, such as the start
    /// of a server. An outage of the database that this handle notices has the same
    /// effect.
    pub fn renew_leases_before_expiry(&self) {
        self.shared.lease_renewal.request();
    }

    /// Whether a requested renewal of all leases is still pending. If so, call
    /// [`crate::Work::expire`] soon, which renews them: a late renewal would also
    /// extend leases that have expired since the outage.
    pub fn are_leases_in_doubt(&self) -> bool {
        self.shared.lease_renewal.pending().is_some()
    }

    /// The number of connections, open and in use.
    pub fn stats(&self) -> PoolStats {
        self.shared.pools.stats()
    }

    /// The number of times a row was left out of a list because it breaks a rule of
    /// the domain. The log names each such row once, with its column.
    pub fn unreadable_rows(&self) -> u64 {
        self.shared.unreadable.omissions()
    }

    /// The number of closures that can run at once.
    pub fn capacity(&self) -> Capacity {
        self.shared.pools.capacity()
    }

    fn context(&self) -> TransactionContext<'_> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        TransactionContext {
            clock: self.clock(),
            backend: self.backend(),
            owner: self.owner(),
            is_fenced: self.fence().is_some(),
            transaction: NEXT.fetch_add(1, Ordering::Relaxed),
            has_custom_clock: self.settings.clock.is_some(),
            pipelines: &self.settings.pipelines,
            job_quota: self.settings.job_quota,
            unreadable: &self.shared.unreadable,
            retention_clock: &self.shared.retention_clock,
            lease_renewal: &self.shared.lease_renewal,
            renewed_leases: Cell::new(None),
            has_large_value: Cell::new(false),
            actor: self.actor.as_deref(),
            committed: RefCell::default(),
        }
    }

    fn notify(&self, committed: &Committed) {
        if let Some(listener) = self
            .settings
            .listener
            .as_ref()
            .filter(|_| !committed.is_empty())
        {
            listener(committed);
        }
    }

    /// Identifies the database among those that are open: the same for all clones
    /// of a handle.
    fn identity(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    /// [`Error::NestedWrite`] when the current thread is within
    /// [`Database::write`].
    pub(crate) fn refuse_nested_write(&self) -> Result<(), Error> {
        nested_write::check(self.identity())
    }

    /// Opens a connection outside the pool, for work that changes its settings
    /// or takes long.
    pub(crate) fn connection(&self) -> Result<DbConnection, Error> {
        self.shared.pools.write.open_unlimited()
    }

    /// A connection from the read pool.
    pub(crate) fn reader(&self) -> Result<Checkout, Error> {
        self.checkout(&self.shared.pools.read)
    }

    pub(super) fn writers(&self) -> Option<Arc<WriterQueue>> {
        let writers = self.shared.writers.as_ref()?;
        Some(Arc::clone(&writers.read()))
    }

    /// The connection for checks, which does not depend on the other pools.
    pub(crate) fn probe(&self, timeout: Duration) -> Result<Checkout, Error> {
        self.shared.pools.probe.checkout(timeout)
    }

    fn checkout(&self, pool: &Pool) -> Result<Checkout, Error> {
        pool.checkout(self.checkout_timeout)
    }

    /// Begins a transaction or, on SQLite, joins one.
    fn begin(&self) -> Result<WriteTransaction, Error> {
        match self.writers() {
            None => self.begin_unshared().map(WriteTransaction::Unshared),
            Some(writers) => {
                let begin = || self.begin_unshared();
                WriterTurn::begin(writers, self.write_length, self.checkout_timeout, begin)
                    .map(WriteTransaction::Shared)
            }
        }
    }

    /// Begins a transaction. If the connection turns out to be closed, another
    /// one takes its place, which is safe because nothing was done on it.
    fn begin_unshared(&self) -> Result<Checkout, Error> {
        let mut pooled = self.checkout(&self.shared.pools.write)?;
        let mut begun = pooled.conn.begin(self.fence());
        if begun.is_err() && pooled.is_lost() {
            drop(pooled);
            pooled = self.checkout(&self.shared.pools.write)?;
            begun = pooled.conn.begin(self.fence());
        }
        self.begun(&mut pooled, begun)
            .doing("begin a transaction")?;
        Ok(pooled)
    }

    /// Discards a connection on which the fence could not be set: its transaction may have
    /// begun.
    fn begun<T>(&self, pooled: &mut Pooled, begun: QueryResult<T>) -> QueryResult<T> {
        if begun.is_err() && self.fence().is_some() {
            pooled.discard();
        }
        begun
    }

    /// The fence of the handle's transactions; `None`: they see the rows of all owners.
    fn fence(&self) -> Option<Fence<'_>> {
        if self.backend() != Backend::Postgres {
            return None;
        }
        Some(Fence {
            role: self.owner_role()?,
            owner: self.owner()?,
        })
    }

    /// The role of [`DatabaseConfig::owner_role`].
    pub fn owner_role(&self) -> Option<&RoleName> {
        self.shared.owner_role.as_ref()
    }
}

/// Runs `queries` in the transaction that has begun, and ends it.
fn read_and_roll_back<T, E>(
    pooled: &mut Pooled,
    context: &TransactionContext<'_>,
    queries: &impl Fn(&mut Reader<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let raw = &mut pooled.conn;
    let outcome = catch_unwind(AssertUnwindSafe(|| queries(&mut Reader::new(raw, context))));
    if pooled.conn.rollback().is_err() {
        pooled.discard();
    }
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Switches a SQLite file to the write-ahead log, with which readers do not wait
/// for the writer. The file keeps the setting. Done before the pools open
/// connections, because the switch needs exclusive access to the file.
fn prepare_file(config: &DatabaseConfig) -> Result<(), Error> {
    let super::url::Location::File(_) = config.url.location() else {
        return Ok(());
    };
    DbConnection::open(config.url.location(), "", config.connection())
        .map_err(|source| Error::Unavailable {
            doing: format!("could not open {}", config.url),
            outage: Outage::Connection,
            source: Box::new(source),
        })?
        .batch_execute("PRAGMA journal_mode = WAL")
        .doing("switch the database file to its write-ahead log")
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("url", &self.shared.url)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
