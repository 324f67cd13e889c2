//! Creates, changes and deletes jobs. The same transaction updates the stage runs
//! and records the events.

use diesel::prelude::*;
use lectern_domain::{
    AuditAction, AuditChange, Event, Invalid, Job, JobId, JobStatus, JobUpdate, NewJob,
    NewJobOfSource, NewJobStatus, OwnerName, Patch, Requirement, Stage, TaskId,
};

use super::Jobs;
use super::guarded_change::{Guarded, meets_requirements};
use super::row::{JobChanges, JobRow, NewJobRow};
use super::times::JobTimes;
use super::usage::count_new;
use crate::connection::{Backend, DbConnection, ReadWrite, on_either};
use crate::dialect::insert_jobs_on_postgres;
use crate::error::{Doing, Error};
use crate::repositories::job_events::JobChange;
use crate::schema::jobs;
use crate::sql::prepared::Prepared;
use crate::sql::row::{self, columns};
use crate::sql::types::{DbTime, Id};

impl Jobs<'_, ReadWrite> {
    /// Creates a job. The stages of a queued job can be claimed at once.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when `processing_config` names an unknown pipeline;
    /// [`Error::QuotaExceeded`].
    pub fn create(&mut self, new: &NewJob) -> Result<Job, Error> {
        self.create_as(JobId::new(self.0.clock), new)
    }

    /// Creates a job with a given id, for an upload whose storage key contains it,
    /// for example.
    ///
    /// # Errors
    ///
    /// As [`Jobs::create`]; [`Error::Constraint`] when a job has this id.
    pub fn create_as(&mut self, job_id: JobId, new: &NewJob) -> Result<Job, Error> {
        let owner = self.0.context.owner;
        count_new(&mut self.usage(owner)?, new)?;
        let created = self.create_all(&[(job_id, new)])?.pop();
        // Unreachable: an insert returns as many rows as it inserts.
        created.ok_or(Error::JobNotFound { job_id })
    }

    /// Creates jobs with the given ids, and returns them in this order. The caller has checked
    /// the quota.
    ///
    /// # Errors
    ///
    /// As [`Jobs::create_as`]; no job is created then.
    pub(crate) fn create_all(&mut self, new: &[(JobId, &NewJob)]) -> Result<Vec<Job>, Error> {
        self.create_all_of(self.0.context.owner, new)
    }

    /// As [`Jobs::create_all`], for jobs of another owner than that of the transaction.
    fn create_all_of(
        &mut self,
        owner: Option<&OwnerName>,
        new: &[(JobId, &NewJob)],
    ) -> Result<Vec<Job>, Error> {
        let now = self.0.insert_time();
        let pipelines = self.0.context.pipelines;
        let mut runs = Vec::new();
        let mut used_pipelines = Vec::new();
        for (_, new) in new {
            // Also of a pending job: an unknown pipeline is rejected before the upload.
            used_pipelines.push(pipelines.for_config(new.processing_config.as_ref())?);
        }
        for ((job_id, new), pipeline) in new.iter().zip(&used_pipelines) {
            if new.status == NewJobStatus::Queued {
                runs.extend(
                    self.0
                        .stage_runs()
                        .new_runs(*job_id, new.priority, pipeline),
                );
            }
        }
        let now_sql = now.to_sql(self.0.raw, "$1");
        let jobs = match self.0.raw {
            DbConnection::Postgres(conn) => {
                let rows: Vec<JobRow> =
                    insert_jobs_on_postgres(conn, owner, new, &runs, &now_sql, now.parameter())?;
                row::all(rows)?
            }
            DbConnection::Sqlite(conn) => {
                let mut jobs: Vec<Job> = Vec::with_capacity(new.len());
                for (job_id, new) in new {
                    let insert = diesel::insert_into(jobs::table)
                        .values(NewJobRow::new(*job_id, owner, new, now))
                        .returning(columns::<JobRow>());
                    let row = insert.get_result::<JobRow>(conn).doing("create a job")?;
                    jobs.push(row.try_into()?);
                }
                if let Some(job) = jobs.first() {
                    let created_at = DbTime(job.created_at);
                    self.0.stage_runs().insert(&runs, owner, created_at)?;
                }
                jobs
            }
        };
        self.record_changes(&jobs)?;
        Ok(jobs)
    }

    /// Changes the fields that `update` sets, in one guarded statement, and returns
    /// the changed job.
    ///
    /// Queueing a job opens its stage runs; ending it closes those still open.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`], [`Error::VersionMismatch`] when the job is not at
    /// `expected_version`, [`Error::IllegalTransition`] when the state machine
    /// does not allow `update.status`, [`Error::Invalid`] when a merge makes an object too
    /// large. An error changes nothing.
    pub fn update(
        &mut self,
        job_id: JobId,
        update: &JobUpdate,
        expected_version: Option<i64>,
    ) -> Result<Job, Error> {
        self.audited(AuditAction::JobUpdate, job_id, None, |jobs| {
            jobs.apply(job_id, update, expected_version)
        })
    }

    /// [`Jobs::update`] without the audit.
    fn apply(
        &mut self,
        job_id: JobId,
        update: &JobUpdate,
        expected_version: Option<i64>,
    ) -> Result<Job, Error> {
        let from = update
            .status
            .map_or(JobStatus::ALL, JobStatus::predecessors);
        let merged = if update.merges() {
            Some(update.merged_into(&self.lock(job_id)?)?)
        } else {
            None
        };
        let update = merged.as_ref().unwrap_or(update);
        let attempt = |jobs: &mut Self| jobs.change(job_id, update, expected_version, from);
        match self.guarded(job_id, attempt)? {
            Guarded::Changed(job) => Ok(job),
            Guarded::Refused(job) => Err(match (expected_version, update.status) {
                (Some(expected), _) if expected != job.version => Error::VersionMismatch {
                    job_id,
                    expected,
                    actual: job.version,
                },
                (_, Some(to)) => illegal(&job, to),
                // Unreachable: without a status, only the version can be refused.
                (_, None) => Error::Query {
                    doing: "update a job",
                    source: Box::new(diesel::result::Error::NotFound),
                },
            }),
        }
    }

    /// As [`Jobs::update`], but a job that has the status of `update` already keeps it, and
    /// only the other fields change. If nothing would change, the job is returned as it is.
    ///
    /// # Errors
    ///
    /// As [`Jobs::update`].
    pub fn update_idempotently(
        &mut self,
        job_id: JobId,
        update: &JobUpdate,
        expected_version: Option<i64>,
    ) -> Result<Job, Error> {
        self.audited(AuditAction::JobUpdate, job_id, None, |jobs| {
            jobs.apply_idempotently(job_id, update, expected_version)
        })
    }

    fn apply_idempotently(
        &mut self,
        job_id: JobId,
        update: &JobUpdate,
        expected_version: Option<i64>,
    ) -> Result<Job, Error> {
        let changed = self.apply(job_id, update, expected_version);
        let other_fields = JobUpdate {
            status: None,
            ..update.clone()
        };
        match (&changed, update.status) {
            (Err(Error::IllegalTransition { from, .. }), Some(to))
                if *from == to && other_fields != JobUpdate::default() =>
            {
                self.apply(job_id, &other_fields, expected_version)
            }
            (_, Some(to)) => self.keep_status(changed, to),
            (_, None) => changed,
        }
    }

    /// Returns the job if its transition was refused because it has this status already.
    /// It is still locked.
    fn keep_status(
        &mut self,
        changed: Result<Job, Error>,
        status: JobStatus,
    ) -> Result<Job, Error> {
        match changed {
            Err(Error::IllegalTransition { job_id, from, .. }) if from == status => {
                self.find(job_id)?.ok_or(Error::JobNotFound { job_id })
            }
            changed => changed,
        }
    }

    /// Moves a job to another status.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::IllegalTransition`] when the state
    /// machine has no such transition.
    pub fn transition(&mut self, job_id: JobId, status: JobStatus) -> Result<Job, Error> {
        self.update(job_id, &status_update(status), None)
    }

    /// Queues a pending job whose recording has arrived. A job that is queued,
    /// running or completed already is returned unchanged.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::IllegalTransition`] when the job has
    /// failed or was cancelled.
    pub fn confirm(&mut self, job_id: JobId) -> Result<Job, Error> {
        let queued = JobStatus::Queued;
        let attempt = |jobs: &mut Self| {
            jobs.change(job_id, &status_update(queued), None, &[JobStatus::Pending])
        };
        match self.guarded(job_id, attempt)? {
            Guarded::Refused(job)
                if matches!(job.status, JobStatus::Failed | JobStatus::Cancelled) =>
            {
                Err(illegal(&job, queued))
            }
            Guarded::Changed(job) | Guarded::Refused(job) => Ok(job),
        }
    }

    /// Cancels a job. Its workers learn of it with their next heartbeat. A job that was
    /// cancelled already is returned unchanged.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::IllegalTransition`] when the job is completed
    /// or has failed.
    pub fn cancel(&mut self, job_id: JobId) -> Result<Job, Error> {
        let cancelled = JobStatus::Cancelled;
        self.audited(AuditAction::JobCancel, job_id, None, |jobs| {
            let changed = jobs.apply(job_id, &status_update(cancelled), None);
            jobs.keep_status(changed, cancelled)
        })
    }

    /// Queues a failed or cancelled job again. Completed stages are not repeated. A job
    /// that is queued already is returned unchanged.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::IllegalTransition`] when the job is pending, running
    /// or completed, or when its recording never arrived.
    pub fn retry(&mut self, job_id: JobId) -> Result<Job, Error> {
        let queued = JobStatus::Queued;
        let from = &[JobStatus::Failed, JobStatus::Cancelled];
        let attempt = |jobs: &mut Self| jobs.change(job_id, &status_update(queued), None, from);
        self.audited(AuditAction::JobRetry, job_id, None, |jobs| {
            match jobs.guarded(job_id, attempt)? {
                Guarded::Changed(job) => Ok(job),
                Guarded::Refused(job) if job.status == queued => Ok(job),
                Guarded::Refused(job) => Err(illegal(&job, queued)),
            }
        })
    }

    /// Queues a finished job again, and runs the stage `from` and its dependents again. The
    /// output of other completed stages is kept. Stages that were not completed are run, too.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::IllegalTransition`] when the job has not finished, or
    /// its recording never arrived; [`Error::Invalid`] names `from_stage` when the job has no
    /// such stage. The transaction must be rolled back after an error.
    pub fn rerun(&mut self, job_id: JobId, from: Stage) -> Result<Job, Error> {
        let queued = JobStatus::Queued;
        let attempt = |jobs: &mut Self| {
            let update = status_update(queued);
            jobs.change_and_open(job_id, &update, None, JobStatus::RERUNNABLE, Some(from))
        };
        self.audited(AuditAction::JobRerun, job_id, Some(from), |jobs| match jobs
            .guarded(job_id, attempt)?
        {
            Guarded::Changed(job) => Ok(job),
            Guarded::Refused(job) => Err(illegal(&job, queued)),
        })
    }

    /// Creates a job over the recording of another one, which shares the object. It has the
    /// owner of that job, so that no recording is shared between owners.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] names `source_job_id` when there is no such job, or its recording
    /// was not uploaded, or `processing_config` as in [`Jobs::create`].
    pub fn create_from_source(&mut self, new: &NewJobOfSource) -> Result<Job, Error> {
        let no_source = |message| Error::from(Invalid::field("source_job_id", message));
        // The lock keeps the job and its recording until this one exists.
        let source = match self.lock(new.source_job_id) {
            Err(Error::JobNotFound { .. }) => return Err(no_source("must be a job that exists")),
            source => source?,
        };
        let has_runs = !self.0.stage_runs().all_for_job(source.job_id)?.is_empty();
        let stage = source.progress.as_ref().map(|progress| progress.stage);
        if source.status == JobStatus::Pending
            || !Requirement::RecordingUploaded.is_met(stage, has_runs)
        {
            return Err(no_source("must be a job whose recording was uploaded"));
        }
        let job_id = JobId::new(self.0.clock);
        let new = new.of(&source)?;
        count_new(&mut self.usage(source.owner_id.as_ref())?, &new)?;
        let created = self.create_all_of(source.owner_id.as_ref(), &[(job_id, &new)])?;
        let created = created.into_iter().next();
        // Unreachable: an insert returns as many rows as it inserts.
        created.ok_or(Error::JobNotFound { job_id })
    }

    /// The job `owner` if it exists, and all jobs that share its recording, locked in the
    /// order of their ids.
    fn lock_sharers(&mut self, owner: JobId) -> Result<Vec<JobId>, Error> {
        let mut locked = self.lock_known_sharers(owner)?;
        if self.0.context.backend == Backend::Sqlite {
            return Ok(locked);
        }
        // A query that waited for a lock does not see the job that its holder has made of the
        // locked one meanwhile. Jobs are made of locked ones only, so that a query after which
        // nothing new is locked has seen all.
        loop {
            let again = self.lock_known_sharers(owner)?;
            if again == locked {
                return Ok(locked);
            }
            locked = again;
        }
    }

    fn lock_known_sharers(&mut self, owner: JobId) -> Result<Vec<JobId>, Error> {
        let sharers = jobs::table
            .filter(
                jobs::job_id
                    .eq(Id(owner))
                    .or(jobs::source_job_id.eq(Id(owner)).assume_not_null()),
            )
            .order(jobs::job_id)
            .select(jobs::job_id);
        let sharers: Result<Vec<Id<JobId>>, _> = match self.0.raw {
            DbConnection::Postgres(conn) => sharers.for_no_key_update().load(conn),
            DbConnection::Sqlite(conn) => sharers.load(conn),
        };
        let sharers = sharers.doing("lock the jobs that share a recording")?;
        Ok(sharers.into_iter().map(|id| id.0).collect())
    }

    /// Sets or clears the id of the job's task in an external queue.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`].
    pub fn set_celery_task_id(
        &mut self,
        job_id: JobId,
        task_id: Option<TaskId>,
    ) -> Result<Job, Error> {
        let update = JobUpdate {
            celery_task_id: task_id.map_or(Patch::Clear, Patch::Set),
            ..JobUpdate::default()
        };
        self.update(job_id, &update, None)
    }

    /// Deletes a job and everything that belongs to it. The result says which objects of the
    /// storage no job needs any more.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`].
    pub fn delete(&mut self, job_id: JobId) -> Result<UnneededObjects, Error> {
        let source: Option<Option<Id<JobId>>> = jobs::table
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("jobs"))
            .select(jobs::source_job_id)
            .get_result(self.0.raw)
            .optional()
            .doing("find the recording of a job")?;
        let Some(source) = source else {
            return Err(Error::JobNotFound { job_id });
        };
        let owner = source.map_or(job_id, |id| id.0);
        // Without the locks, the last two jobs with a recording could each leave it to the
        // other one.
        let mut sharers = self.lock_sharers(owner)?;
        sharers.retain(|sharer| *sharer != job_id);
        // Locked above.
        let before = if self.0.audit_entries().is_recording() {
            self.find(job_id)?
        } else {
            None
        };
        let by_id = jobs::table.filter(jobs::job_id.eq(Id(job_id)));
        let deleted = diesel::delete(by_id)
            .returning(jobs::original_s3_key)
            .get_result::<Option<String>>(self.0.raw)
            .optional()
            .doing("delete a job")?;
        let Some(recording) = deleted else {
            return Err(Error::JobNotFound { job_id });
        };
        if let Some(job) = before {
            let change = AuditChange::deleted_job(&job);
            self.0.audit_entries().record(&change)?;
        }
        self.0
            .context
            .publish(|committed| committed.deleted.push(job_id));
        let mut unneeded = UnneededObjects {
            of_jobs: vec![job_id],
            except: None,
        };
        match sharers[..] {
            [] if owner != job_id => unneeded.of_jobs.push(owner),
            [_, ..] if owner == job_id => unneeded.except = recording,
            _ => {}
        }
        Ok(unneeded)
    }

    /// Records a change of a job, if it changes the job and the transaction has an actor. The
    /// job is locked before, so that the old values are those that are replaced.
    fn audited(
        &mut self,
        action: AuditAction,
        job_id: JobId,
        rerun: Option<Stage>,
        change: impl FnOnce(&mut Self) -> Result<Job, Error>,
    ) -> Result<Job, Error> {
        if !self.0.audit_entries().is_recording() {
            return change(self);
        }
        let before = self.lock(job_id)?;
        let after = change(self)?;
        if after.version != before.version {
            let change = AuditChange::of_job(action, &before, &after, rerun);
            // An update may set the values that are stored already.
            if !change.is_empty() {
                self.0.audit_entries().record(&change)?;
            }
        }
        Ok(after)
    }

    /// Changes a job whose status is one of `from`; `None` when it has another status
    /// or another version, or does not exist.
    fn change(
        &mut self,
        job_id: JobId,
        update: &JobUpdate,
        expected_version: Option<i64>,
        from: &[JobStatus],
    ) -> Result<Option<Job>, Error> {
        self.change_and_open(job_id, update, expected_version, from, None)
    }

    /// As [`Jobs::change`]. A job that is queued runs the stage `rerun` and its dependents
    /// again.
    fn change_and_open(
        &mut self,
        job_id: JobId,
        update: &JobUpdate,
        expected_version: Option<i64>,
        from: &[JobStatus],
        rerun: Option<Stage>,
    ) -> Result<Option<Job>, Error> {
        let reopens = update.status == Some(JobStatus::Queued)
            && from.iter().any(|status| status.is_finished());
        if reopens && self.0.context.job_quota.limits_jobs() {
            match self.lock(job_id) {
                Ok(job) if from.contains(&job.status) => self.may_open(&job)?,
                Ok(_) | Err(Error::JobNotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let now = self.0.update_time();
        // Always a range, so that both cases share one prepared statement.
        let versions = expected_version.map_or((i64::MIN, i64::MAX), |v| (v, v));
        let events = i64::from(update.status.is_some());
        let change = diesel::update(jobs::table)
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("jobs"))
            .filter(jobs::status.eq_any(from.iter().map(|status| status.as_str())))
            .filter(meets_requirements(update.status))
            .filter(jobs::version.between(versions.0, versions.1))
            .set((
                JobChanges::new(update),
                jobs::version.eq(jobs::version + 1),
                jobs::last_seq.eq(jobs::last_seq + events),
                JobTimes::after_change(update.status, now),
            ))
            .returning(columns::<JobRow>());
        let change = Prepared(change);
        let row = on_either!(self.0.raw, conn => change.get_result::<JobRow>(conn))
            .optional()
            .doing("update a job")?;
        let Some(job) = row::one::<_, Job>(row)? else {
            return Ok(None);
        };
        if let Some(priority) = update.priority {
            self.0.stage_runs().set_priority(job_id, priority)?;
        }
        match update.status {
            None => return Ok(Some(job)),
            Some(JobStatus::Queued) => self.0.stage_runs().open(&job, rerun)?,
            Some(status) if status.is_finished() => self.0.stage_runs().close(&job)?,
            Some(_) => {}
        }
        self.record_change(job).map(Some)
    }

    /// Records the event of a change. The job's `last_seq` must already include it.
    pub(super) fn record_change(&mut self, job: Job) -> Result<Job, Error> {
        self.record_changes([&job])?;
        Ok(job)
    }

    /// As [`Jobs::record_change`], for changes of several jobs.
    pub(super) fn record_changes<'j>(
        &mut self,
        jobs: impl IntoIterator<Item = &'j Job>,
    ) -> Result<(), Error> {
        let changes = jobs.into_iter().map(|job| JobChange {
            job,
            at: job.updated_at,
            events: vec![Event::from(job)],
        });
        let changes = changes.collect();
        self.0.job_events().record(changes, Vec::new())
    }
}

/// The objects of the storage that no job needs after a job was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnneededObjects {
    /// The objects of these jobs.
    pub of_jobs: Vec<JobId>,
    /// The recording, if another job shares it.
    pub except: Option<String>,
}

fn status_update(status: JobStatus) -> JobUpdate {
    JobUpdate {
        status: Some(status),
        ..JobUpdate::default()
    }
}

fn illegal(job: &Job, to: JobStatus) -> Error {
    Error::IllegalTransition {
        job_id: job.job_id,
        from: job.status,
        to,
    }
}
