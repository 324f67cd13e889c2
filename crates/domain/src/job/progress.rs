//! Progress of a job through its stages.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::stage::Stage;
use crate::value::{AgentName, Progress};

/// Progress of a job; dereferences to its [`Progress`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobProgress {
    /// The current stage. With stage runs, it is the stage of the first run that is
    /// running, else of the first that is open; without, that of the last report.
    pub stage: Stage,
    /// With stage runs, the percentage is the mean of all runs that are not skipped;
    /// the message and the remaining time are those of the current stage. Without,
    /// all are those of the last report.
    #[serde(flatten)]
    pub progress: Progress,
}

impl Deref for JobProgress {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

/// A worker's report on a stage. The first report moves a queued job to running;
/// one with a lower percentage than stored is late and changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressReport {
    /// The stage the report is about.
    pub stage: Stage,
    /// Progress of this stage.
    pub progress: Progress,
    /// The program that reports.
    pub agent_name: Option<AgentName>,
}
