//! Log entries.

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, Invalid, JobId, LogEntryId, LogStatus, NewLogEntry, Stage};
use lectern_domain::{
    AgentName, JsonObject, LogEntryFilter, LongText, Page, PageLimit, PageRequest, Seconds,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use validator::Validate;

use crate::wire::request::optional;
use crate::wire::validation::chars;
use crate::wire::{LogEntryList, PageCursor, Request};

/// An entry to be added to the processing log.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "stage": "transcription",
        "status": "started",
        "agent_name": "whisper-1",
        "message": "loaded the model",
        "duration_seconds": 1.5,
    }))]
pub struct LogEntryBody {
    /// The stage that the entry is about.
    pub stage: Stage,
    /// What happened to the stage.
    pub status: LogStatus,
    /// The program that did the work.
    #[validate(length(max = chars(AgentName::MAX)))]
    pub agent_name: Option<String>,
    /// Human-readable message.
    pub message: Option<String>,
    /// Machine-readable details of the error.
    #[schemars(with = "Option<crate::wire::field_schemas::JsonObject>")]
    pub error_details: Option<Map<String, Value>>,
    /// How long the stage took, in seconds.
    #[validate(range(min = 0.0))]
    pub duration_seconds: Option<f64>,
}

impl Request for LogEntryBody {
    type Domain = NewLogEntry;
}

impl TryFrom<LogEntryBody> for NewLogEntry {
    type Error = Invalid;

    fn try_from(entry: LogEntryBody) -> Result<Self, Invalid> {
        Ok(Self {
            stage: entry.stage,
            status: entry.status,
            agent_name: optional("agent_name", entry.agent_name, AgentName::new)?,
            message: optional("message", entry.message, LongText::new)?,
            error_details: optional("error_details", entry.error_details, JsonObject::new)?,
            duration_seconds: optional("duration_seconds", entry.duration_seconds, Seconds::new)?,
        })
    }
}

/// Selects log entries of a job; every given condition must hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogEntryListQuery {
    /// Entries about this stage.
    #[schemars(extend("example" = "transcription"))]
    pub stage: Option<Stage>,
    /// Entries of this status.
    #[schemars(extend("example" = "completed"))]
    pub status: Option<LogStatus>,
    /// Maximum number of entries on a page.
    #[validate(range(min = 1, max = PageLimit::MAX))]
    #[schemars(extend("default" = PageLimit::default().get()))]
    #[schemars(extend("example" = 10))]
    pub limit: Option<i64>,
    /// The `next_cursor` of the previous page.
    #[schemars(extend("example" = PageCursor::<LogEntryList>::example()))]
    pub cursor: Option<PageCursor<LogEntryList>>,
}

/// A page of a list of log entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogEntryListRequest {
    /// The entries that the list contains.
    pub filter: LogEntryFilter,
    /// The page of the list.
    pub page: PageRequest,
}

impl Request for LogEntryListQuery {
    type Domain = LogEntryListRequest;

    const IS_PAGED: bool = true;
}

impl TryFrom<LogEntryListQuery> for LogEntryListRequest {
    type Error = Invalid;

    fn try_from(query: LogEntryListQuery) -> Result<Self, Invalid> {
        Ok(Self {
            filter: LogEntryFilter {
                stage: query.stage,
                status: query.status,
            },
            page: crate::wire::cursor::page(query.limit, query.cursor)?,
        })
    }
}

/// An entry of the processing log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LogEntry {
    /// Id of the entry.
    pub log_id: LogEntryId,
    /// The stage that the entry is about.
    pub stage: Stage,
    /// What happened to the stage.
    pub status: LogStatus,
    /// The program that did the work.
    pub agent_name: Option<AgentName>,
    /// Human-readable message.
    pub message: Option<LongText>,
    /// Machine-readable details of the error.
    pub error_details: Option<JsonObject>,
    /// How long the stage took, in seconds.
    pub duration_seconds: Option<Seconds>,
    /// When the logged event happened.
    pub timestamp: DateTime<Utc>,
    /// When the entry was stored.
    pub created_at: DateTime<Utc>,
}

impl From<domain::LogEntry> for LogEntry {
    fn from(stored: domain::LogEntry) -> Self {
        let entry = stored.data;
        Self {
            log_id: stored.log_id,
            stage: entry.stage,
            status: entry.status,
            agent_name: entry.agent_name,
            message: entry.message,
            error_details: entry.error_details,
            duration_seconds: entry.duration_seconds,
            timestamp: stored.timestamp,
            created_at: stored.created_at,
        }
    }
}

/// A page of the processing log of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LogEntryListResponse {
    /// The job that the entries belong to.
    pub job_id: JobId,
    /// The entries of this page.
    pub logs: Vec<LogEntry>,
    /// Cursor of the next page; `null` on the last page.
    pub next_cursor: Option<PageCursor<LogEntryList>>,
    /// Number of entries on this page.
    pub total: usize,
}

impl LogEntryListResponse {
    /// Converts a page of stored entries.
    pub fn new(job_id: JobId, page: Page<domain::LogEntry>) -> Self {
        Self {
            job_id,
            total: page.items.len(),
            logs: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(Into::into),
        }
    }
}
