//! The server as a thing one starts and stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::{Context as _, anyhow};
use lectern_db::Database;
use lectern_storage::Storage;
use tokio::sync::{oneshot, watch};
use url::Url;

use crate::app::maintenance::keep_house;
use crate::app::state::{BodyLimits, State};
use crate::app::tcp;
use crate::database::handle::Db;
use crate::http::lifecycle::Lifecycle;
use crate::http::middleware::access_log;
use crate::http::middleware::compress;
use crate::http::middleware::cors;
use crate::live::{self, Live, LiveConfig};
use crate::metrics::Metrics;
use crate::objects::{Objects, UploadLimits};
use crate::routes;
use crate::work_queue::waiting_claims::{self, Board};

/// How many threads may wait for the disk, apiece for the threads that answer
/// requests. An upload or download that moves needs one now and then.
const DISK_THREADS: usize = 64;

/// How requests are answered.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address and port to listen on; port 0 takes a free one.
    pub bind: String,
    /// Threads that answer requests; `None`: one per processor.
    pub workers: Option<usize>,
    /// Origins whose pages may call the server, such as
    /// `https://example.org`, or `*`; with none, CORS is off.
    pub cors_origins: Vec<String>,
    /// How large request bodies may be.
    pub limits: BodyLimits,
    /// Where recordings and clips lie; `None`: in a temporary directory that
    /// goes with the server.
    pub storage: Option<Storage>,
    /// How large recordings may be, and how long they may take.
    pub uploads: UploadLimits,
    /// Where clients reach the server, such as `https://example.org/lectern`;
    /// `None`: wherever they send their requests.
    pub public_url: Option<Url>,
    /// How long a request waits for the database before it is refused.
    pub patience: Duration,
    /// How watching clients are treated.
    pub live: LiveConfig,
    /// How many workers may wait for work at once.
    pub max_waiters: usize,
    /// How long the events of a finished job are kept.
    pub event_retention: Duration,
    /// How long running requests get to finish when the server stops.
    pub shutdown_grace: Duration,
}

impl Default for ServerConfig {
    /// A free port of this machine, one thread, no CORS, 3 seconds of patience,
    /// 1,000 waiters, events for 30 days, 30 seconds of grace.
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:0".to_owned(),
            workers: Some(1),
            cors_origins: Vec::new(),
            limits: BodyLimits::default(),
            storage: None,
            uploads: UploadLimits::default(),
            public_url: None,
            patience: Duration::from_secs(3),
            live: LiveConfig::default(),
            max_waiters: 1_000,
            event_retention: Duration::from_hours(30 * 24),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

/// A server that runs, on threads of its own. Dropping it stops it at once,
/// without regard to running requests.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    database: Database,
    handle: ServerHandle,
    stop: Option<oneshot::Sender<()>>,
    ended: watch::Receiver<()>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Starts to listen and to answer requests from `database`, which must have
    /// its tables already.
    ///
    /// Can be called from any thread, as often as one likes in one process.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub fn start(config: ServerConfig, database: Database) -> anyhow::Result<Self> {
        let metrics = Metrics::new(&database)?;
        let board = Arc::new(Board::new(config.max_waiters));
        let live = Live::new(config.live, metrics.clone());
        let database = database.on_commit({
            let (board, hub) = (Arc::clone(&board), Arc::clone(&live.hub));
            Arc::new(move |committed| {
                board.tell(&committed.ready);
                hub.tell(committed);
            })
        });
        let state = Data::new(State {
            db: Db::new(database.clone(), config.patience, metrics.clone()),
            board,
            live,
            origins: config.cors_origins.clone(),
            limits: config.limits,
            objects: Objects::new(&config)?,
            lifecycle: Arc::new(Lifecycle::default()),
            metrics,
            openapi: serde_json::to_vec(&lectern_api::openapi::document())?.into(),
        });
        let (started, has_started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = watch::channel(());
        let thread = std::thread::Builder::new()
            .name("lectern-server".to_owned())
            .spawn(move || {
                let _ending = ending;
                actix_web::rt::System::new().block_on(serve(config, state, &started, stopped))
            })?;
        let (address, handle) = has_started
            .recv()
            .map_err(|_| anyhow!("the server ended before it began"))??;
        Ok(Self {
            address,
            database,
            handle,
            stop: Some(stop),
            ended,
            thread: Some(thread),
        })
    }

