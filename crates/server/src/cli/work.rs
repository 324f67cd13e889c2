//! `lectern work`: a stage worker without a server.

use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use lectern_db::Database;
use lectern_media::{CancellationToken, Tools};
use lectern_storage::Storage;
use lectern_worker::{BlockingStorage, DatabaseWork, Worker, stages};

use crate::cli::open::{self, PrivateFiles};
use crate::cli::signals::{exit_after, stop_at_signal};
use crate::config::{Settings, WorkerSettings};

/// Arguments of `lectern work`.
#[derive(Debug, Clone, Args)]
pub struct Work {
    /// Also stops at the end of the standard input. `lectern serve` starts its worker
    /// with this flag: the pipe ends with the server, even if the server is killed.
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,

    /// Settings of the worker.
    #[command(flatten)]
    pub worker: WorkerSettings,
}

/// Runs stages until SIGTERM or SIGINT, then returns the leased stages to the
/// queue. A second signal ends the process at once.
///
/// # Errors
///
/// When ffmpeg is missing, or the database or the storage cannot be used.
pub fn run(work: &Work, settings: &Settings) -> anyhow::Result<()> {
    settings.check_storage_location(work.worker.common.scratch_dir.as_deref())?;
    let tools = work.worker.tools()?;
    let _private = PrivateFiles::begin(&settings.data_dir);
    let database = open::database(settings)?;
    let storage = open::storage(settings, &database)?;
    let worker = worker(&work.worker, settings, &database, storage, tools)?;
    stop_at_signal(worker.cancellation().clone(), settings.http.exit_timeout())?;
    if work.stop_with_stdin {
        stop_with_stdin(worker.cancellation().clone(), settings.http.exit_timeout())?;
    }
    worker.run()?;
    log::info!("stopped");
    Ok(())
}

/// Cancels a worker when the standard input ends, and ends the process after `timeout`.
fn stop_with_stdin(cancellation: CancellationToken, timeout: Duration) -> anyhow::Result<()> {
    thread::Builder::new().name("stdin".into()).spawn(move || {
        // After an error, the input counts as ended.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        log::info!("the server stops: returning leased stages");
        cancellation.cancel();
        exit_after(timeout);
    })?;
    Ok(())
}

/// Checks the settings of a worker without starting it.
pub(crate) fn check(work: &WorkerSettings, settings: &Settings) -> anyhow::Result<()> {
    work.worker(&settings.data_dir)?;
    work.common.recognizers().check()?;
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
    let source = DatabaseWork::new(database.clone(), store);
    Worker::new(source, tools, worker_settings, handlers)
        .with_context(|| format!("cannot use the scratch directory {}", scratch_dir.display()))
}
