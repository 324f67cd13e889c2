//! Workers that hold leases.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use lectern_domain::{
    self as domain, Invalid, JobId, PageLimit, Percent, Stage, WorkerName, WorkerPage,
    WorkerPageRequest,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::Validate;

use crate::wire::cursor::{checked_bytes, page_limit, with_checksum};
use crate::wire::{InvalidCursor, Request};

/// Selects a page of the workers.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkersQuery {
    /// Maximum number of workers on a page.
    #[validate(range(min = 1, max = PageLimit::MAX))]
    #[schemars(extend("default" = PageLimit::default().get()))]
    #[schemars(extend("example" = 10))]
    pub limit: Option<i64>,
    /// The `next_cursor` of the previous page.
    #[schemars(extend("example" = WorkerCursor::example()))]
    pub cursor: Option<WorkerCursor>,
}

impl Request for WorkersQuery {
    type Domain = WorkerPageRequest;

    const IS_PAGED: bool = true;
}

impl TryFrom<WorkersQuery> for WorkerPageRequest {
    type Error = Invalid;

    fn try_from(query: WorkersQuery) -> Result<Self, Invalid> {
        Ok(Self {
            limit: page_limit(query.limit)?,
            after: query.cursor.map(|cursor| cursor.0),
        })
    }
}

/// The cursor of a page of the workers: the name of its last one, with a checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerCursor(WorkerName);

/// Tells it from the cursors of other lists.
const TAG: u8 = b'w';

impl WorkerCursor {
    /// A valid cursor, for documentation.
    fn example() -> String {
        WorkerName::new("gpu-1").map_or_else(|_| String::new(), |name| Self(name).to_string())
    }
}

impl fmt::Display for WorkerCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![TAG];
        bytes.extend(self.0.as_str().as_bytes());
        f.write_str(&with_checksum(bytes))
    }
}

impl FromStr for WorkerCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let name = || {
            let bytes = checked_bytes(text)?;
            let (tag, name) = bytes.split_first()?;
            let name = str::from_utf8(name).ok().filter(|_| *tag == TAG)?;
            WorkerName::new(name).ok()
        };
        name().map(Self).ok_or(InvalidCursor)
    }
}

impl Serialize for WorkerCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WorkerCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for WorkerCursor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "cursor" })
    }
}

/// A page of the workers that hold leases now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WorkersResponse {
    /// The workers of this page, in the order of their names.
    pub workers: Vec<ActiveWorker>,
    /// Cursor of the next page; `null` on the last page.
    pub next_cursor: Option<WorkerCursor>,
    /// Number of workers on this page.
    pub total: usize,
}

/// A worker that holds leases now. Programs that use the same name are one worker.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ActiveWorker {
    /// The name under which it claims stages.
    pub worker: WorkerName,
    /// The stages of its leases.
    pub stages: Vec<Stage>,
    /// When it last claimed a stage or extended a lease.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// The number of its leases.
    pub lease_count: i64,
    /// Its leases, the oldest attempt first; at most 100.
    pub leases: Vec<HeldLease>,
}

/// A lease that a worker holds. Its id is known to the worker only.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HeldLease {
    /// The job.
    pub job_id: JobId,
    /// The stage of the job that the worker is processing.
    pub stage: Stage,
    /// Which attempt at the stage this is, counted from 1.
    pub attempt: i32,
    /// How often the stage may be attempted.
    pub max_attempts: i32,
    /// How much of the stage is done.
    pub percent: f64,
    /// When the worker claimed the stage.
    pub claimed_at: DateTime<Utc>,
    /// When the lease expires unless the worker extends it.
    pub expires_at: DateTime<Utc>,
}

impl From<domain::HeldLease> for HeldLease {
    fn from(lease: domain::HeldLease) -> Self {
        Self {
            job_id: lease.job_id,
            stage: lease.stage,
            attempt: lease.attempt,
            max_attempts: lease.max_attempts,
            percent: Percent::get(lease.percent),
            claimed_at: lease.claimed_at,
            expires_at: lease.expires_at,
        }
    }
}

impl From<domain::ActiveWorker> for ActiveWorker {
    fn from(worker: domain::ActiveWorker) -> Self {
        Self {
            stages: worker.stages(),
            last_seen_at: worker.last_seen_at(),
            worker: worker.worker,
            lease_count: worker.lease_count,
            leases: worker.leases.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<WorkerPage> for WorkersResponse {
    fn from(page: WorkerPage) -> Self {
        Self {
            total: page.items.len(),
            workers: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(WorkerCursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_any_name_is_read_again_and_a_changed_one_is_refused() {
        for name in ["a", "gpu 1", &"é".repeat(50)] {
            let cursor = WorkerCursor(WorkerName::new(name).unwrap());
            let text = cursor.to_string();
            assert_eq!(text.parse(), Ok(cursor));
            let cut = &text[..text.len() - 1];
            assert!(cut.parse::<WorkerCursor>().is_err(), "{cut}");
            assert!(format!("{text}A").parse::<WorkerCursor>().is_err());
        }
        let of_another_list = with_checksum(b"lgpu".to_vec());
        assert!(of_another_list.parse::<WorkerCursor>().is_err());
        let without_a_name = with_checksum(vec![TAG]);
        assert!(without_a_name.parse::<WorkerCursor>().is_err());
        assert!("".parse::<WorkerCursor>().is_err());
    }
}
