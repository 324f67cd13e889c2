//! A child process together with its descendants: a process group.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::confinement::variables;

/// Time between SIGTERM and SIGKILL.
const TERMINATION_GRACE: Duration = Duration::from_secs(2);
/// How often the leader is polled between SIGTERM and SIGKILL.
const EXIT_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The watchdog reads the group's id, then a line that says the group has ended.
/// If the pipe closes before that line, this process died: the watchdog kills the
/// group.
const WATCHDOG_SCRIPT: &str = r#"read -r group && { read -r ended || kill -s KILL -- "-$group"; }"#;

/// A child process that leads its own process group. No member of the group
/// outlives this value.
///
/// No member outlives this process either, even if it is killed: a watchdog
/// shell waits for a pipe from this process to close. (On Linux a child could ask to
/// be killed with `PR_SET_PDEATHSIG`, but only between fork and exec, where safe Rust
/// cannot run, and the child's own children would not inherit this setting.)
///
/// A descendant that moves to another group escapes; ffmpeg and ffprobe do not.
pub(crate) struct ProcessGroup {
    pub(crate) leader: Child,
    pid: Pid,
    watchdog: Option<Child>,
    is_reaped: bool,
}

impl ProcessGroup {
    /// Starts `command` as the leader of a new group.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        // The watchdog starts first. The leader is unwatched only until the watchdog
        // has read the leader's id.
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG_SCRIPT])
            .env_clear()
            .envs(variables(&[]))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .inspect_err(log_missing_watchdog)
            .ok();
        let leader = command.process_group(0).spawn().inspect_err(|_| {
            if let Some(watchdog) = watchdog.take() {
                end_watchdog(watchdog);
            }
        })?;
        let pid = Pid::from_child(&leader);
        if let Some(pipe) = watchdog
            .as_mut()
            .and_then(|watchdog| watchdog.stdin.as_mut())
            && let Err(error) = writeln!(pipe, "{}", pid.as_raw_nonzero())
        {
            log_missing_watchdog(&error);
        }
        Ok(Self {
            leader,
            pid,
            watchdog,
            is_reaped: false,
        })
    }

    /// The leader's process id, which is also the group's id.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Kills all living members of the group.
    pub(crate) fn kill(&self) {
        // Fails if no member is alive.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// Kills the remaining members after the leader has ended, and returns the
    /// leader's exit status.
    pub(crate) fn finish(mut self) -> io::Result<ExitStatus> {
        self.reap()
    }

    /// Sends SIGTERM, then SIGKILL after [`TERMINATION_GRACE`], and reaps the
    /// leader.
    fn terminate(&mut self) {
        let signalled = Instant::now();
        let _ = kill_process_group(self.pid, Signal::TERM);
        while signalled.elapsed() < TERMINATION_GRACE && !self.has_leader_ended() {
            thread::sleep(EXIT_POLL_INTERVAL);
        }
        if let Err(error) = self.reap() {
            let pid = self.pid.as_raw_nonzero();
            log::warn!("failed to reap process {pid}: {error}");
        }
    }

    /// Kills the group and reaps its leader. The leader is reaped last: until
    /// then no other process can get the leader's id, which `kill` uses.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.is_reaped = true;
        wait_unreaped(self.pid)?;
        if let Some(mut watchdog) = self.watchdog.take() {
            if let Some(pipe) = &mut watchdog.stdin {
                // Fails if the watchdog has ended, which is harmless.
                let _ = pipe.write_all(b"ended\n");
            }
            end_watchdog(watchdog);
        }
        self.leader.wait()
    }

    fn has_leader_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None))
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.terminate();
        }
    }
}

/// Waits for the process to end without reaping it.
pub(crate) fn wait_unreaped(pid: Pid) -> io::Result<()> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(pid), options) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

/// Ends a watchdog whose group has ended or was not started.
fn end_watchdog(mut watchdog: Child) {
    // `wait` first closes the pipe, which ends the watchdog's script.
    let _ = watchdog.wait();
}

fn log_missing_watchdog(error: &io::Error) {
    log::warn!(
        "child processes will survive a crash of this process, because their watchdog failed: {error}"
    );
}
