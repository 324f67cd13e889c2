//! What happens to a job, as those who watch it are told.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::value::string_enum::string_enum;
use crate::{
    At, Invalid, Job, JobId, JobProgress, JobStatus, LongText, NonNegativeInt, Percent,
    ProgressMessage, Stage, StageRun, StageRunStatus,
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
#[derive(Debug, Clone, PartialEq)]
pub struct JobState {
    /// Its status.
    pub status: JobStatus,
    /// How far it had come.
    pub progress: Option<JobProgress>,
    /// Why it failed.
    pub error_message: Option<LongText>,
}

/// Where a stage stood.
#[derive(Debug, Clone, PartialEq)]
pub struct StageState {
    /// The stage.
    pub stage: Stage,
    /// Where its run stood.
    pub status: StageRunStatus,
    /// Which attempt it was.
    pub attempt: i32,
    /// How many attempts there are at most.
    pub max_attempts: i32,
    /// How much was done.
    pub percent: Percent,
    /// What was being done.
    pub message: Option<ProgressMessage>,
    /// Seconds the worker expected to need until the end.
    pub eta_seconds: Option<NonNegativeInt>,
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
            percent: run.percent,
            message: run.message.clone(),
            eta_seconds: run.eta_seconds,
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
                serde_json::to_value(JobStored::from(state))
            }
            Self::Stage(state) => serde_json::to_value(StageStored::from(state)),
        }
        // Text, numbers and nulls under text keys are always JSON.
        .unwrap_or_default()
    }

    /// Reads an event as it is stored.
    pub fn from_json(event_type: EventType, json: Value) -> Result<Self, Invalid> {
        fn read<T: for<'de> Deserialize<'de>>(json: Value) -> Result<T, Invalid> {
            serde_json::from_value(json)
                .map_err(|error| Invalid::new(format!("is no event: {error}")))
        }
        let job = |json| read::<JobStored>(json).and_then(JobState::try_from);
        Ok(match event_type {
            EventType::Progress => Self::Progress(job(json)?),
            EventType::Complete => Self::Complete(job(json)?),
            EventType::Error => Self::Error(job(json)?),
            EventType::Stage => Self::Stage(read::<StageStored>(json)?.try_into()?),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct JobStored {
    status: JobStatus,
    progress: Option<ProgressStored>,
    error_message: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ProgressStored {
    stage: Stage,
    percent: f64,
    message: Option<String>,
    eta_seconds: Option<i32>,
}

#[derive(Serialize, Deserialize)]
struct StageStored {
    stage: Stage,
    status: StageRunStatus,
    attempt: i32,
    max_attempts: i32,
    percent: f64,
    message: Option<String>,
    eta_seconds: Option<i32>,
    error: Option<String>,
}

impl From<&JobState> for JobStored {
    fn from(state: &JobState) -> Self {
        Self {
            status: state.status,
            progress: state.progress.as_ref().map(|progress| ProgressStored {
                stage: progress.stage,
                percent: progress.percent.get(),
                message: text(progress.message.as_deref()),
                eta_seconds: progress.eta_seconds.map(NonNegativeInt::get),
            }),
            error_message: text(state.error_message.as_deref()),
        }
    }
}

impl TryFrom<JobStored> for JobState {
    type Error = Invalid;

    fn try_from(stored: JobStored) -> Result<Self, Invalid> {
        let progress = |progress: ProgressStored| {
            Ok::<_, Invalid>(JobProgress {
                stage: progress.stage,
                percent: Percent::new(progress.percent).at("percent")?,
                message: message(progress.message)?,
                eta_seconds: eta(progress.eta_seconds)?,
            })
        };
        Ok(Self {
            status: stored.status,
            progress: stored.progress.map(progress).transpose().at("progress")?,
            error_message: long("error_message", stored.error_message)?,
        })
    }
}

impl From<&StageState> for StageStored {
    fn from(state: &StageState) -> Self {
        Self {
            stage: state.stage,
            status: state.status,
            attempt: state.attempt,
            max_attempts: state.max_attempts,
            percent: state.percent.get(),
            message: text(state.message.as_deref()),
            eta_seconds: state.eta_seconds.map(NonNegativeInt::get),
            error: text(state.error.as_deref()),
        }
    }
}

impl TryFrom<StageStored> for StageState {
    type Error = Invalid;

    fn try_from(stored: StageStored) -> Result<Self, Invalid> {
        Ok(Self {
            stage: stored.stage,
            status: stored.status,
            attempt: stored.attempt,
            max_attempts: stored.max_attempts,
            percent: Percent::new(stored.percent).at("percent")?,
            message: message(stored.message)?,
            eta_seconds: eta(stored.eta_seconds)?,
            error: long("error", stored.error)?,
        })
    }
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn message(stored: Option<String>) -> Result<Option<ProgressMessage>, Invalid> {
    stored.map(ProgressMessage::new).transpose().at("message")
}

fn eta(stored: Option<i32>) -> Result<Option<NonNegativeInt>, Invalid> {
    stored
        .map(NonNegativeInt::new)
        .transpose()
        .at("eta_seconds")
}

fn long(field: &str, stored: Option<String>) -> Result<Option<LongText>, Invalid> {
    stored.map(LongText::new).transpose().at(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_was_stored() {
        let progress = JobProgress {
            stage: Stage::Transcription,
            percent: Percent::new(41.5).unwrap(),
            message: Some(ProgressMessage::new("minute 3").unwrap()),
            eta_seconds: Some(NonNegativeInt::new(9).unwrap()),
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
                percent: Percent::ZERO,
                message: None,
                eta_seconds: None,
                error: Some(LongText::new("disk full").unwrap()),
            }),
        ] {
            let stored = event.to_json();
            assert_eq!(Event::from_json(event.event_type(), stored), Ok(event));
        }
    }
}
