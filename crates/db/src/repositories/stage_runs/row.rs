//! A row of `stage_runs`: reading and inserting.

use diesel::prelude::*;
use lectern_domain::{
    JobId, Lease, LeaseDuration, LeaseId, LongText, NonNegativeInt, Percent, Progress,
    ProgressMessage, Stage, StageRun, StageRunId, StageRunStatus, Step, WorkerName,
};

use crate::error::Error;
use crate::schema::stage_runs;
use crate::sql::row::{RowName, columns};
use crate::sql::types::{DbJson, DbTime, DbUuid};

columns!(stage_runs:
    run_id, job_id, stage, status, waits_for, attempt, max_attempts, worker, lease_id,
    lease_expires_at, lease_seconds, available_at, percent, message, eta_seconds, error,
    started_at, finished_at, created_at,
);

#[derive(Queryable)]
pub(crate) struct RunRow {
    run_id: DbUuid,
    job_id: DbUuid,
    stage: String,
    status: String,
    waits_for: DbJson,
    attempt: i32,
    max_attempts: i32,
    worker: Option<String>,
    lease_id: Option<DbUuid>,
    lease_expires_at: Option<DbTime>,
    lease_seconds: Option<i32>,
    available_at: Option<DbTime>,
    percent: f64,
    message: Option<String>,
    eta_seconds: Option<i32>,
    error: Option<String>,
    started_at: Option<DbTime>,
    finished_at: Option<DbTime>,
    created_at: DbTime,
}

impl TryFrom<RunRow> for StageRun {
    type Error = Error;

    fn try_from(row: RunRow) -> Result<Self, Error> {
        let name = RowName {
            table: "stage_runs",
            id: row.run_id.0,
        };
        // A constraint makes sure that these three are there together.
        let lease = match (row.lease_id, row.lease_expires_at, row.lease_seconds) {
            (Some(id), Some(expires_at), Some(seconds)) => Some(Lease {
                lease_id: LeaseId::from(id.0),
                expires_at: expires_at.0,
                duration: name.column("lease_seconds", LeaseDuration::new(seconds.into()))?,
            }),
            _ => None,
        };
        let time = |time: Option<DbTime>| time.map(|time| time.0);
        Ok(Self {
            run_id: StageRunId::from(row.run_id.0),
            job_id: JobId::from(row.job_id.0),
            stage: name.column("stage", row.stage.parse())?,
            status: name.column("status", row.status.parse())?,
            waits_for: name.column("waits_for", serde_json::from_value(row.waits_for.0))?,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            worker: name.nullable("worker", row.worker, WorkerName::new)?,
            lease,
            available_at: time(row.available_at),
            progress: Progress {
                percent: name.column("percent", Percent::new(row.percent))?,
                message: name.nullable("message", row.message, ProgressMessage::new)?,
                eta_seconds: name.nullable("eta_seconds", row.eta_seconds, NonNegativeInt::new)?,
            },
            error: name.nullable("error", row.error, LongText::new)?,
            started_at: time(row.started_at),
            finished_at: time(row.finished_at),
            created_at: row.created_at.0,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = stage_runs, treat_none_as_default_value = false)]
pub(crate) struct NewRunRow {
    run_id: DbUuid,
    job_id: DbUuid,
    stage: &'static str,
    status: &'static str,
    waits_for: DbJson,
    priority: i32,
    max_attempts: i32,
    created_at: DbTime,
}

impl NewRunRow {
    /// A run nobody is on yet.
    pub(crate) fn new(
        run_id: StageRunId,
        job_id: JobId,
        step: &Step,
        status: StageRunStatus,
        priority: i32,
        now: DbTime,
    ) -> Self {
        let waits_for = step.after.iter().map(|stage| Stage::as_str(*stage));
        Self {
            run_id: DbUuid(run_id.as_uuid()),
            job_id: DbUuid(job_id.as_uuid()),
            stage: step.stage.as_str(),
            status: status.as_str(),
            waits_for: DbJson(waits_for.collect()),
            priority,
            max_attempts: StageRun::MAX_ATTEMPTS,
            created_at: now,
        }
    }
}
