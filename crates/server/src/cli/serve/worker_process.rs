//! The server's worker as a child process.
//!
//! A worker decodes recordings from anywhere, so it may abort or run out of memory. The
//! server is another process and goes on: it starts a new worker, and the stages of the
//! old one are claimed again when their leases have expired.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{sleep, timeout, timeout_at};

use super::child_environment::Variable;

/// Pause before a worker that has ended is replaced. The pause doubles each time a worker
/// ends within [`STABLE_AFTER`].
const MIN_RESTART_DELAY: Duration = Duration::from_secs(1);
const MAX_RESTART_DELAY: Duration = Duration::from_mins(1);

/// A worker that has run for this long counts as healthy.
const STABLE_AFTER: Duration = Duration::from_mins(1);

/// The argument that makes `lectern work` stop when its standard input ends.
const STOP_WITH_STDIN: &str = "--stop-with-stdin";

/// Keeps a worker process running until it is stopped. The worker also stops when this
/// process is killed: its standard input is a pipe from this process.
#[derive(Debug)]
pub(super) struct WorkerProcess {
    /// The time by which the worker has to end; `None` while it should run.
    deadline: watch::Sender<Option<Instant>>,
    supervisor: Option<JoinHandle<()>>,
}

impl WorkerProcess {
    /// Starts `lectern work` with the environment of this process and `settings`.
    pub(super) fn start(settings: Vec<Variable>) -> anyhow::Result<Self> {
        let program = own_program()?;
        let (deadline, stop) = watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let supervisor = std::thread::Builder::new()
            .name("worker-supervisor".into())
            .spawn(move || runtime.block_on(supervise(&program, &settings, stop)))?;
        Ok(Self {
            deadline,
            supervisor: Some(supervisor),
        })
    }

    /// Lets the worker return its stages and end. It is killed after `grace`.
    pub(super) fn stop(&self, grace: Duration) {
        let _ = self.deadline.send(Some(Instant::now() + grace));
    }
}

impl Drop for WorkerProcess {
    /// Waits for the end of the worker, which is killed unless [`stop`](Self::stop) has
    /// given it time.
    fn drop(&mut self) {
        self.deadline.send_if_modified(|deadline| {
            let is_running = deadline.is_none();
            deadline.get_or_insert_with(Instant::now);
            is_running
        });
        if let Some(supervisor) = self.supervisor.take() {
            let _ = supervisor.join();
        }
    }
}

/// This program. On Linux the name below `/proc` refers to the running version even when
/// an upgrade has replaced the file.
fn own_program() -> anyhow::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return Ok(running.to_owned());
    }
    std::env::current_exe().context("cannot find the path of this program")
}

/// Runs one worker after the other until there is a deadline.
async fn supervise(
    program: &Path,
    settings: &[Variable],
    mut stop: watch::Receiver<Option<Instant>>,
) {
    let mut delay = MIN_RESTART_DELAY;
    loop {
        let started = Instant::now();
        let ended = match spawn(program, settings) {
            Ok(mut worker) => {
                log::info!("the worker is process {}", worker.id().unwrap_or_default());
                // Taken out of `worker`, because `wait` would close the pipe, which stops
                // the worker.
                let pipe = worker.stdin.take();
                tokio::select! {
                    ended = worker.wait() => ended.map(|status| status.to_string()),
                    deadline = stop_requested(&mut stop) => {
                        drop(pipe);
                        return end(worker, deadline).await;
                    }
                }
            }
            Err(error) => Err(error),
        };
        if started.elapsed() >= STABLE_AFTER {
            delay = MIN_RESTART_DELAY;
        }
        let why = ended.unwrap_or_else(|error| error.to_string());
        log::warn!(
            "the worker process has ended ({why}); the next one starts in {} s",
            delay.as_secs()
        );
        tokio::select! {
            () = sleep(delay) => {}
            _ = stop_requested(&mut stop) => return,
        }
        delay = (delay * 2).min(MAX_RESTART_DELAY);
    }
}

/// Waits until a deadline is set, and returns it. If the sender is dropped, the deadline
/// is now.
async fn stop_requested(stop: &mut watch::Receiver<Option<Instant>>) -> Instant {
    let deadline = stop.wait_for(Option::is_some).await;
    deadline.map_or_else(
        |_| Instant::now(),
        |deadline| deadline.unwrap_or_else(Instant::now),
    )
}

fn spawn(program: &Path, settings: &[Variable]) -> std::io::Result<Child> {
    Command::new(program)
        .arg0("lectern")
        .args(["work", STOP_WITH_STDIN])
        // Not as arguments, which every user of the machine can read.
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // A signal from the terminal is for the server, which then stops the worker.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Waits for a worker that returns its stages, and kills it at the deadline.
async fn end(mut worker: Child, deadline: Instant) {
    if timeout_at(deadline.into(), worker.wait()).await.is_err() {
        log::warn!("the worker process did not end in time and is killed");
        // Its stages can be claimed again when their leases expire.
        let _ = timeout(Duration::from_secs(1), worker.kill()).await;
    }
}
