//! Running a program with bounds.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::group::{Group, wait_unreaped};
use crate::tail::Tail;
use crate::{Limits, ScratchFull};

/// How much is read from a pipe at a time.
const READ: usize = 64 * 1024;
/// How many pieces of output may wait for whoever takes them.
const QUEUE: usize = 8;
/// How often the room that is taken is measured.
const LOOK: Duration = Duration::from_millis(250);
/// For how long nothing may come from a program that has ended until its pipes
/// are given up: a process that left its group may keep them open for ever.
const DRAIN: Duration = Duration::from_secs(2);
/// How much output is kept where it is kept whole.
const KEPT: usize = 16 * 1024 * 1024;

/// What is secret in the environment, beside all that is Lectern's own.
const SECRETS: [&str; 5] = [
    "DATABASE_URL",
    "PGPASSWORD",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// Why a program did not do what it was started for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// There is no such program.
    #[error("there is no program {0:?}")]
    NotFound(String),

    /// The time was up.
    #[error("ran longer than {} s", .limit.as_secs_f64())]
    TimedOut {
        /// How long all of the work could take.
        limit: Duration,
    },

    /// Somebody asked it to stop.
    #[error("was cancelled")]
    Cancelled,

    /// There was more in the scratch space than its limit.
    #[error(transparent)]
    NoSpace(#[from] ScratchFull),

    /// It ended, and not well.
    #[error("{program} failed ({status}){}{stderr_tail}", if .stderr_tail.is_empty() { "" } else { ": " })]
    Failed {
        /// Name of the program.
        program: String,
        /// Its exit code or signal.
        status: ExitStatus,
        /// The last lines it wrote to stderr, 20 or 4 KiB at most.
        stderr_tail: String,
    },

    /// It could not be started or followed.
    #[error("{doing} {program}")]
    Io {
        /// What was being done, such as `start`.
        doing: &'static str,
        /// Name of the program.
        program: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl ChildError {
    /// The last lines of stderr, if the program came to write any.
    pub fn stderr_tail(&self) -> Option<&str> {
        match self {
            Self::Failed { stderr_tail, .. } => Some(stderr_tail),
            _ => None,
        }
    }
}

/// A program about to be run, without input, in a process group of its own.
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
    name: String,
    command: Command,
}

impl Program {
    /// A program by path, or by name if it is on `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let name = Path::new(program).file_name().unwrap_or(program);
        Self {
            name: name.to_string_lossy().into_owned(),
            command: Command::new(program),
        }
    }

    /// One argument more.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Some arguments more.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs in this directory.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Keeps the secrets of the service from it, which are in our environment:
    /// `DATABASE_URL`, the keys to the storage, and all that begins with
    /// `LECTERN_`. For what reads files of strangers.
    pub fn without_secrets(mut self) -> Self {
        for (name, _) in env::vars_os() {
            let is_own = name.as_encoded_bytes().starts_with(b"LECTERN_");
            if is_own || SECRETS.iter().any(|secret| name == *secret) {
                self.command.env_remove(name);
            }
        }
        self
    }

    /// Runs to the end and returns what was written to stdout, of which 16 MiB
    /// are kept. Errors as [`Program::run`].
    pub fn output(self, limits: &Limits) -> Result<Vec<u8>, ChildError> {
        let mut output = Vec::new();
        self.run(limits, &mut |bytes| {
            let room = KEPT - output.len();
            output.extend_from_slice(&bytes[..bytes.len().min(room)]);
        })?;
        Ok(output)
    }

    /// Runs to the end and hands over what is written to stdout as it comes,
    /// on the calling thread. Returns the last lines of stderr.
    ///
    /// When time is up, somebody cancels or the room is used up, the whole
    /// group is asked to end (SIGTERM), and what has not ended two seconds later
    /// is killed, all before this returns; so it is when `on_stdout` panics.
    /// What the program leaves running when it ends by itself is killed too.
    pub fn run(
        mut self,
        limits: &Limits,
        on_stdout: &mut dyn FnMut(&[u8]),
    ) -> Result<String, ChildError> {
        limits.check()?;
        limits.check_space()?;
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut group = Group::spawn(&mut self.command).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ChildError::NotFound(self.program()),
            _ => self.error("start", error),
        })?;

        let (sender, events) = mpsc::sync_channel(QUEUE);
        let tail = Arc::new(Mutex::new(Tail::default()));
        let follow = follow(&mut group, &sender, &tail);
        follow.map_err(|error| self.error("follow", error))?;
        // A full queue needs no waking: whoever empties it looks at the token.
        let wake = sender.clone();
        let _waker = limits.cancel().on_cancel(move || {
            let _ = wake.try_send(Event::Wake);
        });

        let mut streams = 2;
        let mut ended = false;
        let (mut looked, mut heard) = (Instant::now(), Instant::now());
        while streams > 0 || !ended {
            limits.check()?;
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                limits.check_space()?;
            }
            if ended && heard.elapsed() >= DRAIN {
                break;
            }
            match events.recv_timeout(LOOK.min(limits.left())) {
                Ok(Event::Stdout(bytes)) => on_stdout(&bytes),
                Ok(Event::Closed) => streams -= 1,
                Ok(Event::Ended) => {
                    // Else what it left running would keep the pipes open.
                    group.kill();
                    ended = true;
                }
                Ok(Event::Wake) => {}
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Taking the output may have been what took long.
            heard = Instant::now();
        }
        let status = group
            .finish()
            .map_err(|error| self.error("wait for", error))?;
        let stderr_tail = tail.lock().unwrap_or_else(PoisonError::into_inner).text();
        if status.success() {
            return Ok(stderr_tail);
        }
        Err(ChildError::Failed {
            program: self.name,
            status,
            stderr_tail,
        })
    }

    fn program(&self) -> String {
        self.command.get_program().to_string_lossy().into_owned()
    }

    fn error(&self, doing: &'static str, source: io::Error) -> ChildError {
        ChildError::Io {
            doing,
            program: self.name.clone(),
            source,
        }
    }
}

