//! The handlers' access to the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web;
use chrono::{DateTime, Utc};
use lectern_api::Code;
use lectern_db::{Database, Outage, PoolStats, Reader, Readiness, Tx};
use lectern_domain::{Actor, AppendId, JobId, OwnerName, Stage};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use uuid::Uuid;

use crate::database::admission::{ConnectionLimiter, Permit};
use crate::database::per_job_queues::PerJobQueues;
use crate::fair_share::FairPermit;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::RequestKey;
use crate::http::response::ApiResult;
use crate::metrics::Metrics;

/// Upper bound of the duration of a call, without the wait for a connection.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_millis(500);

/// Extra time of a call for each row, or for each KiB of large values.
const TIMEOUT_PER_ROW: Duration = Duration::from_micros(500);

/// The number of rows, or of KiB of large values, from which on a write is long: it takes tens of
/// milliseconds, and a small one less than one.
const LONG_WRITE: usize = 1_000;

/// Upper bound of the time of a readiness check. Load balancers wait for one second, and a
/// busy machine needs a part of this second for other work.
const READINESS_TIMEOUT: Duration = Duration::from_millis(700);

/// How long readiness checks fail after an error of the disk has made a write fail.
const UNWRITABLE_PERIOD: Duration = Duration::from_secs(10);

/// The database, with admission control and deadlines. Closures run on threads of the
/// blocking pool.
///
/// When a client disconnects, its handler is dropped. A closure that has started still
/// runs to its end, so a write takes effect completely or not at all.
///
/// A call that does not end by its deadline is abandoned: its request fails, its permits
/// are free for other requests, and new calls use new connections. The thread of the call
/// remains blocked until the driver returns.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseHandle {
    pub(super) database: Database,
    shared: Arc<Shared>,
    /// The id of the job, or of the lease, whose writes run one at a time.
    queue_id: Option<Uuid>,
    /// Added to the time limit of each call.
    extra_time: Duration,
    /// Whether its writes are long.
    is_long: bool,
}

/// What all handles share.
#[derive(Debug)]
struct Shared {
    limiter: ConnectionLimiter,
    /// Allows one readiness check at a time.
    readiness_checks: Arc<Semaphore>,
    per_job_queues: Arc<PerJobQueues>,
    /// When an error of the disk last made a write fail; `None` after a successful write.
    unwritable_since: Mutex<Option<Instant>>,
}

impl DatabaseHandle {
    /// `timeout` bounds a request's wait for admission and for a connection.
    pub(crate) fn new(database: Database, timeout: Duration, metrics: Metrics) -> Self {
        let limiter = ConnectionLimiter::new(database.capacity(), timeout, metrics);
        Self {
            database,
            shared: Arc::new(Shared {
                limiter,
                readiness_checks: Arc::new(Semaphore::new(1)),
                per_job_queues: Arc::default(),
                unwritable_since: Mutex::default(),
            }),
            queue_id: None,
            extra_time: Duration::ZERO,
            is_long: false,
        }
    }

    /// The same database, whose changes are recorded as those of `actor`; see
    /// [`Database::acting_as`].
    pub(crate) fn acting_as(&self, actor: Actor) -> Self {
        self.with_database(self.database.acting_as(actor))
    }

    /// The same database for writes to one job. The writes run one at a time; a waiting
    /// write occupies no connection. `id` is the id of the job, or of a lease.
    pub(crate) fn one_at_a_time_for(&self, id: Uuid) -> Self {
        Self {
            queue_id: Some(id),
            ..self.clone()
        }
    }

    /// The same database, limited to one owner; see [`Database::as_owner`].
    pub(super) fn as_owner(&self, owner: OwnerName) -> Self {
        self.with_database(self.database.as_owner(owner))
    }

    fn with_database(&self, database: Database) -> Self {
        Self {
            database,
            shared: Arc::clone(&self.shared),
            ..*self
        }
    }

    /// Upper bound of the wait for admission and for a connection.
    pub(super) fn admission_timeout(&self) -> Duration {
        self.shared.limiter.timeout()
    }

    /// The owner that it is limited to.
    pub(crate) fn owner(&self) -> Option<&OwnerName> {
        self.database.owner()
    }

    /// The same database with a later deadline for each call: enough time for `count`
    /// rows, or for `count` KiB of large values. If there are many, others go first; see
    /// [`Database::for_long_writes`].
    pub(crate) fn with_time_for_rows(&self, count: usize) -> Self {
        let is_long = count >= LONG_WRITE;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let database = if is_long {
            self.database.for_long_writes()
        } else {
            self.database.clone()
        };
        Self {
            is_long,
            extra_time: TIMEOUT_PER_ROW.saturating_mul(count),
            ..self.with_database(database)
        }
    }

