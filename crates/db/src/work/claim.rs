//! Claims: who gets what to work on.
//!
//! Whoever changes anything of a job holds its row first, and a claim takes
//! only jobs nobody holds: so nobody waits for another in a circle.

use std::collections::BTreeMap;
use std::slice;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use lectern_domain::{
    Claim, ClaimRequest, Event, Job, JobId, LeaseDuration, LogStatus, LongText, Percent, Stage,
    StageRun, StageRunStatus,
};

use super::Work;
use super::attempt::{Attempt, LogLine};
use crate::connection::{Database, on_either};
use crate::dialect::{
    Picked, expired_jobs, first_ready, is_ready, lock_free_jobs, pick_runs, random_uuid, start_jobs,
};
use crate::error::{Doing, Error};
use crate::repositories::jobs::row::JobRow;
use crate::repositories::stage_runs::row::RunRow;
use crate::schema::stage_runs;
use crate::sql::page::row_count;
use crate::sql::prepared::Prepared;
use crate::sql::row::{self, columns};
use crate::sql::types::{DbTime, Id, Uuid};

/// Runs with expired leases that one transaction takes care of at most.
const EXPIRED_AT_ONCE: i64 = 100;

impl Database {
    /// Gives a worker something to do; see [`Work::claim`].
    ///
    /// Claims that come at once share a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::NestedWrite`] within [`Database::write`]: use [`Work::claim`].
    pub fn claim(&self, request: &ClaimRequest) -> Result<Vec<Claim>, Error> {
        self.refuse_nested_write()?;
        self.claims.claim(request, |requests| {
            self.write(|tx| tx.work().claim_each(requests))
        })
    }
}

