//! Starts a program, limits it, and kills it on cancellation.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::confinement::{Confinement, exists};
use super::error::ChildError;
use super::process_group::{ProcessGroup, wait_unreaped};
use super::stderr_tail::StderrTail;
use super::time_and_disk_limits::Limits;

/// Size of the buffer for one read from a pipe.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// How many buffers of output may be queued. A full queue blocks the reader, and
/// then the pipe blocks the child.
const OUTPUT_QUEUE_LENGTH: usize = 8;
/// How often the size of the scratch space is measured.
const SPACE_CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// How long the pipes may be silent after the program has ended. Then the pipes are
/// abandoned, because a descendant that left the group may keep them open for ever.
const PIPE_DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// How much output [`Program::output`] keeps.
const MAX_OUTPUT_BYTES: usize = 16 * 1024 * 1024;

/// A program to run without input, in its own process group, and confined.
///
/// ```
/// use std::time::Duration;
/// use lectern_media::{ChildError, Limits, Program};
///
/// let limits = Limits::within(Duration::from_secs(10));
/// let hello = Program::new("echo").arg("hello").output(&limits)?;
/// assert_eq!(hello, b"hello\n");
///
/// let failed = Program::new("sh").args(["-c", "echo why >&2; exit 3"]).output(&limits);
/// assert_eq!(failed.unwrap_err().stderr_tail(), Some("why"));
/// # Ok::<(), ChildError>(())
/// ```
#[derive(Debug)]
pub struct Program {
    executable: OsString,
    args: Vec<OsString>,
    dir: Option<PathBuf>,
    confinement: Confinement,
}

impl Program {
    /// A program by its path, or by its name if it is on `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            executable: program.as_ref().to_owned(),
            args: Vec::new(),
            dir: None,
            confinement: Confinement::default(),
        }
    }

    /// Appends an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Appends several arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets the working directory, which is otherwise that of this process.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Replaces the default confinement.
    pub fn confined_by(mut self, confinement: &Confinement) -> Self {
        self.confinement = confinement.clone();
        self
    }

    /// Runs the program and returns the first 16 MiB of its stdout. Fails like
    /// [`Program::run`].
    pub fn output(self, limits: &Limits) -> Result<Vec<u8>, ChildError> {
        let mut output = Vec::new();
        self.run(limits, &mut |bytes| {
            let free = MAX_OUTPUT_BYTES - output.len();
            output.extend_from_slice(&bytes[..bytes.len().min(free)]);
        })?;
        Ok(output)
    }

    /// Runs the program, passing its stdout to `on_stdout` on the calling thread
    /// as it arrives. Returns the last lines of stderr.
    ///
    /// When a limit is reached, the token is cancelled or `on_stdout` panics, the
    /// whole process group gets SIGTERM and, two seconds later, SIGKILL, before this
    /// function returns. Processes that the program leaves behind when it ends are
    /// killed too.
    pub fn run(
        self,
        limits: &Limits,
        on_stdout: &mut dyn FnMut(&[u8]),
    ) -> Result<String, ChildError> {
        limits.check()?;
        limits.check_space()?;
        let dir = self.dir.as_deref().unwrap_or(Path::new("."));
        let first = self.confinement.first(&self.executable);
        if !exists(first, dir) {
            return Err(ChildError::NotFound(first.to_string_lossy().into_owned()));
        }
        let words: Vec<_> = iter::once(self.executable.clone())
            .chain(self.args.iter().cloned())
            .collect();
        let mut command = self.confinement.command(&words, limits);
        command
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut group =
            ProcessGroup::spawn(&mut command).map_err(|error| self.error("start", error))?;

        let (sender, events) = mpsc::sync_channel(OUTPUT_QUEUE_LENGTH);
        let tail = Arc::new(Mutex::new(StderrTail::default()));
        watch(&mut group, &sender, &tail).map_err(|error| self.error("watch", error))?;
        let wake = sender.clone();
        let _waker = limits.cancellation().on_cancel(move || {
            // Fails if the queue is full, which is harmless: the loop below then does
            // not wait, and checks the token before it takes the next event.
            let _ = wake.try_send(Event::Wake);
        });

        let mut open_streams = 2;
        let mut has_ended = false;
        let (mut space_checked, mut last_event) = (Instant::now(), Instant::now());
        while open_streams > 0 || !has_ended {
            limits.check()?;
            if space_checked.elapsed() >= SPACE_CHECK_INTERVAL {
                space_checked = Instant::now();
                limits.check_space()?;
            }
            if has_ended && last_event.elapsed() >= PIPE_DRAIN_TIMEOUT {
                break;
            }
            match events.recv_timeout(SPACE_CHECK_INTERVAL.min(limits.remaining())) {
                Ok(Event::Stdout(bytes)) => on_stdout(&bytes),
                Ok(Event::StreamClosed) => open_streams -= 1,
                Ok(Event::LeaderEnded) => {
                    // Processes left behind would keep the pipes open.
                    group.kill();
                    has_ended = true;
                }
                Ok(Event::Wake) => {}
                // Only a timeout: `sender` keeps the channel connected.
                Err(_) => continue,
            }
            // Measured after `on_stdout`, which may have taken long.
            last_event = Instant::now();
        }
        let status = group
            .finish()
            .map_err(|error| self.error("wait for", error))?;
        let stderr_tail = tail.lock().text();
        if status.success() {
            return Ok(stderr_tail);
        }
        Err(ChildError::Failed {
            program: self.name(),
            status,
            stderr_tail,
        })
    }

    /// The name of the program, without its directory.
    fn name(&self) -> String {
        let name = Path::new(&self.executable).file_name();
        let name = name.unwrap_or(&self.executable);
        name.to_string_lossy().into_owned()
    }

    fn error(&self, doing: &'static str, source: io::Error) -> ChildError {
        ChildError::Io {
            doing,
            program: self.name(),
            source,
        }
    }
}

