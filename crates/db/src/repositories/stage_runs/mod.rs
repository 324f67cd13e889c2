//! Stage runs, the state of each stage of a job: the table `stage_runs`.

mod active_workers;
pub(crate) mod grant_leases;
mod history;
mod row;
mod stats;

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Int4, Nullable};
use lectern_domain::{
    Invalid, Job, JobId, JobStatus, JsonValue as _, LeaseId, NonNegativeInt, NoteOfStage,
    OwnerName, Pipeline, ProgressReport, Stage, StageNotes, StageRun, StageRunId, StageRunStatus,
    Step, stages_from,
};

use self::row::{NewRunRow, NotesRow, RunRow};
use crate::connection::{Conn, ReadWrite};
use crate::connection::{DbConnection, on_either};
use crate::dialect::{self, NewRun, expired_jobs, insert_all, store_run_reports_on_postgres};
use crate::error::{Doing, Error};
use crate::schema::stage_runs;
use crate::sql::prepared::Prepared;
use crate::sql::row as rows;
use crate::sql::row::columns;
use crate::sql::status_literals::RUN_RUNNING;
use crate::sql::types::{DbJson, DbTime, Id, Timestamptz, Uuid};

/// The repository of the stage runs: `conn.stage_runs()`.
///
/// Its public methods only read. [`crate::Jobs`] changes runs together with their job,
/// and [`crate::Work`] changes them for workers.
#[derive(Debug)]
pub struct StageRuns<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> StageRuns<'_, Mode> {
    /// The runs of a job in the order of its pipeline.
    pub fn for_job(&mut self, job_id: JobId) -> Result<Vec<StageRun>, Error> {
        let rows = self.rows(job_id)?;
        self.0.readable(rows)
    }

    /// As [`StageRuns::for_job`], but an unreadable row is an error, because a
    /// decision about a job needs all of its runs.
    pub(crate) fn all_for_job(&mut self, job_id: JobId) -> Result<Vec<StageRun>, Error> {
        let rows = self.rows(job_id)?;
        rows::all(rows)
    }

    /// As [`StageRuns::all_for_job`], for several jobs.
    pub(crate) fn all_for_jobs(
        &mut self,
        job_ids: &[JobId],
    ) -> Result<HashMap<JobId, Vec<StageRun>>, Error> {
        let backend = self.0.raw.backend();
        let by_job = stage_runs::table
            .filter(dialect::is_one_of(backend, "stage_runs.job_id", job_ids))
            .filter(self.0.context.owned("stage_runs"))
            .order(stage_runs::id)
            .select(columns::<RunRow>());
        let by_job = Prepared(by_job);
        let rows = on_either!(self.0.raw, conn => by_job.load::<RunRow>(conn))
            .doing("list the runs of jobs")?;
        let mut runs_by_job: HashMap<JobId, Vec<StageRun>> = HashMap::new();
        for row in rows {
            let run = StageRun::try_from(row)?;
            runs_by_job.entry(run.job_id).or_default().push(run);
        }
        Ok(runs_by_job)
    }

    fn rows(&mut self, job_id: JobId) -> Result<Vec<RunRow>, Error> {
        let by_job = stage_runs::table
            .filter(stage_runs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("stage_runs"))
            .order(stage_runs::id)
            .select(columns::<RunRow>());
        on_either!(self.0.raw, conn => by_job.load::<RunRow>(conn)).doing("list the runs of a job")
    }

    /// The notes of a job's stages, in the order of its pipeline.
    pub fn notes(&mut self, job_id: JobId) -> Result<Vec<NoteOfStage>, Error> {
        let by_job = stage_runs::table
            .filter(stage_runs::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("stage_runs"))
            .order(stage_runs::id)
            .select((stage_runs::run_id, stage_runs::stage, stage_runs::notes));
        let by_job = Prepared(by_job);
        let rows = on_either!(self.0.raw, conn => by_job.load::<NotesRow>(conn))
            .doing("list the notes of a job")?;
        let notes: Vec<Vec<NoteOfStage>> = self.0.readable(rows)?;
        Ok(notes.into_iter().flatten().collect())
    }

    /// Whether a run has this lease, which may have expired.
    pub fn has_lease(&mut self, lease_id: LeaseId) -> Result<bool, Error> {
        let by_lease = stage_runs::table
            .filter(stage_runs::lease_id.eq(Id(lease_id)).assume_not_null())
            .filter(self.0.context.owned("stage_runs"))
            .select(stage_runs::id);
        on_either!(self.0.raw, conn => by_lease.get_result::<i64>(conn))
            .optional()
            .map(|found| found.is_some())
            .doing("check whether a lease exists")
    }

    /// The stages in `stages` that have a run that can be claimed now or whose lease has
    /// expired: one query for all waiting claims.
    pub fn claimable(&mut self, stages: &[Stage]) -> Result<Vec<Stage>, Error> {
        let now = self.0.shared_now()?;
        dialect::claimable_stages(self.0.raw, self.0.context.owner, stages, DbTime(now))
    }

    /// Whether the lease of any run has expired.
    pub fn any_expired(&mut self) -> Result<bool, Error> {
        let now = self.0.shared_now()?;
        let owned = self.0.context.owned("stage_runs");
        Ok(!expired_jobs(self.0.raw, owned, DbTime(now), 1)?.is_empty())
    }
}