impl Work<'_> {
    /// Gives a worker what it asks for, as far as there is any: runs that are
    /// ready, the highest priority first, then the oldest. Runs whose leases
    /// have expired are made ready before.
    ///
    /// [`crate::Database::claim`] is this in a transaction of its own. In one
    /// that has changed jobs before, it might wait for a job somebody holds who
    /// waits for one of those.
    pub fn claim(&mut self, request: &ClaimRequest) -> Result<Vec<Claim>, Error> {
        let claimed = self.claim_each(slice::from_ref(request))?;
        Ok(claimed.into_iter().flatten().collect())
    }

    /// Gives several workers what they ask for, which are the same stages: the
    /// first in line first.
    pub(crate) fn claim_each(
        &mut self,
        requests: &[ClaimRequest],
    ) -> Result<Vec<Vec<Claim>>, Error> {
        let nothing = || vec![Vec::new(); requests.len()];
        let Some(first) = requests.first() else {
            return Ok(nothing());
        };
        let stages = first.stages.as_slice();
        let limit = row_count(requests.iter().map(|request| request.max.get()).sum());
        let (mut holds_something, mut looked_for_expired) = (false, false);
        loop {
            let Picked { now, expired, runs } = self.pick(stages, limit)?;
            if expired && !looked_for_expired {
                looked_for_expired = true;
                if self.expire_at(now)?.held > 0 {
                    holds_something = true;
                    continue;
                }
            }
            if !runs.is_empty() {
                let mut left = runs.as_slice();
                let mut claimed = Vec::new();
                for request in requests {
                    let (own, rest) = left.split_at(left.len().min(request.max.get()));
                    left = rest;
                    claimed.push(self.lease(own, request, now)?);
                }
                if claimed.iter().any(|runs| !runs.is_empty()) {
                    return self.started(claimed, now);
                }
                // Others were faster, and their jobs are held here now.
                holds_something = true;
            } else if holds_something {
                return Ok(nothing());
            } else {
                // What is ready may belong to jobs others hold for the moment:
                // waits for one of them, which is safe while nothing is held.
                let Some(job_id) = first_ready(self.0.raw, stages, DbTime(now))? else {
                    return Ok(nothing());
                };
                match self.0.lock_job(job_id) {
                    // It is claimed or gone; another look tells.
                    Ok(_) | Err(Error::JobNotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
                holds_something = true;
            }
        }
    }

    /// The same for the runs of one job only.
    pub fn claim_from(
        &mut self,
        job_id: JobId,
        request: &ClaimRequest,
    ) -> Result<Vec<Claim>, Error> {
        let now = match self.0.lock_job(job_id) {
            Ok(lock) => lock.time().0,
            Err(Error::JobNotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        self.expire_runs(job_id, now)?;
        let stages = request.stages.as_slice().iter().map(|stage| stage.as_str());
        let ready = stage_runs::table
            .filter(stage_runs::job_id.eq(Id(job_id)))
            .filter(is_ready())
            .filter(stage_runs::stage.eq_any(stages))
            .filter(
                stage_runs::available_at
                    .is_null()
                    .or(stage_runs::available_at.le(DbTime(now)).assume_not_null()),
            )
            .order(stage_runs::id)
            .limit(row_count(request.max.get()))
            .select((stage_runs::id, stage_runs::job_id));
        let ready: Vec<_> = ready.load(self.0.raw).doing("pick runs of a job")?;
        let claimed = self.lease(&ready, request, now)?;
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let claims = self.started(vec![claimed], now)?;
        Ok(claims.into_iter().flatten().collect())
    }

    fn pick(&mut self, stages: &[Stage], limit: i64) -> Result<Picked, Error> {
        let own_clock = self.0.context.own_clock;
        let now = own_clock.then(|| self.0.clock.now());
        pick_runs(self.0.raw, now, self.0.clock, stages, limit)
    }

    /// Hands out picked runs that are ready still, in the order they were
    /// picked.
    fn lease(
        &mut self,
        picked: &[(i64, Id<JobId>)],
        request: &ClaimRequest,
        now: DateTime<Utc>,
    ) -> Result<Vec<(i64, StageRun)>, Error> {
        if picked.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = picked.iter().map(|(id, _)| *id).collect();
        let seconds = request.lease.seconds();
        let lease_id = random_uuid(self.0.raw);
        let lease = diesel::update(stage_runs::table)
            .filter(stage_runs::id.eq_any(&keys))
            .filter(is_ready())
            .set((
                (
                    stage_runs::status.eq(StageRunStatus::Running.as_str()),
                    stage_runs::attempt.eq(stage_runs::attempt + 1),
                    stage_runs::worker.eq(Some(request.worker.as_str())),
                    stage_runs::lease_id.eq(sql::<Nullable<Uuid>>(lease_id)),
                    stage_runs::lease_expires_at.eq(Some(DbTime(expiry(now, request.lease)))),
                    stage_runs::lease_seconds.eq(Some(i32::from(seconds))),
                    stage_runs::available_at.eq(None::<DbTime>),
                ),
                (
                    stage_runs::percent.eq(Percent::ZERO.get()),
                    stage_runs::message.eq(None::<&str>),
                    stage_runs::eta_seconds.eq(None::<i32>),
                    stage_runs::started_at.eq(Some(DbTime(now))),
                    stage_runs::finished_at.eq(None::<DbTime>),
                ),
            ))
            .returning((stage_runs::id, columns::<RunRow>()));
        let lease = Prepared(lease);
        let mut leased = on_either!(self.0.raw, conn => lease.load::<(i64, RunRow)>(conn))
            .doing("claim runs")?;
        leased.sort_by_key(|(id, _)| keys.iter().position(|key| key == id));
        leased
            .into_iter()
            .map(|(key, row)| Ok((key, row.try_into()?)))
            .collect()
    }

    /// Lets the jobs follow their runs that were just handed out.
    fn started(
        &mut self,
        claimed: Vec<Vec<(i64, StageRun)>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Vec<Claim>>, Error> {
        let runs = || claimed.iter().flatten().map(|(_, run)| run);
        let keys: Vec<_> = claimed.iter().flatten().map(|(key, _)| *key).collect();
        let mut events: BTreeMap<JobId, Vec<Event>> = BTreeMap::new();
        for run in runs() {
            let of_job = events.entry(run.job_id).or_default();
            of_job.push(Event::from(run));
        }
        let job_ids: Vec<_> = events.keys().copied().collect();
        let jobs: Vec<JobRow> = start_jobs(self.0.raw, &job_ids, &keys, DbTime(now))?;
        let jobs: Vec<Job> = row::all(jobs)?;
        let happened = jobs.iter().map(|job| {
            let mut of_job = events.remove(&job.job_id).unwrap_or_default();
            of_job.push(Event::from(job));
            (job, of_job)
        });
        let happened = happened.collect();
        let lines: Vec<_> = runs()
            .map(|run| LogLine::new(run, LogStatus::Started))
            .collect();
        self.record(now, happened, &lines)?;
        let claim = |(_, run): (i64, StageRun)| {
            let job = jobs.iter().find(|job| job.job_id == run.job_id)?;
            let lease = run.lease?;
            Some(Claim {
                job: job.clone(),
                lease_id: lease.lease_id,
                lease_expires_at: lease.expires_at,
                run,
            })
        };
        Ok(claimed
            .into_iter()
            .map(|runs| runs.into_iter().filter_map(claim).collect())
            .collect())
    }

    /// Takes care of runs whose leases have expired: makes them ready at once,
    /// or fails them after their last attempt. Tells how many there were. A
    /// claim does it too; this is for when nobody claims.
    pub fn expire(&mut self) -> Result<usize, Error> {
        let now = self.0.shared_now()?;
        Ok(self.expire_at(now)?.runs)
    }

    fn expire_at(&mut self, now: DateTime<Utc>) -> Result<Expired, Error> {
        let mut jobs = expired_jobs(self.0.raw, DbTime(now), EXPIRED_AT_ONCE)?;
        if jobs.is_empty() {
            return Ok(Expired::default());
        }
        jobs.sort_by_key(|id| id.0);
        jobs.dedup();
        let jobs = lock_free_jobs(self.0.raw, &jobs)?;
        let mut done = Expired {
            held: jobs.len(),
            runs: 0,
        };
        for job_id in jobs {
            // Looked at anew: the job was not held before.
            done.runs += self.expire_runs(job_id.0, now)?;
        }
        Ok(done)
    }

    /// Takes care of the runs of a job that is held; tells how many there were.
    fn expire_runs(&mut self, job_id: JobId, now: DateTime<Utc>) -> Result<usize, Error> {
        let error = LongText::new("the lease expired: no heartbeat came in time")?;
        let attempt = Attempt {
            error: &error,
            details: None,
            again: Some(Duration::ZERO),
        };
        let mut expired = 0;
        for run in self.0.stage_runs().all_for_job(job_id)? {
            if run.status != StageRunStatus::Running
                || run.lease.is_none_or(|lease| lease.expires_at > now)
            {
                continue;
            }
            expired += 1;
            let failed = self.attempt_failed(&run, &attempt, now)?;
            if failed.is_none_or(|(job, _)| job.status.is_finished()) {
                break;
            }
        }
        Ok(expired)
    }
}

/// What was done about expired leases.
#[derive(Default)]
struct Expired {
    /// Jobs that are held for it until the transaction ends.
    held: usize,
    /// Runs whose leases had expired.
    runs: usize,
}

/// When a lease ends that begins or is extended now.
pub(crate) fn expiry(now: DateTime<Utc>, lease: LeaseDuration) -> DateTime<Utc> {
    now + TimeDelta::seconds(lease.seconds().into())
}
