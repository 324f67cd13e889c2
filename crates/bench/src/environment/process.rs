//! Child processes that do not outlive this program, and what they use.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A child in a process group of its own, which is ended when the value is dropped or
/// this program dies.
#[derive(Debug)]
pub(crate) struct Guarded {
    child: Child,
    guard: Child,
}

impl Guarded {
    /// Starts a program that is killed with its process group in the end.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        Self::start_with(command, "kill -s KILL -- -$1")
    }

    /// Starts a program that is ended by a shell script, whose `$1` is the process id.
    pub(crate) fn start_with(command: &mut Command, end: &str) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let guard = guard(end, child.id().to_string())?;
        Ok(Self { child, guard })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // The child first: the guard may wait until it is gone.
        let _ = self.child.wait();
        let _ = self.guard.wait();
    }
}

/// A temporary directory that is removed when the value is dropped or this program dies.
#[derive(Debug)]
pub(crate) struct TemporaryDirectory {
    path: PathBuf,
    guard: Child,
}

impl TemporaryDirectory {
    pub(crate) fn new() -> Result<Self> {
        let path = tempfile::Builder::new()
            .prefix("lectern-bench-")
            .tempdir()
            .context("there is no temporary directory")?
            .keep();
        let guard = guard("rm -rf \"$1\"", &path)?;
        Ok(Self { path, guard })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Runs a shell script, with `argument` as its `$1`, once this program closes the pipe or
/// dies in whatever way. A group of its own keeps Ctrl-C from it.
fn guard(end: &str, argument: impl AsRef<OsStr>) -> Result<Child> {
    Command::new("sh")
        .args(["-c", &format!("cat; {end}"), "guard"])
        .arg(argument)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("sh does not start")
}

/// Processor time and processes of a process tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    pub(crate) processor_time: Duration,
    pub(crate) processes: Vec<u32>,
}

impl Usage {
    /// What the tree below `root` has used since it was started, including its
    /// children that have ended.
    pub(crate) fn of(root: u32) -> Self {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut ticks: HashMap<u32, u64> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // The second field is the name in brackets, which may contain anything.
            let Some((_, fields)) = stat.rsplit_once(')') else {
                continue;
            };
            let fields: Vec<&str> = fields.split_whitespace().collect();
            let number = |field: usize| -> Option<u64> { fields.get(field - 3)?.parse().ok() };
            let parent = number(4).and_then(|pid| u32::try_from(pid).ok());
            children.entry(parent.unwrap_or(0)).or_default().push(pid);
            // utime, stime, cutime, cstime; see proc(5).
            ticks.insert(pid, (14..=17).filter_map(number).sum());
        }
        let mut usage = Self::default();
        let mut left = vec![root];
        let mut sum = 0;
        while let Some(pid) = left.pop() {
            if let Some(own) = ticks.get(&pid) {
                sum += own;
                usage.processes.push(pid);
            }
            left.extend(children.remove(&pid).unwrap_or_default());
        }
        usage.processor_time = Duration::from_secs_f64(sum as f64 / ticks_per_second());
        usage
    }
}

fn ticks_per_second() -> f64 {
    static TICKS: OnceLock<f64> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let output = Command::new("getconf").arg("CLK_TCK").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(100.0)
    })
}

/// Peak resident memory of these processes together, in megabytes.
pub(crate) fn peak_memory(processes: &[u32]) -> f64 {
    memory(processes, "VmHWM:")
}

/// Resident memory of these processes together, in megabytes.
pub(crate) fn resident_memory(processes: &[u32]) -> f64 {
    memory(processes, "VmRSS:")
}

fn memory(processes: &[u32], field: &str) -> f64 {
    let of = |pid: &u32| -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    processes.iter().filter_map(of).sum::<f64>() * 1024.0 / 1e6
}

/// Begins a new peak, so that each measurement has its own; see `clear_refs` in proc(5).
pub(crate) fn reset_peak_memory(processes: &[u32]) {
    for pid in processes {
        let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }
}

/// A port without a listener, below those that the system gives to clients.
pub(crate) fn free_port() -> Result<u16> {
    (0..1000)
        .map(|_| 20_000 + RandomState::new().hash_one(()) % 12_768)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .context("no port is free")
}
