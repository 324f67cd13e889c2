//! Locking a job, and the proof that it is locked.

use diesel::dsl::exists;
use diesel::prelude::*;
use lectern_domain::JobId;

use crate::connection::{DbConnection, Tx};
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::types::DbUuid;

/// The proof that a job exists and that its row is locked in this transaction;
/// made by [`Tx::lock_job`] and [`crate::Work::guard`]. A method that is given
/// one does not lock the job again.
#[derive(Debug, Clone, Copy)]
pub struct JobLock {
    job_id: JobId,
    /// A lock kept beyond its transaction proves nothing in the next one.
    transaction: u64,
}

impl JobLock {
    /// The job that is locked.
    pub fn job_id(self) -> JobId {
        self.job_id
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
        if lock_job(self.raw, job_id)? {
            Ok(JobLock {
                job_id,
                transaction,
            })
        } else {
            Err(Error::JobNotFound { job_id })
        }
    }
}

/// Keeps others from replacing rows of a job until the transaction ends, and
/// tells whether there is such a job.
///
/// PostgreSQL: two transactions that each delete a set and insert another would
/// both delete the old one and leave two new ones. The lock is the weak one,
/// which does not hold up foreign keys. SQLite has one writer at a time anyway.
pub(crate) fn lock_job(conn: &mut DbConnection, job_id: JobId) -> Result<bool, Error> {
    let row = jobs::table.filter(jobs::job_id.eq(DbUuid(job_id.as_uuid())));
    match conn {
        DbConnection::Postgres(conn) => row
            .select(jobs::id)
            .for_no_key_update()
            .get_result::<i64>(conn)
            .optional()
            .map(|found| found.is_some()),
        DbConnection::Sqlite(conn) => diesel::select(exists(row)).get_result(conn),
    }
    .doing("lock a job")
}
