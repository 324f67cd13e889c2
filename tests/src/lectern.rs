//! The real program, in a process of its own.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::{env, fmt};

use tempfile::TempDir;

use crate::Client;
use crate::database::temp_dir;

/// `lectern serve` in a directory of its own, on a free port. It is a
/// [`Client`] of itself, and killed when it is dropped.
pub struct Lectern {
    child: Child,
    client: Client,
    log: Log,
    reader: Option<JoinHandle<()>>,
    // After the process that works in it.
    dir: TempDir,
}

/// Everything the program has written to its standard error output.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Lectern {
    /// Serves the database at `url`.
    ///
    /// # Panics
    ///
    /// When the program ends before it listens; the message is its log.
    pub fn serve(url: &str) -> Self {
        Self::serve_with(url, &[])
    }

    /// Serves with settings of one's own, by the names of their environment
    /// variables.
    ///
    /// # Panics
    ///
    /// As [`Lectern::serve`].
    pub fn serve_with(url: &str, settings: &[(&str, &str)]) -> Self {
        Self::start(Self::command(), url, settings)
    }

    /// The same on a disk that takes no file of more than so many KiB.
    ///
    /// # Panics
    ///
    /// As [`Lectern::serve`].
    pub fn serve_on_a_small_disk(url: &str, kib: u32) -> Self {
        // Without the signal it is an error like that of a disk that is full.
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\"");
        let mut command = clean(Path::new("bash"));
        command.args(["-c", &script]).arg(binary());
        Self::start(command, url, &[])
    }

    fn start(mut command: Command, url: &str, settings: &[(&str, &str)]) -> Self {
        let dir = temp_dir();
        let mut child = command
            .env("DATABASE_URL", url)
            .env("LECTERN_BIND", "127.0.0.1:0")
            // The tests are the workers.
            .env("LECTERN_WITH_WORKER", "false")
            .envs(settings.iter().copied())
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program just built");
        let log = Log::default();
        let (found, url) = mpsc::channel();
        let stderr = child.stderr.take().expect("a pipe");
        let reader = {
            let log = log.clone();
            std::thread::spawn(move || log.follow(stderr, &found))
        };
        let Ok(url) = url.recv() else {
            let status = child.wait();
            panic!(
                "lectern ended before it listened ({status:?}):\n{}",
                log.text()
            );
        };
        Self {
            child,
            client: Client::new(url),
            log,
            reader: Some(reader),
            dir,
        }
    }

    /// The program, with none of this process' settings.
    pub fn command() -> Command {
        clean(binary())
    }

    /// Runs the program to its end in an empty directory.
    pub fn run(url: &str, arguments: &[&str]) -> Output {
        let dir = temp_dir();
        Self::command()
            .env("DATABASE_URL", url)
            .args(arguments)
            .current_dir(dir.path())
            .output()
            .expect("the program just built")
    }

    /// The directory it works in; its data are in `lectern-data` unless the
    /// settings say otherwise.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The most memory the program has had so far, in bytes, as Linux counts
    /// it.
    pub fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("a process that runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
        kilobytes
            .expect("VmHWM")
            .trim()
            .parse::<u64>()
            .expect("a number")
            << 10
    }

    /// What the program has logged so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -s {name} {pid}"
        );
    }

    /// Waits until the program ends; its log is whole then.
    pub fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("a child");
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        status
    }
}

impl Drop for Lectern {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Deref for Lectern {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Lectern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lectern({} at {})", self.child.id(), self.client.base())
    }
}

impl Log {
    /// Keeps every line until the last one; the first that tells where the
    /// program listens is passed on.
    fn follow(&self, stderr: ChildStderr, found: &Sender<String>) {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let url = line
                .split_whitespace()
                .find(|word| word.starts_with("http://127.0.0.1:"));
            if let Some(url) = url {
                let _ = found.send(url.to_owned());
            }
            let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&line);
            text.push('\n');
        }
    }

    fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The program of this build. Cargo builds no programs for the tests of
/// another package, so it is asked to; without cargo, the program has to be
/// there.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let exe = env::current_exe().expect("a program that runs");
        let dir = exe
            .ancestors()
            .skip(1)
            .find(|dir| !dir.ends_with("deps"))
            .expect("a directory");
        if let Some(cargo) = env::var_os("CARGO") {
            let mut build = Command::new(cargo);
            // All programs, not one: the same features make the same build.
            build.args(["build", "--quiet", "--workspace", "--bins", "--target-dir"]);
            build.arg(dir.parent().expect("a target directory"));
            if dir.ends_with("release") {
                build.arg("--release");
            }
            build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
            assert!(
                build.status().is_ok_and(|status| status.success()),
                "{build:?} failed"
            );
        }
        let binary = dir.join("lectern");
        assert!(
            binary.is_file(),
            "{} is missing: cargo build --workspace --bins",
            binary.display()
        );
        binary
    })
}

/// A program with none of this process' settings.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let ours = name
            .to_str()
            .is_some_and(|name| name.starts_with("LECTERN_"));
        if ours || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
}
