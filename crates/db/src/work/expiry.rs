//! Ends attempts whose leases have expired.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use lectern_domain::{JobId, LeaseDuration, LongText, StageRun, StageRunStatus};

use super::Work;
use super::attempt::FailedAttempt;
use super::failure::jitter;
use crate::dialect::{expired_jobs, lock_free_jobs};
use crate::error::{Doing, Error};
use crate::schema::stage_runs;
use crate::sql::types::DbTime;

/// Upper bound of expired leases per transaction.
const MAX_EXPIRED_LEASES: i64 = 100;

/// The expiry time of a lease that is granted or extended at `now`.
pub(super) fn expires_at(now: DateTime<Utc>, lease: LeaseDuration) -> DateTime<Utc> {
    now + TimeDelta::seconds(lease.seconds().into())
}

impl Work<'_> {
    /// Ends the attempts whose leases have expired: their runs are ready again, at once
    /// unless the attempt took too long, or fail after the last attempt. Returns the number
    /// of attempts ended.
    ///
    /// Every claim does this first. Call it regularly as well, because there may be
    /// no claims for a long time.
    pub fn expire(&mut self) -> Result<usize, Error> {
        let now = self.0.shared_now()?;
        Ok(self.expire_at(now)?.runs)
    }

    /// As [`Work::expire`], at a given time. Skips jobs that other transactions
    /// have locked.
    pub(super) fn expire_at(&mut self, now: DateTime<Utc>) -> Result<Expired, Error> {
        self.renew_leases_in_doubt()?;
        let owned = self.0.context.owned("stage_runs");
        let mut job_ids = expired_jobs(self.0.raw, owned, DbTime(now), MAX_EXPIRED_LEASES)?;
        if job_ids.is_empty() {
            return Ok(Expired::default());
        }
        // A job may have several runs with expired leases.
        job_ids.sort_by_key(|id| id.0);
        job_ids.dedup();
        let locked = lock_free_jobs(self.0.raw, &job_ids)?;
        let mut outcome = Expired {
            locked_jobs: locked.len(),
            runs: 0,
        };
        for job_id in locked {
            // Reads the runs again, now that the job is locked.
            match self.expire_runs(job_id.0, now) {
                Ok(runs) => outcome.runs += runs,
                Err(error @ Error::Corrupt { .. }) => {
                    self.0.context.unreadable.record(&error);
                    self.fail_unreadable_job(job_id.0)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(outcome)
    }

    /// After an outage, extends all leases by their length, so that their holders can
    /// send their next heartbeat. Every method of [`Work`] that depends on the expiry of
    /// a lease calls this one first.
    pub(super) fn renew_leases_in_doubt(&mut self) -> Result<(), Error> {
        let context = self.0.context;
        let Some(request) = context.lease_renewal.pending() else {
            return Ok(());
        };
        if context.renewed_leases.get().is_some() {
            return Ok(());
        }
        let now = self.0.shared_now()?;
        let is_running = stage_runs::status.eq(StageRunStatus::Running.as_str());
        let lengths: Vec<i32> = stage_runs::table
            .filter(is_running)
            .filter(context.owned("stage_runs"))
            .filter(stage_runs::lease_seconds.is_not_null())
            .select(stage_runs::lease_seconds.assume_not_null())
            .distinct()
            .load(self.0.raw)
            .doing("list the lengths of leases")?;
        for seconds in lengths {
            let expires_at = DbTime(now + TimeDelta::seconds(seconds.into()));
            diesel::update(stage_runs::table)
                .filter(is_running)
                .filter(context.owned("stage_runs"))
                .filter(stage_runs::lease_seconds.eq(seconds))
                .filter(stage_runs::lease_expires_at.lt(expires_at))
                .set(stage_runs::lease_expires_at.eq(Some(expires_at)))
                .execute(self.0.raw)
                .doing("renew leases")?;
        }
        // Those of other owners are renewed by another transaction.
        if context.owner.is_none() {
            context.renewed_leases.set(Some(request));
        }
        Ok(())
    }

    /// As [`Work::expire`], for the runs of one job, which the caller has locked.
    /// Returns the number of attempts ended.
    pub(super) fn expire_runs(
        &mut self,
        job_id: JobId,
        now: DateTime<Utc>,
    ) -> Result<usize, Error> {
        let mut expired = 0;
        for run in self.0.stage_runs().all_for_job(job_id)? {
            if run.status != StageRunStatus::Running
                || run.lease.is_none_or(|lease| lease.expires_at > now)
            {
                continue;
            }
            expired += 1;
            let (error, pause) = reason(&run, now);
            let failure = FailedAttempt {
                error: &LongText::new(error)?,
                details: None,
                retry_after: Some(pause),
            };
            let failed = self.fail_attempt(run, &failure, now)?;
            // The end of a job ends its other runs.
            if failed.is_none_or(|(job, _)| job.status.is_finished()) {
                break;
            }
        }
        Ok(expired)
    }
}

/// Why an attempt has ended whose lease has expired, and the pause before the next one.
/// There is none after the loss of a worker, because another one can take over at once.
fn reason(run: &StageRun, now: DateTime<Utc>) -> (String, Duration) {
    match run.timeout {
        Some(timeout) if run.times_out_at().is_some_and(|end| end <= now) => {
            let error = format!("the attempt took longer than {} s", timeout.get());
            let jitter = run.lease.map_or(0.0, |lease| jitter(lease.lease_id));
            (error, run.backoff.delay(run.attempt, jitter))
        }
        _ => {
            let error = "the lease expired: no heartbeat came in time";
            (error.to_owned(), Duration::ZERO)
        }
    }
}

/// The outcome of [`Work::expire_at`].
#[derive(Default)]
pub(super) struct Expired {
    /// Number of jobs that this transaction locked, and holds until it ends.
    pub(super) locked_jobs: usize,
    /// Number of runs whose leases had expired.
    runs: usize,
}
