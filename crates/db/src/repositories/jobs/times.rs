//! The times of a job that is changed.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sqlite::Sqlite;
use lectern_domain::JobStatus;

use crate::schema::jobs;
use crate::sql::current_time::CurrentTime;

/// Sets `updated_at` to the current time, and `completed_at` as the new status requires: it is
/// set if and only if the job is completed.
///
/// A job is completed at the time of its change. PostgreSQL would read its clock once for each
/// column, so both are assigned from one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobTimes {
    now: CurrentTime,
    completed_at: CompletedAt,
}

#[derive(Debug, Clone, Copy)]
enum CompletedAt {
    /// No transition, or one that does not change it.
    Keep,
    Clear,
    Now,
}

impl JobTimes {
    /// The times of a change at `now` to the status `next`; `None` keeps the status.
    pub(crate) fn after_change(next: Option<JobStatus>, now: CurrentTime) -> Self {
        let completed_at = match next {
            Some(JobStatus::Completed) => CompletedAt::Now,
            Some(JobStatus::Queued) => CompletedAt::Clear,
            _ => CompletedAt::Keep,
        };
        Self { now, completed_at }
    }
}

impl AsChangeset for JobTimes {
    type Target = jobs::table;
    type Changeset = Self;

    fn as_changeset(self) -> Self {
        self
    }
}

impl QueryFragment<Pg> for JobTimes {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self.completed_at {
            CompletedAt::Keep => pass.push_sql("updated_at = "),
            CompletedAt::Clear => pass.push_sql("completed_at = NULL, updated_at = "),
            CompletedAt::Now => {
                // The condition makes the row depend on that of the job, so that an `UPDATE`
                // that has waited for another transaction reads the clock after the wait.
                pass.push_sql("(completed_at, updated_at) = (SELECT now, now FROM (SELECT ");
                self.now.walk_ast(pass.reborrow())?;
                pass.push_sql(" AS now WHERE jobs.job_id IS NOT NULL) AS clock)");
                return Ok(());
            }
        }
        self.now.walk_ast(pass)
    }
}

impl QueryFragment<Sqlite> for JobTimes {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self.completed_at {
            CompletedAt::Keep => pass.push_sql("updated_at = "),
            CompletedAt::Clear => pass.push_sql("completed_at = NULL, updated_at = "),
            CompletedAt::Now => {
                pass.push_sql("completed_at = ");
                self.now.walk_ast(pass.reborrow())?;
                pass.push_sql(", updated_at = ");
            }
        }
        self.now.walk_ast(pass)
    }
}
