//! What an owner has of what it may have.

use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use lectern_domain::{FileSize, Job, JobQuota, JobStatus, JobUsage, NewJob, OwnerName};

use super::Jobs;
use crate::connection::{DbConnection, ReadWrite, on_either};
use crate::error::{Doing, Error};
use crate::sql::prepared::Prepared;

#[derive(QueryableByName)]
struct UsageRow {
    #[diesel(sql_type = BigInt)]
    open_jobs: i64,
    /// The size of all recordings is `gibibytes` * 2^30 + `bytes`.
    #[diesel(sql_type = BigInt)]
    gibibytes: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    stored_rows: i64,
}

impl Jobs<'_, ReadWrite> {
    /// What the owner has, or all jobs without an owner together; `None` if there are no bounds.
    ///
    /// It stays exact until the transaction ends: on PostgreSQL, others that create jobs of the
    /// owner wait for this one. SQLite has one writing transaction at a time.
    pub(super) fn usage(&mut self, owner: Option<&OwnerName>) -> Result<Option<JobUsage>, Error> {
        let quota = self.0.context.job_quota;
        if !quota.limits_jobs() {
            return Ok(None);
        }
        let name = owner.map_or("", OwnerName::as_str);
        if let DbConnection::Postgres(conn) = &mut *self.0.raw {
            // The bit pattern of the hash is arbitrary; owners of the same hash only wait for
            // each other.
            sql_query(
                "SELECT pg_advisory_xact_lock(hashtextextended('lectern jobs of ' || $1, 0))",
            )
            .bind::<Text, _>(name)
            .execute(conn)
            .doing("lock the jobs of an owner")?;
        }
        Ok(Some(self.counts(owner)?.usage(quota)))
    }

    /// The rows that the outputs and log entries of the owner's jobs have, or those of all jobs
    /// without an owner together.
    pub(in crate::repositories) fn stored_rows(
        &mut self,
        owner: Option<&OwnerName>,
    ) -> Result<u64, Error> {
        let rows = self.counts(owner)?.stored_rows;
        Ok(rows.try_into().unwrap_or_default())
    }

    fn counts(&mut self, owner: Option<&OwnerName>) -> Result<UsageRow, Error> {
        let name = owner.map_or("", OwnerName::as_str);
        // The counts of an empty name are those of all jobs.
        let (sign, counted) = match owner {
            Some(_) => ("1", "owner_id = "),
            None => ("CASE owner_id WHEN '' THEN 1 ELSE -1 END", "'' = "),
        };
        let parameter = match self.0.raw {
            DbConnection::Postgres(_) => "$1",
            DbConnection::Sqlite(_) => "?1",
        };
        let [pending, queued, running] =
            [JobStatus::Pending, JobStatus::Queued, JobStatus::Running].map(JobStatus::as_str);
        let usage = sql_query(format!(
            "SELECT CAST(COALESCE(sum({sign} * jobs) FILTER
                         (WHERE status IN ('{pending}', '{queued}', '{running}')), 0) AS BIGINT) AS open_jobs,
                    CAST(COALESCE(sum({sign} * gibibytes), 0) AS BIGINT) AS gibibytes,
                    CAST(COALESCE(sum({sign} * bytes), 0) AS BIGINT) AS bytes,
                    CAST(COALESCE(sum({sign} * stored_rows), 0) AS BIGINT) AS stored_rows
             FROM job_status_counts WHERE {counted}{parameter}"
        ))
        .bind::<Text, _>(name);
        let usage = Prepared(usage);
        on_either!(self.0.raw, conn => usage.get_result(conn)).doing("count the jobs of an owner")
    }

    /// Checks that a job which is locked may be open: it is already, or its owner may have one
    /// more.
    pub(super) fn may_open(&mut self, job: &Job) -> Result<(), Error> {
        if job.status.is_finished()
            && let Some(mut usage) = self.usage(job.owner_id.as_ref())?
        {
            usage.add(0)?;
        }
        Ok(())
    }
}

impl UsageRow {
    fn usage(&self, quota: JobQuota) -> JobUsage {
        let bytes = (i128::from(self.gibibytes) << 30) + i128::from(self.bytes);
        JobUsage {
            quota,
            open_jobs: self.open_jobs.try_into().unwrap_or_default(),
            stored_bytes: bytes
                .clamp(0, u64::MAX.into())
                .try_into()
                .unwrap_or(u64::MAX),
        }
    }
}

/// Counts a new job, if there are bounds.
pub(super) fn count_new(usage: &mut Option<JobUsage>, new: &NewJob) -> Result<(), Error> {
    if let Some(usage) = usage {
        let bytes = new.file_size.map_or(0, FileSize::get);
        usage.add(bytes.unsigned_abs())?;
    }
    Ok(())
}
