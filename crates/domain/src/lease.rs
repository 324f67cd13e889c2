//! What workers say and are told.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    Invalid, Job, JsonObject, LeaseId, LongText, NonNegativeInt, Percent, ProgressMessage, Stage,
    StageRun, WorkerName,
};

/// A worker asks for something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    /// Who asks.
    pub worker: WorkerName,
    /// What the worker can do.
    pub stages: Stages,
    /// How much it takes at once.
    pub max: ClaimLimit,
    /// For how long it is undisturbed without a heartbeat.
    pub lease: LeaseDuration,
}

/// Stages a worker can do: at least one, none twice, none but those of
/// [`Stage::WORK`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stages(Vec<Stage>);

impl Stages {
    /// Checks the stages; one that is named twice counts once. The error names
    /// the item.
    pub fn new(mut stages: Vec<Stage>) -> Result<Self, Invalid> {
        if stages.is_empty() {
            return Err(Invalid::new("must name at least one stage"));
        }
        if let Some(i) = stages.iter().position(|stage| !stage.is_work()) {
            return Err(Invalid::field(
                format!("[{i}]"),
                "must be a stage workers do",
            ));
        }
        stages.sort_unstable();
        stages.dedup();
        Ok(Self(stages))
    }

    /// The stages, in the order of the pipeline.
    pub fn as_slice(&self) -> &[Stage] {
        &self.0
    }
}

/// How many runs are claimed at once, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimLimit(u8);

impl ClaimLimit {
    /// The most at once.
    pub const MAX: i64 = 100;

    /// Checks the bounds.
    pub fn new(max: i64) -> Result<Self, Invalid> {
        match u8::try_from(max) {
            Ok(max @ 1..=100) => Ok(Self(max)),
            _ => Err(Invalid::new("must be between 1 and 100")),
        }
    }

    /// The number of runs.
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

/// How long a lease lasts from a claim or a heartbeat on, 1 second to 1 hour.
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

/// A worker was given something to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The job.
    pub job: Job,
    /// The run of its stage; its lease is the worker's.
    pub run: StageRun,
    /// The same lease.
    pub lease_id: LeaseId,
    /// When it ends unless a heartbeat extends it.
    pub lease_expires_at: DateTime<Utc>,
}

/// A worker is still there, and says how far it is. What it leaves out stays as
/// it was.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heartbeat {
    /// How much of the stage is done.
    pub percent: Option<Percent>,
    /// What is being done right now.
    pub message: Option<ProgressMessage>,
    /// Seconds the worker expects to need until the end.
    pub eta_seconds: Option<NonNegativeInt>,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseState {
    /// When the lease ends now.
    pub expires_at: DateTime<Utc>,
    /// Whether the job was called off: the worker can stop.
    pub cancelled: bool,
}

/// A worker gives up.
#[derive(Debug, Clone, PartialEq)]
pub struct StageFailure {
    /// What went wrong.
    pub error: LongText,
    /// The same for a program to read.
    pub details: Option<JsonObject>,
    /// Whether another attempt might end better.
    pub retryable: bool,
}

/// How long to wait after the failed attempt of this number (from 1) before the
/// next: 2 seconds, doubled with each, at most 5 minutes. `jitter` from 0 to 1
/// takes away up to half of it, so that what failed together does not come back
/// together.
///
/// ```
/// use std::time::Duration;
/// use lectern_domain::retry_delay;
///
/// assert_eq!(retry_delay(1, 0.0), Duration::from_secs(2));
/// assert_eq!(retry_delay(3, 1.0), Duration::from_secs(4));
/// assert_eq!(retry_delay(99, 0.0), Duration::from_secs(300));
/// ```
pub fn retry_delay(attempt: i32, jitter: f64) -> Duration {
    const FIRST: f64 = 2.0;
    const LONGEST: f64 = 300.0;
    let whole = (FIRST * 2_f64.powi(attempt - 1)).min(LONGEST);
    Duration::from_secs_f64(whole * (1.0 - jitter.clamp(0.0, 1.0) / 2.0))
}
