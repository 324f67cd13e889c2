//! Minimal clients, so that a thousand of them need little time and memory.

use std::net::SocketAddr;

use anyhow::{Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A client that watches a job over a WebSocket.
pub(crate) struct Socket(BufReader<TcpStream>);

impl Socket {
    /// Watches a job, from the event after `after` on.
    pub(crate) async fn open(server: SocketAddr, job_id: &str, after: i64) -> Result<Self> {
        let path = format!("/ws/jobs/{job_id}?after={after}");
        let headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
        let (stream, status) = send_request(server, &path, headers).await?;
        ensure!(status == "101", "{path} answered {status}");
        Ok(Self(stream))
    }

    /// Waits for the next message; returns the sequence number of its event.
    pub(crate) async fn next(&mut self) -> Result<i64> {
        loop {
            let (opcode, payload) = self.frame().await?;
            match opcode {
                1 => return seq(&payload),
                9 | 10 => {}
                _ => bail!("closed"),
            }
        }
    }

    /// Reads a frame. Frames of a server are not masked; those of Lectern are shorter
    /// than 64 KiB.
    async fn frame(&mut self) -> Result<(u8, Vec<u8>)> {
        let (first, length) = (self.0.read_u8().await?, self.0.read_u8().await?);
        let length = match length {
            126 => self.0.read_u16().await?,
            127.. => bail!("a frame larger than expected"),
            length => length.into(),
        };
        let mut payload = vec![0; length.into()];
        self.0.read_exact(&mut payload).await?;
        Ok((first & 0xf, payload))
    }
}

/// Requests a stream of server-sent events; returns the connection, which is not
/// read.
pub(crate) async fn open_stream(server: SocketAddr, job_id: &str) -> Result<impl Sized> {
    let path = format!("/api/v1/jobs/{job_id}/events");
    let (stream, status) = send_request(server, &path, "Accept: text/event-stream\r\n").await?;
    ensure!(status == "200", "{path} answered {status}");
    Ok(stream)
}

/// Sends a request and reads the head of the response; returns the connection and
/// the status.
async fn send_request(
    server: SocketAddr,
    path: &str,
    headers: &str,
) -> Result<(BufReader<TcpStream>, String)> {
    let mut stream = TcpStream::connect(server).await?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut stream = BufReader::with_capacity(4096, stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok((stream, status))
}

fn seq(message: &[u8]) -> Result<i64> {
    let message: serde_json::Value = serde_json::from_slice(message)?;
    let seq = message["seq"].as_i64();
    seq.ok_or_else(|| anyhow::anyhow!("a message has no seq"))
}
