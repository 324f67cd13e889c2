//! Operations of a worker that has a lease, and the check that a write conflicts
//! with no lease.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use lectern_domain::{
    Event, Heartbeat, Job, JobId, JobStatus, LeaseId, LeaseState, LogStatus, LongText, Percent,
    Stage, StageFailure, StageRun, StageRunStatus, retry_delay,
};

use super::Work;
use super::attempt::{AttemptLog, FailedAttempt, JOB_EVENTS, RUN_AND_JOB_EVENTS, RunChanges};
use super::expiry::expires_at;
use crate::connection::on_either;
use crate::dialect::{JobLock, LiveLease};
use crate::error::{Doing, Error};
use crate::repositories::jobs::rollup::rollup;
use crate::schema::stage_runs;
use crate::sql::types::{DbTime, Id};

impl Work<'_> {
    /// Extends a lease and stores the progress of its stage. The result says
    /// whether the job was cancelled.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when the lease is unknown or has expired.
    pub fn heartbeat(
        &mut self,
        lease_id: LeaseId,
        heartbeat: &Heartbeat,
    ) -> Result<LeaseState, Error> {
        let (locked, run) = self.lock_lease(lease_id)?;
        let Some(lease) = run.lease else {
            return Err(lost(lease_id));
        };
        // Checked before `require_live`, which fails for a cancelled run: the worker
        // has to learn that the job was cancelled, not that its lease is lost.
        if run.status == StageRunStatus::Cancelled {
            return Ok(LeaseState {
                expires_at: lease.expires_at,
                cancelled: true,
            });
        }
        locked.require_live(&run, lease_id)?;
        let new_expiry = expires_at(locked.now, lease.duration);
        // A heartbeat that arrives late must not lower the percentage.
        let percent = heartbeat
            .percent
            .map(|percent| percent.get().max(run.progress.percent.get()));
        let message = heartbeat
            .message
            .as_ref()
            .map(|message| Some(message.as_str()));
        let eta = heartbeat.eta_seconds.map(|eta| Some(eta.get()));
        self.update_run(
            &run,
            &RunChanges {
                lease_expires_at: Some(Some(DbTime(new_expiry))),
                percent,
                message,
                eta_seconds: eta,
                ..RunChanges::default()
            },
        )?;
        // An empty heartbeat only extends the lease.
        let reports_progress = *heartbeat != Heartbeat::default();
        if reports_progress && let Some(job) = rollup(&mut self.0, run.job_id, JOB_EVENTS)? {
            let events = vec![Event::from(&job)];
            self.record(locked.now, vec![(&job, events)], &[])?;
        }
        Ok(LeaseState {
            expires_at: new_expiry,
            cancelled: false,
        })
    }

    /// Completes a stage. The stages that waited only for it become ready; the last
    /// stage completes the job. A repeated call for the same lease changes nothing
    /// and returns the current job and run.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when the lease is unknown or has expired.
    pub fn complete(&mut self, lease_id: LeaseId) -> Result<(Job, StageRun), Error> {
        self.complete_with_note(lease_id, None)
    }

    /// Completes the stage and adds a note to the processing log.
    ///
    /// # Errors
    ///
    /// As [`Work::complete`].
    pub fn complete_with_note(
        &mut self,
        lease_id: LeaseId,
        note: Option<&LongText>,
    ) -> Result<(Job, StageRun), Error> {
        let (mut locked, run) = self.lock_lease(lease_id)?;
        if run.status == StageRunStatus::Completed {
            return self.with_job(run);
        }
        locked.require_live(&run, lease_id)?;
        let run = self.update_run(
            &run,
            &RunChanges {
                status: Some(StageRunStatus::Completed.as_str()),
                percent: Some(Percent::DONE.get()),
                message: Some(None),
                eta_seconds: Some(None),
                error: Some(None),
                finished_at: Some(Some(DbTime(locked.now))),
                ..RunChanges::default()
            },
        )?;
        locked.replace(&run);
        let mut events = vec![Event::from(&run)];
        let can_start = |other: &&StageRun| other.can_start(&locked.runs);
        for dependent in locked.runs.iter().filter(can_start) {
            let ready = self.update_run(
                dependent,
                &RunChanges {
                    status: Some(StageRunStatus::Ready.as_str()),
                    ..RunChanges::default()
                },
            )?;
            self.0.stage_runs().note_ready(ready.stage);
            events.push(Event::from(&ready));
        }
        // The event of the job follows those of the runs.
        let event_count = events.len() + JOB_EVENTS;
        let job = if locked.runs.iter().any(|other| other.status.is_open()) {
            rollup(&mut self.0, run.job_id, event_count)?
        } else {
            self.end_job(run.job_id, JobStatus::Completed, None, event_count)?
        };
        let Some(job) = job else {
            return Err(lost(lease_id));
        };
        events.push(Event::from(&job));
        let log = AttemptLog {
            message: note,
            ..AttemptLog::new(&run, LogStatus::Completed)
        };
        self.record(locked.now, vec![(&job, events)], &[log])?;
        Ok((job, run))
    }

    /// Ends an attempt that failed. If another attempt is allowed, the stage is
    /// ready again after a pause; otherwise the stage fails, and the job with it.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when the lease is unknown or has expired.
    pub fn fail(
        &mut self,
        lease_id: LeaseId,
        failure: &StageFailure,
    ) -> Result<(Job, StageRun), Error> {
        let (locked, run) = self.lock_lease(lease_id)?;
        locked.require_live(&run, lease_id)?;
        let pause = retry_delay(run.attempt, jitter(lease_id));
        let attempt = FailedAttempt {
            error: &failure.error,
            details: failure.details.as_ref(),
            retry_after: failure.retryable.then_some(pause),
        };
        self.fail_attempt(&run, &attempt, locked.now)?
            .ok_or_else(|| lost(lease_id))
    }

    /// Ends an attempt that was interrupted, because the worker shuts down, for
    /// example. The stage can be claimed again at once, and the attempt does not
    /// count.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when the lease is unknown or has expired.
    pub fn release(&mut self, lease_id: LeaseId) -> Result<(Job, StageRun), Error> {
        let (locked, run) = self.lock_lease(lease_id)?;
        locked.require_live(&run, lease_id)?;
        // The claim counted this attempt.
        let attempts_before = run.attempt - 1;
        self.0
            .stage_runs()
            .reopen(&[&run], StageRunStatus::Ready, attempts_before)?;
        let runs = self.0.stage_runs().all_for_job(run.job_id)?;
        let run = runs.into_iter().find(|other| other.run_id == run.run_id);
        let run = run.ok_or_else(|| lost(lease_id))?;
        let job =
            rollup(&mut self.0, run.job_id, RUN_AND_JOB_EVENTS)?.ok_or_else(|| lost(lease_id))?;
        let events = vec![Event::from(&run), Event::from(&job)];
        self.record(locked.now, vec![(&job, events)], &[])?;
        Ok((job, run))
    }

    /// Checks that a write to a job conflicts with no lease, and locks the job
    /// until the transaction ends. `stages` are those whose output is written.
    ///
    /// If `lease_id` is given, it must be a live lease of this job. If any of
    /// `stages` has a live lease, `lease_id` must be given, and be such a lease.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`], [`Error::LeaseLost`].
    pub fn guard(
        &mut self,
        job_id: JobId,
        stages: &[Stage],
        lease_id: Option<LeaseId>,
    ) -> Result<JobLock, Error> {
        let write = GuardedWrite {
            job_id,
            stages,
            lease_id,
        };
        let checked = self.guard_all(&[write])?.pop();
        checked.unwrap_or(Err(Error::JobNotFound { job_id }))
    }

    /// As [`Work::guard`], for several jobs at once.
    pub(crate) fn guard_all(
        &mut self,
        writes: &[GuardedWrite<'_>],
    ) -> Result<Vec<Result<JobLock, Error>>, Error> {
        self.renew_leases_in_doubt()?;
        let job_ids: Vec<_> = writes.iter().map(|write| write.job_id).collect();
        let mut locked = self.0.lock_jobs_with_leases(&job_ids)?;
        let mut checked = Vec::with_capacity(writes.len());
        for write in writes {
            let job_id = write.job_id;
            let Some((lock, leases)) = locked.remove(&job_id) else {
                checked.push(Err(Error::JobNotFound { job_id }));
                continue;
            };
            let live_leases = match leases {
                Some(leases) => leases,
                // Not read with the lock, or possibly changed before the lock was granted.
                None => self.live_leases(lock)?,
            };
            checked.push(write.check(&live_leases).map(|()| lock));
        }
        Ok(checked)
    }

    fn live_leases(&mut self, lock: JobLock) -> Result<Vec<LiveLease>, Error> {
        let runs = self.0.stage_runs().all_for_job(lock.job_id())?;
        let live = |run: &StageRun| {
            let lease_id = run.live_lease(lock.time().0)?;
            let stage = run.stage;
            Some(LiveLease { stage, lease_id })
        };
        Ok(runs.iter().filter_map(live).collect())
    }

    /// Locks the job of a lease; returns the job's runs, and the one with the lease.
    fn lock_lease(&mut self, lease_id: LeaseId) -> Result<(LockedRuns, StageRun), Error> {
        self.renew_leases_in_doubt()?;
        let by_lease = stage_runs::table
            .filter(stage_runs::lease_id.eq(Id(lease_id)))
            .select(stage_runs::job_id);
        let job_id = on_either!(self.0.raw, conn => by_lease.get_result::<Id<JobId>>(conn))
            .optional()
            .doing("find the job of a lease")?
            .ok_or_else(|| lost(lease_id))?
            .0;
        let lock = match self.0.lock_job(job_id) {
            Err(Error::JobNotFound { .. }) => return Err(lost(lease_id)),
            result => result?,
        };
        // Read after the lock: another worker may have claimed the run meanwhile.
        let runs = self.0.stage_runs().all_for_job(job_id)?;
        let has_lease = |run: &&StageRun| run.lease.is_some_and(|lease| lease.lease_id == lease_id);
        let run = runs
            .iter()
            .find(has_lease)
            .cloned()
            .ok_or_else(|| lost(lease_id))?;
        let now = lock.time().0;
        Ok((LockedRuns { runs, now }, run))
    }

    fn with_job(&mut self, run: StageRun) -> Result<(Job, StageRun), Error> {
        let job = self.0.jobs().find(run.job_id)?;
        // Always found: the caller has locked the job.
        job.map(|job| (job, run))
            .ok_or(Error::LeaseLost { lease_id: None })
    }
}

