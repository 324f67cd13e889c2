//! The completion of a stage, which makes others ready and may complete the job.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lectern_domain::{
    Event, Job, JobId, JobStatus, LeaseId, LogStatus, LongText, Percent, Progress, StageNotes,
    StageRun, StageRunStatus,
};

use super::Work;
use super::attempt::{AttemptLog, RUN_AND_JOB_EVENTS};
use super::locked_jobs::{LockedRuns, only_result};
use crate::connection::batch::{Mode, Outcome, Outcomes};
use crate::dialect::store_runs;
use crate::error::Error;
use crate::repositories::job_events::JobChange;
use crate::repositories::jobs::rollup::rollup_all;

impl Work<'_> {
    /// Completes a stage. The stages that waited only for it become ready; the last
    /// stage completes the job. A repeated call for the same lease changes nothing
    /// and returns the current job and run.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when the lease is unknown or has expired.
    pub fn complete(&mut self, lease_id: LeaseId) -> Result<(Job, StageRun), Error> {
        self.complete_with_notes(lease_id, &StageNotes::default())
    }

    /// Completes the stage and stores notes about its output, also in the processing log.
    ///
    /// # Errors
    ///
    /// As [`Work::complete`].
    pub fn complete_with_notes(
        &mut self,
        lease_id: LeaseId,
        notes: &StageNotes,
    ) -> Result<(Job, StageRun), Error> {
        let completed = self.complete_all(&[(lease_id, notes)], Mode::Alone)?;
        only_result(completed, lease_id)
    }

    /// As [`Work::complete_with_notes`], for the stages of several leases.
    pub(crate) fn complete_all(
        &mut self,
        stages: &[(LeaseId, &StageNotes)],
        mode: Mode,
    ) -> Outcomes<(Job, StageRun)> {
        let lease_ids: Vec<_> = stages.iter().map(|(lease_id, _)| *lease_id).collect();
        let mut jobs = self.lock_leases(&lease_ids, mode)?;
        let mut outcomes: Vec<_> = stages.iter().map(|_| None).collect();
        let mut completed = Vec::with_capacity(stages.len());
        // Each round completes at most one stage of each job: the next stage finds the job
        // as this one leaves it.
        while outcomes.iter().any(Option::is_none) {
            let mut round = BTreeMap::new();
            for (i, (lease_id, notes)) in stages.iter().enumerate() {
                if outcomes[i].is_some() {
                    continue;
                }
                if jobs.is_skipped(*lease_id) {
                    outcomes[i] = Some(Outcome::NotTogether);
                    continue;
                }
                let (locked, run) = match jobs.leased(*lease_id) {
                    Ok(leased) => leased,
                    Err(error) => {
                        outcomes[i] = Some(Outcome::Executed(Err(error)));
                        continue;
                    }
                };
                if round.contains_key(&run.job_id) {
                    continue;
                }
                if run.status == StageRunStatus::Completed {
                    outcomes[i] = Some(Outcome::Executed(Ok(self.with_job(run)?)));
                } else if let Err(error) = locked.require_live(&run, *lease_id) {
                    outcomes[i] = Some(Outcome::Executed(Err(error)));
                } else {
                    round.insert(run.job_id, (i, Completion::of(run, locked, notes)));
                }
            }
            let mut changed_jobs = self.store_completions(round.values().map(|(_, c)| c))?;
            for (job_id, (i, completion)) in round {
                // Always found: the caller has locked the job, and the lease was live.
                let job = changed_jobs.remove(&job_id);
                let job = job.ok_or(Error::LeaseLost { lease_id: None })?;
                let result = (job.clone(), completion.run.clone());
                outcomes[i] = Some(Outcome::Executed(Ok(result)));
                completed.push((job, completion));
            }
        }
        let (mut changes, mut entries) = (Vec::new(), Vec::new());
        for (job, completion) in &completed {
            let message = completion.run.notes.joined();
            let message = message.map(LongText::new).transpose()?;
            let log = AttemptLog {
                message: message.as_ref(),
                ..AttemptLog::new(&completion.run, LogStatus::Completed)
            };
            entries.push(log.to_entry(completion.at)?);
            let mut events = vec![Event::from(&completion.run)];
            events.extend(completion.ready.iter().map(Event::from));
            events.push(Event::from(job));
            changes.push(JobChange {
                job,
                at: completion.at,
                events,
            });
        }
        self.0.job_events().record(changes, entries)?;
        Ok(outcomes.into_iter().flatten().collect())
    }

    /// Stores completions of stages of different jobs; returns the jobs. The caller
    /// records the events.
    fn store_completions<'c>(
        &mut self,
        completions: impl Iterator<Item = &'c Completion>,
    ) -> Result<BTreeMap<JobId, Job>, Error> {
        let mut runs = Vec::new();
        let mut latest = None;
        let mut ended = Vec::new();
        let mut open: BTreeMap<usize, Vec<JobId>> = BTreeMap::new();
        for completion in completions {
            let Completion { run, ready, at, .. } = completion;
            latest = latest.max(Some(*at));
            runs.push(run);
            for ready in ready {
                self.0.stage_runs().note_ready(ready.stage);
                runs.push(ready);
            }
            let event_count = RUN_AND_JOB_EVENTS + ready.len();
            if completion.is_last {
                ended.push((run.job_id, event_count));
            } else {
                open.entry(event_count).or_default().push(run.job_id);
            }
        }
        store_runs(self.0.raw, &runs, latest)?;
        let mut jobs = Vec::new();
        for (event_count, job_ids) in open {
            jobs.extend(rollup_all(&mut self.0, &job_ids, event_count)?);
        }
        for (job_id, event_count) in ended {
            jobs.extend(self.end_job(job_id, JobStatus::Completed, None, event_count)?);
        }
        Ok(jobs.into_iter().map(|job| (job.job_id, job)).collect())
    }

    fn with_job(&mut self, run: StageRun) -> Result<(Job, StageRun), Error> {
        let job = self.0.jobs().find(run.job_id)?;
        // Always found: the caller has locked the job.
        job.map(|job| (job, run))
            .ok_or(Error::LeaseLost { lease_id: None })
    }
}

/// The completion of a run.
struct Completion {
    run: StageRun,
    /// The runs that waited only for this one.
    ready: Vec<StageRun>,
    /// Whether the job has no open run left.
    is_last: bool,
    at: DateTime<Utc>,
}

impl Completion {
    /// Completes a run whose lease is live, among the runs of its job.
    fn of(mut run: StageRun, locked: &mut LockedRuns, notes: &StageNotes) -> Self {
        run.status = StageRunStatus::Completed;
        run.progress = Progress {
            percent: Percent::DONE,
            message: None,
            eta_seconds: None,
        };
        run.error = None;
        run.notes = notes.clone();
        run.finished_at = Some(locked.now);
        locked.replace(&run);
        let can_start = |other: &&StageRun| other.can_start(&locked.runs);
        let mut ready: Vec<_> = locked.runs.iter().filter(can_start).cloned().collect();
        for run in &mut ready {
            run.status = StageRunStatus::Ready;
            locked.replace(run);
        }
        Self {
            run,
            ready,
            is_last: !locked.runs.iter().any(|other| other.status.is_open()),
            at: locked.now,
        }
    }
}
