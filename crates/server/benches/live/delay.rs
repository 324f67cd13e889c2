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

/// Reports, at least one message each.
pub(crate) const REPORTS: usize = 100;

/// Time between two reports.
const PAUSE: Duration = Duration::from_millis(100);

/// How many messages there are room for.
const EVENTS: usize = 4 * REPORTS;

/// How late messages were, in milliseconds, sorted.
pub(crate) struct Lateness(Vec<f64>);

impl Lateness {
    pub(crate) fn print(&self, what: &str) {
        let at = |share: usize| self.0[(self.0.len() - 1) * share / 100];
        println!(
            "{what:<38} {:>8.1} {:>8.1} {:>8.1}",
            at(50),
            at(99),
            at(100)
        );
    }
}

/// Lets everybody watch one job, on the server that hears of it or on `another`
/// over the same database.
pub(crate) fn measure(url: &str, another: bool) -> Result<Lateness> {
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
    let job_id = job["job_id"].as_str().context("a job")?.to_owned();
    let path = format!("{jobs}/{job_id}");

    // When the report was sent that event number so and so came of.
    let sent: Arc<Vec<AtomicU64>> = Arc::new((0..EVENTS).map(|_| AtomicU64::new(0)).collect());
    let began = Instant::now();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (stop, last) = tokio::sync::watch::channel(None::<i64>);
    let watching = std::thread::spawn({
        let (sent, job_id) = (Arc::clone(&sent), job_id.clone());
        move || watch(watched, &job_id, &sent, began, &ready, &last)
    });
    is_ready.recv().context("watchers")?;

    let mut seq = 1;
    for report in 0..REPORTS {
        std::thread::sleep(PAUSE);
        let now = nanos(began);
        sent.iter()
            .skip(seq + 1)
            .for_each(|sent| sent.store(now, Ordering::SeqCst));
        let progress = json!({ "stage": "transcription", "percent": report });
        ureq::post(format!("{path}/progress")).send_json(progress)?;
        seq = last_seq(&path)?;
        ensure!(seq < EVENTS, "more messages than there is room for");
    }
    stop.send(Some(i64::try_from(seq)?))?;
    let late = watching.join().ok().context("watchers")??;
    ensure!(
        late.len() == WATCHERS * (seq - 1),
        "{} messages",
        late.len()
    );
    Ok(Lateness(late))
}

fn last_seq(path: &str) -> Result<usize> {
    let page = ureq::get(format!("{path}/events?after=0")).call();
    let page: Value = page?.body_mut().read_json()?;
    let last = page["last_seq"].as_u64().context("a number")?;
    Ok(usize::try_from(last)?)
}

fn nanos(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Watches until everybody has seen the last event, whose number comes at the
/// end.
#[tokio::main(flavor = "current_thread")]
async fn watch(
    server: std::net::SocketAddr,
    job_id: &str,
    sent: &Arc<Vec<AtomicU64>>,
    began: Instant,
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
                let (mut late, mut seen) = (Vec::new(), 1);
                while last.borrow_and_update().is_none_or(|last| seen < last) {
                    let next = tokio::select! {
                        next = socket.next() => next?,
                        _ = last.changed() => continue,
                    };
                    ensure!(next == seen + 1, "{next} after {seen}");
                    seen = next;
                    let sent = sent[usize::try_from(seen)?].load(Ordering::SeqCst);
                    late.push(nanos(began).saturating_sub(sent) as f64 / 1e6);
                }
                Ok(late)
            })
        })
        .collect();
    let mut late = Vec::new();
    for task in tasks {
        late.extend(task.await??);
    }
    late.sort_by(f64::total_cmp);
    Ok(late)
}
