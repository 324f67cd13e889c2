//! Progress of a stage, and of a job through its stages.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::stage::Stage;
use crate::value::{AgentName, NonNegativeInt, Percent, ProgressMessage};

/// How much of a stage is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The share that is done.
    pub percent: Percent,
    /// What the worker is doing now.
    pub message: Option<ProgressMessage>,
    /// Seconds the worker expects to need until the end of the stage.
    pub eta_seconds: Option<NonNegativeInt>,
}

impl Progress {
    /// The share that is done, without a message or an estimate.
    pub fn new(percent: Percent) -> Self {
        Self {
            percent,
            message: None,
            eta_seconds: None,
        }
    }
}

/// Progress of a job; dereferences to its [`Progress`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobProgress {
    /// The current stage. Once a stage of the job has been claimed, the current stage is
    /// the stage of the first running run or, if no run is running, of the first open
    /// run. Without claims, the current stage is the stage of the last report.
    pub stage: Stage,
    /// Once a stage of the job has been claimed, the percentage is the mean of all runs
    /// that are not skipped, and the message and the remaining time are from the current
    /// stage. Without claims, all three are from the last report.
    #[serde(flatten)]
    pub progress: Progress,
    /// The program of the last report on the current stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<AgentName>,
}

impl Deref for JobProgress {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

/// A worker's report on a stage. The first report moves a queued job to running.
///
/// A report with a lower percentage than is stored for its stage is late: it changes
/// nothing or, once a stage of the job has been claimed, only the message and the
/// remaining time of its stage run.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressReport {
    /// The stage that the report is about.
    pub stage: Stage,
    /// Progress of this stage.
    pub progress: Progress,
    /// The program that reports.
    pub agent_name: Option<AgentName>,
}
