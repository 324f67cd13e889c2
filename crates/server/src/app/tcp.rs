//! TCP options of client connections.

use std::any::Any;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

use crate::http::address::ConnectionAddress;

/// Upper bound of the bytes that the kernel buffers for a client before it sends
/// them: enough to keep a fast connection busy, few enough for thousands of
/// clients that do not read.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 128 << 10;

/// Makes the kernel close a connection whose peer has acknowledged nothing for
/// `send_timeout`. The server cannot detect this itself: once the send buffer
/// is full it does not write, and so sees no error.
pub(crate) fn configure_connections(
    send_timeout: Duration,
) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync {
    move |connection, extensions| {
        let Some(connection) = connection.downcast_ref::<TcpStream>() else {
            return;
        };
        if let Ok(own) = connection.local_addr() {
            extensions.insert(ConnectionAddress(own));
        }
        if let Err(error) = set_options(connection, send_timeout) {
            log::debug!("cannot set the TCP options of a connection: {error}");
        }
    }
}

#[cfg(target_os = "linux")]
fn set_options(connection: &TcpStream, send_timeout: Duration) -> std::io::Result<()> {
    let socket = socket2::SockRef::from(connection);
    socket.set_tcp_user_timeout(Some(send_timeout))?;
    socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES)
}

#[cfg(not(target_os = "linux"))]
fn set_options(_: &TcpStream, _: Duration) -> std::io::Result<()> {
    Ok(())
}
