//! The HTTP server: starts, listens, stops.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::{Context as _, anyhow};
use lectern_db::Database;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::app::config::ServerConfig;
use crate::app::service::Service;
use crate::app::tcp;
use crate::http::address::AllowedHosts;
use crate::http::middleware::{access_log, compress, cors, foreign_requests};
use crate::routes;

/// Blocking threads per HTTP thread for access to the disk, in addition to those for
/// database connections. An upload or download needs one during each access.
const DISK_THREADS: usize = 64;

/// How long the end of a server waits for database calls that still run. A call to
/// a database that does not respond may never return.
const CALL_END_TIMEOUT: Duration = Duration::from_secs(5);

/// A running server, on its own threads. Dropping it stops it at once and aborts
/// requests in flight.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    database: Database,
    handle: ServerHandle,
    stop: Option<oneshot::Sender<()>>,
    /// Closed when the server's thread ends.
    ended: watch::Receiver<()>,
    /// Receives the result of the server's thread, and is disconnected when the
    /// thread ends.
    result: Mutex<mpsc::Receiver<io::Result<()>>>,
}

impl Server {
    /// Starts to listen and to serve requests over `database`, whose tables must
    /// exist already.
    ///
    /// Can be called from any thread, and several times in one process.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, or no temporary directory can be made
    /// for objects.
    pub fn start(config: ServerConfig, database: Database) -> anyhow::Result<Self> {
        let service = Service::new(&config, database)?;
        let database = service.database().clone();
        let (start_sender, start_receiver) = mpsc::channel();
        let (stop_sender, stop_receiver) = oneshot::channel();
        let (end_sender, end_receiver) = watch::channel(());
        let (result_sender, result_receiver) = mpsc::channel();
        std::thread::Builder::new()
            .name("lectern-server".to_owned())
            .spawn(move || {
                let _end_sender = end_sender;
                let system = actix_web::rt::System::new();
                let served = serve(config, service, &start_sender, stop_receiver);
                let _ = result_sender.send(system.block_on(served));
                // Waits for the calls that still run on other threads.
                drop(system);
            })?;
        let (address, handle) = start_receiver
            .recv()
            .map_err(|_| anyhow!("the server thread ended before it could listen"))??;
        Ok(Self {
            address,
            database,
            handle,
            stop: Some(stop_sender),
            ended: end_receiver,
            result: Mutex::new(result_receiver),
        })
    }

    /// The bound address, with the actual port.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The bound address as a URL without a path, such as
    /// `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The database. Commits through this handle reach the server's watchers at
    /// once.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Waits until the server has stopped or failed.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    /// Shuts the server down gracefully: `/readyz` fails, requests in flight
    /// finish within the configured grace, then the listener closes.
    ///
    /// # Errors
    ///
    /// When the server failed while it was running, or panicked.
    pub fn stop(mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        match self.result.get_mut().recv() {
            Ok(result) => result.context("the server failed"),
            Err(_) => Err(anyhow!("the server panicked")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `stop` sends its command at once; its future only waits for the server to
        // end. After a graceful stop it does nothing.
        drop(self.handle.stop(false));
        while self.result.get_mut().recv_timeout(CALL_END_TIMEOUT).is_ok() {}
    }
}

/// Sent once by the server's thread: the bound address, or why it cannot listen.
type StartResult = anyhow::Result<(SocketAddr, ServerHandle)>;

async fn serve(
    config: ServerConfig,
    service: Service,
    start_sender: &mpsc::Sender<StartResult>,
    stop_receiver: oneshot::Receiver<()>,
) -> io::Result<()> {
    let bound = bind(&config, &service);
    let (server, address) = match bound {
        Ok(bound) => bound,
        Err(error) => {
            let _ = start_sender.send(Err(error));
            return Ok(());
        }
    };
    let (handle, grace) = (server.handle(), config.shutdown_grace);
    let _ = start_sender.send(Ok((address, handle.clone())));
    let background_tasks = actix_web::rt::spawn({
        let service = service.clone();
        async move { service.run_background_tasks().await }
    });
    actix_web::rt::spawn(async move {
        if stop_receiver.await.is_ok() {
            service.close();
            // The listener stays open meanwhile, so that `/readyz` can report the
            // shutdown.
            service.drain(grace / 2).await;
            handle.stop(!grace.is_zero()).await;
        }
    });
    let ended = server.await;
    background_tasks.abort();
    ended
}

fn bind(
    config: &ServerConfig,
    service: &Service,
) -> anyhow::Result<(actix_web::dev::Server, SocketAddr)> {
    let cannot_listen = || format!("cannot listen on {}", config.bind);
    let addresses: Vec<_> = config
        .bind
        .to_socket_addrs()
        .with_context(cannot_listen)?
        .collect();
    let hosts = AllowedHosts::new(&addresses, &config.hosts, config.public_url.as_ref());
    let hosts = Data::new(hosts);
    let (origins, service) = (config.cors_origins.clone(), service.clone());
    let database_threads = service.max_connections();
    let server = HttpServer::new(move || {
        App::new()
            .configure(service.handles())
            .app_data(hosts.clone())
            .wrap(from_fn(compress::skip_small_bodies))
            .wrap(Compress::default())
            .wrap(from_fn(compress::negotiate_gzip))
            .wrap(Condition::new(!origins.is_empty(), cors::cors(&origins)))
            .wrap(from_fn(foreign_requests::refuse_foreign_requests))
            .wrap(from_fn(access_log::record_request))
            .configure(routes::register)
    })
    .disable_signals()
    .on_connect(tcp::configure_connections(config.live.tcp_send_timeout))
    // Live messages are small and must not be delayed until the next one.
    .tcp_nodelay(true)
    // Longer than the idle timeout of common load balancers, so that the server
    // does not close a connection just as a request arrives on it.
    .keep_alive(Duration::from_secs(75))
    // On an overloaded machine it can take seconds to read a request; that is not
    // the client's fault.
    .client_request_timeout(Duration::from_mins(1))
    // A worker that disconnects while waiting must not be given a lease.
    .h1_allow_half_closed(false)
    // Shorter than the rest of the grace period, so that the process can end in time.
    .shutdown_timeout((config.shutdown_grace / 4).as_secs().max(1))
    // One thread per database connection, four for compression, parsing and
    // the API documentation, and separate ones for the disk, so that a slow disk
    // does not block the other tasks.
    .worker_max_blocking_threads(database_threads + 4 + DISK_THREADS);
    let server = match config.http_threads {
        Some(threads) => server.workers(threads),
        None => server,
    };
    let server = server.bind(&addresses[..]).with_context(cannot_listen)?;
    let address = server
        .addrs()
        .first()
        .copied()
        .context("the server has no address")?;
    Ok((server.run(), address))
}
