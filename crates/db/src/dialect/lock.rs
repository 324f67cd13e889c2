//! Locking a job, and the proof that it is locked.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use lectern_domain::{Clock, JobId, SystemClock};

use crate::connection::{DbConnection, Tx};
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::prepared::Prepared;
use crate::sql::types::{DbTime, Id, Timestamptz, Uuid};

/// The proof that a job exists and that its row is locked in this transaction;
/// made by [`Tx::lock_job`] and [`crate::Work::guard`]. A method that is given
/// one does not lock the job again.
#[derive(Debug, Clone, Copy)]
pub struct JobLock {
    job_id: JobId,
    /// When it was locked, by the database's clock: later than every change of
    /// the transaction it had to wait for.
    at: DateTime<Utc>,
    /// A lock kept beyond its transaction proves nothing in the next one.
    transaction: u64,
}

impl JobLock {
    /// The job that is locked.
    pub fn job_id(self) -> JobId {
        self.job_id
    }

    /// The time of what is stored under the lock.
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

impl Tx<'_> {
    /// Locks the row of a job until the transaction ends: until then, no other
    /// transaction changes the job or anything that belongs to it.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`].
    pub fn lock_job(&mut self, job: impl Into<JobRef>) -> Result<JobLock, Error> {
        let transaction = self.context.transaction;
        let job = job.into();
        match job.0 {
            Locked::Yes(lock) if lock.transaction == transaction => return Ok(lock),
            _ => {}
        }
        let job_id = job.job_id();
        let callers_clock = self.context.own_clock.then_some(self.clock);
        match lock_job(self.raw, job_id, callers_clock)? {
            Some(at) => Ok(JobLock {
                job_id,
                at,
                transaction,
            }),
            None => Err(Error::JobNotFound { job_id }),
        }
    }
}

/// Locks a job's row until the transaction ends; returns the time after that,
/// or `None` when there is no such job.
///
/// PostgreSQL: two transactions that each delete a set and insert another would
/// both delete the old one and leave two new ones. The lock is the weak one,
/// which does not block foreign keys. The outer query reads the clock only once
/// the inner one has its lock. SQLite has one writer at a time anyway.
fn lock_job(
    conn: &mut DbConnection,
    job_id: JobId,
    callers_clock: Option<&dyn Clock>,
) -> Result<Option<DateTime<Utc>>, Error> {
    match conn {
        DbConnection::Postgres(conn) => {
            let lock = diesel::sql_query(
                "WITH locked AS MATERIALIZED
                     (SELECT 1 FROM jobs WHERE job_id = $1 FOR NO KEY UPDATE)
                 SELECT COALESCE($2, clock_timestamp()) AS now FROM locked",
            );
            let lock = lock
                .bind::<Uuid, _>(Id(job_id))
                .bind::<Nullable<Timestamptz>, _>(callers_clock.map(|clock| DbTime(clock.now())));
            Prepared(lock)
                .get_result::<LockedRow>(conn)
                .optional()
                .map(|locked| locked.map(|locked| locked.now.0))
        }
        DbConnection::Sqlite(conn) => {
            let row = jobs::table.filter(jobs::job_id.eq(Id(job_id)));
            diesel::select(exists(row))
                .get_result::<bool>(conn)
                .map(|exists| exists.then(|| callers_clock.unwrap_or(&SystemClock).now()))
        }
    }
    .doing("lock a job")
}

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = Timestamptz)]
    now: DbTime,
}
