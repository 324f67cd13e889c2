//! How a worker works.

use std::path::PathBuf;
use std::time::Duration;

use lectern_domain::{LeaseDuration, Stage, WorkerName};

/// How a worker works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How it is called where others see what it does.
    pub name: WorkerName,
    /// What it does.
    pub stages: Vec<Stage>,
    /// How many stages it works on at once.
    pub concurrency: usize,
    /// How long nobody else gets what it works on when it dies.
    pub lease: LeaseDuration,
    /// How long it waits before it asks again when there is nothing to do.
    pub poll: Duration,
    /// Where it keeps files while it works.
    pub scratch: PathBuf,
    /// How many bytes these files may have altogether.
    pub scratch_limit: u64,
}
