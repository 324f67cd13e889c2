//! Heartbeats.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lectern_domain::{Event, Heartbeat, LeaseId, LeaseState, StageRun, StageRunStatus};

use super::Work;
use super::attempt::JOB_EVENTS;
use super::locked_jobs::{LockedRuns, lost, only_result};
use crate::connection::batch::{Mode, Outcome, Outcomes};
use crate::dialect::store_runs;
use crate::error::Error;
use crate::repositories::job_events::JobChange;
use crate::repositories::jobs::rollup::rollup_all;

impl Work<'_> {
    /// Extends a lease and stores the progress of its stage. The result says
    /// whether the job was cancelled.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when the lease is unknown or has expired, or the attempt has
    /// timed out.
    pub fn heartbeat(
        &mut self,
        lease_id: LeaseId,
        heartbeat: &Heartbeat,
    ) -> Result<LeaseState, Error> {
        let states = self.heartbeat_all(&[(lease_id, heartbeat)], Mode::Alone)?;
        only_result(states, lease_id)
    }

    /// As [`Work::heartbeat`], for several leases.
    pub(crate) fn heartbeat_all(
        &mut self,
        heartbeats: &[(LeaseId, &Heartbeat)],
        mode: Mode,
    ) -> Outcomes<LeaseState> {
        let lease_ids: Vec<_> = heartbeats.iter().map(|(lease_id, _)| *lease_id).collect();
        let mut jobs = self.lock_leases(&lease_ids, mode)?;
        let mut states = Vec::with_capacity(heartbeats.len());
        let mut extended = BTreeMap::new();
        let mut changed_jobs = BTreeMap::new();
        for (lease_id, heartbeat) in heartbeats {
            if jobs.is_skipped(*lease_id) {
                states.push(Outcome::NotTogether);
                continue;
            }
            let (locked, run) = match jobs.leased(*lease_id) {
                Ok(leased) => leased,
                Err(error) => {
                    states.push(Outcome::Executed(Err(error)));
                    continue;
                }
            };
            let state = lease_state(locked, &run, *lease_id);
            if let Ok(LeaseState {
                expires_at,
                cancelled: false,
            }) = state
            {
                // An empty heartbeat only extends the lease.
                if **heartbeat != Heartbeat::default() {
                    changed_jobs.insert(run.job_id, locked.now);
                }
                let run = with_heartbeat(run, expires_at, heartbeat);
                locked.replace(&run);
                extended.insert(run.run_id, run);
            }
            states.push(Outcome::Executed(state));
        }
        store_runs(self.0.raw, &extended.values().collect::<Vec<_>>(), None)?;
        let job_ids: Vec<_> = changed_jobs.keys().copied().collect();
        let rolled_up = rollup_all(&mut self.0, &job_ids, JOB_EVENTS)?;
        let changes = rolled_up.iter().filter_map(|job| {
            let at = *changed_jobs.get(&job.job_id)?;
            let events = vec![Event::from(job)];
            Some(JobChange { job, at, events })
        });
        self.0.job_events().record(changes.collect(), Vec::new())?;
        Ok(states)
    }
}

/// The run of a lease that a heartbeat extends.
fn with_heartbeat(mut run: StageRun, new_expiry: DateTime<Utc>, heartbeat: &Heartbeat) -> StageRun {
    if let Some(lease) = &mut run.lease {
        lease.expires_at = new_expiry;
    }
    let progress = &mut run.progress;
    // A heartbeat that arrives late must not lower the percentage.
    if let Some(percent) = heartbeat.percent
        && percent.get() > progress.percent.get()
    {
        progress.percent = percent;
    }
    if heartbeat.message.is_some() {
        progress.message.clone_from(&heartbeat.message);
    }
    if heartbeat.eta_seconds.is_some() {
        progress.eta_seconds = heartbeat.eta_seconds;
    }
    run
}

/// The state of a lease after a heartbeat.
fn lease_state(
    locked: &LockedRuns,
    run: &StageRun,
    lease_id: LeaseId,
) -> Result<LeaseState, Error> {
    let lease = run.lease.ok_or_else(|| lost(lease_id))?;
    // Checked before `require_live`, which fails for a cancelled run: the worker
    // has to learn that the job was cancelled, not that its lease is lost.
    if run.status == StageRunStatus::Cancelled {
        return Ok(LeaseState {
            expires_at: lease.expires_at,
            cancelled: true,
        });
    }
    locked.require_live(run, lease_id)?;
    let expires_at = run.new_expiry(lease.duration, locked.now);
    // The renewal of all leases after an outage disregards timeouts.
    if expires_at <= locked.now {
        return Err(lost(lease_id));
    }
    Ok(LeaseState {
        expires_at,
        cancelled: false,
    })
}
