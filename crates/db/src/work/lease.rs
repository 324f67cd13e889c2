//! Leases: what a worker may do with what it claimed, as long as it has it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use lectern_domain::{
    Event, Heartbeat, Job, JobId, JobStatus, LeaseId, LeaseState, LogStatus, LongText, Percent,
    Stage, StageFailure, StageRun, StageRunStatus, retry_delay,
};

use super::Work;
use super::attempt::{Attempt, LogLine, RunChanges};
use super::claim::expiry;
use crate::connection::on_either;
use crate::dialect::{JobLock, LiveLease};
use crate::error::{Doing, Error};
use crate::repositories::jobs::rollup::rollup;
use crate::schema::stage_runs;
use crate::sql::page::row_count;
use crate::sql::types::{DbTime, Id};

impl Work<'_> {
    /// Extends a lease and stores what its worker says. The answer tells
    /// whether the job was called off.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when there is no such lease any more.
    pub fn heartbeat(&mut self, lease_id: LeaseId, beat: &Heartbeat) -> Result<LeaseState, Error> {
        let (held, run) = self.hold(lease_id)?;
        let Some(lease) = run.lease else {
            return Err(lost(lease_id));
        };
        if run.status == StageRunStatus::Cancelled {
            return Ok(LeaseState {
                expires_at: lease.expires_at,
                cancelled: true,
            });
        }
        held.must_be_live(&run, lease_id)?;
        let expires_at = expiry(held.now, lease.duration);
        let percent = beat
            .percent
            .map(|percent| percent.get().max(run.progress.percent.get()));
        let message = beat.message.as_ref().map(|message| Some(message.as_str()));
        let eta = beat.eta_seconds.map(|eta| Some(eta.get()));
        self.change(
            &run,
            &RunChanges {
                lease_expires_at: Some(Some(DbTime(expires_at))),
                percent,
                message,
                eta_seconds: eta,
                ..RunChanges::default()
            },
        )?;
        let says_something = *beat != Heartbeat::default();
        if says_something && let Some(job) = rollup(&mut self.0, run.job_id, 1)? {
            let events = vec![Event::from(&job)];
            self.record(held.now, vec![(&job, events)], &[])?;
        }
        Ok(LeaseState {
            expires_at,
            cancelled: false,
        })
    }

    /// Completes a stage, makes what waited for it ready and, with the last
    /// one, completes the job. Doing it again under the same lease changes
    /// nothing and answers the same.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when there is no such lease any more.
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
        let (mut held, run) = self.hold(lease_id)?;
        if run.status == StageRunStatus::Completed {
            return self.with_job(run);
        }
        held.must_be_live(&run, lease_id)?;
        let run = self.change(
            &run,
            &RunChanges {
                status: Some(StageRunStatus::Completed.as_str()),
                percent: Some(Percent::DONE.get()),
                message: Some(None),
                eta_seconds: Some(None),
                error: Some(None),
                finished_at: Some(Some(DbTime(held.now))),
                ..RunChanges::default()
            },
        )?;
        held.put(&run);
        let mut events = vec![Event::from(&run)];
        for waiting in held.runs.iter().filter(|run| run.can_start(&held.runs)) {
            let ready = self.change(
                waiting,
                &RunChanges {
                    status: Some(StageRunStatus::Ready.as_str()),
                    ..RunChanges::default()
                },
            )?;
            self.0.stage_runs().note_ready(ready.stage);
            events.push(Event::from(&ready));
        }
        let job = if held.runs.iter().any(|run| run.status.is_open()) {
            rollup(&mut self.0, run.job_id, row_count(events.len() + 1))?
        } else {
            self.end(run.job_id, JobStatus::Completed, None, events.len() + 1)?
        };
        let Some(job) = job else {
            return Err(lost(lease_id));
        };
        events.push(Event::from(&job));
        let line = LogLine {
            message: note,
            ..LogLine::new(&run, LogStatus::Completed)
        };
        self.record(held.now, vec![(&job, events)], &[line])?;
        Ok((job, run))
    }

    /// Gives up an attempt. When it can be tried again, the stage is ready once
    /// more after a pause; otherwise the stage has failed, and its job with it.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when there is no such lease any more.
    pub fn fail(
        &mut self,
        lease_id: LeaseId,
        failure: &StageFailure,
    ) -> Result<(Job, StageRun), Error> {
        let (held, run) = self.hold(lease_id)?;
        held.must_be_live(&run, lease_id)?;
        let pause = retry_delay(run.attempt, jitter(lease_id));
        let attempt = Attempt {
            error: &failure.error,
            details: failure.details.as_ref(),
            again: failure.retryable.then_some(pause),
        };
        self.attempt_failed(&run, &attempt, held.now)?
            .ok_or_else(|| lost(lease_id))
    }

    /// Gives a stage back that was not worked on to its end through no fault of
    /// its own: its worker is told to stop, say. Another can claim it at once,
    /// and the attempt does not count.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when there is no such lease any more.
    pub fn release(&mut self, lease_id: LeaseId) -> Result<(Job, StageRun), Error> {
        let (held, run) = self.hold(lease_id)?;
        held.must_be_live(&run, lease_id)?;
        self.0
            .stage_runs()
            .reopen(&[&run], StageRunStatus::Ready, run.attempt - 1)?;
        let runs = self.0.stage_runs().all_for_job(run.job_id)?;
        let run = runs.into_iter().find(|other| other.run_id == run.run_id);
        let run = run.ok_or_else(|| lost(lease_id))?;
        let job = rollup(&mut self.0, run.job_id, 2)?.ok_or_else(|| lost(lease_id))?;
        let events = vec![Event::from(&run), Event::from(&job)];
        self.record(held.now, vec![(&job, events)], &[])?;
        Ok((job, run))
    }

    /// Makes sure that a write to a job is one its workers agree with, and
    /// locks the job until the transaction ends. `owners` are the stages the
    /// write belongs to.
    ///
    /// With a lease, it has to be a live one of this job; and what another
    /// worker has a lease on can be written only by that one.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`], [`Error::LeaseLost`].
    pub fn guard(
        &mut self,
        job_id: JobId,
        owners: &[Stage],
        lease_id: Option<LeaseId>,
    ) -> Result<JobLock, Error> {
        let (lock, leases) = self.0.lock_job_with_leases(job_id)?;
        let leases = match leases {
            Some(leases) => leases,
            None => self.live_leases(lock)?,
        };
        let is_live = |id| leases.iter().any(|lease| lease.lease_id == id);
        let mut of_owners = leases
            .iter()
            .filter(|lease| owners.contains(&lease.stage))
            .peekable();
        let may_write = lease_id.is_none_or(is_live)
            && (of_owners.peek().is_none()
                || of_owners.any(|lease| Some(lease.lease_id) == lease_id));
        if may_write {
            Ok(lock)
        } else {
            Err(Error::LeaseLost { lease_id })
        }
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

    /// The run of a lease, whose job is held from here on, with all runs of the
    /// job.
    fn hold(&mut self, lease_id: LeaseId) -> Result<(Held, StageRun), Error> {
        let named = stage_runs::table
            .filter(stage_runs::lease_id.eq(Id(lease_id)))
            .select(stage_runs::job_id);
        let job_id = on_either!(self.0.raw, conn => named.get_result::<Id<JobId>>(conn))
            .optional()
            .doing("find the job of a lease")?
            .ok_or_else(|| lost(lease_id))?
            .0;
        let lock = match self.0.lock_job(job_id) {
            Err(Error::JobNotFound { .. }) => return Err(lost(lease_id)),
            locked => locked?,
        };
        // Looked at anew: another worker may have got it meanwhile.
        let runs = self.0.stage_runs().all_for_job(job_id)?;
        let is_it = |run: &&StageRun| run.lease.is_some_and(|lease| lease.lease_id == lease_id);
        let run = runs
            .iter()
            .find(is_it)
            .cloned()
            .ok_or_else(|| lost(lease_id))?;
        let now = lock.time().0;
        Ok((Held { runs, now }, run))
    }

    fn with_job(&mut self, run: StageRun) -> Result<(Job, StageRun), Error> {
        let job = self.0.jobs().find(run.job_id)?;
        job.map(|job| (job, run))
            .ok_or(Error::LeaseLost { lease_id: None })
    }
}

/// A job that is held, with its runs.
struct Held {
    runs: Vec<StageRun>,
    now: DateTime<Utc>,
}

impl Held {
    fn must_be_live(&self, run: &StageRun, lease_id: LeaseId) -> Result<(), Error> {
        if run.live_lease(self.now) == Some(lease_id) {
            Ok(())
        } else {
            Err(lost(lease_id))
        }
    }

    /// Puts a changed run in the place of the old one.
    fn put(&mut self, changed: &StageRun) {
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

/// A number from 0 to 1 out of the random bits of a lease.
fn jitter(lease_id: LeaseId) -> f64 {
    let bits = lease_id.as_uuid().as_u128() & u128::from(u32::MAX);
    bits as f64 / f64::from(u32::MAX)
}
