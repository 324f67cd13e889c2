//! How far a job has come.

use crate::{AgentName, NonNegativeInt, Percent, ProgressMessage, Stage};

/// Where a job stands within its current stage.
#[derive(Debug, Clone, PartialEq)]
pub struct JobProgress {
    /// The stage the last report was about.
    pub stage: Stage,
    /// How much of the stage is done.
    pub percent: Percent,
    /// What is being done right now.
    pub message: Option<ProgressMessage>,
    /// Seconds the worker expects to need until the end.
    pub eta_seconds: Option<NonNegativeInt>,
}

/// A worker's report. The first one moves a queued job to running; one that
/// would take its stage backwards came late and changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressReport {
    /// The stage the report is about.
    pub stage: Stage,
    /// How much of the stage is done.
    pub percent: Percent,
    /// What is being done right now.
    pub message: Option<ProgressMessage>,
    /// Seconds the worker expects to need until the end.
    pub eta_seconds: Option<NonNegativeInt>,
    /// Which program reports.
    pub agent_name: Option<AgentName>,
}
