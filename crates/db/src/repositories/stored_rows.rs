//! Counts the rows that outputs and log entries have, and checks the quota of an owner's rows.
//!
//! `jobs.stored_rows` has the number of a job. The triggers that count jobs add it up by owner in
//! `job_status_counts`, so that the quota is checked without reading rows, and a deleted job gives
//! its rows back, whoever deletes it.
//!
//! - Writers of rows have locked their job, so that changing its number makes nobody wait. The sum
//!   of an owner is never a row that its writers wait for either: on PostgreSQL each change adds
//!   rows with a difference (`migrations/postgres/…_count_jobs`).
//! - The repositories count, because they know how many rows a statement has stored or deleted. A
//!   trigger on the tables would cost something for each of a hundred thousand rows of a set.
//! - The check does not wait for other writers of the owner. It does not see what they have not
//!   committed, so each may exceed the quota by what one request stores.
//! - The log entries about attempts are not counted. They would change the job's row once more for
//!   each claim and completion, and they are few: what stores many is what clients and workers send.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use lectern_domain::OwnerName;

use crate::connection::{Backend, Tx, on_either};
use crate::dialect::JobLock;
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::page::row_count;
use crate::sql::prepared::Prepared;
use crate::sql::stored::Stored;
use crate::sql::types::{Id, Uuid};

impl Tx<'_> {
    /// Checks that the owner of a locked job may have this many rows more. Call it before
    /// anything is stored.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`].
    pub(super) fn check_row_quota(&mut self, lock: JobLock, more: usize) -> Result<(), Error> {
        if self.context.job_quota.stored_rows.is_none() || more == 0 {
            return Ok(());
        }
        let owner = match self.context.owner {
            Some(owner) => Some(owner.clone()),
            None => self.owner_of(lock)?,
        };
        let stored = self.jobs().stored_rows(owner.as_ref())?;
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        Ok(self.context.job_quota.check_rows(stored, more)?)
    }

    /// As [`check_row_quota`](Self::check_row_quota), for a set of `new` rows in place of the
    /// stored ones, whose number is asked for only if there is a quota.
    pub(super) fn check_row_quota_of_set(
        &mut self,
        lock: JobLock,
        stored: impl FnOnce(&mut Self) -> Result<i64, Error>,
        new: usize,
    ) -> Result<(), Error> {
        if self.context.job_quota.stored_rows.is_none() {
            return Ok(());
        }
        let stored = usize::try_from(stored(self)?).unwrap_or_default();
        self.check_row_quota(lock, new.saturating_sub(stored))
    }

    /// Counts the rows that were stored and deleted. Rows of other programs may be deleted
    /// without having been counted: the number does not become negative.
    pub(crate) fn count_rows(
        &mut self,
        lock: JobLock,
        stored: usize,
        deleted: usize,
    ) -> Result<(), Error> {
        let difference = row_count(stored) - row_count(deleted);
        if difference == 0 {
            return Ok(());
        }
        let update = match self.raw.backend() {
            Backend::Postgres => {
                "UPDATE jobs SET stored_rows = GREATEST(stored_rows + $2, 0) WHERE job_id = $1"
            }
            Backend::Sqlite => {
                "UPDATE jobs SET stored_rows = max(stored_rows + ?2, 0) WHERE job_id = ?1"
            }
        };
        let update = sql_query(update)
            .bind::<Uuid, _>(Id(lock.job_id()))
            .bind::<BigInt, _>(difference);
        let update = Prepared(update);
        on_either!(self.raw, conn => update.execute(conn))
            .map(drop)
            .doing("count the rows of a job")
    }

    fn owner_of(&mut self, lock: JobLock) -> Result<Option<OwnerName>, Error> {
        let owner: Option<Stored<OwnerName>> = jobs::table
            .filter(jobs::job_id.eq(Id(lock.job_id())))
            .select(jobs::owner_id)
            .first(self.raw)
            .doing("find the owner of a job")?;
        Ok(owner.and_then(|owner| owner.readable().cloned()))
    }
}
