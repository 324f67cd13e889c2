//! An HTTP/1.1 connection that reads no more of a response than it needs.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Appends a request with a JSON body; without a body if that is empty.
pub(crate) fn request(into: &mut Vec<u8>, method: &str, path: &str, body: &[u8]) {
    // Writing to memory does not fail.
    let _ = write!(into, "{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    if !body.is_empty() {
        let length = body.len();
        let _ = write!(
            into,
            "Content-Type: application/json\r\nContent-Length: {length}\r\n"
        );
    } else if method != "GET" {
        into.extend_from_slice(b"Content-Length: 0\r\n");
    }
    into.extend_from_slice(b"\r\n");
    into.extend_from_slice(body);
}

/// A keep-alive connection with its buffers.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// Received and not yet consumed.
    buffer: Vec<u8>,
    body: Vec<u8>,
}

/// What the head of a response says about its body.
#[derive(Debug, Clone, Copy)]
enum Body {
    Length(usize),
    Chunked,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .context("the connection was refused")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 << 10),
            body: Vec::new(),
        })
    }

    /// Sends a request and reads the response; returns its body. A status other than 2xx
    /// is an error.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream
            .write_all(request)
            .await
            .context("the connection broke")?;
        let (status, body) = self.head().await?;
        self.body.clear();
        match body {
            Body::Length(length) => {
                self.fill(length).await?;
                self.body.extend(self.buffer.drain(..length));
            }
            Body::Chunked => self.chunks().await?,
        }
        if !(200..300).contains(&status) {
            let text = String::from_utf8_lossy(&self.body);
            bail!(
                "status {status}: {}",
                text.chars().take(300).collect::<String>()
            );
        }
        Ok(&self.body)
    }

    /// Sends a request and reads only the head of the response, of a stream.
    pub(crate) async fn open_stream(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).await?;
        let (status, _) = self.head().await?;
        ensure!(status == 200, "status {status}");
        Ok(())
    }

    /// Waits for more of a stream; returns what was received and is not yet consumed.
    pub(crate) async fn more(&mut self) -> Result<&mut Vec<u8>> {
        self.read().await?;
        Ok(&mut self.buffer)
    }

    async fn head(&mut self) -> Result<(u16, Body)> {
        let mut searched = 0_usize;
        let end = loop {
            // The end may have been received in two pieces.
            let from = searched.saturating_sub(3);
            if let Some(place) = find(&self.buffer[from..], b"\r\n\r\n") {
                break from + place + 4;
            }
            searched = self.buffer.len();
            self.read().await?;
        };
        let head = str::from_utf8(&self.buffer[..end]).context("the head is not text")?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|status| status.parse().ok());
        let status: u16 = status.context("the response has no status")?;
        let mut body = Body::Length(0);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                body = Body::Length(value.trim().parse()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                body = Body::Chunked;
            }
        }
        self.buffer.drain(..end);
        Ok((status, body))
    }

    async fn chunks(&mut self) -> Result<()> {
        loop {
            let end = loop {
                match find(&self.buffer, b"\r\n") {
                    Some(end) => break end,
                    None => self.read().await?,
                }
            };
            let size = str::from_utf8(&self.buffer[..end])?;
            let size = usize::from_str_radix(size, 16).context("a chunk has no size")?;
            self.fill(end + 2 + size + 2).await?;
            self.body
                .extend_from_slice(&self.buffer[end + 2..end + 2 + size]);
            self.buffer.drain(..end + 2 + size + 2);
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// Reads until `length` bytes are in the buffer.
    async fn fill(&mut self, length: usize) -> Result<()> {
        while self.buffer.len() < length {
            self.read().await?;
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<()> {
        if self.buffer.capacity() - self.buffer.len() < 16 << 10 {
            self.buffer.reserve(64 << 10);
        }
        let read = self
            .stream
            .read_buf(&mut self.buffer)
            .await
            .context("the connection broke")?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}

/// The place of `pattern` in `text`.
pub(crate) fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len()).position(|part| part == pattern)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What the client makes of these responses, sent in pieces of `piece` bytes.
    async fn received(responses: &'static str, count: usize, piece: usize) -> Vec<Result<String>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = Connection::open(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.set_nodelay(true).unwrap();
        let send = async move {
            for piece in responses.as_bytes().chunks(piece) {
                server.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            server.shutdown().await.unwrap();
            // Closed too early, it would reset the connection: it has not read the requests.
            server
        };
        let receive = async {
            let mut bodies = Vec::new();
            for _ in 0..count {
                let body = client.send(b"GET / HTTP/1.1\r\n\r\n").await;
                bodies.push(body.map(|body| String::from_utf8_lossy(body).into_owned()));
            }
            bodies
        };
        futures_util::future::join(send, receive).await.1
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn bodies_end_where_the_head_says() {
        let responses = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc\
            HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n\
            HTTP/1.1 204 No Content\r\n\r\n";
        for piece in [1, 7, 1_000] {
            let bodies = block_on(received(responses, 3, piece));
            let bodies: Vec<String> = bodies.into_iter().map(Result::unwrap).collect();
            assert_eq!(bodies, ["abc", "def", ""]);
        }
    }

    #[test]
    fn another_status_and_an_early_end_are_errors() {
        let responses = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate\
            HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc";
        let errors: Vec<String> = block_on(received(responses, 2, 1_000))
            .into_iter()
            .map(|response| response.unwrap_err().to_string())
            .collect();
        assert_eq!(
            errors,
            ["status 503: late", "the server closed the connection"]
        );
    }
}
