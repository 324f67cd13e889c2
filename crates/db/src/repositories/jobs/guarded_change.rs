//! Guarded changes of a job, and the reason when a guard refuses one.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use lectern_domain::{Job, JobId, JobStatus, Requirement, Transition};

use super::Jobs;
use super::row::JobRow;
use crate::connection::{DbConnection, ReadWrite};
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::row::{self, columns};
use crate::sql::status_literals::UPLOADING;
use crate::sql::types::Id;

/// The outcome of a conditional change.
pub(super) enum Guarded {
    /// The job after the change.
    Changed(Job),
    /// The unchanged job, locked until the transaction ends.
    Refused(Job),
}

impl Jobs<'_, ReadWrite> {
    /// Runs a conditional change; if its condition does not hold, returns the job,
    /// from which the caller derives the error.
    ///
    /// The job may change between a refused attempt and the read. So this locks the
    /// job, reads it and tries once more. The job that was read explains a second
    /// refusal.
    pub(super) fn guarded(
        &mut self,
        job_id: JobId,
        mut attempt: impl FnMut(&mut Self) -> Result<Option<Job>, Error>,
    ) -> Result<Guarded, Error> {
        if let Some(job) = attempt(self)? {
            return Ok(Guarded::Changed(job));
        }
        let refused = self.lock(job_id)?;
        Ok(match attempt(self)? {
            Some(job) => Guarded::Changed(job),
            None => Guarded::Refused(refused),
        })
    }

    /// Locks a job's row until the transaction ends, and reads it.
    pub(super) fn lock(&mut self, job_id: JobId) -> Result<Job, Error> {
        let by_id = jobs::table
            .filter(jobs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("jobs"))
            .select(columns::<JobRow>());
        let row = match self.0.raw {
            DbConnection::Postgres(conn) => by_id.for_no_key_update().get_result::<JobRow>(conn),
            // SQLite has one writing transaction at a time.
            DbConnection::Sqlite(conn) => by_id.get_result::<JobRow>(conn),
        };
        row::one(row.optional().doing("lock a job")?)?.ok_or(Error::JobNotFound { job_id })
    }
}

/// The condition that a job meets the [`Requirement`] of its transition to `next`. The
/// statuses that allow the transition are checked separately.
pub(super) fn meets_requirements(next: Option<JobStatus>) -> SqlLiteral<Bool> {
    let transitions = next.into_iter().flat_map(Transition::all_to);
    let conditions: Vec<_> = transitions
        .filter_map(|Transition { from, requires, .. }| {
            let met = is_met(requires?);
            Some(format!("(jobs.status <> '{from}' OR {met})"))
        })
        .collect();
    if conditions.is_empty() {
        sql("TRUE")
    } else {
        sql(&conditions.join(" AND "))
    }
}

/// [`Requirement::is_met`] in SQL.
fn is_met(requirement: Requirement) -> String {
    match requirement {
        Requirement::RecordingUploaded => format!(
            "(jobs.current_stage IS DISTINCT FROM '{UPLOADING}'
              OR EXISTS (SELECT 1 FROM stage_runs AS r WHERE r.job_id = jobs.job_id))"
        ),
    }
}
