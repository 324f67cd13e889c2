//! Jobs that cannot be worked on, because one of their rows cannot be read.

use diesel::prelude::*;
use lectern_domain::{JobId, JobStatus, StageRunStatus};

use super::Work;
use crate::connection::on_either;
use crate::error::{Doing, Error};
use crate::repositories::stage_runs::is_open;
use crate::schema::{jobs, stage_runs};
use crate::sql::types::Id;

/// The error message of the job.
const MESSAGE: &str = "a row of this job cannot be read; the log of the server names it";

impl Work<'_> {
    /// Fails a job and its open runs without reading them. Otherwise each claim would pick
    /// the same rows first, and nothing else would be claimed.
    ///
    /// No events are recorded: they contain the job, which may be unreadable.
    pub(super) fn fail_unreadable_job(&mut self, job_id: JobId) -> Result<(), Error> {
        let now = self.0.update_time();
        let runs = diesel::update(stage_runs::table)
            .filter(stage_runs::job_id.eq(Id(job_id)))
            .filter(is_open())
            .set((
                stage_runs::status.eq(StageRunStatus::Failed.as_str()),
                stage_runs::error.eq(Some(MESSAGE)),
                stage_runs::finished_at.eq(now.nullable()),
            ));
        on_either!(self.0.raw, conn => runs.execute(conn)).doing("fail unreadable runs")?;
        let predecessors = JobStatus::Failed.predecessors().iter();
        let job = diesel::update(jobs::table)
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(jobs::status.eq_any(predecessors.map(|status| status.as_str())))
            .set((
                jobs::status.eq(JobStatus::Failed.as_str()),
                jobs::error_message.eq(Some(MESSAGE)),
                jobs::version.eq(jobs::version + 1),
                jobs::updated_at.eq(now),
            ));
        on_either!(self.0.raw, conn => job.execute(conn)).doing("fail an unreadable job")?;
        Ok(())
    }
}