    /// The address it listens on, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address it listens on as a URL without a path, such as
    /// `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The database it works on. What is done through this handle, those who
    /// watch through the server are told at once.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Waits until the server has ended, whatever the reason.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    /// Stops the server: `/readyz` says so, running requests finish, at most
    /// for the grace that was configured, and then it is gone.
    ///
    /// # Errors
    ///
    /// When the server had failed.
    pub fn stop(mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(error).context("the server failed"),
            Some(Err(_)) => Err(anyhow!("the server panicked")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // The command is on its way before the future is awaited.
            drop(self.handle.stop(false));
            let _ = thread.join();
        }
    }
}

type Started = anyhow::Result<(SocketAddr, ServerHandle)>;

async fn serve(
    config: ServerConfig,
    state: Data<State>,
    started: &mpsc::Sender<Started>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let bound = bind(&config, &state);
    let (server, address) = match bound {
        Ok(bound) => bound,
        Err(error) => {
            let _ = started.send(Err(error));
            return Ok(());
        }
    };
    let (handle, grace) = (server.handle(), config.shutdown_grace);
    let _ = started.send(Ok((address, handle.clone())));
    let chores = actix_web::rt::spawn({
        let (state, retention) = (state.clone(), config.event_retention);
        async move {
            tokio::join!(
                waiting_claims::watch(&state.board, &state.db),
                live::follow(&state.live.hub, &state.db),
                keep_house(&state.db, retention)
            )
        }
    });
    actix_web::rt::spawn(async move {
        if stopped.await.is_ok() {
            state.board.close();
            state.live.hub.stop();
            // The door stays open while running requests finish, so that
            // whoever asks is told that the server stops.
            state.lifecycle.drain(grace / 2).await;
            handle.stop(!grace.is_zero()).await;
        }
    });
    let ended = server.await;
    chores.abort();
    ended
}

fn bind(
    config: &ServerConfig,
    state: &Data<State>,
) -> anyhow::Result<(actix_web::dev::Server, SocketAddr)> {
    let (origins, state) = (config.cors_origins.clone(), state.clone());
    let threads = state.db.stats().max as usize;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(from_fn(compress::spare_small))
            .wrap(Compress::default())
            .wrap(from_fn(compress::choose))
            .wrap(Condition::new(!origins.is_empty(), cors::cors(&origins)))
            .wrap(from_fn(access_log::observe))
            .configure(routes::register)
    })
    .disable_signals()
    .on_connect(tcp::prepare(config.live.stall))
    // A message is small and must not wait for the next.
    .tcp_nodelay(true)
    // Longer than load balancers keep theirs, so that it is not the server that
    // closes a connection a request is on its way on.
    .keep_alive(Duration::from_secs(75))
    // Where a busy machine takes seconds to get round to a request, it is not
    // the client that was slow.
    .client_request_timeout(Duration::from_mins(1))
    // Whoever hangs up while waiting for work must not be given any.
    .h1_allow_half_closed(false)
    .shutdown_timeout((config.shutdown_grace / 2).as_secs().max(1))
    // Each holds a permit of the gate; a few more compress, parse and unpack,
    // and nobody waits behind those whom the disk keeps waiting.
    .worker_max_blocking_threads(threads + 4 + DISK_THREADS);
    let server = match config.workers {
        Some(workers) => server.workers(workers),
        None => server,
    };
    let server = server
        .bind(&config.bind)
        .with_context(|| format!("cannot listen on {}", config.bind))?;
    let address = server
        .addrs()
        .first()
        .copied()
        .context("no address to listen on")?;
    Ok((server.run(), address))
}
