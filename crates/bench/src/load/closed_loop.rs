//! Each connection sends its next request when it has the response to the last.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::load::{Connection, Latencies};

/// The longest wait for the responses that are missing in the end.
const RESPONSE_TIMEOUT: Duration = Duration::from_mins(1);

/// How a server is loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Of the requests that were answered.
    pub(crate) latencies: Latencies,
    /// Until the last response: the server is busy until then.
    pub(crate) duration: Duration,
    pub(crate) errors: usize,
    pub(crate) first_error: Option<String>,
}

/// Counts the requests of all connections; each number is given once.
#[derive(Debug, Default)]
pub(crate) struct Next(Cell<usize>);

impl Next {
    pub(crate) fn take(&self) -> usize {
        self.0.replace(self.0.get() + 1)
    }
}

impl Load {
    /// Calls `exchange` on each connection, again and again: one request, or several that
    /// belong together. A connection ends with its first error.
    pub(crate) async fn run(
        self,
        exchange: impl AsyncFn(&mut Connection, &mut Vec<u8>) -> Result<()>,
    ) -> Result<Measured> {
        let mut connections = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            connections.push(Connection::open(self.address).await?);
        }
        let began = Instant::now();
        let end = began + self.duration;
        let one = async |mut connection: Connection| {
            let mut measured = Measured::default();
            let mut request = Vec::new();
            loop {
                let sent = Instant::now();
                if sent >= end {
                    return measured;
                }
                request.clear();
                if let Err(error) = exchange(&mut connection, &mut request).await {
                    measured.errors += 1;
                    measured.first_error.get_or_insert(format!("{error:#}"));
                    return measured;
                }
                measured.latencies.add(sent.elapsed());
            }
        };
        let mut all: FuturesUnordered<_> = connections.into_iter().map(one).collect();
        let mut sum = Measured::default();
        let whole = async {
            while let Some(measured) = all.next().await {
                sum.latencies.extend(measured.latencies);
                sum.errors += measured.errors;
                if sum.first_error.is_none() {
                    sum.first_error = measured.first_error;
                }
            }
        };
        tokio::time::timeout(self.duration + RESPONSE_TIMEOUT, whole)
            .await
            .context("a response did not come within a minute")?;
        sum.duration = began.elapsed();
        Ok(sum)
    }
}
