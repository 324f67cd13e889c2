//! Claims: giving ready runs to workers under leases.
//!
//! Every transaction that changes a job or its runs locks the job's row first, except
//! for the renewal of all leases after an outage. A claim of any job takes only jobs
//! that it can lock without waiting, so claims and other writes cannot deadlock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::{iter, slice};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use lectern_domain::{
    Claim, ClaimLimit, ClaimRequest, Event, Job, JobId, Lease, LogStatus, Stage, StageRun,
};

use super::Work;
use super::attempt::AttemptLog;
use super::expiry::expires_at;
use crate::connection::Backend;
use crate::connection::batch::Outcome;
use crate::dialect::{Picked, is_ready, pick_runs, start_jobs, store_runs};
use crate::error::{Doing, Error};
use crate::repositories::jobs::row::JobRow;
use crate::repositories::stage_runs::grant_leases::{NewLease, grant_leases};
use crate::schema::stage_runs;
use crate::sql::page::row_count;
use crate::sql::types::{DbTime, Id};

/// How often one claim picks runs when other claims take them first.
const MAX_PICKS: usize = 3;

impl Work<'_> {
    /// Claims up to `request.max` ready runs in turns of their owners, of each owner the highest
    /// priority first, then the oldest. Runs with expired leases are made ready first.
    ///
    /// Skips runs of jobs that another transaction has locked. So it may claim fewer
    /// runs than are ready, or none: claim again later. Claims no run of a paused stage.
    pub fn claim(&mut self, request: &ClaimRequest) -> Result<Vec<Claim>, Error> {
        let claimed = self.claim_batch(slice::from_ref(request))?;
        Ok(claimed.into_iter().flatten().collect())
    }

    /// Claims for several requests, at most [`ClaimLimit::MAX`] runs in total. Those for
    /// the same stages share their statements. `None` claims nothing.
    pub(super) fn claim_all(
        &mut self,
        requests: &[Option<&ClaimRequest>],
    ) -> Result<Vec<Outcome<Vec<Claim>>>, Error> {
        let mut remaining_runs = ClaimLimit::MAX;
        let mut outcomes = Vec::with_capacity(requests.len());
        let mut groups: Vec<(_, Vec<(usize, &ClaimRequest)>)> = Vec::new();
        for (i, request) in requests.iter().enumerate() {
            let Some(request) = request else {
                outcomes.push(Outcome::Executed(Ok(Vec::new())));
                continue;
            };
            outcomes.push(Outcome::Later);
            let runs = row_count(request.max.get());
            // The first one always fits.
            if runs > remaining_runs {
                continue;
            }
            remaining_runs -= runs;
            match groups
                .iter_mut()
                .find(|(stages, _)| *stages == &request.stages)
            {
                Some((_, group)) => group.push((i, request)),
                None => groups.push((&request.stages, vec![(i, request)])),
            }
        }
        for (_, group) in groups {
            let requests: Vec<_> = group
                .iter()
                .map(|(_, request)| (*request).clone())
                .collect();
            let claimed = self.claim_batch(&requests)?;
            let none_claimed = claimed.iter().all(Vec::is_empty);
            for ((i, _), claims) in group.into_iter().zip(claimed) {
                // Without claims for this request although others have some, they took all
                // runs that could be locked. The jobs that were skipped may have more.
                if none_claimed || !claims.is_empty() {
                    outcomes[i] = Outcome::Executed(Ok(claims));
                }
            }
        }
        Ok(outcomes)
    }

    /// Claims for several requests with the same stages; earlier requests are
    /// served first. A job that another transaction has locked is skipped.
    fn claim_batch(&mut self, requests: &[ClaimRequest]) -> Result<Vec<Vec<Claim>>, Error> {
        let nothing = || vec![Vec::new(); requests.len()];
        let Some(first) = requests.first() else {
            return Ok(nothing());
        };
        let stages = first.stages.as_slice();
        let limit = row_count(requests.iter().map(|request| request.max.get()).sum());
        self.renew_leases_in_doubt()?;
        let mut picked = self.pick(stages, limit)?;
        if picked.any_expired && self.expire_at(picked.now)?.locked_jobs > 0 {
            picked = self.pick(stages, limit)?;
        }
        // Other claims may take all picked runs before their jobs are locked here.
        // The next pick no longer finds those runs. The number of picks is bounded,
        // because each pick locks more jobs, which stay locked until the transaction ends.
        for _ in 0..MAX_PICKS {
            if picked.runs.is_empty() {
                break;
            }
            let claimed = self.lease_runs(&picked.runs, requests, picked.now)?;
            if claimed.iter().any(|runs| !runs.is_empty()) {
                return self.record_claims(claimed, picked.now);
            }
            picked = self.pick(stages, limit)?;
        }
        Ok(nothing())
    }

    /// Claims runs of one job; none if the job does not exist. Waits until no other
    /// transaction has locked the job.
    pub fn claim_from(
        &mut self,
        job_id: JobId,
        request: &ClaimRequest,
    ) -> Result<Vec<Claim>, Error> {
        self.renew_leases_in_doubt()?;
        let now = match self.0.lock_job(job_id) {
            Ok(lock) => lock.time().0,
            Err(Error::JobNotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        self.expire_runs(job_id, now)?;
        let stages = request.stages.as_slice();
        let stages = self.0.stage_pauses().without_paused(stages)?;
        let stages = stages.iter().map(|stage| stage.as_str());
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
        let claimed = self.lease_runs(&ready, slice::from_ref(request), now)?;
        if claimed.iter().all(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let claims = self.record_claims(claimed, now)?;
        Ok(claims.into_iter().flatten().collect())
    }

    fn pick(&mut self, stages: &[Stage], limit: i64) -> Result<Picked, Error> {
        if self.0.raw.backend() == Backend::Postgres {
            return pick_runs(self.0.raw, self.0.context, stages, limit);
        }
        // On PostgreSQL a further query would cost a round trip. SQLite would read every ready run
        // of a paused stage.
        let stages = self.0.stage_pauses().without_paused(stages)?;
        pick_runs(self.0.raw, self.0.context, &stages, limit)
    }

    /// Leases the picked runs that are still ready to the requests, in their order, and
    /// returns those of each request in the order in which they were picked. If a run of a
    /// job cannot be read, the job fails, and none of its runs is returned.
    fn lease_runs(
        &mut self,
        picked: &[(i64, Id<JobId>)],
        requests: &[ClaimRequest],
        now: DateTime<Utc>,
    ) -> Result<Vec<Vec<(i64, StageRun)>>, Error> {
        let shares = requests.iter().enumerate();
        let shares = shares.flat_map(|share| iter::repeat_n(share, share.1.max.get()));
        let (request_indexes, leases): (Vec<_>, Vec<_>) = picked
            .iter()
            .zip(shares)
            .map(|((run, _), (i, request))| {
                let lease = NewLease {
                    run: *run,
                    worker: request.worker.as_str(),
                    expires_at: expires_at(now, request.lease),
                    seconds: request.lease.seconds().into(),
                };
                (i, lease)
            })
            .unzip();
        let mut granted: HashMap<_, _> = grant_leases(self.0.raw, &leases, DbTime(now))?
            .into_iter()
            .map(|row| (row.id, row.run))
            .collect();
        let mut claimed = vec![Vec::new(); requests.len()];
        let mut unreadable_jobs = BTreeSet::new();
        for (i, lease) in request_indexes.into_iter().zip(&leases) {
            let Some(row) = granted.remove(&lease.run) else {
                continue;
            };
            let job_id = row.job_id();
            match self.0.context.readable::<_, StageRun>(row)? {
                Some(run) => claimed[i].push((lease.run, run)),
                None => {
                    unreadable_jobs.insert(job_id);
                }
            }
        }
        for job_id in &unreadable_jobs {
            self.fail_unreadable_job(*job_id)?;
        }
        for runs in &mut claimed {
            runs.retain(|(_, run)| !unreadable_jobs.contains(&run.job_id));
        }
        self.end_leases_at_timeouts(&mut claimed, now)?;
        Ok(claimed)
    }

    /// Shortens the leases that would last longer than their attempts may.
    fn end_leases_at_timeouts(
        &mut self,
        claimed: &mut [Vec<(i64, StageRun)>],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut shortened = Vec::new();
        for (_, run) in claimed.iter_mut().flatten() {
            let Some(lease) = run.lease else { continue };
            let expires_at = run.new_expiry(lease.duration, now);
            if expires_at < lease.expires_at {
                run.lease = Some(Lease {
                    expires_at,
                    ..lease
                });
                shortened.push(&*run);
            }
        }
        store_runs(self.0.raw, &shortened, None)
    }

    /// Updates the jobs of runs that were just leased, and records their events. A job
    /// that cannot be read fails, and its runs are not claimed.
    fn record_claims(
        &mut self,
        claimed: Vec<Vec<(i64, StageRun)>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Vec<Claim>>, Error> {
        let runs = || claimed.iter().flatten().map(|(_, run)| run);
        let keys: Vec<_> = claimed.iter().flatten().map(|(key, _)| *key).collect();
        let mut events: BTreeMap<JobId, Vec<Event>> = BTreeMap::new();
        for run in runs() {
            let job_events = events.entry(run.job_id).or_default();
            job_events.push(Event::from(run));
        }
        let job_ids: Vec<_> = events.keys().copied().collect();
        let rows: Vec<JobRow> = start_jobs(self.0.raw, &job_ids, &keys, DbTime(now))?;
        let mut jobs: Vec<Job> = Vec::new();
        for row in rows {
            let job_id = row.job_id();
            match self.0.context.readable(row)? {
                Some(job) => jobs.push(job),
                None => self.fail_unreadable_job(job_id)?,
            }
        }
        // The databases return updated rows in any order; the events of the jobs follow each
        // other as their claims do.
        jobs.sort_by_key(|job| runs().position(|run| run.job_id == job.job_id));
        let job_of = |run: &StageRun| jobs.iter().find(|job| job.job_id == run.job_id);
        let events_by_job = jobs.iter().map(|job| {
            let mut job_events = events.remove(&job.job_id).unwrap_or_default();
            job_events.push(Event::from(job));
            (job, job_events)
        });
        let events_by_job = events_by_job.collect();
        let logs: Vec<_> = runs()
            .filter(|run| job_of(run).is_some())
            .map(|run| AttemptLog::new(run, LogStatus::Started))
            .collect();
        self.record(now, events_by_job, &logs)?;
        let claim = |(_, run): (i64, StageRun)| {
            let job = job_of(&run)?;
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
}
