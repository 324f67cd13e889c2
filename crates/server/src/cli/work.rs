//! `lectern work`: a stage worker without a server.

use anyhow::Context as _;
use lectern_db::Database;
use lectern_media::Tools;
use lectern_storage::Storage;
use lectern_worker::{BlockingStorage, Worker, stages};

use crate::cli::open::{self, PrivateFiles};
use crate::cli::signals::stop_at_signal;
use crate::config::{Settings, WorkerSettings};

/// Runs stages until SIGTERM or SIGINT, then returns the leased ones to the
/// queue. A second signal ends the process at once.
///
/// # Errors
///
/// When ffmpeg is missing, or the database or the storage cannot be used.
pub fn run(work: &WorkerSettings, settings: &Settings) -> anyhow::Result<()> {
    settings.storage_location(work.common.scratch_dir.as_deref())?;
    let tools = work.tools()?;
    let _private = PrivateFiles::begin(&settings.data_dir);
    let database = open::database(settings)?;
    let storage = open::storage(settings, &database)?;
    let worker = worker(work, settings, &database, storage, tools)?;
    stop_at_signal(worker.cancellation().clone(), settings.http.exit_timeout())?;
    worker.run()?;
    log::info!("stopped");
    Ok(())
}

/// Builds a worker from the settings.
pub(crate) fn worker(
    work: &WorkerSettings,
    settings: &Settings,
    database: &Database,
    storage: Storage,
    tools: Tools,
) -> anyhow::Result<Worker> {
    let worker_settings = work.worker(&settings.data_dir)?;
    let stages: Vec<_> = worker_settings
        .stages
        .iter()
        .map(ToString::to_string)
        .collect();
    log::info!(
        "worker {} runs {}, at most {} at once",
        worker_settings.name,
        stages.join(", "),
        worker_settings.concurrency
    );
    let recognizers = work.common.recognizers();
    recognizers.check()?;
    let handlers = stages::all(recognizers, work.common.chat());
    let store = BlockingStorage::new(storage).context("cannot start a thread for the storage")?;
    let scratch_dir = worker_settings.scratch_dir.clone();
    Worker::new(database.clone(), store, tools, worker_settings, handlers)
        .with_context(|| format!("cannot use the scratch directory {}", scratch_dir.display()))
}
