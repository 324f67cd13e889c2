//! Locks the jobs of leases, and reads their runs.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use lectern_domain::{JobId, LeaseId, StageRun};

use super::Work;
use crate::connection::batch::{Mode, Outcome};
use crate::connection::on_either;
use crate::dialect;
use crate::error::{Doing, Error};
use crate::schema::stage_runs;
use crate::sql::prepared::Prepared;
use crate::sql::types::Id;

impl Work<'_> {
    /// Locks the job of a lease; returns the job's runs, and the one with the lease.
    pub(super) fn lock_lease(
        &mut self,
        lease_id: LeaseId,
    ) -> Result<(LockedRuns, StageRun), Error> {
        let mut jobs = self.lock_leases(&[lease_id], Mode::Alone)?;
        let (_, run) = jobs.leased(lease_id)?;
        let locked = jobs
            .locked
            .remove(&run.job_id)
            .ok_or_else(|| lost(lease_id))?;
        Ok((locked, run))
    }

    /// Locks the jobs of leases. Those of unknown leases are missing.
    pub(super) fn lock_leases(
        &mut self,
        lease_ids: &[LeaseId],
        mode: Mode,
    ) -> Result<LockedJobs, Error> {
        self.renew_leases_in_doubt()?;
        let backend = self.0.raw.backend();
        let by_lease = stage_runs::table
            .filter(dialect::is_one_of(
                backend,
                "stage_runs.lease_id",
                lease_ids,
            ))
            .filter(self.0.context.owned("stage_runs"))
            .select((stage_runs::lease_id.assume_not_null(), stage_runs::job_id));
        let by_lease = Prepared(by_lease);
        let found = on_either!(self.0.raw, conn => by_lease.load::<(Id<LeaseId>, Id<JobId>)>(conn))
            .doing("find the jobs of leases")?;
        let job_ids: BTreeSet<_> = found.iter().map(|(_, job_id)| job_id.0).collect();
        let job_ids: Vec<_> = job_ids.into_iter().collect();
        if job_ids.is_empty() {
            return Ok(LockedJobs::default());
        }
        let locks = self.0.lock_jobs_with_leases(&job_ids, mode)?;
        let skipped = found
            .iter()
            .filter(|(_, job_id)| mode == Mode::Together && !locks.contains_key(&job_id.0));
        let skipped = skipped.map(|(lease_id, _)| lease_id.0).collect();
        // Read after the lock: another worker may have claimed a run meanwhile.
        let mut runs_by_job = self.0.stage_runs().all_for_jobs(&job_ids)?;
        let locked = locks.into_iter().map(|(job_id, (lock, _))| {
            let runs = runs_by_job.remove(&job_id).unwrap_or_default();
            let now = lock.time().0;
            (job_id, LockedRuns { runs, now })
        });
        Ok(LockedJobs {
            locked: locked.collect(),
            skipped,
        })
    }
}

/// Jobs that were locked, with their runs.
#[derive(Default)]
pub(super) struct LockedJobs {
    locked: HashMap<JobId, LockedRuns>,
    /// The leases whose jobs another transaction has locked.
    skipped: HashSet<LeaseId>,
}

impl LockedJobs {
    /// Whether the job of the lease was skipped, because another transaction has locked it.
    pub(super) fn is_skipped(&self, lease_id: LeaseId) -> bool {
        self.skipped.contains(&lease_id)
    }

    /// The run with this lease, and the runs of its job.
    pub(super) fn leased(
        &mut self,
        lease_id: LeaseId,
    ) -> Result<(&mut LockedRuns, StageRun), Error> {
        let has_lease = |run: &&StageRun| run.lease.is_some_and(|lease| lease.lease_id == lease_id);
        self.locked
            .values_mut()
            .find_map(|locked| {
                let run = locked.runs.iter().find(has_lease)?.clone();
                Some((locked, run))
            })
            .ok_or_else(|| lost(lease_id))
    }
}

/// The runs of a locked job.
pub(super) struct LockedRuns {
    pub(super) runs: Vec<StageRun>,
    /// When the job was locked.
    pub(super) now: DateTime<Utc>,
}

impl LockedRuns {
    pub(super) fn require_live(&self, run: &StageRun, lease_id: LeaseId) -> Result<(), Error> {
        if run.live_lease(self.now) == Some(lease_id) {
            Ok(())
        } else {
            Err(lost(lease_id))
        }
    }

    pub(super) fn replace(&mut self, changed: &StageRun) {
        for run in &mut self.runs {
            if run.run_id == changed.run_id {
                *run = changed.clone();
            }
        }
    }
}

/// The result of a call for one lease that waited for the lock.
pub(super) fn only_result<T>(mut outcomes: Vec<Outcome<T>>, lease_id: LeaseId) -> Result<T, Error> {
    match outcomes.pop() {
        Some(Outcome::Executed(result)) => result,
        _ => Err(lost(lease_id)),
    }
}

pub(super) fn lost(lease_id: LeaseId) -> Error {
    Error::LeaseLost {
        lease_id: Some(lease_id),
    }
}
