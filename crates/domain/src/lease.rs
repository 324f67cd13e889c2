//! Leases: the right of a worker to process a stage, and the reports that it makes
//! under a lease.

use chrono::{DateTime, Utc};

use crate::id::LeaseId;
use crate::value::{
    Invalid, JsonObject, LongText, NonNegativeInt, Percent, ProgressMessage, RetryAfter,
};

/// The right of one worker to one attempt at a stage, for a limited time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Known only to the worker, which sends it with every write under the lease.
    pub lease_id: LeaseId,
    /// Extended by every heartbeat.
    pub expires_at: DateTime<Utc>,
    /// How long the lease lasts after a claim or a heartbeat.
    pub duration: LeaseDuration,
}

/// How long a lease lasts after a claim or a heartbeat, 1 second to 1 hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseDuration(u16);

impl LeaseDuration {
    /// The longest lease, in seconds.
    pub const MAX: i64 = 3600;

    /// Checks the bounds.
    pub fn new(seconds: i64) -> Result<Self, Invalid> {
        match u16::try_from(seconds) {
            Ok(seconds @ 1..=3600) => Ok(Self(seconds)),
            _ => Err(Invalid::new("must be between 1 and 3600")),
        }
    }

    /// The number of seconds.
    pub fn seconds(self) -> u16 {
        self.0
    }
}

impl Default for LeaseDuration {
    /// One minute.
    fn default() -> Self {
        Self(60)
    }
}

/// A worker's message that it is still running, which extends its lease and may
/// report progress. A field that is `None` keeps the stored value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heartbeat {
    /// The share of the stage that is done.
    pub percent: Option<Percent>,
    /// What the worker is doing now.
    pub message: Option<ProgressMessage>,
    /// Estimated time until the stage is completed, in seconds.
    pub eta_seconds: Option<NonNegativeInt>,
}

/// The response to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseState {
    /// When the lease expires unless it is extended again.
    pub expires_at: DateTime<Utc>,
    /// Whether the job was cancelled, so that the worker should stop.
    pub cancelled: bool,
}

/// A worker's report that its attempt at a stage failed.
#[derive(Debug, Clone, PartialEq)]
pub struct StageFailure {
    /// Human-readable.
    pub error: LongText,
    /// Machine-readable details of the error.
    pub details: Option<JsonObject>,
    /// Whether another attempt might succeed.
    pub retryable: bool,
    /// The pause before the next attempt, instead of that of the stage's
    /// [`Backoff`](crate::Backoff).
    pub retry_after: Option<RetryAfter>,
}