/// What happens around a child.
enum Event {
    /// It wrote this.
    Stdout(Vec<u8>),
    /// One of its two streams ended.
    Closed,
    /// The leader of its group ended.
    Ended,
    /// Somebody wants to be heard.
    Wake,
}

/// Follows a child on three threads, which end when it does, or when its
/// streams do.
fn follow(
    group: &mut Group,
    events: &SyncSender<Event>,
    tail: &Arc<Mutex<Tail>>,
) -> io::Result<()> {
    if let Some(stdout) = group.leader.stdout.take() {
        let sender = events.clone();
        read(stdout, events, move |bytes| {
            // After the last who took them is gone, bytes are read into nothing,
            // so that the child does not stand in its own way when it is to end.
            let _ = sender.send(Event::Stdout(bytes.to_vec()));
        })?;
    }
    if let Some(stderr) = group.leader.stderr.take() {
        let tail = Arc::clone(tail);
        read(stderr, events, move |bytes| {
            tail.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(bytes);
        })?;
    }
    let (sender, pid) = (events.clone(), group.pid());
    thread::Builder::new()
        .name("child-wait".into())
        .spawn(move || {
            // An error means that it was reaped, so that it has ended.
            let _ = wait_unreaped(pid);
            let _ = sender.send(Event::Ended);
        })?;
    Ok(())
}

/// Reads a stream to its end on a thread of its own.
fn read(
    mut stream: impl Read + Send + 'static,
    events: &SyncSender<Event>,
    mut take: impl FnMut(&[u8]) + Send + 'static,
) -> io::Result<()> {
    let sender = events.clone();
    thread::Builder::new()
        .name("child-read".into())
        .spawn(move || {
            let mut buffer = vec![0; READ];
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(len) => take(&buffer[..len]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            let _ = sender.send(Event::Closed);
        })?;
    Ok(())
}
