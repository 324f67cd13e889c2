//! Delay of messages to a thousand watchers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lectern_db::Database;
use lectern_server::{Server, ServerConfig};
use serde_json::{Value, json};

use crate::WATCHERS;
use crate::clients::Socket;

/// Number of progress reports; each causes at least one message.
pub(crate) const REPORTS: usize = 100;

/// Time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// Upper bound of the events that the reports cause.
const MAX_EVENTS: usize = 4 * REPORTS;

/// Delays of messages in milliseconds, sorted.
pub(crate) struct Delays(Vec<f64>);

impl Delays {
    pub(crate) fn print(&self, label: &str) {
        let percentile = |percent: usize| self.0[(self.0.len() - 1) * percent / 100];
        println!(
            "{label:<38} {:>8.1} {:>8.1} {:>8.1}",
            percentile(50),
            percentile(99),
            percentile(100)
        );
    }
}

/// Measures the delays for clients that watch one job, on the server that receives
/// the reports or, with `another`, on a second server over the same database.
pub(crate) fn measure(url: &str, another: bool) -> Result<Delays> {
    let start = || {
        let config = ServerConfig {
            http_threads: None,
            ..ServerConfig::default()
        };
        Server::start(config, Database::open(url)?)
    };
    let reporting = start()?;
    let other = another.then(start).transpose()?;
    let watched = other.as_ref().unwrap_or(&reporting).addr();

    let jobs = format!("{}/api/v1/jobs", reporting.url());
    let job = ureq::post(&jobs)
        .send_json(json!({ "filename": "lecture.mp4" , "file_size": 1, "s3_key": "lecture.mp4" }));
    let job: Value = job?.body_mut().read_json()?;
    let job_id = job["job_id"]
        .as_str()
        .context("the response has no job_id")?
        .to_owned();
    let path = format!("{jobs}/{job_id}");

    // For each sequence number the time at which the report that caused the event
    // was sent, in nanoseconds since `epoch`.
    let sent: Arc<Vec<AtomicU64>> = Arc::new((0..MAX_EVENTS).map(|_| AtomicU64::new(0)).collect());
    let epoch = Instant::now();
    let (ready, all_ready) = std::sync::mpsc::channel();
    let (stop, last) = tokio::sync::watch::channel(None::<i64>);
    let watching = std::thread::spawn({
        let (sent, job_id) = (Arc::clone(&sent), job_id.clone());
        move || watch(watched, &job_id, &sent, epoch, &ready, &last)
    });
    all_ready.recv().context("the watchers could not connect")?;

    let mut seq = 1;
    for report in 0..REPORTS {
        std::thread::sleep(REPORT_INTERVAL);
        let now = nanos(epoch);
        sent.iter()
            .skip(seq + 1)
            .for_each(|sent| sent.store(now, Ordering::SeqCst));
        let progress = json!({ "stage": "transcription", "percent": report });
        ureq::post(format!("{path}/progress")).send_json(progress)?;
        seq = last_seq(&path)?;
        ensure!(seq < MAX_EVENTS, "more than {MAX_EVENTS} events");
    }
    stop.send(Some(i64::try_from(seq)?))?;
    let delays = watching.join().ok().context("the watchers panicked")??;
    ensure!(
        delays.len() == WATCHERS * (seq - 1),
        "{} messages",
        delays.len()
    );
    Ok(Delays(delays))
}

fn last_seq(path: &str) -> Result<usize> {
    let page = ureq::get(format!("{path}/events?after=0")).call();
    let page: Value = page?.body_mut().read_json()?;
    let last = page["last_seq"]
        .as_u64()
        .context("the response has no last_seq")?;
    Ok(usize::try_from(last)?)
}

fn nanos(epoch: Instant) -> u64 {
    u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Watches until all clients have received event `last`, which is known only after
/// the last report.
#[tokio::main(flavor = "current_thread")]
async fn watch(
    server: std::net::SocketAddr,
    job_id: &str,
    sent: &Arc<Vec<AtomicU64>>,
    epoch: Instant,
    ready: &std::sync::mpsc::Sender<()>,
    last: &tokio::sync::watch::Receiver<Option<i64>>,
) -> Result<Vec<f64>> {
    let mut sockets = Vec::with_capacity(WATCHERS);
    for _ in 0..WATCHERS {
        sockets.push(Socket::open(server, job_id, 1).await?);
    }
    ready.send(())?;
    let tasks: Vec<_> = sockets
        .into_iter()
        .map(|mut socket| {
            let (sent, mut last) = (Arc::clone(sent), last.clone());
            tokio::spawn(async move {
                let (mut delays, mut seen) = (Vec::new(), 1);
                while last.borrow_and_update().is_none_or(|last| seen < last) {
                    let next = tokio::select! {
                        next = socket.next() => next?,
                        _ = last.changed() => continue,
                    };
                    ensure!(next == seen + 1, "{next} after {seen}");
                    seen = next;
                    let sent = sent[usize::try_from(seen)?].load(Ordering::SeqCst);
                    delays.push(nanos(epoch).saturating_sub(sent) as f64 / 1e6);
                }
                Ok(delays)
            })
        })
        .collect();
    let mut delays = Vec::new();
    for task in tasks {
        delays.extend(task.await??);
    }
    delays.sort_by(f64::total_cmp);
    Ok(delays)
}
