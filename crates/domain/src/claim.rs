//! Claims, by which workers obtain stages to process.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::id::LeaseId;
use crate::job::Job;
use crate::lease::LeaseDuration;
use crate::stage::Stage;
use crate::stage_run::StageRun;
use crate::value::{Invalid, JsonValue, WorkerName};

/// A worker's request for stages to process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The worker that sends the request.
    pub worker: WorkerName,
    /// The stages that the worker can process.
    pub stages: Stages,
    /// Upper bound of stage runs to claim.
    pub max: ClaimLimit,
    /// How long each lease lasts without a heartbeat.
    pub lease: LeaseDuration,
}

/// The stages that a worker can process: at least one, without duplicates, all of them
/// in [`Stage::WORK`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stages(Vec<Stage>);

impl Stages {
    /// Checks the stages and removes duplicates. The error names the item.
    pub fn new(mut stages: Vec<Stage>) -> Result<Self, Invalid> {
        if stages.is_empty() {
            return Err(Invalid::new("must name at least one stage"));
        }
        if let Some(i) = stages.iter().position(|stage| !stage.is_work()) {
            return Err(Invalid::field(
                format!("[{i}]"),
                "must be a stage that workers process",
            ));
        }
        stages.sort_unstable();
        stages.dedup();
        Ok(Self(stages))
    }

    /// The stages in the order of [`Stage::ALL`].
    pub fn as_slice(&self) -> &[Stage] {
        &self.0
    }
}

impl JsonValue for Stages {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        Self::new(Vec::from_json(json)?)
    }

    fn to_json(&self) -> Value {
        self.0.to_json()
    }
}

/// How many stage runs a claim takes at most, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimLimit(u8);

impl ClaimLimit {
    /// The greatest limit.
    pub const MAX: i64 = 100;

    /// Checks the bounds.
    pub fn new(max: i64) -> Result<Self, Invalid> {
        match u8::try_from(max) {
            Ok(max @ 1..=100) => Ok(Self(max)),
            _ => Err(Invalid::new("must be between 1 and 100")),
        }
    }

    /// The number of stage runs.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

impl Default for ClaimLimit {
    /// One.
    fn default() -> Self {
        Self(1)
    }
}

/// A stage run that was leased to a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The job of the stage.
    pub job: Job,
    /// The stage run; `run.lease` is the new lease.
    pub run: StageRun,
    /// Id of the new lease.
    pub lease_id: LeaseId,
    /// When the new lease expires unless a heartbeat extends it.
    pub lease_expires_at: DateTime<Utc>,
}
