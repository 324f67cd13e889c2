//! A common client of `WebSocket`s and event streams.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::time::Duration;

use lectern_domain::JobId;
use lectern_tests::Client;
use serde_json::Value;
use tungstenite::{ClientRequestBuilder, Message, WebSocket};

use crate::http::support::job_path;

/// The timeout for an expected message.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// A channel of live events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Socket,
    Stream,
}

impl Channel {
    pub(crate) const BOTH: [Self; 2] = [Self::Socket, Self::Stream];

    /// Subscribes to a job, after event `after` or with a snapshot.
    pub(crate) fn follow(self, client: &Client, job_id: JobId, after: Option<i64>) -> Subscription {
        match self {
            Self::Socket => Subscription::Socket(Box::new(connect(client, job_id, after))),
            Self::Stream => {
                let stream = Stream::open(client, job_id, after);
                Subscription::Stream(Box::new(stream.unwrap_or_else(|status| panic!("{status}"))))
            }
        }
    }
}

/// A subscription. Dropping it closes the connection.
pub(crate) enum Subscription {
    Socket(Box<WebSocket<TcpStream>>),
    Stream(Box<Stream>),
}

impl Subscription {
    /// The next message; `None` after a regular end.
    pub(crate) fn next(&mut self) -> Option<Value> {
        match self.next_or_code() {
            Ok(message) => Some(message),
            Err(None | Some(1000 | 1001)) => None,
            Err(Some(code)) => panic!("closed with {code}"),
        }
    }

    /// The next message or, at the end, the close code of a WebSocket.
    pub(crate) fn next_or_code(&mut self) -> Result<Value, Option<u16>> {
        match self {
            Self::Socket(socket) => parse(read(socket)),
            Self::Stream(stream) => stream.next().ok_or(None),
        }
    }

    /// All messages until the end.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// The next messages.
    pub(crate) fn take(&mut self, n: usize) -> Vec<Value> {
        let mut next = || self.next().expect("more messages");
        (0..n).map(|_| next()).collect()
    }
}

/// Opens a WebSocket.
pub(crate) fn connect(client: &Client, job_id: JobId, after: Option<i64>) -> WebSocket<TcpStream> {
    let path = with_after(&format!("/ws/jobs/{job_id}"), after);
    handshake(client, &path, &[]).unwrap_or_else(|status| panic!("{path}: {status}"))
}

/// The same with headers; the error is a status other than 101.
pub(crate) fn handshake(
    client: &Client,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocket<TcpStream>, u16> {
    let host = client.base().trim_start_matches("http://");
    let request = ClientRequestBuilder::new(format!("ws://{host}{path}").parse().unwrap());
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.with_header(*name, *value)
    });
    let socket = TcpStream::connect(host).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    match tungstenite::client(request, socket) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
            Err(answer.status().as_u16())
        }
        Err(error) => panic!("{path}: {error}"),
    }
}

/// The next frame that is not a ping or pong. Pings are answered.
pub(crate) fn read(socket: &mut WebSocket<TcpStream>) -> Message {
    loop {
        match socket.read().expect("a frame") {
            Message::Ping(_) | Message::Pong(_) => {}
            frame => return frame,
        }
    }
}

/// The JSON of a frame, or the close code.
fn parse(frame: Message) -> Result<Value, Option<u16>> {
    match frame {
        Message::Text(text) => Ok(serde_json::from_str(&text).unwrap()),
        Message::Close(frame) => Err(Some(frame.expect("a reason").code.into())),
        other => panic!("{other}"),
    }
}

/// Reads to the end; returns the close code.
pub(crate) fn read_close_code(socket: &mut WebSocket<TcpStream>) -> u16 {
    loop {
        if let Message::Close(frame) = read(socket) {
            return frame.expect("a reason").code.into();
        }
    }
}

/// A client of server-sent events that parses them as a browser does.
pub(crate) struct Stream {
    lines: BufReader<ureq::BodyReader<'static>>,
    pub(crate) headers: ureq::http::HeaderMap,
}

impl Stream {
    /// Opens the stream of a job; the error is a status other than 200.
    pub(crate) fn open(client: &Client, job_id: JobId, after: Option<i64>) -> Result<Self, u16> {
        let last_event_id = after.map(|after| after.to_string());
        Self::open_at(
            client,
            &job_path(job_id, "/events"),
            last_event_id.as_deref(),
        )
    }

    /// Opens the stream at a path.
    pub(crate) fn open_at(
        client: &Client,
        path: &str,
        last_event_id: Option<&str>,
    ) -> Result<Self, u16> {
        let header = last_event_id.map(|id| ("Last-Event-ID", id));
        Self::open_with(client, path, header.as_slice())
    }

    /// Opens the stream at a path, with headers.
    pub(crate) fn open_with(
        client: &Client,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .new_agent();
        let mut request = agent
            .get(format!("{}{path}", client.base()))
            .header("Accept", "text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, body) = request.call().expect("a response").into_parts();
        if head.status != 200 {
            return Err(head.status.as_u16());
        }
        let mut stream = Self {
            lines: BufReader::new(body.into_reader()),
            headers: head.headers,
        };
        assert_eq!(stream.line().as_deref(), Some("retry: 1000"));
        Ok(stream)
    }

    /// The next message; `None` at the end.
    fn next(&mut self) -> Option<Value> {
        let (id, data) = self.next_with_id()?;
        assert_eq!(id, data["seq"].to_string());
        Some(data)
    }

    /// The next message and its id; `None` at the end. There are no events without data,
    /// which some clients report.
    pub(crate) fn next_with_id(&mut self) -> Option<(String, Value)> {
        let first = loop {
            let line = self.line()?;
            if line != ":" {
                break line;
            }
        };
        let value = |line: &str, name: &str| {
            let value = line.strip_prefix(name);
            value.unwrap_or_else(|| panic!("{name}{line:?}")).to_owned()
        };
        let id = value(&first, "id: ");
        let event = value(&self.line()?, "event: ");
        let data: Value = serde_json::from_str(&value(&self.line()?, "data: ")).unwrap();
        assert_eq!(self.line()?, "", "the end of an event");
        match data["type"].as_str() {
            Some("error") => assert_eq!(event, "failed"),
            other => assert_eq!(Some(&*event), other),
        }
        Some((id, data))
    }

    /// The next line; `None` at the end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.lines
            .read_line(&mut line)
            .expect("a line or a proper end");
        line.strip_suffix('\n').map(str::to_owned)
    }
}

/// The path with `?after=`, if an event number is given.
pub(crate) fn with_after(path: &str, after: Option<i64>) -> String {
    after.map_or(path.to_owned(), |after| format!("{path}?after={after}"))
}
