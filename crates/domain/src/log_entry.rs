//! Log entries: the audit trail of a job.

use std::ops::Deref;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::id::{JobId, LogEntryId};
use crate::stage::Stage;
use crate::value::string_enum::string_enum;
use crate::value::{AgentName, JsonObject, LongText, Seconds};

string_enum! {
    /// What happened to a stage.
    LogStatus {
        /// An attempt began.
        Started = "started",
        /// An attempt succeeded.
        Completed = "completed",
        /// An attempt failed.
        Failed = "failed",
    }
}

/// A stored entry of the processing log; dereferences to the [`NewLogEntry`] it was
/// made from. Entries are never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Public id.
    pub log_id: LogEntryId,
    /// The job that the entry is about.
    pub job_id: JobId,
    /// The entry.
    pub data: NewLogEntry,
    /// When the logged change happened.
    pub timestamp: DateTime<Utc>,
    /// When the entry was stored.
    pub created_at: DateTime<Utc>,
}

impl Deref for LogEntry {
    type Target = NewLogEntry;

    fn deref(&self) -> &NewLogEntry {
        &self.data
    }
}

/// An entry to be added to the processing log.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLogEntry {
    /// The stage that the entry is about.
    pub stage: Stage,
    /// What happened to the stage.
    pub status: LogStatus,
    /// The program that did the work.
    pub agent_name: Option<AgentName>,
    /// For people to read.
    pub message: Option<LongText>,
    /// The error in a form that programs read.
    pub error_details: Option<JsonObject>,
    /// How long the stage took.
    pub duration_seconds: Option<Seconds>,
}

impl NewLogEntry {
    /// An entry without optional values.
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

    /// [`NewLogEntry::error_details`] as a JSON value.
    pub fn error_details_json(&self) -> Option<Value> {
        self.error_details.clone().map(JsonObject::into_value)
    }
}

/// Conditions on a list of log entries; all that are set must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogEntryFilter {
    /// Entries about this stage.
    pub stage: Option<Stage>,
    /// Entries of this status.
    pub status: Option<LogStatus>,
}
