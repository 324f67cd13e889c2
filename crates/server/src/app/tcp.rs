//! TCP options of client connections.

use std::time::Duration;

use actix_web::rt::net::TcpStream;

/// Upper bound of the bytes that the kernel buffers for a client before it sends
/// them: enough to keep a fast connection busy, few enough for thousands of
/// clients that do not read.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 128 << 10;

/// Sends small messages at once, and makes the kernel close a connection whose peer has
/// acknowledged nothing for `send_timeout`. The server cannot detect this itself: once
/// the send buffer is full it does not write, and so sees no error.
pub(crate) fn configure(connection: &TcpStream, send_timeout: Duration) {
    // A live message must not be delayed until there is more to send.
    let configured = connection
        .set_nodelay(true)
        .and_then(|()| set_options(connection, send_timeout));
    if let Err(error) = configured {
        log::debug!("cannot set the TCP options of a connection: {error}");
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
