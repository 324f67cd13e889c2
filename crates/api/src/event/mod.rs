//! Events of jobs.

pub(crate) mod client_message;
pub(crate) mod feed;
pub(crate) mod page;
mod schema;
pub(crate) mod watch_token;

pub use client_message::WsClientMessage;
pub use feed::{AllEventsQuery, AllEventsRequest, AllEventsResponse, EventCursor, FeedStart};
pub use page::{EventFilter, EventsQuery, EventsResponse};
pub use watch_token::{WatchTokenBody, WatchTokenResponse};

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, Event, JobEvent, JobId, JobStatus};
use lectern_domain::{
    JobState, LongText, NonNegativeInt, Percent, ProgressMessage, Stage, StageRunStatus, StageState,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::job::progress::percent_without_fraction;
use crate::job::{JobProgress, JobResponse};

/// An event of a job. Has the same form over every protocol.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WsMessage {
    /// Type of the message, which determines the form of `data`.
    #[serde(rename = "type")]
    pub message_type: WsMessageType,
    /// The job.
    pub job_id: JobId,
    /// Sequence number of the event, from 1 and without gaps within a job. For a
    /// snapshot: the number of the last event that the snapshot includes, or 0 if there is
    /// no event yet.
    pub seq: i64,
    /// The content of the message.
    pub data: WsData,
    /// Time of the event or of the snapshot.
    pub timestamp: DateTime<Utc>,
}

/// Type of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WsMessageType {
    /// The whole job, for a new subscriber.
    Snapshot,
    /// The job's status or its progress changed.
    Progress,
    /// The status or the progress of a stage changed.
    Stage,
    /// The job is completed.
    Complete,
    /// The job has failed or was cancelled.
    Error,
    /// The job was deleted. Only among the events of all jobs.
    Deleted,
}

/// Content of a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum WsData {
    /// For `snapshot`: the job.
    Snapshot(Box<JobResponse>),
    /// For `error`: the state of the job, and the reason.
    Error(WsError),
    /// For `stage`: the state of the stage.
    Stage(WsStage),
    /// For `progress` and `complete`: the state of the job.
    Progress(WsProgressUpdate),
    /// For `deleted`: the id of the job.
    Deleted(WsDeletion),
}

/// State of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WsProgressUpdate {
    /// The job.
    pub job_id: JobId,
    /// Status of the job.
    pub status: JobStatus,
    /// `null` until the first report.
    pub progress: Option<JobProgress>,
}

/// A job that was deleted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WsDeletion {
    /// The job.
    pub job_id: JobId,
}

/// State of a job that has failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WsError {
    /// The job.
    pub job_id: JobId,
    /// Status of the job.
    pub status: JobStatus,
    /// Last progress of the job.
    pub progress: Option<JobProgress>,
    /// Why the job failed.
    pub error_message: Option<LongText>,
}

/// State of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WsStage {
    /// The stage.
    pub stage: Stage,
    /// Status of the stage.
    pub status: StageRunStatus,
    /// Number of the current attempt, from 1; 0 before the first attempt.
    pub attempt: i32,
    /// Maximum number of attempts.
    pub max_attempts: i32,
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
}

impl WsMessage {
    /// The first message to a subscriber: the job at the time `now`.
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
            Event::Deleted => (
                WsMessageType::Deleted,
                WsData::Deleted(WsDeletion { job_id }),
            ),
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

    fn message(event: Event) -> Value {
        let event = JobEvent {
            job_id: completed_job().job_id,
            seq: 3,
            event,
            at: new_year(),
        };
        serde_json::to_value(WsMessage::from(event)).unwrap()
    }

    #[test]
    fn progress_and_completion_contain_the_state_of_the_job() {
        let mut job = completed_job();
        let completed = message(Event::from(&job));
        assert_eq!(completed["type"], "complete");
        job.status = JobStatus::Running;
        let running = message(Event::from(&job));
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
                        "agent_name": "worker-1",
                        "message": null,
                        "eta_seconds": null,
                    },
                },
                "timestamp": "2026-01-01T00:00:00Z",
            })
        );
    }

    #[test]
    fn an_error_contains_its_reason() {
        let mut job = completed_job();
        job.status = JobStatus::Failed;
        job.progress = None;
        job.error_message = Some(LongText::new("no sound").unwrap());
        let failed = message(Event::from(&job));
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
    fn a_stage_contains_its_progress_but_not_its_worker() {
        let stage = message(Event::from(&leased_run()));
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
    fn a_snapshot_has_the_number_of_the_last_event() {
        let job = completed_job();
        let message = serde_json::to_value(WsMessage::snapshot(job.clone(), new_year())).unwrap();
        assert_eq!(
            message,
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