/// A run's stage and the stages that it waits for.
fn dependencies_of_run(run: &StageRun) -> (Stage, &[Stage]) {
    (run.stage, &run.waits_for)
}

/// The stages that are run again from `first`. The error names `from_stage`.
fn rerun_stages(first: Stage, dependencies: &[(Stage, &[Stage])]) -> Result<Vec<Stage>, Invalid> {
    let names: Vec<_> = dependencies
        .iter()
        .map(|(stage, _)| stage.as_str())
        .collect();
    stages_from(first, dependencies).ok_or_else(|| {
        let message = format!("must be one of the job's stages: {}", names.join(", "));
        Invalid::field("from_stage", message)
    })
}

/// Skips the new runs of a job that are not run from `first`: their output was stored without
/// runs.
fn skip_all_before(runs: &mut [NewRun<'_>], first: Stage) -> Result<(), Invalid> {
    let steps: Vec<_> = runs.iter().map(|run| run.step).collect();
    let dependencies = steps.iter().map(|step| (step.stage, &step.after[..]));
    let again = rerun_stages(first, &dependencies.collect::<Vec<_>>())?;
    for run in runs {
        let waits = run.step.after.iter().any(|stage| again.contains(stage));
        run.status = match again.contains(&run.step.stage) {
            false => StageRunStatus::Skipped,
            true if waits => StageRunStatus::Waiting,
            true => StageRunStatus::Ready,
        };
    }
    Ok(())
}

/// The condition that a run has not ended.
pub(crate) fn is_open() -> SqlLiteral<Bool> {
    sql(&is_open_sql())
}

fn is_open_sql() -> String {
    let open = StageRunStatus::ALL.iter().filter(|status| status.is_open());
    let values: Vec<_> = open.map(|status| format!("'{status}'")).collect();
    format!("stage_runs.status IN ({})", values.join(", "))
}

/// SQL for a column of the current lease; NULL unless the run is running. The column
/// itself keeps its value after the attempt has ended.
fn leased_column(column: &str) -> String {
    format!("CASE WHEN stage_runs.status = '{RUN_RUNNING}' THEN stage_runs.{column} END")
}

impl StageRuns<'_, ReadWrite> {
    /// Opens the runs of a job that was just queued: creates them, or reopens those that need
    /// an attempt. With `from`, those of this stage and its dependents are reopened as well.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] names `from_stage` if the job has no such stage.
    pub(crate) fn open(&mut self, job: &Job, from: Option<Stage>) -> Result<(), Error> {
        let existing = self.all_for_job(job.job_id)?;
        if existing.is_empty() {
            let pipeline = self
                .0
                .context
                .pipelines
                .for_config(job.processing_config.as_ref())?;
            let mut runs = self.new_runs(job.job_id, job.priority, &pipeline);
            if let Some(from) = from {
                skip_all_before(&mut runs, from)?;
                for run in &runs {
                    if run.status == StageRunStatus::Ready {
                        self.note_ready(run.step.stage);
                    }
                }
            }
            return self.insert(&runs, job.owner_id.as_ref(), DbTime(job.updated_at));
        }
        let again = match from {
            Some(from) => {
                let dependencies: Vec<_> = existing.iter().map(dependencies_of_run).collect();
                rerun_stages(from, &dependencies)?
            }
            None => Vec::new(),
        };
        let needs_attempt =
            |run: &StageRun| again.contains(&run.stage) || !run.status.needs_no_attempt();
        // Of the other runs, `can_start` needs the status.
        let reopened: Vec<_> = existing
            .iter()
            .map(|run| StageRun {
                status: if needs_attempt(run) {
                    StageRunStatus::Waiting
                } else {
                    run.status
                },
                ..run.clone()
            })
            .collect();
        let (ready, waiting): (Vec<_>, Vec<_>) = reopened
            .iter()
            .filter(|run| run.status == StageRunStatus::Waiting)
            .partition(|run| run.can_start(&reopened));
        self.reopen(&ready, StageRunStatus::Ready, 0)?;
        self.reopen(&waiting, StageRunStatus::Waiting, 0)
    }

    /// The runs of a job that is queued for the first time.
    pub(crate) fn new_runs<'p>(
        &self,
        job_id: JobId,
        priority: i32,
        pipeline: &'p Pipeline,
    ) -> Vec<NewRun<'p>> {
        let new_run = |step: &'p Step| {
            let status = if step.after.is_empty() {
                self.note_ready(step.stage);
                StageRunStatus::Ready
            } else {
                StageRunStatus::Waiting
            };
            NewRun {
                run_id: StageRunId::new(self.0.clock),
                job_id,
                step,
                status,
                priority,
            }
        };
        pipeline.steps().iter().map(new_run).collect()
    }

    /// Inserts runs of jobs that all have the same owner.
    pub(crate) fn insert(
        &mut self,
        runs: &[NewRun<'_>],
        owner: Option<&OwnerName>,
        now: DbTime,
    ) -> Result<(), Error> {
        let rows: Vec<_> = runs
            .iter()
            .map(|run| NewRunRow::new(run, owner, now))
            .collect();
        let fenced = self.0.context.is_fenced;
        insert_all!(fenced: fenced, &mut *self.0.raw, stage_runs::table, &rows[..])
            .doing("create the runs of a job")
    }

    /// Resets runs to their state before an attempt, with the given number of
    /// attempts.
    pub(crate) fn reopen(
        &mut self,
        runs: &[&StageRun],
        status: StageRunStatus,
        attempts: i32,
    ) -> Result<(), Error> {
        if runs.is_empty() {
            return Ok(());
        }
        if status == StageRunStatus::Ready {
            for run in runs {
                self.note_ready(run.stage);
            }
        }
        let ids: Vec<_> = runs.iter().map(|run| Id(run.run_id)).collect();
        let is_ready = (status == StageRunStatus::Ready).into_sql::<Bool>();
        let ready_at = diesel::dsl::case_when(is_ready, self.0.update_time());
        let by_id = stage_runs::table.filter(stage_runs::run_id.eq_any(ids));
        let reopen = diesel::update(by_id).set((
            (
                stage_runs::status.eq(status.as_str()),
                stage_runs::attempt.eq(attempts),
                stage_runs::worker.eq(None::<&str>),
                stage_runs::lease_id.eq(None::<Id<LeaseId>>),
                stage_runs::lease_expires_at.eq(None::<DbTime>),
                stage_runs::lease_seconds.eq(None::<i32>),
                stage_runs::available_at.eq(None::<DbTime>),
            ),
            (
                stage_runs::percent.eq(0.0),
                stage_runs::message.eq(None::<&str>),
                stage_runs::eta_seconds.eq(None::<i32>),
                stage_runs::agent_name.eq(None::<&str>),
                stage_runs::error.eq(None::<&str>),
                stage_runs::notes.eq(DbJson(StageNotes::default().to_json())),
                stage_runs::started_at.eq(None::<DbTime>),
                stage_runs::finished_at.eq(None::<DbTime>),
                stage_runs::ready_at.eq(ready_at),
            ),
        ));
        on_either!(self.0.raw, conn => reopen.execute(conn))
            .doing("reopen runs")
            .map(drop)
    }

    /// Closes the open runs of a job that has ended. Leases stay in the rows: a
    /// heartbeat under one reports the cancellation.
    pub(crate) fn close(&mut self, job: &Job) -> Result<(), Error> {
        let status = match job.status {
            JobStatus::Completed => StageRunStatus::Skipped,
            _ => StageRunStatus::Cancelled,
        };
        let open = stage_runs::table
            .filter(stage_runs::job_id.eq(Id(job.job_id)))
            .filter(is_open());
        let close = diesel::update(open).set((
            stage_runs::status.eq(status.as_str()),
            stage_runs::eta_seconds.eq(None::<i32>),
            stage_runs::finished_at.eq(Some(DbTime(job.updated_at))),
        ));
        let close = Prepared(close);
        on_either!(self.0.raw, conn => close.execute(conn)).doing("close the runs of a job")
    }

    /// Sets the priority by which the runs of a job are claimed.
    pub(crate) fn set_priority(&mut self, job_id: JobId, priority: i32) -> Result<(), Error> {
        let by_job = stage_runs::table.filter(stage_runs::job_id.eq(Id(job_id)));
        diesel::update(by_job)
            .set(stage_runs::priority.eq(priority))
            .execute(self.0.raw)
            .doing("set the priority of runs")
            .map(drop)
    }

    /// Stores a report in the open run of its stage, if there is one; returns
    /// whether the run is leased. A run without a lease becomes running, too, and
    /// can no longer be claimed.
    pub(crate) fn report(&mut self, job: &Job, report: &ProgressReport) -> Result<bool, Error> {
        let open = stage_runs::table
            .filter(stage_runs::job_id.eq(Id(job.job_id)))
            .filter(stage_runs::stage.eq(report.stage.as_str()))
            .filter(is_open());
        let now = Some(DbTime(job.updated_at));
        let store = diesel::update(open)
            .set((
                stage_runs::status.eq(StageRunStatus::Running.as_str()),
                stage_runs::percent.eq(diesel::dsl::case_when(
                    stage_runs::percent.gt(report.progress.percent.get()),
                    stage_runs::percent,
                )
                .otherwise(report.progress.percent.get())),
                stage_runs::lease_id.eq(sql::<Nullable<Uuid>>(&leased_column("lease_id"))),
                stage_runs::lease_expires_at.eq(sql::<Nullable<Timestamptz>>(&leased_column(
                    "lease_expires_at",
                ))),
                stage_runs::lease_seconds
                    .eq(sql::<Nullable<Int4>>(&leased_column("lease_seconds"))),
                stage_runs::message.eq(report.progress.message.as_deref()),
                stage_runs::eta_seconds.eq(report.progress.eta_seconds.map(NonNegativeInt::get)),
                stage_runs::agent_name.eq(report.agent_name.as_deref()),
                stage_runs::started_at.eq(diesel::dsl::case_when(
                    stage_runs::started_at.is_null(),
                    now.into_sql::<Nullable<Timestamptz>>(),
                )
                .otherwise(stage_runs::started_at)),
            ))
            .returning(stage_runs::lease_id);
        let store = Prepared(store);
        let leases = on_either!(self.0.raw, conn => store.load::<Option<Id<LeaseId>>>(conn))
            .doing("store the progress of a run")?;
        Ok(leases.iter().any(Option::is_some))
    }

    /// As [`StageRuns::report`], for several jobs; returns those whose run is leased.
    pub(crate) fn report_all(
        &mut self,
        reports: &[(&Job, &ProgressReport)],
    ) -> Result<Vec<JobId>, Error> {
        if reports.is_empty() {
            return Ok(Vec::new());
        }
        if let DbConnection::Postgres(conn) = self.0.raw {
            let is_open = is_open_sql();
            return store_run_reports_on_postgres(conn, reports, &is_open, leased_column);
        }
        let mut leased = Vec::new();
        for (job, report) in reports {
            if self.report(job, report)? {
                leased.push(job.job_id);
            }
        }
        Ok(leased)
    }

    /// After the commit, notifies waiting claims that a run of `stage` is ready.
    pub(crate) fn note_ready(&self, stage: Stage) {
        self.0.context.publish(|committed| {
            if !committed.ready.contains(&stage) {
                committed.ready.push(stage);
            }
        });
    }
}
