//! The server as a thing one starts and stops.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::{App, HttpServer};
use anyhow::{Context as _, anyhow};
use lectern_db::Database;
use tokio::sync::{oneshot, watch};

use crate::app::config::ServerConfig;
use crate::app::service::Service;
use crate::app::tcp;
use crate::http::middleware::{access_log, compress, cors};
use crate::routes;

/// How many threads may wait for the disk, apiece for the threads that answer
/// requests. An upload or download that moves needs one now and then.
const DISK_THREADS: usize = 64;

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
        let service = Service::new(&config, database)?;
        let database = service.database().clone();
        let (started, has_started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = watch::channel(());
        let thread = std::thread::Builder::new()
            .name("lectern-server".to_owned())
            .spawn(move || {
                let _ending = ending;
                actix_web::rt::System::new().block_on(serve(config, service, &started, stopped))
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
    service: Service,
    started: &mpsc::Sender<Started>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let bound = bind(&config, &service);
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
        let service = service.clone();
        async move { service.run_background_tasks().await }
    });
    actix_web::rt::spawn(async move {
        if stopped.await.is_ok() {
            service.close();
            // The door stays open while running requests finish, so that
            // whoever asks is told that the server stops.
            service.drain(grace / 2).await;
            handle.stop(!grace.is_zero()).await;
        }
    });
    let ended = server.await;
    chores.abort();
    ended
}

fn bind(
    config: &ServerConfig,
    service: &Service,
) -> anyhow::Result<(actix_web::dev::Server, SocketAddr)> {
    let (origins, service) = (config.cors_origins.clone(), service.clone());
    let threads = service.max_connections();
    let server = HttpServer::new(move || {
        App::new()
            .configure(service.handles())
            .wrap(from_fn(compress::skip_small_bodies))
            .wrap(Compress::default())
            .wrap(from_fn(compress::negotiate_gzip))
            .wrap(Condition::new(!origins.is_empty(), cors::cors(&origins)))
            .wrap(from_fn(access_log::record_request))
            .configure(routes::register)
    })
    .disable_signals()
    .on_connect(tcp::configure_connections(config.live.tcp_send_timeout))
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
    let server = match config.http_threads {
        Some(threads) => server.workers(threads),
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
