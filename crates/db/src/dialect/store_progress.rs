//! Stores reports of progress on several jobs with one statement each for the jobs and for
//! their runs, on PostgreSQL.
//!
//! The arrays are passed as `(SELECT $1)`, which hides their lengths from the planner:
//! otherwise it would plan the statement again for each execution.

use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Double, Integer, Nullable, Text, Uuid};
use lectern_domain::{Job, JobId, LeaseId, NonNegativeInt, ProgressReport};

use crate::error::{Doing, Error};
use crate::sql::prepared::Prepared;
use crate::sql::status_literals::{JOB_QUEUED, JOB_RUNNING, RUN_RUNNING};
use crate::sql::types::{DbTime, Id, Timestamptz};

/// A report and the job that the report is about.
pub(crate) type JobReport<'a> = (JobId, &'a ProgressReport);

/// SQL for the reports as a table; binds `$1` to `$6`.
const REPORTS: &str = "unnest((SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4), (SELECT $5),
                              (SELECT $6))
                       AS report (job_id, stage, percent, message, eta_seconds, agent_name)";

/// Stores reports in jobs that are locked, and returns the changed rows. The rules are
/// the same as those of `Jobs::report_progress` for one job. `has_leases` is SQL for the condition that
/// a stage of the job is or was leased; `now` is SQL with the placeholder `$7`, which is
/// bound to `callers_time`.
pub(crate) fn store_reports_on_postgres<Row>(
    conn: &mut PgConnection,
    reports: &[JobReport<'_>],
    has_leases: &str,
    now: &str,
    callers_time: Option<DbTime>,
) -> Result<Vec<Row>, Error>
where
    Row: QueryableByName<Pg> + 'static,
{
    let store = format!(
        "UPDATE jobs SET
             status = '{JOB_RUNNING}', current_stage = report.stage,
             progress_percent = report.percent, progress_message = report.message,
             eta_seconds = report.eta_seconds, progress_agent_name = report.agent_name,
             version = version + 1, last_seq = last_seq + 1, updated_at = {now}
         FROM {REPORTS}
         WHERE jobs.job_id = report.job_id AND jobs.status IN ('{JOB_QUEUED}', '{JOB_RUNNING}')
           AND (jobs.current_stage IS NULL OR jobs.current_stage <> report.stage
                OR jobs.progress_percent <= report.percent OR {has_leases})
         RETURNING jobs.*"
    );
    let store = with_reports(store, reports).bind::<Nullable<Timestamptz>, _>(callers_time);
    Prepared(store).load(conn).doing("report progress")
}

/// Stores reports in the open runs of their stages, and returns the jobs whose run is leased.
/// `reports` are the reports that were stored in the jobs. `is_open` is SQL for the
/// condition that a run is open, and `leased_column` returns the SQL for the new value of
/// a column of the lease.
pub(crate) fn store_run_reports_on_postgres(
    conn: &mut PgConnection,
    reports: &[(&Job, &ProgressReport)],
    is_open: &str,
    leased_column: fn(&str) -> String,
) -> Result<Vec<JobId>, Error> {
    let store = format!(
        "UPDATE stage_runs SET
             status = '{RUN_RUNNING}', percent = greatest(stage_runs.percent, report.percent),
             lease_id = {}, lease_expires_at = {}, lease_seconds = {},
             message = report.message, eta_seconds = report.eta_seconds,
             agent_name = report.agent_name,
             started_at = COALESCE(stage_runs.started_at, jobs.updated_at)
         FROM {REPORTS} JOIN jobs ON jobs.job_id = report.job_id
         WHERE stage_runs.job_id = report.job_id AND stage_runs.stage = report.stage AND {is_open}
         RETURNING stage_runs.job_id, stage_runs.lease_id",
        leased_column("lease_id"),
        leased_column("lease_expires_at"),
        leased_column("lease_seconds"),
    );
    let by_job: Vec<_> = reports
        .iter()
        .map(|(job, report)| (job.job_id, *report))
        .collect();
    let rows: Vec<ReportedRun> = Prepared(with_reports(store, &by_job))
        .load(conn)
        .doing("store the progress of runs")?;
    let leased = rows.into_iter().filter(|run| run.lease_id.is_some());
    Ok(leased.map(|run| run.job_id.0).collect())
}

#[derive(QueryableByName)]
struct ReportedRun {
    #[diesel(sql_type = crate::sql::types::Uuid)]
    job_id: Id<JobId>,
    #[diesel(sql_type = Nullable<crate::sql::types::Uuid>)]
    lease_id: Option<Id<LeaseId>>,
}

type Statement<'f> = diesel::query_builder::BoxedSqlQuery<'f, Pg, diesel::query_builder::SqlQuery>;

fn with_reports<'f>(statement: String, reports: &[JobReport<'f>]) -> Statement<'f> {
    fn list<'f, T>(
        reports: &[JobReport<'f>],
        column: impl Fn(JobId, &'f ProgressReport) -> T,
    ) -> Vec<T> {
        reports
            .iter()
            .map(|(job_id, report)| column(*job_id, report))
            .collect()
    }
    sql_query(statement)
        .into_boxed()
        .bind::<Array<Uuid>, _>(list(reports, |job_id, _| job_id.as_uuid()))
        .bind::<Array<Text>, _>(list(reports, |_, report| report.stage.as_str()))
        .bind::<Array<Double>, _>(list(reports, |_, report| report.progress.percent.get()))
        .bind::<Array<Nullable<Text>>, _>(list(reports, |_, report| {
            report.progress.message.as_deref()
        }))
        .bind::<Array<Nullable<Integer>>, _>(list(reports, |_, report| {
            report.progress.eta_seconds.map(NonNegativeInt::get)
        }))
        .bind::<Array<Nullable<Text>>, _>(list(reports, |_, report| report.agent_name.as_deref()))
}
