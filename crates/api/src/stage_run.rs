//! Stage runs.

use chrono::{DateTime, Utc};
use lectern_domain::{JobId, JobStatus, Stage, StageNote, StageRun, StageRunStatus};
use lectern_domain::{
    LongText, NonNegativeInt, NoteLevel, NoteText, Percent, ProgressMessage, WorkerName,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::job::progress::percent_without_fraction;

/// State of one stage of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StageRunResponse {
    /// The job.
    pub job_id: JobId,
    /// Status of the job.
    pub job_status: JobStatus,
    /// The stage.
    pub stage: Stage,
    /// Status of the stage.
    pub status: StageRunStatus,
    /// Number of the current attempt, from 1; 0 before the first attempt.
    pub attempt: i32,
    /// Maximum number of attempts.
    pub max_attempts: i32,
    /// The worker of the current or the last attempt.
    pub worker: Option<WorkerName>,
    /// Completed share of the stage, 0 to 100.
    #[serde(serialize_with = "percent_without_fraction")]
    #[schemars(range(min = 0, max = 100))]
    pub percent: Percent,
    /// What the worker is doing now.
    pub message: Option<ProgressMessage>,
    /// Remaining time that the worker expects, in seconds.
    pub eta_seconds: Option<NonNegativeInt>,
    /// Error of the last failed attempt.
    pub error: Option<LongText>,
    /// What the stage says about its output.
    pub notes: Vec<StageNoteResponse>,
    /// Start of the current or the last attempt.
    pub started_at: Option<DateTime<Utc>>,
    /// End of the last attempt, whatever its outcome.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A note of a stage about its output.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StageNoteResponse {
    /// `warning` if something is missing from the output or may be wrong.
    pub level: NoteLevel,
    /// For people to read.
    pub message: NoteText,
}

impl From<StageNote> for StageNoteResponse {
    fn from(note: StageNote) -> Self {
        Self {
            level: note.level,
            message: note.message,
        }
    }
}

impl StageRunResponse {
    /// Converts a stage run. Omits the lease, which is a secret of the worker.
    pub fn new(run: StageRun, job_status: JobStatus) -> Self {
        Self {
            job_id: run.job_id,
            job_status,
            stage: run.stage,
            status: run.status,
            attempt: run.attempt,
            max_attempts: run.max_attempts,
            worker: run.worker,
            percent: run.progress.percent,
            message: run.progress.message,
            eta_seconds: run.progress.eta_seconds,
            error: run.error,
            notes: run.notes.into_iter().map(Into::into).collect(),
            started_at: run.started_at,
            finished_at: run.finished_at,
        }
    }
}

/// The stages of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StagesResponse {
    /// The job.
    pub job_id: JobId,
    /// The stages of the job, each after its dependencies. Empty until the upload of the
    /// recording is confirmed.
    pub stages: Vec<StageRunResponse>,
    /// Number of stages.
    pub total: usize,
}

impl StagesResponse {
    /// Converts the runs of a job, in the order of its pipeline.
    pub fn new(job_id: JobId, job_status: JobStatus, runs: Vec<StageRun>) -> Self {
        Self {
            job_id,
            total: runs.len(),
            stages: runs
                .into_iter()
                .map(|run| StageRunResponse::new(run, job_status))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::leased_run;

    #[test]
    fn a_stage_run_is_shown_without_its_lease() {
        let run = leased_run();
        let job_id = run.job_id;
        let response = StagesResponse::new(job_id, JobStatus::Running, vec![run]);
        assert_eq!(
            serde_json::to_value(response).unwrap(),
            json!({
                "job_id": job_id,
                "stages": [{
                    "job_id": job_id,
                    "job_status": "running",
                    "stage": "transcription",
                    "status": "running",
                    "attempt": 2,
                    "max_attempts": 3,
                    "worker": "whisper-1",
                    "percent": 41,
                    "message": "minute 3",
                    "eta_seconds": 9,
                    "error": "out of memory",
                    "notes": [{ "level": "info", "message": "taken from talk.srt" }],
                    "started_at": "2026-01-01T00:00:00Z",
                    "finished_at": null,
                }],
                "total": 1,
            })
        );
    }
}