    /// Runs `queries` on one snapshot of the database, then `respond` without a
    /// connection. `queries` may run twice; see [`Database::read`].
    pub(crate) async fn read<T, R>(
        &self,
        queries: impl Fn(&mut Reader<'_>) -> Result<T, ApiError> + Send + 'static,
        respond: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, ApiError>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let admission = self.admit_read().await?;
        self.call(admission, move |database| database.read(queries), respond)
            .await
    }

    /// Runs a single `query` without a snapshot, then `respond` without a connection.
    /// `query` may run twice; see [`Database::read_committed`].
    pub(crate) async fn read_committed<T, R>(
        &self,
        query: impl Fn(&mut Reader<'_>) -> Result<T, ApiError> + Send + 'static,
        respond: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, ApiError>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let admission = self.admit_read().await?;
        let read = move |database: &Database| database.read_committed(query);
        self.call(admission, read, respond).await
    }

    /// Runs `change` in a transaction and, after the commit, `respond`. `change`
    /// may run twice; see [`Database::write`].
    pub(crate) async fn write<T, R>(
        &self,
        change: impl FnMut(&mut Tx<'_>) -> Result<T, ApiError> + Send + 'static,
        respond: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, ApiError>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let mut admission = Admission::new(Access::Write);
        if let Some(id) = self.queue_id {
            let permit = self
                .shared
                .per_job_queues
                .acquire(self.owner().cloned(), id, self.admission_timeout())
                .await?;
            admission.permits.lock().push(permit);
        }
        let waited = admission.arrived.elapsed();
        let remaining = self.admission_timeout().saturating_sub(waited);
        if self.is_long {
            let (long, permit) = self.shared.limiter.long_write(remaining).await?;
            admission.permits.lock().push(long);
            admission.add(permit);
        } else {
            admission.add(self.shared.limiter.write(remaining).await?);
        }
        self.call(admission, move |database| database.write(change), respond)
            .await
    }

    /// Runs `change` once per idempotency key, in a transaction, and responds with what it
    /// returns. A repeated request gets the response to the first one. `change` also returns
    /// the job with which the stored response is deleted.
    pub(crate) async fn write_once<T>(
        &self,
        key: RequestKey,
        mut change: impl FnMut(&mut Tx<'_>) -> Result<(Option<JobId>, T), ApiError> + Send + 'static,
        respond: impl Fn(T) -> ApiResult + Send + 'static,
    ) -> ApiResult
    where
        T: Send + 'static,
    {
        if key.is_none() {
            return self.write(change, move |(_, value)| respond(value)).await?;
        }
        let run_once = move |tx: &mut Tx<'_>| {
            key.run_once(tx, |tx| {
                let (job_id, value) = change(tx)?;
                Ok((job_id, respond(value)?))
            })
        };
        self.write(run_once, |response| response).await
    }

    /// What was stored for an earlier request with this key, if there was one.
    pub(crate) async fn stored_response(
        &self,
        key: &RequestKey,
    ) -> Result<Option<Value>, ApiError> {
        if key.is_none() {
            return Ok(None);
        }
        let key = key.clone();
        let find = move |tx: &mut Tx<'_>| {
            let stored = key.take(tx)?;
            if stored.is_none() {
                key.release(tx)?;
            }
            Ok(stored)
        };
        self.write(find, |stored| stored).await
    }

    /// The stages among `stages` with a run that is ready or whose lease has expired.
    pub(crate) async fn claimable(&self, stages: &[Stage]) -> Result<Vec<Stage>, ApiError> {
        let stages = stages.to_vec();
        self.read_committed(
            move |conn| Ok(conn.stage_runs().claimable(&stages)?),
            |claimable| claimable,
        )
        .await
    }

    /// Fails if the database cannot serve requests. The error contains the reason.
    pub(crate) async fn check_readiness(&self) -> Result<(), ApiError> {
        let unwritable_since = *self.shared.unwritable_since.lock();
        if unwritable_since.is_some_and(|since| since.elapsed() < UNWRITABLE_PERIOD) {
            return Err(unavailable("the disk of the database cannot be written"));
        }
        let database = self.database.clone();
        let started = Instant::now();
        let check = async {
            let permit = Arc::clone(&self.shared.readiness_checks)
                .acquire_owned()
                .await;
            let permit = permit.map_err(ApiError::internal)?;
            web::block(move || {
                let readiness = database.readiness(READINESS_TIMEOUT);
                drop(permit);
                readiness
            })
            .await?
            .map_err(ApiError::from)
        };
        match timeout(READINESS_TIMEOUT, check).await {
            Ok(Ok(Readiness::Ready)) => Ok(()),
            Ok(Ok(Readiness::MigrationsPending)) => Err(unavailable(
                "migrations are pending; `lectern migrate up` applies them",
            )),
            Ok(Ok(_)) => Err(unavailable("the database accepts no writes")),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                self.database.replace_connections(started);
                Err(unavailable(NO_ANSWER))
            }
        }
    }

    /// See [`Database::renew_leases_before_expiry`].
    pub(crate) fn renew_leases_before_expiry(&self) {
        self.database.renew_leases_before_expiry();
    }

    /// See [`Database::are_leases_in_doubt`].
    pub(crate) fn are_leases_in_doubt(&self) -> bool {
        self.database.are_leases_in_doubt()
    }

    /// The current time of the database's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.database.clock().now()
    }

