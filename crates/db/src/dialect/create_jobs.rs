//! Inserts jobs together with their stage runs.

use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Double, Integer, Jsonb, Nullable, Text, Uuid};
use lectern_domain::{
    AttemptTimeout, FileSize, JobId, JobStatus, NewJob, OwnerName, ProcessingConfig, Stage,
    StageRunId, StageRunStatus, Step,
};
use serde_json::Value;

use super::column_values;
use crate::error::{Doing, Error};
use crate::sql::prepared::Prepared;
use crate::sql::status_literals::RUN_READY;
use crate::sql::types::{DbTime, Timestamptz};

/// A run to be inserted, before its first attempt.
#[derive(Debug)]
pub(crate) struct NewRun<'a> {
    pub(crate) run_id: StageRunId,
    pub(crate) job_id: JobId,
    pub(crate) step: &'a Step,
    pub(crate) status: StageRunStatus,
    pub(crate) priority: i32,
}

impl NewRun<'_> {
    /// The value of `waits_for`.
    pub(crate) fn waits_for(&self) -> Value {
        let stages = self.step.after.iter();
        stages.map(|stage| Stage::as_str(*stage)).collect()
    }
}

/// Inserts jobs and their runs with one statement, because each further statement would
/// cost a round trip. Returns the rows of the jobs, which all have the same owner.
///
/// `unnest` returns the runs in the order of the arrays, so that the keys of the runs of a
/// job have the order of its pipeline. `now` is SQL for the time of all rows with the
/// placeholder `$1`, which is bound to `callers_time`.
pub(crate) fn insert_jobs_on_postgres<Row>(
    conn: &mut PgConnection,
    owner: Option<&OwnerName>,
    jobs: &[(JobId, &NewJob)],
    runs: &[NewRun<'_>],
    now: &str,
    callers_time: Option<DbTime>,
) -> Result<Vec<Row>, Error>
where
    Row: QueryableByName<Pg> + 'static,
{
    let insert = format!(
        "WITH created AS (
             INSERT INTO jobs
                 (job_id, filename, file_size, content_type, original_s3_key, status,
                  current_stage, processing_config, extra_metadata, priority, source_job_id,
                  last_seq, created_at, updated_at, owner_id)
             SELECT job.*, 1, {now}, {now}, $24
             FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS job
             RETURNING *),
         runs AS (
             INSERT INTO stage_runs
                 (run_id, job_id, stage, status, waits_for, priority, max_attempts,
                  timeout_seconds, backoff_first_seconds, backoff_factor, backoff_max_seconds,
                  created_at, owner_id, ready_at)
             SELECT run.*, {now}, COALESCE($24, ''),
                    CASE WHEN run.status = '{RUN_READY}' THEN {now} END
             FROM unnest($13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
                 AS run (run_id, job_id, stage, status, waits_for, priority, max_attempts,
                         timeout_seconds, backoff_first_seconds, backoff_factor,
                         backoff_max_seconds))
         SELECT * FROM created"
    );
    let settings = |config: &ProcessingConfig| config.settings().clone().into_value();
    let job =
        |column: fn(&NewJob) -> Option<&str>| column_values(jobs, move |(_, job)| column(job));
    let insert = sql_query(insert)
        .into_boxed::<Pg>()
        .bind::<Nullable<Timestamptz>, _>(callers_time)
        .bind::<Array<Uuid>, _>(column_values(jobs, |(job_id, _)| job_id.as_uuid()))
        .bind::<Array<Nullable<Text>>, _>(job(|job| Some(&job.filename)))
        .bind::<Array<Nullable<BigInt>>, _>(column_values(jobs, |(_, job)| {
            job.file_size.map(FileSize::get)
        }))
        .bind::<Array<Nullable<Text>>, _>(job(|job| Some(&job.content_type)))
        .bind::<Array<Nullable<Text>>, _>(job(|job| job.original_s3_key.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(job(|job| Some(JobStatus::from(job.status).as_str())))
        .bind::<Array<Nullable<Text>>, _>(job(|job| job.stage().map(Stage::as_str)))
        .bind::<Array<Nullable<Jsonb>>, _>(column_values(jobs, |(_, job)| {
            job.processing_config.as_ref().map(settings)
        }))
        .bind::<Array<Jsonb>, _>(column_values(jobs, |(_, job)| {
            job.extra_metadata.clone().into_value()
        }))
        .bind::<Array<Integer>, _>(column_values(jobs, |(_, job)| job.priority))
        .bind::<Array<Nullable<Uuid>>, _>(column_values(jobs, |(_, job)| {
            job.source_job_id.map(JobId::as_uuid)
        }))
        .bind::<Array<Uuid>, _>(column_values(runs, |run| run.run_id.as_uuid()))
        .bind::<Array<Uuid>, _>(column_values(runs, |run| run.job_id.as_uuid()))
        .bind::<Array<Text>, _>(column_values(runs, |run| run.step.stage.as_str()))
        .bind::<Array<Text>, _>(column_values(runs, |run| run.status.as_str()))
        .bind::<Array<Jsonb>, _>(column_values(runs, NewRun::waits_for))
        .bind::<Array<Integer>, _>(column_values(runs, |run| run.priority))
        .bind::<Array<Integer>, _>(column_values(runs, |run| run.step.max_attempts))
        .bind::<Array<Nullable<Integer>>, _>(column_values(runs, |run| {
            run.step.timeout.map(AttemptTimeout::get)
        }))
        .bind::<Array<Integer>, _>(column_values(runs, |run| run.step.backoff.first_seconds()))
        .bind::<Array<Double>, _>(column_values(runs, |run| run.step.backoff.factor()))
        .bind::<Array<Integer>, _>(column_values(runs, |run| run.step.backoff.max_seconds()))
        .bind::<Nullable<Text>, _>(owner.map(OwnerName::as_str));
    Prepared(insert).load(conn).doing("create a job")
}
