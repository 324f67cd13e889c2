//! What waits for each stage, and how fast workers get through it.

use chrono::{DateTime, Utc};
use lectern_domain::{Durations, RunCounts, Stage, StageStats};
use schemars::JsonSchema;
use serde::Serialize;

/// The state of every stage over all jobs, from one snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WorkStatsResponse {
    /// The stages, in the order of the default pipeline.
    pub stages: Vec<StageStatsEntry>,
    /// Number of stages.
    pub total: usize,
}

/// The state of one stage over all jobs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StageStatsEntry {
    /// The stage.
    pub stage: Stage,
    /// Since when claims of the stage give nothing; `null`: it is not paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// The number of its runs by what they wait for. Each is counted up to 10,000.
    pub runs: StageRunCounts,
    /// How long the oldest ready run could have been claimed, in seconds; `null`: none is ready.
    pub oldest_ready_seconds: Option<f64>,
    /// How many runs were completed lately.
    pub completed: CompletedCounts,
    /// How long the latest completed runs of the last hour took, from their last claim to their
    /// end; `null`: there are none.
    pub duration: Option<StageDuration>,
}

/// The number of runs of a stage. Each is counted up to 10,000: there may be more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StageRunCounts {
    /// Runs that a worker can claim now, unless the stage is paused.
    pub ready: i64,
    /// Runs that can be claimed after a pause, because their last attempt has failed.
    pub scheduled: i64,
    /// Runs whose job has to complete another stage first.
    pub waiting: i64,
    /// Runs that a worker is processing.
    pub running: i64,
    /// Runs that have failed, with their jobs, which were not retried.
    pub failed: i64,
}

/// How many runs of a stage were completed lately. Each is counted up to 10,000.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CompletedCounts {
    /// In the last five minutes.
    pub last_5m: i64,
    /// In the last hour.
    pub last_hour: i64,
}

/// How long runs of a stage took, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StageDuration {
    /// The number of runs that were measured: the latest, at most 500.
    pub runs: usize,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// 95 % of the runs took at most this long.
    pub p95: f64,
}

impl From<RunCounts> for StageRunCounts {
    fn from(runs: RunCounts) -> Self {
        Self {
            ready: runs.ready,
            scheduled: runs.scheduled,
            waiting: runs.waiting,
            running: runs.running,
            failed: runs.failed,
        }
    }
}

impl From<Durations> for StageDuration {
    fn from(durations: Durations) -> Self {
        Self {
            runs: durations.runs,
            mean: durations.mean,
            p50: durations.p50,
            p95: durations.p95,
        }
    }
}

impl From<StageStats> for StageStatsEntry {
    fn from(stats: StageStats) -> Self {
        Self {
            stage: stats.stage,
            paused_at: stats.paused_at,
            oldest_ready_seconds: stats.oldest_ready_seconds,
            completed: CompletedCounts {
                last_5m: stats.runs.completed_last_5m,
                last_hour: stats.runs.completed_last_hour,
            },
            runs: stats.runs.into(),
            duration: stats.durations.map(Into::into),
        }
    }
}

impl From<Vec<StageStats>> for WorkStatsResponse {
    fn from(stages: Vec<StageStats>) -> Self {
        Self {
            total: stages.len(),
            stages: stages.into_iter().map(Into::into).collect(),
        }
    }
}

/// Whether a stage is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StagePauseResponse {
    /// The stage.
    pub stage: Stage,
    /// Since when claims of the stage give nothing; `null`: it is not paused.
    pub paused_at: Option<DateTime<Utc>>,
}