    /// A new id, from the database's clock.
    pub(crate) fn new_job_id(&self) -> JobId {
        JobId::new(self.database.clock())
    }

    /// A new id of an append, from the database's clock.
    pub(crate) fn new_append_id(&self) -> AppendId {
        AppendId::new(self.database.clock())
    }

    /// The name of the database management system.
    pub(crate) fn backend_name(&self) -> String {
        self.database.backend().to_string()
    }

    /// Counts of open connections.
    pub(crate) fn stats(&self) -> PoolStats {
        self.database.stats()
    }

    /// How often a list has omitted an invalid row.
    pub(crate) fn unreadable_rows(&self) -> u64 {
        self.database.unreadable_rows()
    }

    async fn admit_read(&self) -> Result<Admission, ApiError> {
        let mut admission = Admission::new(Access::Read);
        admission.add(self.shared.limiter.read().await?);
        Ok(admission)
    }

    /// Runs `access` and then `respond` on a thread of the blocking pool. Abandons the call
    /// at the deadline.
    async fn call<T, R>(
        &self,
        admission: Admission,
        access: impl FnOnce(&Database) -> Result<T, ApiError> + Send + 'static,
        respond: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, ApiError>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let limit = self.admission_timeout() + CALL_TIMEOUT + self.extra_time;
        let remaining = limit.saturating_sub(admission.arrived.elapsed());
        let database = self
            .database
            .with_checkout_timeout(admission.checkout_timeout);
        let permits = Arc::clone(&admission.permits);
        let started = Instant::now();
        let call = web::block(move || {
            let result = access(&database);
            permits.lock().clear();
            result.map(respond)
        });
        let result = timeout(remaining, call).await.unwrap_or_else(|_| {
            admission.permits.lock().clear();
            self.database.replace_connections(started);
            Ok(Err(admission.access.abandoned()))
        })?;
        if admission.access == Access::Write {
            self.record_write(result.as_ref().err());
        }
        result
    }

    /// Records whether the disk of the database can be written.
    pub(super) fn record_write(&self, error: Option<&ApiError>) {
        let mut unwritable_since = self.shared.unwritable_since.lock();
        match error.map(ApiError::outage) {
            Some(Some(Outage::Disk)) => *unwritable_since = Some(Instant::now()),
            None => *unwritable_since = None,
            Some(_) => {}
        }
    }
}

const NO_ANSWER: &str = "the database does not answer; try again";

fn unavailable(detail: &str) -> ApiError {
    ApiError::new(Code::DatabaseUnavailable, detail)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Access {
    /// The error of a call that did not end by its deadline.
    pub(super) fn abandoned(self) -> ApiError {
        unavailable(match self {
            Self::Read => NO_ANSWER,
            Self::Write => {
                "the database did not answer in time; it is unknown whether the change was made"
            }
        })
    }
}

/// The permits and time limits of a call. The permits are returned when the call ends or
/// is abandoned.
struct Admission {
    access: Access,
    arrived: Instant,
    permits: Arc<Mutex<Vec<FairPermit>>>,
    /// Upper bound of the wait for a connection.
    checkout_timeout: Duration,
}

impl Admission {
    fn new(access: Access) -> Self {
        Self {
            access,
            arrived: Instant::now(),
            permits: Arc::default(),
            checkout_timeout: Duration::ZERO,
        }
    }

    fn add(&mut self, permit: Permit) {
        self.permits.lock().push(permit.permit);
        self.checkout_timeout = permit.remaining;
    }
}
