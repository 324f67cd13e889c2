//! A stage that its worker gives back, because it shuts down, for example.

use lectern_domain::{Event, Job, LeaseId, StageRun, StageRunStatus};

use super::Work;
use super::attempt::RUN_AND_JOB_EVENTS;
use super::locked_jobs::lost;
use crate::error::Error;
use crate::repositories::jobs::rollup::rollup;

impl Work<'_> {
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
}
