//! Reports of progress.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use lectern_domain::{Job, JobId, JobStatus, NonNegativeInt, ProgressReport};

use super::Jobs;
use super::guarded_change::Guarded;
use super::rollup::{rollup, rollup_all};
use super::row::JobRow;
use crate::connection::{DbConnection, ReadWrite, on_either};
use crate::dialect::store_reports_on_postgres;
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::prepared::Prepared;
use crate::sql::row::{self, columns};
use crate::sql::types::Id;

impl Jobs<'_, ReadWrite> {
    /// Stores the progress of a stage and returns the job.
    ///
    /// The first report moves a queued job to running. A report with a lower
    /// percentage than is stored for its stage is late: it changes nothing or, once a
    /// stage of the job has been claimed, only the message and the remaining time of its
    /// stage run.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::NotRunning`] when the job is neither
    /// queued nor running.
    pub fn report_progress(
        &mut self,
        job_id: JobId,
        report: &ProgressReport,
    ) -> Result<Job, Error> {
        match self.guarded(job_id, |jobs| jobs.store_report(job_id, report))? {
            Guarded::Refused(job) if !job.status.accepts_progress() => Err(Error::NotRunning {
                job_id,
                status: job.status,
            }),
            // A report that is refused although the job accepts progress was late.
            Guarded::Changed(job) | Guarded::Refused(job) => Ok(job),
        }
    }

    /// Stores reports on different jobs, which are locked. The inner results are those of
    /// [`Jobs::report_progress`]; after an outer error, no report was stored.
    pub(crate) fn report_all(
        &mut self,
        reports: &[(JobId, &ProgressReport)],
    ) -> Result<Vec<Result<Job, Error>>, Error> {
        let now = self.0.update_time();
        let now_sql = now.to_sql(self.0.raw, "$7");
        let rows: Vec<JobRow> = match self.0.raw {
            DbConnection::Postgres(conn) if reports.len() > 1 => {
                store_reports_on_postgres(conn, reports, HAS_LEASES, &now_sql, now.parameter())?
            }
            _ => {
                let report_one = |(job_id, report): &(JobId, &ProgressReport)| {
                    match self.report_progress(*job_id, report) {
                        // Refused before anything was written.
                        Err(error @ (Error::JobNotFound { .. } | Error::NotRunning { .. })) => {
                            Ok(Err(error))
                        }
                        result => result.map(Ok),
                    }
                };
                return reports.iter().map(report_one).collect();
            }
        };
        let stored: Vec<Job> = row::all(rows)?;
        let mut stored: HashMap<_, _> = stored.into_iter().map(|job| (job.job_id, job)).collect();
        let run_reports: Vec<_> = reports
            .iter()
            .filter_map(|(job_id, report)| Some((stored.get(job_id)?, *report)))
            .collect();
        let leased = self.0.stage_runs().report_all(&run_reports)?;
        for job in rollup_all(&mut self.0, &leased, 0)? {
            stored.insert(job.job_id, job);
        }
        self.record_changes(stored.values())?;
        let job_ids = reports.iter().map(|(job_id, _)| *job_id);
        let refused: Vec<_> = job_ids
            .clone()
            .filter(|id| !stored.contains_key(id))
            .collect();
        let mut refused = if refused.is_empty() {
            HashMap::new()
        } else {
            self.find_small(&refused)?
        };
        job_ids
            .map(|job_id| match stored.remove(&job_id) {
                Some(job) => Ok(Ok(job)),
                None => Ok(self.refused_report(job_id, refused.remove(&job_id))),
            })
            .collect()
    }

    /// The result of a report that was not stored: the job, if the report was late. `found`
    /// is the job, if it was read with others.
    fn refused_report(
        &mut self,
        job_id: JobId,
        found: Option<Result<Job, Error>>,
    ) -> Result<Job, Error> {
        let job = match found {
            Some(found) => found?,
            None => self.find(job_id)?.ok_or(Error::JobNotFound { job_id })?,
        };
        if job.status.accepts_progress() {
            return Ok(job);
        }
        Err(Error::NotRunning {
            job_id,
            status: job.status,
        })
    }

    /// Stores a report; `None` when the job does not exist, does not accept
    /// progress, or the report is late.
    fn store_report(
        &mut self,
        job_id: JobId,
        report: &ProgressReport,
    ) -> Result<Option<Job>, Error> {
        let stage = report.stage.as_str();
        let percent = report.progress.percent.get();
        let update = diesel::update(jobs::table)
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("jobs"))
            .filter(jobs::status.eq_any([JobStatus::Queued.as_str(), JobStatus::Running.as_str()]))
            .filter(
                jobs::current_stage
                    .is_null()
                    .or(jobs::current_stage.ne(stage).assume_not_null())
                    .or(jobs::progress_percent.le(percent))
                    .or(sql::<Bool>(HAS_LEASES)),
            )
            .set((
                jobs::status.eq(JobStatus::Running.as_str()),
                jobs::current_stage.eq(Some(stage)),
                jobs::progress_percent.eq(percent),
                jobs::progress_message.eq(report.progress.message.as_deref()),
                jobs::eta_seconds.eq(report.progress.eta_seconds.map(NonNegativeInt::get)),
                jobs::progress_agent_name.eq(report.agent_name.as_deref()),
                jobs::version.eq(jobs::version + 1),
                jobs::last_seq.eq(jobs::last_seq + 1),
                jobs::updated_at.eq(self.0.update_time()),
            ))
            .returning(columns::<JobRow>());
        let update = Prepared(update);
        let row = on_either!(self.0.raw, conn => update.get_result::<JobRow>(conn))
            .optional()
            .doing("report progress")?;
        let Some(mut job) = row::one::<_, Job>(row)? else {
            return Ok(None);
        };
        if self.0.stage_runs().report(&job, report)? {
            // The stage is claimed, so the job's percentage becomes the mean of its
            // runs. 0 events, because the update above has already counted the event
            // and incremented the version.
            job = rollup(&mut self.0, job_id, 0)?.unwrap_or(job);
        }
        self.record_change(job).map(Some)
    }
}

/// The condition that a stage of the job is or was leased. The job's percentage is
/// then the mean of its runs, and cannot be compared with a report on one stage.
const HAS_LEASES: &str = "EXISTS (SELECT 1 FROM stage_runs AS r WHERE r.job_id = jobs.job_id AND r.lease_id IS NOT NULL)";
