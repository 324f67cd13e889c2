//! Jobs: the table `jobs`.

mod batched;
mod bound_query;
mod guarded_change;
mod list;
mod list_query;
mod metadata_filter;
mod metrics;
mod progress;
pub(crate) mod rollup;
pub(crate) mod row;
pub(crate) mod times;
mod usage;
mod write;

pub use write::UnneededObjects;

use std::collections::{HashMap, HashSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use lectern_domain::{Clip, Job, JobId, JobResults, TaskId};

use self::row::JobRow;
use crate::connection::Conn;
use crate::connection::{Backend, on_either};
use crate::dialect;
use crate::error::{Doing, Error};
use crate::repositories::clips::ClipRow;
use crate::schema::{clips as clips_table, jobs};
use crate::sql::prepared::Prepared;
use crate::sql::row as rows;
use crate::sql::row::columns;
use crate::sql::types::Id;

/// The repository of the jobs: `conn.jobs()`.
#[derive(Debug)]
pub struct Jobs<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> Jobs<'_, Mode> {
    /// The job with this id.
    pub fn find(&mut self, job_id: JobId) -> Result<Option<Job>, Error> {
        let by_id = jobs::table
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("jobs"))
            .select(columns::<JobRow>());
        let row = on_either!(self.0.raw, conn => by_id.get_result::<JobRow>(conn))
            .optional()
            .doing("find a job")?;
        rows::one(row)
    }

    /// The small jobs with these ids; on PostgreSQL one query. A job that cannot be read is
    /// an error of its own.
    pub(crate) fn find_small(
        &mut self,
        job_ids: &[JobId],
    ) -> Result<HashMap<JobId, Result<Job, Error>>, Error> {
        let backend = self.0.raw.backend();
        let is_small = dialect::is_small(backend);
        let rows = if backend == Backend::Postgres && job_ids.len() > 1 {
            let by_id = jobs::table
                .filter(dialect::is_one_of(backend, "jobs.job_id", job_ids))
                .filter(self.0.context.owned("jobs"))
                .filter(sql::<Bool>(is_small))
                .select(columns::<JobRow>());
            let by_id = Prepared(by_id);
            on_either!(self.0.raw, conn => by_id.load::<JobRow>(conn)).doing("find jobs")?
        } else {
            let mut rows = Vec::with_capacity(job_ids.len());
            for job_id in job_ids {
                let by_id = jobs::table
                    .filter(jobs::job_id.eq(Id(*job_id)))
                    .filter(self.0.context.owned("jobs"))
                    .filter(sql::<Bool>(is_small))
                    .select(columns::<JobRow>());
                let by_id = Prepared(by_id);
                let row =
                    on_either!(self.0.raw, conn => by_id.get_result::<JobRow>(conn)).optional();
                rows.extend(row.doing("find jobs")?);
            }
            rows
        };
        Ok(rows
            .into_iter()
            .map(|row| (row.job_id(), row.try_into()))
            .collect())
    }

    /// Whether a job has this id.
    pub fn exists(&mut self, job_id: JobId) -> Result<bool, Error> {
        let by_id = jobs::table
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("jobs"))
            .select(jobs::job_id);
        on_either!(self.0.raw, conn => by_id.get_result::<Id<JobId>>(conn))
            .optional()
            .map(|found| found.is_some())
            .doing("check whether a job exists")
    }

    /// The ids in `job_ids` that belong to existing jobs.
    pub fn existing(&mut self, job_ids: &[JobId]) -> Result<HashSet<JobId>, Error> {
        let ids: Vec<_> = job_ids.iter().copied().map(Id).collect();
        let found = jobs::table
            .filter(jobs::job_id.eq_any(ids))
            .filter(self.0.context.owned("jobs"))
            .select(jobs::job_id)
            .load::<Id<JobId>>(self.0.raw)
            .doing("check which jobs exist")?;
        Ok(found.into_iter().map(|id| id.0).collect())
    }

    /// The recordings of `owners` that other jobs share.
    pub fn shared_recordings(&mut self, owners: &[JobId]) -> Result<HashSet<String>, Error> {
        let ids: Vec<_> = owners.iter().copied().map(Id).collect();
        let shared: Vec<Option<String>> = jobs::table
            .filter(jobs::source_job_id.assume_not_null().eq_any(ids))
            .filter(jobs::source_job_id.is_not_null())
            .filter(self.0.context.owned("jobs"))
            .select(jobs::original_s3_key)
            .load(self.0.raw)
            .doing("find shared recordings")?;
        Ok(shared.into_iter().flatten().collect())
    }

    /// The job with this task id of an external queue; the newest if there are
    /// several.
    pub fn find_by_celery_task_id(&mut self, task_id: &TaskId) -> Result<Option<Job>, Error> {
        let row = jobs::table
            .filter(jobs::celery_task_id.eq(task_id.as_str()))
            .filter(self.0.context.owned("jobs"))
            .order((jobs::created_at.desc(), jobs::job_id.desc()))
            .select(columns::<JobRow>())
            .first::<JobRow>(self.0.raw)
            .optional()
            .doing("find a job by its task")?;
        rows::one(row)
    }

    /// A job and its clips by `clip_order`: one query with a join.
    pub fn with_clips(&mut self, job_id: JobId) -> Result<Option<(Job, Vec<Clip>)>, Error> {
        let found = jobs::table
            .left_join(clips_table::table.on(clips_table::job_id.eq(jobs::job_id)))
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("jobs"))
            .order(clips_table::clip_order)
            .select((columns::<JobRow>(), columns::<ClipRow>().nullable()))
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
            Some(job) => Some((job, self.0.readable(clips)?)),
        })
    }

    /// A job with its clips, transcript, layout and notes: five queries for any number of
    /// rows.
    pub fn results(&mut self, job_id: JobId) -> Result<Option<JobResults>, Error> {
        let Some(job) = self.find(job_id)? else {
            return Ok(None);
        };
        let conn = &mut self.0;
        Ok(Some(JobResults {
            job,
            clips: conn.clips().for_job(job_id)?,
            transcript: conn.transcripts().for_job(job_id)?,
            layout: conn.layout_analysis().find_for_job(job_id)?,
            notes: conn.stage_runs().notes(job_id)?,
        }))
    }
}
