//! Many clients that watch one job over server-sent events.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::future::{join, try_join_all};

use super::http::{create_job, exchange};
use super::requests::progress;
use crate::arguments::{Plan, Workload};
use crate::environment::{Usage, peak_memory};
use crate::load::{Connection, Latencies, find, request};
use crate::report::{Key, Metric, Metrics, Results};
use crate::stack::Server;

/// Between two reports: longer than it takes to send an event to all watchers.
const PAUSE: Duration = Duration::from_millis(100);
/// Stands before the number of a report in its message.
const MARK: &[u8] = b"report number ";

/// Measures the time from sending a report to `server` until each watcher of `watched`, the
/// same server or another one of the same database, has its event.
pub(crate) async fn watchers(
    server: &Server,
    watched: &Server,
    plan: &Plan,
    results: &mut Results,
) {
    let watchers = plan.size(1_000, 20);
    let limit = plan.measured * 10 + Duration::from_mins(1);
    let measured = tokio::time::timeout(limit, measure(server, watched, plan, watchers)).await;
    let key = Key {
        workload: Workload::Watchers,
        request: if server.address == watched.address {
            "the same server"
        } else {
            "another server"
        },
        size: watchers,
        system: server.system,
    };
    let measured = measured.context("events are missing");
    results.add(key, measured.flatten());
}

async fn measure(
    server: &Server,
    watched: &Server,
    plan: &Plan,
    watchers: usize,
) -> Result<Metrics> {
    let mut sender = Connection::open(server.address).await?;
    let job = create_job(&mut sender).await?;
    let reports = plan.size(40, 3);
    let mut open = Vec::new();
    for _ in 0..watchers {
        let mut connection = Connection::open(watched.address).await?;
        let mut stream = Vec::new();
        let path = format!("/api/v1/jobs/{job}/events");
        request(&mut stream, "GET", &path, b"");
        // Replaces the empty line at the end.
        stream.truncate(stream.len() - 2);
        stream.extend_from_slice(b"Accept: text/event-stream\r\n\r\n");
        connection.open_stream(&stream).await?;
        open.push(connection);
    }
    let sent: RefCell<Vec<Instant>> = RefCell::default();
    let latencies: RefCell<Latencies> = RefCell::default();
    let watch = async |mut connection: Connection| -> Result<()> {
        let mut seen = 0;
        while seen < reports {
            let received = connection.more().await?;
            let now = Instant::now();
            while let Some(number) = next_mark(received) {
                // A report can have an event of its stage and one of its job.
                if number == seen {
                    let sent = sent.borrow()[number];
                    latencies.borrow_mut().add(now - sent);
                    seen += 1;
                }
            }
        }
        Ok(())
    };
    let report = async {
        for number in 0..reports {
            tokio::time::sleep(PAUSE).await;
            sent.borrow_mut().push(Instant::now());
            let message = format!("{}{number:04}", String::from_utf8_lossy(MARK));
            let body = progress(1.0 + number as f64, &message);
            exchange(
                &mut sender,
                "POST",
                &format!("/api/v1/jobs/{job}/progress"),
                &body,
            )
            .await?;
        }
        anyhow::Ok(())
    };
    let (received, reported) = join(try_join_all(open.into_iter().map(watch)), report).await;
    reported?;
    received?;
    let mut latencies = latencies.into_inner();
    ensure!(latencies.len() == reports * watchers, "events are missing");
    Ok(Metrics::from([
        (Metric::Median, latencies.percentile(50)),
        (Metric::P99, latencies.percentile(99)),
        (
            Metric::Memory,
            peak_memory(&Usage::of(watched.id()).processes),
        ),
    ]))
}

/// The number of the next report in the buffer, which is consumed up to it.
fn next_mark(received: &mut Vec<u8>) -> Option<usize> {
    let begin = find(received, MARK)? + MARK.len();
    let number = received.get(begin..begin + 4)?;
    let number = str::from_utf8(number).ok()?.parse().ok()?;
    received.drain(..begin + 4);
    Some(number)
}
