//! The jobs.

use diesel::prelude::*;
use lectern_domain::{
    Clip, Cursor, Job, JobFilter, JobId, JobResults, JobStatus, JobUpdate, NewJob, Page,
    PageRequest, Patch, ProgressReport, TaskId, Whole,
};

use crate::clips::{self, ClipRow};
use crate::conn::{Conn, ReadWrite};
use crate::connection::{MultiBackend, on_either};
use crate::error::Doing;
use crate::job_row::{COLUMNS, Columns, JobChanges, JobRow, NewJobRow};
use crate::schema::{clips as clips_table, jobs};
use crate::sql_types::{DbTime, DbUuid};
use crate::{Error, rows};

/// The repository of the jobs: `conn.jobs()`.
#[derive(Debug)]
pub struct Jobs<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> Jobs<'_, Mode> {
    /// The job of this id.
    pub fn find(&mut self, job_id: JobId) -> Result<Option<Job>, Error> {
        let named = jobs::table
            .filter(jobs::job_id.eq(DbUuid(job_id.as_uuid())))
            .select(COLUMNS);
        let row = on_either!(self.0.raw, conn => named.get_result::<JobRow>(conn))
            .optional()
            .doing("find a job")?;
        rows::one(row)
    }

    /// Whether there is a job of this id.
    pub fn exists(&mut self, job_id: JobId) -> Result<bool, Error> {
        let named = jobs::table
            .filter(jobs::job_id.eq(DbUuid(job_id.as_uuid())))
            .select(jobs::job_id);
        on_either!(self.0.raw, conn => named.get_result::<DbUuid>(conn))
            .optional()
            .map(|found| found.is_some())
            .doing("look whether a job exists")
    }

    /// The job worked on by this task of an outside queue; the newest, should
    /// there be several.
    pub fn find_by_celery_task_id(&mut self, task_id: &TaskId) -> Result<Option<Job>, Error> {
        let row = jobs::table
            .filter(jobs::celery_task_id.eq(task_id.as_str()))
            .order((jobs::created_at.desc(), jobs::job_id.desc()))
            .select(COLUMNS)
            .first::<JobRow>(self.0.raw)
            .optional()
            .doing("find a job by its task")?;
        rows::one(row)
    }

    /// A page of the jobs that fit `filter`, newest first.
    ///
    /// Pages follow one another without a repeat or a gap while jobs are made
    /// and deleted: a page begins where the one before ended, not at a count.
    pub fn list(&mut self, filter: &JobFilter, page: PageRequest) -> Result<Page<Job>, Error> {
        let mut query = matching(filter)
            .order((jobs::created_at.desc(), jobs::job_id.desc()))
            .limit(rows::one_more(page.limit));
        if let Some(Cursor { time, id }) = page.after {
            let (time, id) = (DbTime::bound(time), DbUuid(id));
            // The first condition alone is what an index can begin at.
            query = query
                .filter(jobs::created_at.le(time))
                .filter(jobs::created_at.lt(time).or(jobs::job_id.lt(id)));
        }
        let found = query.load::<JobRow>(self.0.raw).doing("list jobs")?;
        Ok(rows::cut(rows::all(found)?, page.limit, |job: &Job| {
            Cursor {
                time: job.created_at,
                id: job.job_id.as_uuid(),
            }
        }))
    }

    /// How many jobs fit `filter`.
    pub fn count(&mut self, filter: &JobFilter) -> Result<i64, Error> {
        matching(filter)
            .select(diesel::dsl::count_star())
            .get_result(self.0.raw)
            .doing("count jobs")
    }

    /// A job and its clips by their order: one query, one join.
    pub fn with_clips(&mut self, job_id: JobId) -> Result<Option<(Job, Vec<Clip>)>, Error> {
        let found = jobs::table
            .left_join(clips_table::table.on(clips_table::job_id.eq(jobs::job_id)))
            .filter(jobs::job_id.eq(DbUuid(job_id.as_uuid())))
            .order(clips_table::clip_order)
            .select((COLUMNS, clips::COLUMNS.nullable()))
            .load::<(JobRow, Option<ClipRow>)>(self.0.raw)
            .doing("load a job with its clips")?;
        let mut job = None;
        let mut clips = Vec::with_capacity(found.len());
        for (job_row, clip_row) in found {
            job.get_or_insert(job_row);
            clips.extend(clip_row);
        }
        Ok(match rows::one(job)? {
            None => None,
            Some(job) => Some((job, rows::all(clips)?)),
        })
    }

    /// A page of jobs, each with its clips by their order: two queries, however
    /// many jobs there are.
    pub fn list_with_clips(
        &mut self,
        filter: &JobFilter,
        page: PageRequest,
    ) -> Result<Page<(Job, Vec<Clip>)>, Error> {
        let Page { items, next } = self.list(filter, page)?;
        let ids: Vec<_> = items.iter().map(|job| job.job_id).collect();
        let mut clips = crate::Clips(Conn::<Mode>::new(self.0.raw, self.0.clock)).for_jobs(&ids)?;
        let items = items
            .into_iter()
            .map(|job| {
                let of_job = clips.remove(&job.job_id).unwrap_or_default();
                (job, of_job)
            })
            .collect();
        Ok(Page { items, next })
    }

    /// A job with its clips, transcript and layout: four queries, however much
    /// there is.
    pub fn results(&mut self, job_id: JobId) -> Result<Option<JobResults>, Error> {
        let Some(job) = self.find(job_id)? else {
            return Ok(None);
        };
        let mut conn = Conn::<Mode>::new(self.0.raw, self.0.clock);
        Ok(Some(JobResults {
            job,
            clips: conn.clips().for_job(job_id)?,
            transcript: conn.transcripts().for_job(job_id)?,
            layout: conn.layout_analysis().find_for_job(job_id)?,
        }))
    }
}

