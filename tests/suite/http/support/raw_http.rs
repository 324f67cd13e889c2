//! Raw requests on a socket, for requests an HTTP client would not send.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use lectern_tests::Client;
use serde_json::Value;

/// A raw response.
#[derive(Debug)]
pub(crate) struct RawResponse {
    /// The status of the first response.
    pub(crate) status: u16,
    /// Everything up to the empty line.
    pub(crate) head: String,
    /// The body according to the Content-Length.
    pub(crate) body: String,
}

/// Sends `request` and reads to the end of the connection; the request has to
/// contain `Connection: close`.
pub(crate) fn exchange(client: &Client, request: impl AsRef<[u8]>) -> RawResponse {
    send(client, request.as_ref(), false)
}

/// The same, and closes the sending side after the request, so that the rest of
/// an incomplete request never arrives.
pub(crate) fn exchange_incomplete(client: &Client, request: impl AsRef<[u8]>) -> RawResponse {
    send(client, request.as_ref(), true)
}

fn send(client: &Client, request: &[u8], close_after: bool) -> RawResponse {
    let address = client.base().strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    // The server may close the connection before it has read everything.
    let _ = socket.write_all(request);
    if close_after {
        let _ = socket.shutdown(Shutdown::Write);
    }
    let mut bytes = Vec::new();
    if let Err(error) = socket.read_to_end(&mut bytes) {
        assert!(!bytes.is_empty(), "no response: {error}");
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n").expect("a response");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    RawResponse {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: rest[..length].to_owned(),
    }
}

/// A request with a body; `headers` are lines without CRLF.
pub(crate) fn request(method: &str, path: &str, headers: &[&str], body: &str) -> String {
    let start = format!("{method} {path} HTTP/1.1");
    let common_headers = [
        "Host: localhost",
        "Connection: close",
        "Content-Type: application/json",
    ];
    let lines = [&[start.as_str()], &common_headers[..], headers, &["", body]].concat();
    lines.join("\r\n")
}

impl RawResponse {
    /// Checks that this is a documented error.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let head = self.head.to_lowercase();
        assert!(
            head.contains("\r\ncontent-type: application/problem+json"),
            "{self:?}"
        );
        let body: Value =
            serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(
            (&body["status"], &body["code"]),
            (&status.into(), &code.into()),
            "{self:?}"
        );
        let request_id = body["request_id"].as_str().unwrap_or_default();
        assert!(
            head.contains(&format!("\r\nx-request-id: {request_id}")),
            "{self:?}"
        );
        let keys: Vec<_> = body
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "errors")
            .collect();
        assert_eq!(
            keys,
            ["code", "detail", "request_id", "status", "title", "type"],
            "{self:?}"
        );
    }
}
