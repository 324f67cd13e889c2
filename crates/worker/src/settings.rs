//! The settings of a worker.

use std::path::PathBuf;
use std::time::Duration;

use lectern_domain::{LeaseDuration, ProcessingOptions, Stage, WorkerName};
use lectern_media::RecordingLimits;

use crate::supervision::StageTimeLimit;

/// The settings of a worker.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Recorded with every stage run of the worker.
    pub name: WorkerName,
    /// The stages that it claims.
    pub stages: Vec<Stage>,
    /// How many stages it runs at the same time; 0 counts as 1.
    pub concurrency: usize,
    /// How long a claimed stage stays reserved after the worker's last heartbeat.
    pub lease: LeaseDuration,
    /// The pause after a claim that found no work.
    pub poll_interval: Duration,
    /// Directory for temporary files.
    pub scratch_dir: PathBuf,
    /// Greatest total size of the temporary files, in bytes.
    pub scratch_limit: u64,
    /// Limits of the recordings that it processes.
    pub recording_limits: RecordingLimits,
    /// How recordings are turned into clips, where the job does not say it.
    pub options: ProcessingOptions,
    /// How long a stage may take.
    pub time_limit: StageTimeLimit,
}
