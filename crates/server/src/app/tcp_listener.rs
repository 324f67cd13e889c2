//! Listens for clients, sets the TCP options of their connections, and connects them to the
//! middleware and the routes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpServiceBuilder, Response};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Server, ServiceResponse};
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use anyhow::Context as _;
use socket2::{Domain, Protocol, Socket, Type};

use crate::app::expect_continue::SharedApp;
use crate::app::open_files::Reserve;
use crate::app::server_config::ServerConfig;
use crate::app::service::Service;
use crate::http::address::{AllowedHosts, ConnectionAddress, CorsOrigins};
use crate::http::connections::{ClientStream, Connection, Connections, MAX_REFUSED};
use crate::http::middleware::{access_log, compress, cors, excess_connections, foreign_requests};
use crate::routes;

/// Upper bound of the connections that the kernel completes before they are accepted.
const BACKLOG: i32 = 1024;

/// How long a closing connection waits for the client.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Blocking threads per HTTP thread for access to the disk, in addition to those for
/// database connections. An upload or download needs one during each access.
const DISK_THREADS: usize = 64;

/// Upper bound of the bytes that the kernel buffers for a client before it sends
/// them: enough to keep a fast connection busy, few enough for thousands of
/// clients that do not read.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 128 << 10;

/// A server that listens.
pub(crate) struct Listener {
    /// Serves while it is polled.
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<Connections>,
}

/// Starts to listen.
pub(crate) fn listen(config: &ServerConfig, service: &Service) -> anyhow::Result<Listener> {
    let listeners = bind(&config.bind).with_context(|| cannot_listen(&config.bind))?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    let addresses = addresses.collect::<io::Result<Vec<_>>>()?;
    let address = addresses.first().copied();

    let threads = config.http_threads();
    let capacity = Reserve::new(service.max_connections(), threads).connections();
    let proxies = config.trusted_proxies.clone();
    let connections = Connections::new(config.connections, capacity, proxies);
    // Each connection over the limit closes another one or is refused, which takes a
    // moment; meanwhile both are open.
    let accepted = connections.max() + connections.max() / 16 + MAX_REFUSED;
    let hosts = AllowedHosts::new(&addresses, &config.hosts, config.public_url.as_ref());

    let mut server = Server::build()
        .workers(threads)
        .max_concurrent_connections(accepted.div_ceil(threads))
        .disable_signals()
        // Shorter than the rest of the grace period, so that the process can end in time.
        .shutdown_timeout((config.shutdown_grace / 4).as_secs().max(1))
        // One thread per database connection, four for compression, parsing and
        // the API documentation, and separate ones for the disk, so that a slow disk
        // does not block the other tasks.
        .worker_max_blocking_threads(service.max_connections() + 4 + DISK_THREADS);
    for listener in listeners {
        let (connections, service) = (Arc::clone(&connections), service.clone());
        let hosts = Data::new(hosts.clone());
        let origins = CorsOrigins::new(&config.cors_origins);
        let allow_credentials = config.cors_credentials;
        let (idle_timeout, send_timeout) = (
            config.connections.idle_timeout,
            config.live.tcp_send_timeout,
        );
        server = server.listen("lectern", listener, move || {
            let app = App::new()
                .configure(service.handles())
                .app_data(hosts.clone())
                .wrap(from_fn(compress::skip_small_bodies))
                .wrap(Compress::default())
                .wrap(from_fn(compress::negotiate_gzip))
                .wrap(Condition::new(
                    !origins.is_empty(),
                    cors::cors(&origins, allow_credentials),
                ))
                .wrap(from_fn(foreign_requests::refuse_foreign_requests))
                .wrap(from_fn(excess_connections::refuse_excess_connections))
                .wrap(from_fn(access_log::record_request))
                .configure(routes::register)
                .into_factory()
                .map(|response: ServiceResponse<_>| Response::from(response).map_into_boxed_body())
                .map_err(|error: actix_web::Error| error.error_response().into());
            let shared = SharedApp::default();
            let app = map_config(app, |()| AppConfig::default());
            let http = HttpServiceBuilder::default()
                .keep_alive(idle_timeout)
                // `ClientStream` closes connections without a request in time.
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(DISCONNECT_TIMEOUT)
                // A worker that disconnects while waiting must not be given a lease.
                .h1_allow_half_closed(false)
                .on_connect_ext(describe_connection)
                .expect(shared.expect_service())
                .h1(shared.request_service(app));
            let connections = Arc::clone(&connections);
            let connect = move |socket: TcpStream| {
                set_tcp_options(&socket, send_timeout);
                let peer = socket.peer_addr().ok();
                let client = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
                let stream =
                    ClientStream::new(socket, Connection::open(Arc::clone(&connections), client));
                async move { Ok::<_, DispatchError>((stream, peer)) }
            };
            fn_service(connect).and_then(http)
        })?;
    }
    let address = address.context("the server has no address")?;
    Ok(Listener {
        server: server.run(),
        address,
        connections,
    })
}