/// An event that [`Program::run`] waits for.
enum Event {
    Stdout(Vec<u8>),
    /// Stdout or stderr was closed.
    StreamClosed,
    LeaderEnded,
    /// The cancellation token has to be checked.
    Wake,
}

/// Starts three threads that send the child's events. Each thread ends together with
/// the stream or process that it watches.
fn watch(
    group: &mut ProcessGroup,
    events: &SyncSender<Event>,
    tail: &Arc<Mutex<StderrTail>>,
) -> io::Result<()> {
    if let Some(stdout) = group.leader.stdout.take() {
        let sender = events.clone();
        spawn_reader(stdout, events, move |bytes| {
            // Once the receiver is gone, bytes are discarded: a full pipe would
            // keep the child from ending.
            let _ = sender.send(Event::Stdout(bytes.to_vec()));
        })?;
    }
    if let Some(stderr) = group.leader.stderr.take() {
        let tail = Arc::clone(tail);
        spawn_reader(stderr, events, move |bytes| tail.lock().push(bytes))?;
    }
    let (sender, pid) = (events.clone(), group.pid());
    thread::Builder::new()
        .name("child-wait".into())
        .spawn(move || {
            // Fails if the leader was already reaped, and so has ended.
            let _ = wait_unreaped(pid);
            let _ = sender.send(Event::LeaderEnded);
        })?;
    Ok(())
}

/// Starts a thread that reads a stream to its end.
fn spawn_reader(
    mut stream: impl Read + Send + 'static,
    events: &SyncSender<Event>,
    mut on_bytes: impl FnMut(&[u8]) + Send + 'static,
) -> io::Result<()> {
    let sender = events.clone();
    thread::Builder::new()
        .name("child-read".into())
        .spawn(move || {
            let mut buffer = vec![0; READ_BUFFER_BYTES];
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(len) => on_bytes(&buffer[..len]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            let _ = sender.send(Event::StreamClosed);
        })?;
    Ok(())
}
