//! The completion of a stage, which makes others ready and may complete the job.

use chrono::{DateTime, Utc};
use lectern_domain::{
    Event, Job, JobStatus, LeaseId, LogStatus, LongText, Percent, StageRun, StageRunStatus,
};

use super::Work;
use super::attempt::{AttemptLog, JOB_EVENTS, RunChanges};
use super::locked_jobs::{LockedRuns, only_result};
use crate::connection::batch::{Mode, Outcome, Outcomes};
use crate::error::Error;
use crate::repositories::job_events::JobChange;
use crate::repositories::jobs::rollup::rollup;
use crate::sql::types::DbTime;

impl Work<'_> {
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
        let completed = self.complete_all(&[(lease_id, note)], Mode::Alone)?;
        only_result(completed, lease_id)
    }

    /// As [`Work::complete_with_note`], for the stages of several leases.
    pub(crate) fn complete_all(
        &mut self,
        stages: &[(LeaseId, Option<&LongText>)],
        mode: Mode,
    ) -> Outcomes<(Job, StageRun)> {
        let lease_ids: Vec<_> = stages.iter().map(|(lease_id, _)| *lease_id).collect();
        let mut jobs = self.lock_leases(&lease_ids, mode)?;
        let mut outcomes = Vec::with_capacity(stages.len());
        let mut completions = Vec::with_capacity(stages.len());
        for (lease_id, note) in stages {
            if jobs.is_skipped(*lease_id) {
                outcomes.push(Outcome::NotTogether);
                continue;
            }
            let (locked, run) = match jobs.leased(*lease_id) {
                Ok(leased) => leased,
                Err(error) => {
                    outcomes.push(Outcome::Executed(Err(error)));
                    continue;
                }
            };
            if run.status == StageRunStatus::Completed {
                outcomes.push(Outcome::Executed(Ok(self.with_job(run)?)));
                continue;
            }
            if let Err(error) = locked.require_live(&run, *lease_id) {
                outcomes.push(Outcome::Executed(Err(error)));
                continue;
            }
            let completion = self.complete_run(locked, &run)?;
            let result = (completion.job.clone(), completion.run.clone());
            outcomes.push(Outcome::Executed(Ok(result)));
            completions.push((completion, *note));
        }
        let (mut changes, mut entries) = (Vec::new(), Vec::new());
        for (completion, note) in &completions {
            let log = AttemptLog {
                message: *note,
                ..AttemptLog::new(&completion.run, LogStatus::Completed)
            };
            entries.push(log.to_entry(completion.at)?);
            changes.push(JobChange {
                job: &completion.job,
                at: completion.at,
                events: completion.events.clone(),
            });
        }
        self.0.job_events().record(changes, entries)?;
        Ok(outcomes)
    }

    /// Completes a run whose lease is live. The caller records the events.
    fn complete_run(
        &mut self,
        locked: &mut LockedRuns,
        run: &StageRun,
    ) -> Result<Completion, Error> {
        let run = self.update_run(
            run,
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
        let dependents: Vec<_> = locked.runs.iter().filter(can_start).cloned().collect();
        for dependent in dependents {
            let ready = self.update_run(
                &dependent,
                &RunChanges {
                    status: Some(StageRunStatus::Ready.as_str()),
                    ..RunChanges::default()
                },
            )?;
            locked.replace(&ready);
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
        // Always found: the caller has locked the job, and the lease was live.
        let job = job.ok_or(Error::LeaseLost { lease_id: None })?;
        events.push(Event::from(&job));
        Ok(Completion {
            job,
            run,
            events,
            at: locked.now,
        })
    }

    fn with_job(&mut self, run: StageRun) -> Result<(Job, StageRun), Error> {
        let job = self.0.jobs().find(run.job_id)?;
        // Always found: the caller has locked the job.
        job.map(|job| (job, run))
            .ok_or(Error::LeaseLost { lease_id: None })
    }
}

/// A run that was completed, and its job.
struct Completion {
    job: Job,
    run: StageRun,
    events: Vec<Event>,
    at: DateTime<Utc>,
}
