//! What waited for each stage over time, and how fast workers got through it.

use chrono::{DateTime, Utc};
use lectern_domain::{
    HistoryPeriod, HistoryPoint, InField as _, Invalid, MeanAndMax, Stage, StageHistory,
    WorkHistory,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::wire::Request;

/// Selects a period that ends now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkHistoryQuery {
    /// The length of the period in hours.
    #[validate(range(min = 1, max = HistoryPeriod::MAX))]
    #[schemars(extend("default" = HistoryPeriod::default().hours()))]
    #[schemars(extend("example" = 24))]
    pub hours: Option<i64>,
}

impl Request for WorkHistoryQuery {
    type Domain = HistoryPeriod;
}

impl TryFrom<WorkHistoryQuery> for HistoryPeriod {
    type Error = Invalid;

    fn try_from(query: WorkHistoryQuery) -> Result<Self, Invalid> {
        let period = query.hours.map(Self::new).transpose().in_field("hours")?;
        Ok(period.unwrap_or_default())
    }
}

/// The history of every stage over all jobs, from one snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WorkHistoryResponse {
    /// The start of the first point: the start of the period, or less than `bucket_seconds` before.
    pub from: DateTime<Utc>,
    /// The end of the last point: the time of the database.
    pub to: DateTime<Utc>,
    /// The length of each point but the last, in seconds. Points start at multiples of it since
    /// 1970.
    pub bucket_seconds: i64,
    /// The stages, in the order of the default pipeline.
    pub stages: Vec<StageHistoryEntry>,
    /// Number of stages.
    pub total: usize,
}

/// The history of one stage over all jobs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StageHistoryEntry {
    /// The stage.
    pub stage: Stage,
    /// Its points, the oldest first; at most 181. They begin after `from` if more than 10,000 runs
    /// of the stage have ended in the period: the latest of these are read.
    pub points: Vec<StageHistoryPoint>,
}

/// What happened to a stage between the start of a point and that of the next one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StageHistoryPoint {
    /// The start of the point.
    pub start: DateTime<Utc>,
    /// The mean number of runs that a worker could claim. Of the runs that are ready now, 10,000
    /// are counted.
    pub ready: f64,
    /// The mean number of runs that workers were processing.
    pub running: f64,
    /// How many runs were completed.
    pub completed: i64,
    /// How many runs failed, with their jobs, which were not retried since.
    pub failed: i64,
    /// How long the completed runs took, from their last claim to their end; `null`: there are none.
    pub duration: Option<PointDuration>,
}

/// How long runs took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct PointDuration {
    /// The mean.
    pub mean: f64,
    /// The longest.
    pub max: f64,
}

impl From<MeanAndMax> for PointDuration {
    fn from(duration: MeanAndMax) -> Self {
        Self {
            mean: duration.mean,
            max: duration.max,
        }
    }
}

impl From<HistoryPoint> for StageHistoryPoint {
    fn from(point: HistoryPoint) -> Self {
        Self {
            start: point.start,
            ready: point.ready,
            running: point.running,
            completed: point.completed,
            failed: point.failed,
            duration: point.duration.map(Into::into),
        }
    }
}

impl From<StageHistory> for StageHistoryEntry {
    fn from(history: StageHistory) -> Self {
        Self {
            stage: history.stage,
            points: history.points.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<WorkHistory> for WorkHistoryResponse {
    fn from(history: WorkHistory) -> Self {
        Self {
            from: history.buckets.first(),
            to: history.buckets.now(),
            bucket_seconds: history.buckets.width(),
            total: history.stages.len(),
            stages: history.stages.into_iter().map(Into::into).collect(),
        }
    }
}
