//! Events of a job, which are published to its subscribers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::JobId;
use crate::job::{Job, JobProgress, JobStatus, Progress};
use crate::stage::Stage;
use crate::stage_run::{StageRun, StageRunStatus};
use crate::value::string_enum::string_enum;
use crate::value::{Invalid, LongText};

string_enum! {
    /// Type of an event.
    EventType {
        /// A change of the job's status or progress.
        Progress = "progress",
        /// A change of one of the job's stages.
        Stage = "stage",
        /// The job is completed.
        Complete = "complete",
        /// The job has failed or was cancelled.
        Error = "error",
        /// The job was deleted. Only among the events of all jobs, because those of the job
        /// are deleted with it.
        Deleted = "deleted",
    }
}

/// A numbered change of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobEvent {
    /// The job that changed.
    pub job_id: JobId,
    /// Sequence number, from 1 and without gaps within a job.
    pub seq: i64,
    /// The change.
    pub event: Event,
    /// Time of the change.
    pub at: DateTime<Utc>,
}

/// The position after an event in the order of the events of all jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPosition {
    /// Changes when the numbers of the database lose their meaning.
    pub generation: i32,
    /// The transaction of the event; always 0 on SQLite.
    pub transaction_id: i64,
    /// Orders the events of a transaction.
    pub id: i64,
}

/// Events of all jobs in order.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events, each with its position.
    pub events: Vec<(EventPosition, JobEvent)>,
    /// The position after the last event, or the one that was asked for if there is none.
    /// It may be later than that of the last event in `events`, which leaves out unreadable
    /// ones.
    pub next: EventPosition,
}

/// A change of a job or of one of its stages.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The job's status or its progress changed.
    Progress(JobState),
    /// One of the job's stages changed.
    Stage(StageState),
    /// The job is completed.
    Complete(JobState),
    /// The job has failed or was cancelled.
    Error(JobState),
    /// The job was deleted. Its sequence number follows the job's last one.
    Deleted,
}

/// The state of a job after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobState {
    /// Status of the job.
    pub status: JobStatus,
    /// `None` until the first report.
    pub progress: Option<JobProgress>,
    /// Why the job failed.
    pub error_message: Option<LongText>,
}

/// The state of a stage after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageState {
    /// The stage that changed.
    pub stage: Stage,
    /// Status of its run.
    pub status: StageRunStatus,
    /// Number of the current attempt, from 1; 0 before the first attempt.
    pub attempt: i32,
    /// The greatest number of attempts.
    pub max_attempts: i32,
    /// How much of the stage is done.
    #[serde(flatten)]
    pub progress: Progress,
    /// Error of the last failed attempt.
    pub error: Option<LongText>,
}

impl From<&Job> for Event {
    /// The event for the current status of a job.
    fn from(job: &Job) -> Self {
        let state = JobState {
            status: job.status,
            progress: job.progress.clone(),
            error_message: job.error_message.clone(),
        };
        match job.status {
            JobStatus::Completed => Self::Complete(state),
            JobStatus::Failed | JobStatus::Cancelled => Self::Error(state),
            JobStatus::Pending | JobStatus::Queued | JobStatus::Running => Self::Progress(state),
        }
    }
}

impl From<&StageRun> for Event {
    fn from(run: &StageRun) -> Self {
        Self::Stage(StageState {
            stage: run.stage,
            status: run.status,
            attempt: run.attempt,
            max_attempts: run.max_attempts,
            progress: run.progress.clone(),
            error: run.error.clone(),
        })
    }
}

impl Event {
    /// The type of the event.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Progress(_) => EventType::Progress,
            Self::Stage(_) => EventType::Stage,
            Self::Complete(_) => EventType::Complete,
            Self::Error(_) => EventType::Error,
            Self::Deleted => EventType::Deleted,
        }
    }

    /// Whether the job is finished: no event follows unless it is retried.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Complete(_) | Self::Error(_) | Self::Deleted)
    }

    /// The JSON that is stored; [`Event::from_json`] reads it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Progress(state) | Self::Complete(state) | Self::Error(state) => {
                serde_json::to_value(state)
            }
            Self::Stage(state) => serde_json::to_value(state),
            Self::Deleted => Ok(Value::Object(serde_json::Map::new())),
        }
        // Cannot fail: the keys are strings, and every number is finite.
        .unwrap_or_default()
    }

    /// Reads the JSON that [`Event::to_json`] wrote.
    pub fn from_json(event_type: EventType, json: Value) -> Result<Self, Invalid> {
        let read = || {
            Ok(match event_type {
                EventType::Progress => Self::Progress(serde_json::from_value(json)?),
                EventType::Complete => Self::Complete(serde_json::from_value(json)?),
                EventType::Error => Self::Error(serde_json::from_value(json)?),
                EventType::Stage => Self::Stage(serde_json::from_value(json)?),
                EventType::Deleted => Self::Deleted,
            })
        };
        read().map_err(|error: serde_json::Error| {
            Invalid::new(format!("is not a valid event: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::value::{AgentName, NonNegativeInt, Percent, ProgressMessage};

    fn progress() -> Progress {
        Progress {
            percent: Percent::new(41.5).unwrap(),
            message: Some(ProgressMessage::new("minute 3").unwrap()),
            eta_seconds: Some(NonNegativeInt::new(9).unwrap()),
        }
    }

    #[test]
    fn an_event_is_read_back_as_it_was_stored() {
        let progress = JobProgress {
            stage: Stage::Transcription,
            progress: progress(),
            agent_name: Some(AgentName::new("whisper-1").unwrap()),
        };
        let state = |status, progress| JobState {
            status,
            progress,
            error_message: Some(LongText::new("no sound").unwrap()),
        };
        for event in [
            Event::Progress(state(JobStatus::Running, Some(progress))),
            Event::Complete(state(JobStatus::Completed, None)),
            Event::Error(state(JobStatus::Failed, None)),
            Event::Stage(StageState {
                stage: Stage::Compilation,
                status: StageRunStatus::Ready,
                attempt: 2,
                max_attempts: 3,
                progress: Progress::new(Percent::ZERO),
                error: Some(LongText::new("disk full").unwrap()),
            }),
        ] {
            let stored = event.to_json();
            assert_eq!(Event::from_json(event.event_type(), stored), Ok(event));
        }
    }

    #[test]
    fn stored_events_keep_their_form() {
        let event = Event::Stage(StageState {
            stage: Stage::Compilation,
            status: StageRunStatus::Running,
            attempt: 1,
            max_attempts: 3,
            progress: progress(),
            error: None,
        });
        let stored = json!({
            "stage": "compilation",
            "status": "running",
            "attempt": 1,
            "max_attempts": 3,
            "percent": 41.5,
            "message": "minute 3",
            "eta_seconds": 9,
            "error": null,
        });
        assert_eq!(event.to_json(), stored);
        let mut short = stored;
        for key in ["message", "eta_seconds", "error"] {
            short.as_object_mut().unwrap().remove(key);
        }
        short["percent"] = json!(41);
        assert!(Event::from_json(EventType::Stage, short.clone()).is_ok());
        short["percent"] = json!(101);
        assert!(Event::from_json(EventType::Stage, short).is_err());
    }
}
