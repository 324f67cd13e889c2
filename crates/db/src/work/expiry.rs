//! Ends attempts whose leases have expired.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::{JobId, LeaseDuration, LongText, StageRunStatus};

use super::Work;
use super::attempt::FailedAttempt;
use crate::dialect::{expired_jobs, lock_free_jobs};
use crate::error::Error;
use crate::sql::types::DbTime;

/// The greatest number of expired leases that one transaction handles.
const BATCH: i64 = 100;

/// When a lease that begins or is extended at `now` expires.
pub(super) fn expires_at(now: DateTime<Utc>, lease: LeaseDuration) -> DateTime<Utc> {
    now + TimeDelta::seconds(lease.seconds().into())
}

impl Work<'_> {
    /// Ends the attempts whose leases have expired: their runs are ready again at
    /// once, or fail after the last attempt. Returns the number of leases.
    ///
    /// Every claim does this first; call it regularly for times without claims.
    pub fn expire(&mut self) -> Result<usize, Error> {
        let now = self.0.shared_now()?;
        Ok(self.expire_at(now)?.runs)
    }

    pub(super) fn expire_at(&mut self, now: DateTime<Utc>) -> Result<Expired, Error> {
        let mut jobs = expired_jobs(self.0.raw, DbTime(now), BATCH)?;
        if jobs.is_empty() {
            return Ok(Expired::default());
        }
        jobs.sort_by_key(|id| id.0);
        jobs.dedup();
        let jobs = lock_free_jobs(self.0.raw, &jobs)?;
        let mut done = Expired {
            locked_jobs: jobs.len(),
            runs: 0,
        };
        for job_id in jobs {
            // Reads the runs again, now that the job is locked.
            done.runs += self.expire_runs(job_id.0, now)?;
        }
        Ok(done)
    }

    /// The same for the runs of one locked job.
    pub(super) fn expire_runs(
        &mut self,
        job_id: JobId,
        now: DateTime<Utc>,
    ) -> Result<usize, Error> {
        let error = LongText::new("the lease expired: no heartbeat came in time")?;
        let failure = FailedAttempt {
            error: &error,
            details: None,
            retry_after: Some(Duration::ZERO),
        };
        let mut expired = 0;
        for run in self.0.stage_runs().all_for_job(job_id)? {
            if run.status != StageRunStatus::Running
                || run.lease.is_none_or(|lease| lease.expires_at > now)
            {
                continue;
            }
            expired += 1;
            let failed = self.fail_attempt(&run, &failure, now)?;
            if failed.is_none_or(|(job, _)| job.status.is_finished()) {
                break;
            }
        }
        Ok(expired)
    }
}

#[derive(Default)]
pub(super) struct Expired {
    /// The number of jobs that were locked and stay so until the transaction ends.
    pub(super) locked_jobs: usize,
    /// The number of runs whose leases had expired.
    runs: usize,
}
