//! Progress of a job through its stages.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::stage::Stage;
use crate::value::{AgentName, Progress};

/// How much of its current stage a job has done; reads like the [`Progress`] in
/// it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobProgress {
    /// The current stage: the one the last report was about.
    pub stage: Stage,
    /// The part of it that is done.
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
    /// The part of it that is done.
    pub progress: Progress,
    /// The program that reports.
    pub agent_name: Option<AgentName>,
}
