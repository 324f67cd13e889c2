//! Derives the progress of a job from its stage runs.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Float8, Int4, Nullable, Text};
use lectern_domain::{Job, JobId, JobStatus};

use super::row::JobRow;
use crate::connection::on_either;
use crate::connection::{Backend, Conn, ReadWrite};
use crate::dialect;
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::mean_percent::mean_percent;
use crate::sql::page::row_count;
use crate::sql::prepared::Prepared;
use crate::sql::row::{self, columns};
use crate::sql::status_literals::{RUN_READY, RUN_RUNNING, RUN_SKIPPED, RUN_WAITING};

/// SQL for a column of the run that the job's progress shows: the first that is
/// running, else the first that is still open, else the first of all.
fn current_run(column: &str) -> String {
    format!(
        "(SELECT r.{column} FROM stage_runs AS r
          WHERE r.job_id = jobs.job_id AND r.status <> '{RUN_SKIPPED}'
          ORDER BY CASE WHEN r.status = '{RUN_RUNNING}' THEN 0
                        WHEN r.status IN ('{RUN_READY}', '{RUN_WAITING}') THEN 1 ELSE 2 END, r.id
          LIMIT 1)"
    )
}

/// Moves a job to running and updates its progress from its runs: its percentage is
/// the mean of theirs. `None`: the job has ended.
///
/// `event_count` is the number of events that the caller records for this change. Pass 0
/// if the same transaction has already added them to `last_seq` and incremented the
/// version.
pub(crate) fn rollup(
    conn: &mut Conn<'_, ReadWrite>,
    job_id: JobId,
    event_count: usize,
) -> Result<Option<Job>, Error> {
    Ok(rollup_all(conn, &[job_id], event_count)?.pop())
}

/// As [`rollup`], for several jobs; those that have ended are missing.
pub(crate) fn rollup_all(
    conn: &mut Conn<'_, ReadWrite>,
    job_ids: &[JobId],
    event_count: usize,
) -> Result<Vec<Job>, Error> {
    if job_ids.is_empty() {
        return Ok(Vec::new());
    }
    if conn.raw.backend() == Backend::Sqlite && job_ids.len() > 1 {
        // For a list of ids, SQLite would read all jobs with these statuses.
        let mut jobs = Vec::with_capacity(job_ids.len());
        for job_id in job_ids {
            jobs.extend(rollup(conn, *job_id, event_count)?);
        }
        return Ok(jobs);
    }
    let open = [JobStatus::Queued.as_str(), JobStatus::Running.as_str()];
    let rollup = diesel::update(jobs::table)
        .filter(dialect::is_one_of(
            conn.raw.backend(),
            "jobs.job_id",
            job_ids,
        ))
        .filter(jobs::status.eq_any(open))
        .set((
            jobs::status.eq(JobStatus::Running.as_str()),
            jobs::current_stage.eq(sql::<Nullable<Text>>(&current_run("stage"))),
            jobs::progress_message.eq(sql::<Nullable<Text>>(&current_run("message"))),
            jobs::eta_seconds.eq(sql::<Nullable<Int4>>(&current_run("eta_seconds"))),
            jobs::progress_agent_name.eq(sql::<Nullable<Text>>(&current_run("agent_name"))),
            jobs::progress_percent.eq(sql::<Float8>(&format!(
                "(SELECT {} FROM stage_runs AS r WHERE r.job_id = jobs.job_id)",
                mean_percent("r")
            ))),
            jobs::version.eq(jobs::version + i64::from(event_count > 0)),
            jobs::last_seq.eq(jobs::last_seq + row_count(event_count)),
            jobs::updated_at.eq(conn.update_time()),
        ))
        .returning(columns::<JobRow>());
    let rollup = Prepared(rollup);
    let rows = on_either!(conn.raw, conn => rollup.load::<JobRow>(conn))
        .doing("update a job from its runs")?;
    row::all(rows)
}