fn cannot_listen(name: &str) -> String {
    format!("cannot listen on {name}")
}

/// Checks that the program may listen on an address, without listening. An address in
/// use passes, because the other server may be about to end.
///
/// # Errors
///
/// When the name does not resolve to an address of this machine, or the port is reserved.
pub(crate) fn check_address(name: &str) -> anyhow::Result<()> {
    match bind(name) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            Err(error).with_context(|| cannot_listen(name))
        }
        _ => Ok(()),
    }
}

/// Whether only this machine reaches an address: all that the name resolves to are loopback
/// addresses.
///
/// # Errors
///
/// When the name does not resolve.
pub(crate) fn is_loopback(name: &str) -> anyhow::Result<bool> {
    if name.starts_with(':') {
        return Ok(false);
    }
    let addresses = name
        .to_socket_addrs()
        .with_context(|| cannot_listen(name))?;
    let mut addresses = addresses.peekable();
    Ok(addresses.peek().is_some()
        && addresses.all(|address| address.ip().to_canonical().is_loopback()))
}

/// Listens on the addresses that `name` resolves to. Fails if none of them can be used.
fn bind(name: &str) -> io::Result<Vec<TcpListener>> {
    let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "no such address");
    let mut listeners = Vec::new();
    // One socket of IPv6 takes IPv4, too. The second address is for machines without IPv6.
    if let Some(port) = name.strip_prefix(':').and_then(|port| port.parse().ok()) {
        let any: [IpAddr; 2] = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
        let [ipv6, ipv4] = any.map(|address| SocketAddr::new(address, port));
        return match bind_address(ipv6) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => Ok(vec![bind_address(ipv4)?]),
            bound => Ok(vec![bound?]),
        };
    }
    for address in name.to_socket_addrs()? {
        match bind_address(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => failure = error,
        }
    }
    if listeners.is_empty() {
        Err(failure)
    } else {
        Ok(listeners)
    }
}

fn bind_address(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    // So that a restarted server can use the address at once.
    socket.set_reuse_address(true)?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        // The default of the system may be IPv6 alone.
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Gives the requests of a connection access to it and to its local address.
fn describe_connection(stream: &ClientStream, extensions: &mut Extensions) {
    extensions.insert(Arc::clone(stream.connection()));
    if let Ok(own) = stream.socket().local_addr() {
        extensions.insert(ConnectionAddress(own));
    }
}

/// Sends small messages at once, and makes the kernel close a connection whose peer has
/// acknowledged nothing for `send_timeout`. The server cannot detect this itself: once
/// the send buffer is full it does not write, and so sees no error.
fn set_tcp_options(connection: &TcpStream, send_timeout: Duration) {
    // A live message must not be delayed until there is more to send.
    let configured = connection
        .set_nodelay(true)
        .and_then(|()| limit_unsent_data(connection, send_timeout));
    if let Err(error) = configured {
        log::debug!("cannot set the TCP options of a connection: {error}");
    }
}

#[cfg(target_os = "linux")]
fn limit_unsent_data(connection: &TcpStream, send_timeout: Duration) -> std::io::Result<()> {
    let socket = socket2::SockRef::from(connection);
    socket.set_tcp_user_timeout(Some(send_timeout))?;
    socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES)
}

#[cfg(not(target_os = "linux"))]
fn limit_unsent_data(_: &TcpStream, _: Duration) -> std::io::Result<()> {
    Ok(())
}
