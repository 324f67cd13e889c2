//! The real program as a child process.

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

/// `lectern serve` in a temporary directory, on a free port. It dereferences to
/// a [`Client`] of the server, which is killed on drop.
pub struct Lectern {
    child: Child,
    client: Client,
    log: Log,
    reader: Option<JoinHandle<()>>,
    // Removed after the process that uses it.
    dir: TempDir,
}

/// The standard error output of the program.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Lectern {
    /// Serves the database at `url`.
    ///
    /// # Panics
    ///
    /// If the program ends before it listens; the message holds its log.
    pub fn serve(url: &str) -> Self {
        Self::serve_with(url, &[])
    }

    /// Serves with additional environment variables.
    ///
    /// # Panics
    ///
    /// As [`Lectern::serve`].
    pub fn serve_with(url: &str, settings: &[(&str, &str)]) -> Self {
        Self::start(Self::command(), url, settings)
    }

    /// Serves with a limit of `kib` KiB per file, which acts like a full disk.
    ///
    /// # Panics
    ///
    /// As [`Lectern::serve`].
    pub fn serve_with_file_limit(url: &str, kib: u32) -> Self {
        // With the signal ignored, exceeding the limit is a write error like on
        // a full disk.
        Self::start(
            Self::after(&format!("trap '' XFSZ; ulimit -f {kib}")),
            url,
            &[],
        )
    }

    /// Serves with a umask, such as `022`.
    ///
    /// # Panics
    ///
    /// As [`Lectern::serve`].
    pub fn serve_with_umask(url: &str, umask: &str) -> Self {
        Self::start(Self::after(&format!("umask {umask}")), url, &[])
    }

    /// Serves with at most `count` open files.
    ///
    /// # Panics
    ///
    /// As [`Lectern::serve`].
    pub fn serve_with_open_files(url: &str, count: u32) -> Self {
        Self::start(Self::after(&format!("ulimit -n {count}")), url, &[])
    }

    /// The program, started by a shell after these commands.
    fn after(shell_commands: &str) -> Command {
        let mut command = command_without_settings(Path::new("bash"));
        let script = format!("{shell_commands}; exec \"$0\"");
        command.args(["-c", &script]).arg(binary());
        command
    }

    fn start(mut command: Command, url: &str, settings: &[(&str, &str)]) -> Self {
        let dir = temp_dir();
        let mut child = command
            .env("DATABASE_URL", url)
            .env("LECTERN_BIND", "127.0.0.1:0")
            // The tests act as workers.
            .env("LECTERN_WITH_WORKER", "false")
            .envs(settings.iter().copied())
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program just built");
        let log = Log::default();
        let (url_sender, url_receiver) = mpsc::channel();
        let stderr = child.stderr.take().expect("a pipe");
        let reader = {
            let log = log.clone();
            std::thread::spawn(move || log.follow(stderr, &url_sender))
        };
        let Ok(url) = url_receiver.recv() else {
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

    /// A command of the program without the settings of this process.
    pub fn command() -> Command {
        command_without_settings(binary())
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

    /// Its working directory; the default data directory is `lectern-data` in
    /// it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The peak resident memory in bytes, from Linux's `VmHWM`.
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

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -s {name} {pid}"
        );
    }

    /// Waits until the program ends and its log is complete.
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
    /// Collects all lines; sends the URL of each line that has one.
    fn follow(&self, stderr: ChildStderr, url_sender: &Sender<String>) {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let url = line
                .split_whitespace()
                .find(|word| word.starts_with("http://127.0.0.1:"));
            if let Some(url) = url {
                let _ = url_sender.send(url.to_owned());
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

/// The path of the program. Cargo does not build the programs of other packages
/// for a test, so this does; outside cargo, the program has to exist.
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
            // All programs, because another selection may unify features
            // differently and build everything again.
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

/// A command without the settings of this process.
fn command_without_settings(program: &Path) -> Command {
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
