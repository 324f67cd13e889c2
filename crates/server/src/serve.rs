//! `lectern serve`: from settings to a server, and out again.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lectern_db::Database;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Settings;
use crate::{Server, ServerConfig, open_files};

/// For how long after the first signal another one is taken for its echo:
/// `timeout` sends each twice, and so does a terminal with a wrapper script.
const ECHO: Duration = Duration::from_millis(500);

/// Brings the tables up to date, answers requests until SIGTERM or SIGINT, and
/// lets running requests finish. A second signal ends the process at once.
///
/// # Errors
///
/// When the database cannot be opened, or its tables are not those this program
/// expects, or the address cannot be listened on.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    // A typo is found before anything is made.
    settings.storage.place(&settings.data_dir)?;
    let database = open(settings)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = Signals::new(&runtime)?;
    let backend = database.backend();
    let config = ServerConfig {
        storage: Some(settings.storage.open(&settings.data_dir)?),
        ..settings.server()
    };
    let watchers = config.live.max_watchers as u64;
    let room = open_files::make_room(watchers);
    if room < watchers {
        log::warn!("the system allows {room} connections; {watchers} clients may watch");
    }
    let server = Server::start(config, database)?;
    log::info!(
        "lectern {} listens on {} and keeps its data in {backend}",
        env!("CARGO_PKG_VERSION"),
        server.url(),
    );
    let name = runtime.block_on(async {
        tokio::select! {
            name = signals.next() => Some(name),
            () = server.ended() => None,
        }
    });
    let Some(name) = name else {
        return server.stop();
    };
    log::info!("{name}: finishing running requests");
    std::thread::spawn(move || {
        let name = runtime.block_on(signals.next_but(ECHO));
        log::warn!("{name} again: not waiting any longer");
        std::process::exit(1);
    });
    server.stop()?;
    log::info!("stopped");
    Ok(())
}

/// Opens the database, brings its tables up to date and makes sure of them.
fn open(settings: &Settings) -> anyhow::Result<Database> {
    let pipelines = Arc::new(settings.pipelines()?);
    let database = settings.open()?.with_pipelines(pipelines);
    for migration in database
        .init()
        .context("cannot bring the database up to date")?
    {
        log::info!("applied {migration}");
    }
    let drift = database.drift()?;
    if !drift.is_empty() {
        let drift: Vec<_> = drift.iter().map(ToString::to_string).collect();
        bail!(
            "the database differs from what this program expects: {}",
            drift.join("; ")
        );
    }
    Ok(database)
}

/// The signals that end a server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new(runtime: &Runtime) -> anyhow::Result<Self> {
        let _inside = runtime.enter();
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// The next signal that does not come within `echo`.
    async fn next_but(&mut self, echo: Duration) -> &'static str {
        let swallow = async {
            loop {
                self.next().await;
            }
        };
        let _: Result<(), _> = tokio::time::timeout(echo, swallow).await;
        self.next().await
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
