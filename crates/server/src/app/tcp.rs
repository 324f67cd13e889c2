//! How the system treats the connections of clients.

use std::any::Any;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

/// How much the system may hold for a client beyond what is on the way. Enough
/// to keep a fast line busy, and little enough for thousands of clients that
/// take nothing.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 128 << 10;

/// Prepares new connections: one that takes nothing of what it is sent for as
/// long as `send_timeout` is closed by the system. Only the system can tell: a client
/// that does not read keeps its server from even trying.
pub(crate) fn configure_connections(
    send_timeout: Duration,
) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync {
    move |connection, _| {
        if let Some(connection) = connection.downcast_ref::<TcpStream>()
            && let Err(error) = set(connection, send_timeout)
        {
            log::debug!("a connection is left as it is: {error}");
        }
    }
}

#[cfg(target_os = "linux")]
fn set(connection: &TcpStream, send_timeout: Duration) -> std::io::Result<()> {
    let socket = socket2::SockRef::from(connection);
    socket.set_tcp_user_timeout(Some(send_timeout))?;
    socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES)
}

#[cfg(not(target_os = "linux"))]
fn set(_: &TcpStream, _: Duration) -> std::io::Result<()> {
    Ok(())
}
