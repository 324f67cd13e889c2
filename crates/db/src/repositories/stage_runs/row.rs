//! Rows of `stage_runs`: reading and inserting.

use diesel::prelude::*;
use lectern_domain::{
    AttemptTimeout, Backoff, JobId, Lease, LeaseDuration, LeaseId, LongText, NonNegativeInt,
    NoteOfStage, OwnerName, Percent, Progress, ProgressMessage, Stage, StageNotes, StageRun,
    StageRunId, StageRunStatus, WorkerName,
};

use crate::dialect::NewRun;
use crate::error::Error;
use crate::schema::stage_runs;
use crate::sql::row::RowDecoder;
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbJson, DbTime, Id};

/// A row of `stage_runs`.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = stage_runs)]
pub(crate) struct RunRow {
    run_id: Id<StageRunId>,
    job_id: Id<JobId>,
    stage: Stored<Stage>,
    status: Stored<StageRunStatus>,
    waits_for: Stored<Vec<Stage>>,
    attempt: i32,
    max_attempts: i32,
    timeout_seconds: Option<Stored<AttemptTimeout>>,
    backoff_first_seconds: i32,
    backoff_factor: f64,
    backoff_max_seconds: i32,
    worker: Option<Stored<WorkerName>>,
    lease_id: Option<Id<LeaseId>>,
    lease_expires_at: Option<StoredTime>,
    lease_seconds: Option<i32>,
    available_at: Option<StoredTime>,
    percent: Stored<Percent>,
    message: Option<Stored<ProgressMessage>>,
    eta_seconds: Option<Stored<NonNegativeInt>>,
    error: Option<Stored<LongText>>,
    notes: Stored<StageNotes>,
    started_at: Option<StoredTime>,
    finished_at: Option<StoredTime>,
    created_at: StoredTime,
}

impl RunRow {
    pub(crate) fn job_id(&self) -> JobId {
        self.job_id.0
    }
}

impl TryFrom<RunRow> for StageRun {
    type Error = Error;

    fn try_from(row: RunRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("stage_runs", row.run_id.0);
        // A CHECK keeps these three columns null together.
        let lease = match (row.lease_id, row.lease_expires_at, row.lease_seconds) {
            (Some(Id(lease_id)), Some(expires_at), Some(seconds)) => Some(Lease {
                lease_id,
                expires_at: decoder.column("lease_expires_at", expires_at)?,
                duration: decoder.converted("lease_seconds", LeaseDuration::new(seconds.into()))?,
            }),
            _ => None,
        };
        Ok(Self {
            run_id: row.run_id.0,
            job_id: row.job_id.0,
            stage: decoder.column("stage", row.stage)?,
            status: decoder.column("status", row.status)?,
            waits_for: decoder.column("waits_for", row.waits_for)?,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            timeout: decoder.column("timeout_seconds", row.timeout_seconds)?,
            backoff: decoder.converted(
                "backoff_first_seconds",
                Backoff::new(
                    row.backoff_first_seconds.into(),
                    row.backoff_factor,
                    row.backoff_max_seconds.into(),
                ),
            )?,
            worker: decoder.column("worker", row.worker)?,
            lease,
            available_at: decoder.column("available_at", row.available_at)?,
            progress: Progress {
                percent: decoder.column("percent", row.percent)?,
                message: decoder.column("message", row.message)?,
                eta_seconds: decoder.column("eta_seconds", row.eta_seconds)?,
            },
            error: decoder.column("error", row.error)?,
            notes: decoder.column("notes", row.notes)?,
            started_at: decoder.column("started_at", row.started_at)?,
            finished_at: decoder.column("finished_at", row.finished_at)?,
            created_at: decoder.column("created_at", row.created_at)?,
        })
    }
}

/// The columns of a row that tell the notes of its stage.
#[derive(Queryable)]
pub(crate) struct NotesRow {
    run_id: Id<StageRunId>,
    stage: Stored<Stage>,
    notes: Stored<StageNotes>,
}

impl TryFrom<NotesRow> for Vec<NoteOfStage> {
    type Error = Error;

    fn try_from(row: NotesRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("stage_runs", row.run_id.0);
        let stage = decoder.column("stage", row.stage)?;
        let notes = decoder.column("notes", row.notes)?.into_iter();
        Ok(notes.map(|note| NoteOfStage { stage, note }).collect())
    }
}

#[derive(Insertable)]
#[diesel(table_name = stage_runs, treat_none_as_default_value = false)]
pub(crate) struct NewRunRow<'a> {
    run_id: Id<StageRunId>,
    job_id: Id<JobId>,
    stage: &'static str,
    status: &'static str,
    waits_for: DbJson,
    priority: i32,
    max_attempts: i32,
    timeout_seconds: Option<i32>,
    backoff_first_seconds: i32,
    backoff_factor: f64,
    backoff_max_seconds: i32,
    created_at: DbTime,
    owner_id: &'a str,
    ready_at: Option<DbTime>,
}

impl<'a> NewRunRow<'a> {
    pub(crate) fn new(run: &NewRun<'_>, owner: Option<&'a OwnerName>, now: DbTime) -> Self {
        Self {
            run_id: Id(run.run_id),
            job_id: Id(run.job_id),
            stage: run.step.stage.as_str(),
            status: run.status.as_str(),
            waits_for: DbJson(run.waits_for()),
            priority: run.priority,
            max_attempts: run.step.max_attempts,
            timeout_seconds: run.step.timeout.map(AttemptTimeout::get),
            backoff_first_seconds: run.step.backoff.first_seconds(),
            backoff_factor: run.step.backoff.factor(),
            backoff_max_seconds: run.step.backoff.max_seconds(),
            created_at: now,
            owner_id: owner.map_or("", OwnerName::as_str),
            ready_at: (run.status == StageRunStatus::Ready).then_some(now),
        }
    }
}
