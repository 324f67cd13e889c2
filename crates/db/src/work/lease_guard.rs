//! The check that a write conflicts with no lease.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use lectern_domain::{JobId, LeaseId, Stage, StageRun};

use super::Work;
use crate::connection::batch::{Mode, Outcome, Outcomes};
use crate::connection::{Conn, Reader};
use crate::dialect::{JobLock, LiveLease, LockedJob};
use crate::error::Error;

impl Work<'_> {
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
        match self.guard_all(&[write], Mode::Alone)?.pop() {
            Some(Outcome::Executed(checked)) => checked,
            _ => Err(Error::JobNotFound { job_id }),
        }
    }

    /// As [`Work::guard`], for several jobs at once.
    pub(crate) fn guard_all(
        &mut self,
        writes: &[GuardedWrite<'_>],
        mode: Mode,
    ) -> Outcomes<JobLock> {
        self.renew_leases_in_doubt()?;
        let job_ids: Vec<_> = writes.iter().map(|write| write.job_id).collect();
        let mut locked = self.0.lock_jobs_with_leases(&job_ids, mode)?;
        let skipped = self.skipped(&job_ids, &locked, mode)?;
        let mut checked = Vec::with_capacity(writes.len());
        for write in writes {
            let job_id = write.job_id;
            let Some((lock, leases)) = locked.remove(&job_id) else {
                checked.push(if skipped.contains(&job_id) {
                    Outcome::NotTogether
                } else {
                    Outcome::Executed(Err(Error::JobNotFound { job_id }))
                });
                continue;
            };
            let live_leases = match leases {
                Some(leases) => leases,
                // Not read with the lock, or possibly changed before the lock was granted.
                None => self.live_leases(lock)?,
            };
            let check = write.check(&live_leases).map(|()| lock);
            checked.push(Outcome::Executed(check));
        }
        Ok(checked)
    }

    /// The jobs among `job_ids` that exist, but were skipped because they are locked.
    fn skipped(
        &mut self,
        job_ids: &[JobId],
        locked: &HashMap<JobId, LockedJob>,
        mode: Mode,
    ) -> Result<HashSet<JobId>, Error> {
        let missing = job_ids.iter().filter(|job_id| !locked.contains_key(job_id));
        let missing: Vec<_> = missing.copied().collect();
        if mode == Mode::Alone || missing.is_empty() {
            return Ok(HashSet::new());
        }
        self.0.jobs().existing(&missing)
    }

    fn live_leases(&mut self, lock: JobLock) -> Result<Vec<LiveLease>, Error> {
        self.0.live_leases(lock.job_id(), lock.time().0)
    }
}

impl<Mode> Conn<'_, Mode> {
    fn live_leases(&mut self, job_id: JobId, now: DateTime<Utc>) -> Result<Vec<LiveLease>, Error> {
        let runs = self.stage_runs().all_for_job(job_id)?;
        let live = |run: &StageRun| {
            let lease_id = run.live_lease(now)?;
            let stage = run.stage;
            Some(LiveLease { stage, lease_id })
        };
        Ok(runs.iter().filter_map(live).collect())
    }
}

impl Reader<'_> {
    /// Whether [`Work::guard`] would succeed as of this snapshot. For writes that change
    /// nothing: any other needs the lock of [`Work::guard`]. Also `false` while leases are in
    /// doubt, because only a transaction can renew them.
    pub fn passes_guard(
        &mut self,
        job_id: JobId,
        stages: &[Stage],
        lease_id: Option<LeaseId>,
    ) -> Result<bool, Error> {
        if self.context.lease_renewal.pending().is_some() || !self.jobs().exists(job_id)? {
            return Ok(false);
        }
        let write = GuardedWrite {
            job_id,
            stages,
            lease_id,
        };
        let now = self.shared_now()?;
        Ok(write.check(&self.live_leases(job_id, now)?).is_ok())
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
