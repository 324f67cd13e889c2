//! What happens to a job, as those who watch it are told.

pub(crate) mod page;
pub(crate) mod ping;

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, Event, JobEvent, JobId, JobStatus};
use lectern_domain::{
    JobState, LongText, NonNegativeInt, Percent, ProgressMessage, Stage, StageRunStatus, StageState,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::job::progress::whole_without_point;
use crate::{JobProgress, JobResponse};

/// Something that happened to a job, the same on every channel.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WsMessage {
    /// What it is about, which decides what `data` is.
    #[serde(rename = "type")]
    pub message_type: WsMessageType,
    /// The job.
    pub job_id: JobId,
    /// Number of the event, from 1 and without gaps within a job. That of a
    /// snapshot is the last event's it has seen, 0 when there was none.
    #[schemars(range(min = 0))]
    pub seq: i64,
    /// What there is to say.
    pub data: WsData,
    /// When it happened or, of a snapshot, when it was taken.
    pub timestamp: DateTime<Utc>,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WsMessageType {
    /// The whole job, for one who begins to watch.
    Snapshot,
    /// The job's status or its progress changed.
    Progress,
    /// One of its stages changed.
    Stage,
    /// The job is completed.
    Complete,
    /// The job has failed or was cancelled.
    Error,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum WsData {
    /// Of a `snapshot`: the job.
    Snapshot(Box<JobResponse>),
    /// Of an `error`: where the job stands, and why.
    Error(WsError),
    /// Of a `stage`: where the stage stands.
    Stage(WsStage),
    /// Of `progress` and `complete`: where the job stands.
    Progress(WsProgressUpdate),
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WsProgressUpdate {
    /// The job.
    pub job_id: JobId,
    /// Where it stands.
    pub status: JobStatus,
    /// How far it has come, from the first report on.
    pub progress: Option<JobProgress>,
}

/// Where a job stands that has failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WsError {
    /// The job.
    pub job_id: JobId,
    /// Where it stands.
    pub status: JobStatus,
    /// How far it had come.
    pub progress: Option<JobProgress>,
    /// Why it failed.
    pub error_message: Option<LongText>,
}

/// Where a stage stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WsStage {
    /// The stage.
    pub stage: Stage,
    /// Where it stands.
    pub status: StageRunStatus,
    /// Which attempt this is, from 1; 0 before the first.
    pub attempt: i32,
    /// How many attempts there are at most.
    pub max_attempts: i32,
    /// How much is done, 0 to 100.
    #[serde(serialize_with = "whole_without_point")]
    #[schemars(range(min = 0, max = 100))]
    pub percent: Percent,
    /// What is being done right now.
    pub message: Option<ProgressMessage>,
    /// Seconds the worker expects to need until the end.
    pub eta_seconds: Option<NonNegativeInt>,
    /// What went wrong last.
    pub error: Option<LongText>,
}

impl WsMessage {
    /// The job as it stands now, for one who begins to watch.
    pub fn snapshot(job: domain::Job, now: DateTime<Utc>) -> Self {
        Self {
            message_type: WsMessageType::Snapshot,
            job_id: job.job_id,
            seq: job.last_seq,
            data: WsData::Snapshot(Box::new(job.into())),
            timestamp: now,
        }
    }
}

impl From<JobEvent> for WsMessage {
    fn from(event: JobEvent) -> Self {
        let job_id = event.job_id;
        let (message_type, data) = match event.event {
            Event::Progress(state) => (WsMessageType::Progress, progress(job_id, state)),
            Event::Complete(state) => (WsMessageType::Complete, progress(job_id, state)),
            Event::Error(state) => (WsMessageType::Error, error(job_id, state)),
            Event::Stage(state) => (WsMessageType::Stage, WsData::Stage(state.into())),
        };
        Self {
            message_type,
            job_id,
            seq: event.seq,
            data,
            timestamp: event.at,
        }
    }
}

fn progress(job_id: JobId, state: JobState) -> WsData {
    WsData::Progress(WsProgressUpdate {
        job_id,
        status: state.status,
        progress: state.progress.map(Into::into),
    })
}

fn error(job_id: JobId, state: JobState) -> WsData {
    WsData::Error(WsError {
        job_id,
        status: state.status,
        progress: state.progress.map(Into::into),
        error_message: state.error_message,
    })
}

impl From<StageState> for WsStage {
    fn from(state: StageState) -> Self {
        Self {
            stage: state.stage,
            status: state.status,
            attempt: state.attempt,
            max_attempts: state.max_attempts,
            percent: state.progress.percent,
            message: state.progress.message,
            eta_seconds: state.progress.eta_seconds,
            error: state.error,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::{completed_job, leased_run, new_year};

    fn told(event: Event) -> Value {
        let event = JobEvent {
            job_id: completed_job().job_id,
            seq: 3,
            event,
            at: new_year(),
        };
        serde_json::to_value(WsMessage::from(event)).unwrap()
    }

    #[test]
    fn progress_and_completion_tell_where_the_job_stands() {
        let mut job = completed_job();
        let completed = told(Event::from(&job));
        assert_eq!(completed["type"], "complete");
        job.status = JobStatus::Running;
        let running = told(Event::from(&job));
        assert_eq!(
            running,
            json!({
                "type": "progress",
                "job_id": running["job_id"],
                "seq": 3,
                "data": {
                    "job_id": running["job_id"],
                    "status": "running",
                    "progress": {
                        "stage": "complete",
                        "percent": 100,
                        "message": null,
                        "eta_seconds": null,
                    },
                },
                "timestamp": "2026-01-01T00:00:00Z",
            })
        );
    }

    #[test]
    fn an_error_tells_why() {
        let mut job = completed_job();
        job.status = JobStatus::Failed;
        job.progress = None;
        job.error_message = Some(LongText::new("no sound").unwrap());
        let failed = told(Event::from(&job));
        assert_eq!(failed["type"], "error");
        assert_eq!(
            failed["data"],
            json!({
                "job_id": failed["job_id"],
                "status": "failed",
                "progress": null,
                "error_message": "no sound",
            })
        );
    }

    #[test]
    fn a_stage_tells_how_far_it_is_and_not_who_is_on_it() {
        let stage = told(Event::from(&leased_run()));
        assert_eq!(stage["type"], "stage");
        assert_eq!(
            stage["data"],
            json!({
                "stage": "transcription",
                "status": "running",
                "attempt": 2,
                "max_attempts": 3,
                "percent": 41,
                "message": "minute 3",
                "eta_seconds": 9,
                "error": "out of memory",
            })
        );
    }

    #[test]
    fn a_snapshot_is_the_job_at_its_last_event() {
        let job = completed_job();
        let told = serde_json::to_value(WsMessage::snapshot(job.clone(), new_year())).unwrap();
        assert_eq!(
            told,
            json!({
                "type": "snapshot",
                "job_id": job.job_id,
                "seq": 12,
                "data": JobResponse::from(job),
                "timestamp": "2026-01-01T00:00:00Z",
            })
        );
    }
}
