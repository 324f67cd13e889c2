//! What happens to a job, as those who watch it are told.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::value::string_enum::string_enum;
use crate::{
    Invalid, Job, JobId, JobProgress, JobStatus, LongText, Progress, Stage, StageRun,
    StageRunStatus,
};

string_enum! {
    /// What an event is about.
    EventType {
        /// The job's status or its progress.
        Progress = "progress",
        /// One of its stages.
        Stage = "stage",
        /// The job is completed.
        Complete = "complete",
        /// The job has failed or was cancelled.
        Error = "error",
    }
}

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobEvent {
    /// The job.
    pub job_id: JobId,
    /// Number of the event, from 1 and without gaps within a job.
    pub seq: i64,
    /// What happened.
    pub event: Event,
    /// When it happened.
    pub at: DateTime<Utc>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Status or progress changed.
    Progress(JobState),
    /// A stage changed.
    Stage(StageState),
    /// The job is completed.
    Complete(JobState),
    /// The job has failed or was cancelled.
    Error(JobState),
}

/// Where a job stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobState {
    /// Its status.
    pub status: JobStatus,
    /// How far it had come.
    pub progress: Option<JobProgress>,
    /// Why it failed.
    pub error_message: Option<LongText>,
}

/// Where a stage stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageState {
    /// The stage.
    pub stage: Stage,
    /// Where its run stood.
    pub status: StageRunStatus,
    /// Which attempt it was.
    pub attempt: i32,
    /// How many attempts there are at most.
    pub max_attempts: i32,
    /// How much of it was done.
    #[serde(flatten)]
    pub progress: Progress,
    /// What went wrong last.
    pub error: Option<LongText>,
}

impl From<&Job> for Event {
    /// The event that tells of the status a job has now.
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
    /// What it is about.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Progress(_) => EventType::Progress,
            Self::Stage(_) => EventType::Stage,
            Self::Complete(_) => EventType::Complete,
            Self::Error(_) => EventType::Error,
        }
    }

    /// Whether it is the last thing that happens to a job, unless it is retried.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Complete(_) | Self::Error(_))
    }

    /// The event as it is stored; [`Event::from_json`] reads it again.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Progress(state) | Self::Complete(state) | Self::Error(state) => {
                serde_json::to_value(state)
            }
            Self::Stage(state) => serde_json::to_value(state),
        }
        // Cannot fail: the keys are strings, and every number is finite.
        .unwrap_or_default()
    }

    /// Reads an event as it is stored.
    pub fn from_json(event_type: EventType, json: Value) -> Result<Self, Invalid> {
        let read = || {
            Ok(match event_type {
                EventType::Progress => Self::Progress(serde_json::from_value(json)?),
                EventType::Complete => Self::Complete(serde_json::from_value(json)?),
                EventType::Error => Self::Error(serde_json::from_value(json)?),
                EventType::Stage => Self::Stage(serde_json::from_value(json)?),
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
    use crate::{NonNegativeInt, Percent, ProgressMessage};

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
