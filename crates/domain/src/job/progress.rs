//! Progress of a job through its stages.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::stage::Stage;
use crate::value::{AgentName, Progress};

/// Progress of a job; dereferences to its [`Progress`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobProgress {
    /// The current stage. If stages of the job are claimed, it is that of the first
    /// running run, else of the first open one; otherwise, that of the last report.
    pub stage: Stage,
    /// If stages of the job are claimed, the percentage is the mean of all runs that
    /// are not skipped, and the message and the remaining time are those of the
    /// current stage; otherwise, all are those of the last report.
    #[serde(flatten)]
    pub progress: Progress,
}

impl Deref for JobProgress {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

/// A worker's report on a stage. The first report moves a queued job to running.
/// A report with a lower percentage than stored is late and changes nothing; if
/// stages of the job are claimed, it only does not lower the percentage.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressReport {
    /// The stage the report is about.
    pub stage: Stage,
    /// Progress of this stage.
    pub progress: Progress,
    /// The program that reports.
    pub agent_name: Option<AgentName>,
}