/// A write to a job that must conflict with no lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GuardedWrite<'a> {
    pub(crate) job_id: JobId,
    /// The stages whose output is written.
    pub(crate) stages: &'a [Stage],
    /// The lease that the caller has named.
    pub(crate) lease_id: Option<LeaseId>,
}

impl GuardedWrite<'_> {
    fn check(&self, live_leases: &[LiveLease]) -> Result<(), Error> {
        let lease_id = self.lease_id;
        let is_live = |id| live_leases.iter().any(|lease| lease.lease_id == id);
        let stage_leases: Vec<LeaseId> = live_leases
            .iter()
            .filter(|lease| self.stages.contains(&lease.stage))
            .map(|lease| lease.lease_id)
            .collect();
        let stages_are_free = stage_leases.is_empty();
        let caller_leases_one = lease_id.is_some_and(|id| stage_leases.contains(&id));
        if lease_id.is_none_or(is_live) && (stages_are_free || caller_leases_one) {
            Ok(())
        } else {
            Err(Error::LeaseLost { lease_id })
        }
    }
}

/// The runs of a locked job.
struct LockedRuns {
    runs: Vec<StageRun>,
    /// When the job was locked.
    now: DateTime<Utc>,
}

impl LockedRuns {
    fn require_live(&self, run: &StageRun, lease_id: LeaseId) -> Result<(), Error> {
        if run.live_lease(self.now) == Some(lease_id) {
            Ok(())
        } else {
            Err(lost(lease_id))
        }
    }

    fn replace(&mut self, changed: &StageRun) {
        for run in &mut self.runs {
            if run.run_id == changed.run_id {
                *run = changed.clone();
            }
        }
    }
}

fn lost(lease_id: LeaseId) -> Error {
    Error::LeaseLost {
        lease_id: Some(lease_id),
    }
}

/// A number from 0 to 1, from the random bits of a lease id.
fn jitter(lease_id: LeaseId) -> f64 {
    let bits = lease_id.as_uuid().as_u128() & u128::from(u32::MAX);
    bits as f64 / f64::from(u32::MAX)
}
