//! `lectern work`: a stage worker, for a database or for a server.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use lectern_db::Database;
use lectern_domain::ApiKeyText;
use lectern_media::{CancellationToken, Tools};
use lectern_storage::Storage;
use lectern_worker::{BlockingStorage, DatabaseWork, RemoteWork, WorkSource, Worker, stages};

use crate::cli::open::{self, PrivateFiles};
use crate::cli::server_address::{GivenKey, ServerUrl};
use crate::cli::signals::{exit_after, stop_at_signal};
use crate::config::{Settings, WorkerSettings};

/// Arguments of `lectern work`.
#[derive(Debug, Clone, Args)]
pub struct Work {
    /// Also stops at the end of the standard input. `lectern serve` starts its worker
    /// with this flag: the pipe ends with the server, even if the server is killed.
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,

    /// URL of a server whose stages are run over HTTP, without access to its database and its
    /// storage [default: those of the database]
    #[arg(long, env = "LECTERN_SERVER", value_name = "URL")]
    server: Option<ServerUrl>,

    /// Key of the role worker for the server, if it asks for one
    #[arg(
        long,
        env = "LECTERN_API_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    api_key: Option<GivenKey>,

    /// Settings of the worker.
    #[command(flatten)]
    pub worker: WorkerSettings,
}

impl Work {
    /// The server whose stages are run. `None`: the database's.
    fn server(&self, settings: &Settings) -> anyhow::Result<Option<RemoteWork>> {
        // The worker of `lectern serve` inherits its environment.
        let Some(server) = self.server.as_ref().filter(|_| !self.stop_with_stdin) else {
            return Ok(None);
        };
        let is_given =
            |url: &Option<String>| url.as_ref().is_some_and(|url| !url.trim().is_empty());
        for (setting, url) in [
            ("--database-url (DATABASE_URL)", &settings.database.url),
            ("--storage (LECTERN_STORAGE)", &settings.storage.storage_url),
        ] {
            if is_given(url) {
                bail!(
                    "{setting} is set as well as --server (LECTERN_SERVER): a worker uses either \
                     a server over HTTP, or a database and a storage"
                );
            }
        }
        let key = self.api_key.as_ref().map(GivenKey::parse).transpose()?;
        let key = key.flatten();
        let key = key.as_ref().map(ApiKeyText::reveal);
        Ok(Some(RemoteWork::new(server.as_str(), key.as_deref())?))
    }
}

/// Runs stages until SIGTERM or SIGINT, then returns the leased stages to the
/// queue. A second signal ends the process at once.
///
/// # Errors
///
/// When ffmpeg is missing, the database or the storage cannot be used, or the server refuses the
/// key.
pub fn run(work: &Work, settings: &Settings) -> anyhow::Result<()> {
    let server = work.server(settings)?;
    if server.is_none() {
        settings.check_storage_location(work.worker.common.scratch_dir.as_deref())?;
    }
    let tools = work.worker.tools()?;
    let _private = PrivateFiles::begin(&settings.data_dir);
    let worker = if let Some(server) = server {
        worker_for(server, &work.worker, settings, tools)?
    } else {
        let database = open::database(settings)?;
        let storage = open::storage(settings, &database)?;
        worker(&work.worker, settings, &database, storage, tools)?
    };
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

/// Builds a worker for the stages of a database.
pub(crate) fn worker(
    work: &WorkerSettings,
    settings: &Settings,
    database: &Database,
    storage: Storage,
    tools: Tools,
) -> anyhow::Result<Worker> {
    let store = BlockingStorage::new(storage).context("cannot start a thread for the storage")?;
    let database = database.clone().with_job_quota(settings.quotas.job_quota());
    let source = DatabaseWork::new(database, store);
    worker_for(source, work, settings, tools)
}

fn worker_for(
    source: impl WorkSource + 'static,
    work: &WorkerSettings,
    settings: &Settings,
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
    let scratch_dir = worker_settings.scratch_dir.clone();
    Worker::new(source, tools, worker_settings, handlers)
        .with_context(|| format!("cannot use the scratch directory {}", scratch_dir.display()))
}
