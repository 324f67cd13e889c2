//! The HTTP server: starts, listens, stops.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use anyhow::{Context as _, anyhow};
use lectern_db::Database;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::app::server_config::ServerConfig;
use crate::app::service::Service;
use crate::app::tcp_listener::{self, Listener};

/// Upper bound of the time that the end of a server waits for database calls that still
/// run. A call to a database that does not respond may never return.
const CALL_END_TIMEOUT: Duration = Duration::from_secs(5);

/// A running server, on its own threads. Dropping it stops it at once and aborts
/// requests in flight.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    database: Database,
    handle: ServerHandle,
    stop: Option<oneshot::Sender<()>>,
    grace: Duration,
    /// How long to wait for database calls when the requests have ended.
    call_end_timeout: Duration,
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
        let grace = config.shutdown_grace;
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
            grace,
            call_end_timeout: CALL_END_TIMEOUT,
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
    /// finish within the configured grace, then the listener closes. Database calls whose
    /// requests have ended get half of what remains of the grace, so that the caller can
    /// end the process within it.
    ///
    /// # Errors
    ///
    /// When the server failed while it was running, or panicked.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let result = self.result.get_mut().recv();
        let remaining = self.grace.saturating_sub(began.elapsed());
        self.call_end_timeout = CALL_END_TIMEOUT.min(remaining / 2);
        match result {
            Ok(result) => result.context("the server failed"),
            Err(_) => Err(anyhow!("the server panicked")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `stop` sends its command at once; its future only waits for the server to
        // end. After a graceful stop the command has no effect.
        drop(self.handle.stop(false));
        while self
            .result
            .get_mut()
            .recv_timeout(self.call_end_timeout)
            .is_ok()
        {}
    }
}

/// Sent once by the server's thread: the bound address, or why the server cannot listen.
type StartResult = anyhow::Result<(SocketAddr, ServerHandle)>;

async fn serve(
    config: ServerConfig,
    service: Service,
    start_sender: &mpsc::Sender<StartResult>,
    stop_receiver: oneshot::Receiver<()>,
) -> io::Result<()> {
    let bound = tcp_listener::listen(&config, &service);
    let Listener {
        server,
        address,
        connections,
    } = match bound {
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
            connections.close_idle();
            handle.stop(!grace.is_zero()).await;
        }
    });
    let ended = server.await;
    background_tasks.abort();
    ended
}