impl Jobs<'_, ReadWrite> {
    /// Makes a job; the database's clock dates it.
    pub fn create(&mut self, job: &NewJob) -> Result<Job, Error> {
        let insert = diesel::insert_into(jobs::table)
            .values(NewJobRow::new(job, self.0.clock))
            .returning(COLUMNS);
        on_either!(self.0.raw, conn => insert.get_result::<JobRow>(conn))
            .doing("create a job")?
            .try_into()
    }

    /// Changes what `update` mentions, in one guarded statement, and answers
    /// the job as it is then; `None` when there is no such job.
    ///
    /// # Errors
    ///
    /// [`Error::VersionMismatch`] when the job is not at `expected_version`,
    /// [`Error::IllegalTransition`] when it cannot get `update.status`. Either
    /// way nothing is changed.
    pub fn update(
        &mut self,
        job_id: JobId,
        update: &JobUpdate,
        expected_version: Option<i64>,
    ) -> Result<Option<Job>, Error> {
        let now = DbTime(self.0.clock.now());
        let before = update
            .status
            .map_or(JobStatus::ALL, JobStatus::predecessors);
        let versions = expected_version.map_or((i64::MIN, i64::MAX), |v| (v, v));
        let change = diesel::update(jobs::table)
            .filter(jobs::job_id.eq(DbUuid(job_id.as_uuid())))
            .filter(jobs::status.eq_any(before.iter().map(|status| status.as_str())))
            .filter(jobs::version.between(versions.0, versions.1))
            .set((
                JobChanges::new(update, now),
                jobs::version.eq(jobs::version + 1),
                jobs::updated_at.eq(now),
            ))
            .returning(COLUMNS);
        let row = on_either!(self.0.raw, conn => change.get_result::<JobRow>(conn))
            .optional()
            .doing("update a job")?;
        if row.is_some() {
            return rows::one(row);
        }
        // Nothing was changed; why not is told from the job as it is now.
        let Some(job) = self.find(job_id)? else {
            return Ok(None);
        };
        Err(match (expected_version, update.status) {
            (Some(expected), _) if expected != job.version => Error::VersionMismatch {
                job_id,
                expected,
                actual: job.version,
            },
            (_, Some(to)) => Error::IllegalTransition {
                job_id,
                from: job.status,
                to,
            },
            (_, None) => Error::Query {
                doing: "update a job",
                source: diesel::result::Error::NotFound,
            },
        })
    }

    /// Moves a job to another status; `None` when there is no such job.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalTransition`] when it cannot get there.
    pub fn transition(&mut self, job_id: JobId, status: JobStatus) -> Result<Option<Job>, Error> {
        let update = JobUpdate {
            status: Some(status),
            ..JobUpdate::default()
        };
        self.update(job_id, &update, None)
    }

    /// Stores how far a stage has come and answers the job as it is then;
    /// `None` when there is no such job.
    ///
    /// The first report moves a queued job to running. One that would take its
    /// stage backwards came late: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] when the job is neither queued nor running.
    pub fn report_progress(
        &mut self,
        job_id: JobId,
        report: &ProgressReport,
    ) -> Result<Option<Job>, Error> {
        let now = DbTime(self.0.clock.now());
        let stage = report.stage.as_str();
        let percent = report.percent.get();
        let update = diesel::update(jobs::table)
            .filter(jobs::job_id.eq(DbUuid(job_id.as_uuid())))
            .filter(jobs::status.eq_any([JobStatus::Queued.as_str(), JobStatus::Running.as_str()]))
            .filter(
                jobs::current_stage
                    .is_null()
                    .or(jobs::current_stage.ne(stage).assume_not_null())
                    .or(jobs::progress_percent.le(percent)),
            )
            .set((
                jobs::status.eq(JobStatus::Running.as_str()),
                jobs::current_stage.eq(Some(stage)),
                jobs::progress_percent.eq(percent),
                jobs::progress_message.eq(report.message.as_deref()),
                jobs::eta_seconds.eq(report.eta_seconds.map(Whole::get)),
                jobs::version.eq(jobs::version + 1),
                jobs::updated_at.eq(now),
            ))
            .returning(COLUMNS);
        let row = on_either!(self.0.raw, conn => update.get_result::<JobRow>(conn))
            .optional()
            .doing("report progress")?;
        if row.is_some() {
            return rows::one(row);
        }
        match self.find(job_id)? {
            Some(job) if !job.status.accepts_progress() => Err(Error::NotRunning {
                job_id,
                status: job.status,
            }),
            late_or_gone => Ok(late_or_gone),
        }
    }

    /// Ties a job to a task of an outside queue, or unties it; `false` when
    /// there is no such job.
    pub fn set_celery_task_id(
        &mut self,
        job_id: JobId,
        task_id: Option<TaskId>,
    ) -> Result<bool, Error> {
        let update = JobUpdate {
            celery_task_id: task_id.map_or(Patch::Clear, Patch::Set),
            ..JobUpdate::default()
        };
        Ok(self.update(job_id, &update, None)?.is_some())
    }

    /// Deletes a job and everything below it; `false` when there is no such
    /// job.
    pub fn delete(&mut self, job_id: JobId) -> Result<bool, Error> {
        let named = jobs::table.filter(jobs::job_id.eq(DbUuid(job_id.as_uuid())));
        let deleted = diesel::delete(named)
            .execute(self.0.raw)
            .doing("delete a job")?;
        Ok(deleted > 0)
    }
}

type Matching<'a> =
    diesel::dsl::IntoBoxed<'a, diesel::dsl::Select<jobs::table, Columns>, MultiBackend>;

/// The jobs that fit a filter, in no order yet.
fn matching(filter: &JobFilter) -> Matching<'static> {
    let mut query = jobs::table.select(COLUMNS).into_boxed::<MultiBackend>();
    if let Some(status) = filter.status {
        query = query.filter(jobs::status.eq(status.as_str()));
    }
    if let Some(stage) = filter.stage {
        query = query.filter(jobs::current_stage.eq(stage.as_str()));
    }
    if let Some(time) = filter.created_after {
        query = query.filter(jobs::created_at.ge(DbTime::bound(time)));
    }
    if let Some(time) = filter.created_before {
        query = query.filter(jobs::created_at.lt(DbTime::bound(time)));
    }
    query
}
