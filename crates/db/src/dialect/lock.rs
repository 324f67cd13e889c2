//! Locking a job, and the proof that it is locked.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::BoxedSqlQuery;
use diesel::sql_query;
use diesel::sql_types::{Array, Bool, Nullable, Text};
use lectern_domain::{Clock, JobId, LeaseId, OwnerName, Stage, SystemClock};

use crate::connection::batch::Mode;
use crate::connection::context::TransactionContext;
use crate::connection::{Backend, DbConnection, Tx, on_either};
use crate::dialect::is_small;
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::owned::owned_sql;
use crate::sql::prepared::Prepared;
use crate::sql::status_literals::RUN_RUNNING;
use crate::sql::types::{DbTime, Id, Timestamptz, Uuid};

/// The proof that a job exists and that its row is locked in this transaction;
/// made by [`Tx::lock_job`] and [`crate::Work::guard`]. A method that is given a proof
/// does not lock the job again.
#[derive(Debug, Clone, Copy)]
pub struct JobLock {
    job_id: JobId,
    /// When the job was locked, by the database's clock: after the end of any transaction
    /// for which this transaction waited.
    at: DateTime<Utc>,
    /// The number of the transaction: the lock ends with it.
    transaction: u64,
}

impl JobLock {
    /// The job that is locked.
    pub fn job_id(self) -> JobId {
        self.job_id
    }

    /// When the job was locked: the time of all changes made under the lock.
    pub(crate) fn time(self) -> DbTime {
        DbTime(self.at)
    }
}

/// A job to be changed: its id, or the proof that it is locked already.
#[derive(Debug, Clone, Copy)]
pub struct JobRef(Locked);

#[derive(Debug, Clone, Copy)]
enum Locked {
    No(JobId),
    Yes(JobLock),
}

impl From<JobId> for JobRef {
    fn from(job_id: JobId) -> Self {
        Self(Locked::No(job_id))
    }
}

impl From<JobLock> for JobRef {
    fn from(lock: JobLock) -> Self {
        Self(Locked::Yes(lock))
    }
}

impl JobRef {
    /// The job that is referred to.
    pub fn job_id(self) -> JobId {
        match self.0 {
            Locked::No(job_id) => job_id,
            Locked::Yes(lock) => lock.job_id,
        }
    }
}

/// A lease that is live at the time of a lock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiveLease {
    pub(crate) stage: Stage,
    pub(crate) lease_id: LeaseId,
}

impl Tx<'_> {
    /// Locks the row of a job until the transaction ends: until then, no other
    /// transaction changes the job or anything that belongs to it.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`].
    pub fn lock_job(&mut self, job: impl Into<JobRef>) -> Result<JobLock, Error> {
        match job.into().0 {
            Locked::Yes(lock) if lock.transaction == self.context.transaction => Ok(lock),
            Locked::Yes(JobLock { job_id, .. }) | Locked::No(job_id) => {
                let at = lock_row(self.raw, self.context, job_id, self.callers_time())?;
                self.job_lock(job_id, at)
            }
        }
    }

    /// Locks the rows of jobs and, where one query can do both, reads their live
    /// leases. `None`: the caller must read them, because they were not read or may
    /// have changed during the wait for the lock. Jobs that do not exist are missing, and
    /// with [`Mode::Together`], those that are locked or large.
    pub(crate) fn lock_jobs_with_leases(
        &mut self,
        job_ids: &[JobId],
        mode: Mode,
    ) -> Result<HashMap<JobId, LockedJob>, Error> {
        let callers_time = self.callers_time();
        let locked = lock_rows_with_leases(self.raw, self.context, job_ids, mode, callers_time)?;
        let lock =
            |(job_id, (at, leases))| Ok((job_id, (self.job_lock(job_id, Some(at))?, leases)));
        locked.into_iter().map(lock).collect()
    }

    fn job_lock(&self, job_id: JobId, at: Option<DateTime<Utc>>) -> Result<JobLock, Error> {
        Ok(JobLock {
            job_id,
            at: at.ok_or(Error::JobNotFound { job_id })?,
            transaction: self.context.transaction,
        })
    }

    fn callers_time(&self) -> Option<DateTime<Utc>> {
        self.context.has_custom_clock.then(|| self.clock.now())
    }
}

