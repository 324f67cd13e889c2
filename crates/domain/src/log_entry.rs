//! The audit trail of a job.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::value::string_enum::string_enum;
use crate::{AgentName, JobId, JsonObject, LogEntryId, LongText, Seconds, Stage};

string_enum! {
    /// What happened to a stage.
    LogStatus {
        /// It began.
        Started = "started",
        /// It ended well.
        Completed = "completed",
        /// It ended badly.
        Failed = "failed",
    }
}

/// An entry of the processing log as it is stored; entries are only ever
/// added.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Public id.
    pub log_id: LogEntryId,
    /// The job it is about.
    pub job_id: JobId,
    /// What happened.
    pub event: NewLogEntry,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

/// An entry to be added to the processing log.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLogEntry {
    /// The stage it is about.
    pub stage: Stage,
    /// What happened to the stage.
    pub status: LogStatus,
    /// Which program did it.
    pub agent_name: Option<AgentName>,
    /// What there is to say.
    pub message: Option<LongText>,
    /// What went wrong, for a program to read.
    pub error_details: Option<JsonObject>,
    /// How long the stage took, in seconds.
    pub duration_seconds: Option<Seconds>,
}

impl NewLogEntry {
    /// An entry that says what happened to which stage, and no more.
    pub fn new(stage: Stage, status: LogStatus) -> Self {
        Self {
            stage,
            status,
            agent_name: None,
            message: None,
            error_details: None,
            duration_seconds: None,
        }
    }

    /// The details as a JSON value.
    pub fn error_details_json(&self) -> Option<Value> {
        self.error_details.clone().map(JsonObject::into_value)
    }
}

/// The log entries a list is about: those that fit every condition given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogEntryFilter {
    /// Entries about this stage.
    pub stage: Option<Stage>,
    /// Entries of this status.
    pub status: Option<LogStatus>,
}
