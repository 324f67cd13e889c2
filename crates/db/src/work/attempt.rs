//! Changes runs, ends attempts and jobs, and records the events and log entries
//! of these changes.

use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use diesel::prelude::*;
use lectern_domain::{
    AgentName, Event, Job, JobId, JobStatus, JsonObject, LogStatus, LongText, NewLogEntry, Percent,
    Seconds, StageRun, StageRunStatus, WorkerName,
};

use super::Work;
use crate::connection::on_either;
use crate::dialect::store_runs;
use crate::error::{Doing, Error};
use crate::repositories::job_events::{AttemptEntry, JobChange};
use crate::repositories::jobs::rollup::rollup;
use crate::repositories::jobs::row::{JobChanges, JobRow};
use crate::repositories::jobs::times::JobTimes;
use crate::schema::jobs;
use crate::sql::page::row_count;
use crate::sql::prepared::Prepared;
use crate::sql::row::{self, columns};
use crate::sql::types::Id;

/// Number of events of a change that is recorded for the job only.
pub(super) const JOB_EVENTS: usize = 1;
/// Number of events of a change to a run: one for the run and one for its job.
pub(super) const RUN_AND_JOB_EVENTS: usize = 2;

impl Work<'_> {
    /// Ends a failed attempt: the run is ready for the next one, or it fails and the
    /// job with it. `None`: the job has ended meanwhile.
    pub(crate) fn fail_attempt(
        &mut self,
        mut run: StageRun,
        failure: &FailedAttempt<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<(Job, StageRun)>, Error> {
        let retry_after = failure
            .retry_after
            .filter(|_| run.attempt < run.max_attempts);
        run.status = match retry_after {
            Some(_) => StageRunStatus::Ready,
            None => StageRunStatus::Failed,
        };
        run.available_at = retry_after
            .filter(|pause| !pause.is_zero())
            .map(|pause| now + TimeDelta::from_std(pause).unwrap_or_default())
            .map(|time| time.trunc_subsecs(6));
        if retry_after.is_some() {
            run.progress.percent = Percent::ZERO;
        }
        run.progress.message = None;
        run.progress.eta_seconds = None;
        run.error = Some(failure.error.clone());
        run.finished_at = Some(now);
        store_runs(self.0.raw, &[&run], Some(now))?;
        let job = if retry_after.is_some() {
            // A run with a pause cannot be claimed yet, so no waiting claim is woken.
            if run.available_at.is_none() {
                self.0.stage_runs().note_ready(run.stage);
            }
            rollup(&mut self.0, run.job_id, RUN_AND_JOB_EVENTS)?
        } else {
            let error = LongText::new(format!("{}: {}", run.stage, failure.error.as_str()))?;
            self.end_job(
                run.job_id,
                JobStatus::Failed,
                Some(&error),
                RUN_AND_JOB_EVENTS,
            )?
        };
        let Some(job) = job else { return Ok(None) };
        let events = vec![Event::from(&run), Event::from(&job)];
        let log = AttemptLog {
            message: Some(failure.error),
            details: failure.details,
            ..AttemptLog::new(&run, LogStatus::Failed)
        };
        self.record(now, vec![(&job, events)], &[log])?;
        Ok(Some((job, run)))
    }

    /// Ends a job and closes its open runs. `None`: it has ended meanwhile.
    /// `event_count` is the number of events that the caller records for this change.
    pub(crate) fn end_job(
        &mut self,
        job_id: JobId,
        status: JobStatus,
        error: Option<&LongText>,
        event_count: usize,
    ) -> Result<Option<Job>, Error> {
        let now = self.0.update_time();
        let may_end = jobs::table
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(jobs::status.eq_any(status.predecessors().iter().map(|s| s.as_str())));
        let end = diesel::update(may_end)
            .set((
                JobChanges::transition(Some(status)),
                jobs::error_message.eq(error.map(LongText::as_str)),
                jobs::version.eq(jobs::version + 1),
                jobs::last_seq.eq(jobs::last_seq + row_count(event_count)),
                JobTimes::after_change(Some(status), now),
            ))
            .returning(columns::<JobRow>());
        let end = Prepared(end);
        let row = on_either!(self.0.raw, conn => end.get_result::<JobRow>(conn))
            .optional()
            .doing("end a job")?;
        let job = row::one::<_, Job>(row)?;
        if let Some(job) = &job {
            self.0.stage_runs().close(job)?;
        }
        Ok(job)
    }

    /// Records the events of jobs, and one log entry for each of `attempt_logs`.
    pub(crate) fn record(
        &mut self,
        now: DateTime<Utc>,
        events: Vec<(&Job, Vec<Event>)>,
        attempt_logs: &[AttemptLog<'_>],
    ) -> Result<(), Error> {
        let changes = events.into_iter().map(|(job, events)| JobChange {
            job,
            at: now,
            events,
        });
        let entries = attempt_logs.iter().map(|log| log.to_entry(now));
        let entries = entries.collect::<Result<_, Error>>()?;
        self.0.job_events().record(changes.collect(), entries)
    }
}

/// Why an attempt failed, and whether there may be another.
pub(crate) struct FailedAttempt<'a> {
    pub(crate) error: &'a LongText,
    pub(crate) details: Option<&'a JsonObject>,
    /// Pause before the next attempt; `None`: do not try again.
    pub(crate) retry_after: Option<Duration>,
}

/// The content of a log entry about an attempt.
pub(crate) struct AttemptLog<'a> {
    pub(crate) run: &'a StageRun,
    pub(crate) status: LogStatus,
    pub(crate) message: Option<&'a LongText>,
    pub(crate) details: Option<&'a JsonObject>,
}

impl<'a> AttemptLog<'a> {
    pub(crate) fn new(run: &'a StageRun, status: LogStatus) -> Self {
        Self {
            run,
            status,
            message: None,
            details: None,
        }
    }

    pub(super) fn to_entry(&self, at: DateTime<Utc>) -> Result<AttemptEntry, Error> {
        let run = self.run;
        let times = run.started_at.zip(run.finished_at);
        let duration = times.map(|(start, end)| Seconds::new((end - start).as_seconds_f64()));
        let worker = run.worker.as_ref().map(WorkerName::as_str);
        let data = NewLogEntry {
            agent_name: worker.map(AgentName::new).transpose()?,
            message: self.message.cloned(),
            error_details: self.details.cloned(),
            // Unknown if the clock was set back during the attempt, which then
            // seems to end before it starts.
            duration_seconds: duration.and_then(Result::ok),
            ..NewLogEntry::new(run.stage, self.status)
        };
        Ok(AttemptEntry {
            job_id: run.job_id,
            at,
            data,
        })
    }
}