/// Locks a job's row until the transaction ends. Returns the time when it was locked,
/// or `None` if the job does not exist.
///
/// PostgreSQL: without the lock, two transactions that each replace a set would
/// both delete the old set and leave two new ones. `FOR NO KEY UPDATE` does not
/// block inserts of rows that refer to the job. The outer query reads the clock
/// after the inner query has the lock. SQLite has one writer at a time anyway.
fn lock_row(
    conn: &mut DbConnection,
    context: &TransactionContext<'_>,
    job_id: JobId,
    callers_time: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>, Error> {
    match conn {
        DbConnection::Postgres(conn) => {
            let owned = owned_on_postgres(context.owner);
            let lock = sql_query(format!(
                "WITH locked AS MATERIALIZED
                     (SELECT 1 FROM jobs WHERE job_id = $1 AND {owned} FOR NO KEY UPDATE)
                 SELECT COALESCE($2, clock_timestamp()) AS now FROM locked",
            ));
            let lock = lock
                .into_boxed::<Pg>()
                .bind::<Uuid, _>(Id(job_id))
                .bind::<Nullable<Timestamptz>, _>(callers_time.map(DbTime));
            let lock = with_owner(lock, context.owner);
            Prepared(lock)
                .get_result::<LockedRow>(conn)
                .optional()
                .map(|locked| locked.map(|locked| locked.now.0))
        }
        DbConnection::Sqlite(conn) => {
            let row = jobs::table
                .filter(jobs::job_id.eq(Id(job_id)))
                .filter(context.owned("jobs"));
            diesel::select(exists(row))
                .get_result::<bool>(conn)
                .map(|exists| exists.then(|| callers_time.unwrap_or_else(|| SystemClock.now())))
        }
    }
    .doing("lock a job")
}

/// The lock of a job, and the leases that were live then; `None`: unknown.
pub(crate) type LockedJob = (JobLock, Option<Vec<LiveLease>>);

fn is_small_on_sqlite(conn: &mut DbConnection, job_id: JobId) -> Result<bool, Error> {
    let row = jobs::table
        .filter(jobs::job_id.eq(Id(job_id)))
        .filter(sql::<Bool>(is_small(Backend::Sqlite)));
    let is_small = Prepared(diesel::select(exists(row)));
    on_either!(conn, conn => is_small.get_result::<bool>(conn)).doing("look at the size of a job")
}

/// When a job was locked, and the leases that were live then; `None`: unknown.
type LockedWithLeases = (DateTime<Utc>, Option<Vec<LiveLease>>);

/// Like [`lock_row`], for several jobs in the order of their ids, so that no two callers
/// wait for each other; also returns the leases that are live then; `None`: unknown.
///
/// PostgreSQL: a query reads everything but the locked rows as of its start, before
/// the wait for the locks. If a job's version has not changed since, its leases
/// are still current, because granting or ending a lease increments the version. A
/// heartbeat may leave the version unchanged, but can only extend a lease: a lease that
/// was read as expired may be live. So the leases are unknown if the version has changed
/// or a lease that was read has expired.
///
/// SQLite: the leases are always unknown. The caller reads the leases afterwards, which
/// costs no round trip.
fn lock_rows_with_leases(
    conn: &mut DbConnection,
    context: &TransactionContext<'_>,
    job_ids: &[JobId],
    mode: Mode,
    callers_time: Option<DateTime<Utc>>,
) -> Result<HashMap<JobId, LockedWithLeases>, Error> {
    let DbConnection::Postgres(conn) = conn else {
        let mut locked = HashMap::new();
        for job_id in job_ids {
            let at = match mode {
                Mode::Together if !is_small_on_sqlite(conn, *job_id)? => None,
                _ => lock_row(conn, context, *job_id, callers_time)?,
            };
            locked.extend(at.map(|at| (*job_id, (at, None))));
        }
        return Ok(locked);
    };
    let (is_small, skip) = match mode {
        Mode::Alone => ("TRUE", ""),
        Mode::Together => (is_small(Backend::Postgres), "SKIP LOCKED"),
    };
    let owned = owned_on_postgres(context.owner);
    // The subquery hides the length of the array, with which the planner would plan the
    // statement again for each execution.
    let lock = sql_query(format!(
        "WITH locked AS MATERIALIZED
             (SELECT job_id, version FROM jobs WHERE job_id = ANY(ARRAY(SELECT unnest($1)))
                AND {is_small} AND {owned}
              ORDER BY job_id FOR NO KEY UPDATE {skip})
         SELECT locked.job_id, COALESCE($2, clock_timestamp()) AS now,
                locked.version = (SELECT version FROM jobs WHERE job_id = locked.job_id)
                    AS is_current,
                r.stage, r.lease_id, r.lease_expires_at
         FROM locked LEFT JOIN stage_runs AS r
             ON r.job_id = locked.job_id AND r.status = '{RUN_RUNNING}' AND r.lease_id IS NOT NULL"
    ));
    let ids: Vec<_> = job_ids.iter().map(|id| id.as_uuid()).collect();
    let lock = lock
        .into_boxed::<Pg>()
        .bind::<Array<diesel::sql_types::Uuid>, _>(ids)
        .bind::<Nullable<Timestamptz>, _>(callers_time.map(DbTime));
    let lock = with_owner(lock, context.owner);
    let rows: Vec<LeaseRow> = Prepared(lock).load(conn).doing("lock jobs")?;
    let mut locked: HashMap<JobId, LockedWithLeases> = HashMap::new();
    for row in rows {
        let (_, leases) = locked
            .entry(row.job_id.0)
            .or_insert((row.now.0, row.is_current.then(Vec::new)));
        if row.lease_id.is_some() {
            let live = row.live();
            *leases = leases.take().zip(live).map(|(mut leases, live)| {
                leases.push(live);
                leases
            });
        }
    }
    Ok(locked)
}

/// SQL for the condition that a job has the owner, if there is one, whose placeholder is `$3`.
fn owned_on_postgres(owner: Option<&OwnerName>) -> String {
    owner.map_or_else(|| "TRUE".to_owned(), |_| owned_sql("jobs", "$3"))
}

/// Binds the owner, if there is one.
fn with_owner<'q, Q>(
    query: BoxedSqlQuery<'q, Pg, Q>,
    owner: Option<&'q OwnerName>,
) -> BoxedSqlQuery<'q, Pg, Q> {
    match owner {
        Some(owner) => query.bind::<Text, _>(owner.as_str()),
        None => query,
    }
}

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = Timestamptz)]
    now: DbTime,
}

#[derive(QueryableByName)]
struct LeaseRow {
    #[diesel(sql_type = Uuid)]
    job_id: Id<JobId>,
    #[diesel(sql_type = Timestamptz)]
    now: DbTime,
    #[diesel(sql_type = Bool)]
    is_current: bool,
    #[diesel(sql_type = Nullable<Text>)]
    stage: Option<String>,
    #[diesel(sql_type = Nullable<Uuid>)]
    lease_id: Option<Id<LeaseId>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    lease_expires_at: Option<DbTime>,
}

impl LeaseRow {
    /// The lease, if it has not expired.
    fn live(&self) -> Option<LiveLease> {
        let lease = LiveLease {
            stage: self.stage.as_ref()?.parse().ok()?,
            lease_id: self.lease_id?.0,
        };
        (self.lease_expires_at?.0 > self.now.0).then_some(lease)
    }
}
