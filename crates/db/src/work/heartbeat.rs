//! Heartbeats.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lectern_domain::{Event, Heartbeat, LeaseId, LeaseState, StageRun, StageRunStatus};

use super::Work;
use super::attempt::{JOB_EVENTS, RunChanges};
use super::expiry::expires_at;
use super::locked_jobs::{LockedRuns, lost, only_result};
use crate::connection::batch::{Mode, Outcome, Outcomes};
use crate::error::Error;
use crate::repositories::job_events::JobChange;
use crate::repositories::jobs::rollup::rollup_all;
use crate::sql::types::DbTime;

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
                self.extend(locked, &run, expires_at, heartbeat)?;
                // An empty heartbeat only extends the lease.
                if **heartbeat != Heartbeat::default() {
                    changed_jobs.insert(run.job_id, locked.now);
                }
            }
            states.push(Outcome::Executed(state));
        }
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

    /// Stores a heartbeat in the run of its lease.
    fn extend(
        &mut self,
        locked: &mut LockedRuns,
        run: &StageRun,
        new_expiry: DateTime<Utc>,
        heartbeat: &Heartbeat,
    ) -> Result<(), Error> {
        // A heartbeat that arrives late must not lower the percentage.
        let percent = heartbeat
            .percent
            .map(|percent| percent.get().max(run.progress.percent.get()));
        let message = heartbeat
            .message
            .as_ref()
            .map(|message| Some(message.as_str()));
        let eta = heartbeat.eta_seconds.map(|eta| Some(eta.get()));
        let extended = self.update_run(
            run,
            &RunChanges {
                lease_expires_at: Some(Some(DbTime(new_expiry))),
                percent,
                message,
                eta_seconds: eta,
                ..RunChanges::default()
            },
        )?;
        locked.replace(&extended);
        Ok(())
    }
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
    Ok(LeaseState {
        expires_at: expires_at(locked.now, lease.duration),
        cancelled: false,
    })
}
