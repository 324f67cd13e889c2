//! `lectern serve`: runs a server until a signal arrives.

mod authentication;
mod child_environment;
mod worker_process;
mod worker_thread;

use std::time::Duration;

use clap::Args;
use lectern_db::{Backend, Database};
use lectern_media::Tools;
use lectern_storage::Storage;
use tokio::runtime::Builder;

use self::worker_process::WorkerProcess;
use self::worker_thread::WorkerThread;
use crate::app::open_files::Reserve;
use crate::app::server::Server;
use crate::app::server_config::ServerConfig;
use crate::app::tcp_listener;
use crate::cli::open::{self, PrivateFiles};
use crate::cli::signals::{REPEATED_SIGNAL_WINDOW, Signals, exit_after};
use crate::cli::startup::allocator;
use crate::cli::work;
use crate::config::{Settings, WorkerSettings};

/// A worker that has not ended is killed this long before this process has to end.
const KILL_BEFORE_EXIT: Duration = Duration::from_millis(500);

/// Arguments of `lectern serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Runs a stage worker beside the server, as a child process [default: if
    /// ffmpeg is found and the database is SQLite]
    #[arg(
        help_heading = "Worker",
        long,
        env = "LECTERN_WITH_WORKER",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true",
    )]
    pub with_worker: Option<bool>,

    /// Settings of the worker.
    #[command(flatten)]
    pub worker: WorkerSettings,
}

/// Applies pending migrations, serves requests until SIGTERM or SIGINT, and
/// finishes requests in flight. A second signal ends the process at once.
///
/// # Errors
///
/// When the database cannot be opened, its tables differ from the expected
/// schema, the address cannot be bound, or other machines reach it and there is no key.
pub fn run(serve: &Serve, settings: &Settings) -> anyhow::Result<()> {
    // A mistake in the settings is reported before anything is created.
    settings.http.check()?;
    tcp_listener::check_address(&settings.http.bind)?;
    settings.check_storage_location(serve.worker.common.scratch_dir.as_deref())?;
    let _private = PrivateFiles::begin(&settings.data_dir);
    let database = open::database(settings)?;
    let authentication = authentication::decide(settings, &database)?;
    let identity_provider = settings.auth.oidc.config()?;
    let tools = tools(serve, database.backend())?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = Signals::new(&runtime)?;
    let backend = database.backend();
    let storage = open::storage(settings, &database)?;
    let mut config = ServerConfig {
        storage: Some(storage.clone()),
        authentication,
        identity_provider,
        ..settings.server_config()
    };
    make_room_for_connections(&mut config, &database);
    let server = Server::start(config, database)?;
    log::info!(
        "lectern {} listens on {} and keeps its data in {backend}",
        env!("CARGO_PKG_VERSION"),
        server.url(),
    );
    let worker = match tools {
        Some(tools) => Some(ServerWorker::start(
            serve,
            settings,
            server.database(),
            storage,
            tools,
        )?),
        None => None,
    };
    allocator::return_free_memory();
    let signal = runtime.block_on(async {
        tokio::select! {
            signal = signals.next() => Some(signal),
            () = server.ended() => None,
        }
    });
    let Some(signal) = signal else {
        return server.stop();
    };
    log::info!("{signal}: finishing requests in flight");
    let timeout = settings.http.exit_timeout();
    if let Some(worker) = &worker {
        worker.stop(timeout.saturating_sub(KILL_BEFORE_EXIT));
    }
    exit_after(timeout);
    std::thread::spawn(move || {
        let signal = runtime.block_on(signals.next_after(REPEATED_SIGNAL_WINDOW));
        log::warn!("{signal} again: exiting at once");
        std::process::exit(1);
    });
    server.stop()?;
    drop(worker);
    log::info!("stopped");
    Ok(())
}

/// Raises the limit of open files for the configured connections. If that is not
/// possible, fewer clients may watch: watchers keep their connections, and must leave
/// some for other requests.
fn make_room_for_connections(config: &mut ServerConfig, database: &Database) {
    let reserve = Reserve::new(database.stats().max as usize, config.http_threads());
    let wanted = config.connections.max.unwrap_or(usize::MAX);
    let connections = reserve.raise_limit_for(wanted).min(wanted);
    let watchers = connections - connections / 8;
    if watchers < config.live.max_watchers {
        log::warn!(
            "the limits of open files and connections allow {watchers} watchers, fewer than \
             --max-watchers {}",
            config.live.max_watchers
        );
        config.live.max_watchers = watchers;
    }
}

/// The tools of the worker; `None`: no worker runs.
fn tools(serve: &Serve, backend: Backend) -> anyhow::Result<Option<Tools>> {
    match (serve.with_worker, backend) {
        (Some(true), _) => Ok(Some(serve.worker.tools()?)),
        (Some(false), _) | (None, Backend::Postgres) => Ok(None),
        (None, Backend::Sqlite) => Ok(serve
            .worker
            .tools()
            .inspect_err(|error| log::info!("no worker: {error}"))
            .ok()),
    }
}

/// The worker that runs beside the server.
enum ServerWorker {
    Process(WorkerProcess),
    Thread(WorkerThread),
}

impl ServerWorker {
    /// Starts the worker as a process, because it may abort or run out of memory. For a
    /// database in memory, which only this process can open, starts it as a thread.
    fn start(
        serve: &Serve,
        settings: &Settings,
        database: &Database,
        storage: Storage,
        tools: Tools,
    ) -> anyhow::Result<Self> {
        if database.url().is_in_memory() {
            let worker = work::worker(&serve.worker, settings, database, storage, tools)?;
            return Ok(Self::Thread(WorkerThread::start(worker)?));
        }
        // A mistake in the settings is reported before the process is started.
        work::check(&serve.worker, settings)?;
        let command = Settings::augment_args(clap::Command::new("lectern"));
        let command = Serve::augment_args(command);
        let settings = child_environment::settings_as_environment(command, std::env::args_os())?;
        Ok(Self::Process(WorkerProcess::start(settings)?))
    }

    /// Lets the worker return its stages and end; dropping it waits for that. A process
    /// is killed after `grace`.
    fn stop(&self, grace: Duration) {
        match self {
            Self::Process(process) => process.stop(grace),
            Self::Thread(thread) => thread.stop(),
        }
    }
}
