//! A child with all its descendants: a process group.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long a group may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// What the watchdog does: it learns the group's number, then waits for the
/// word that all is well. When the pipe ends without it, our process is dead.
const WATCH: &str = r#"read -r group && { read -r ended || kill -s KILL -- "-$group"; }"#;

/// A child that leads a process group of its own; none of the group outlives
/// this value.
///
/// Nor does any outlive our process, even when that is killed: a shell waits
/// at the other end of a pipe for us to be gone. (Linux could tell the child
/// itself, with `PR_SET_PDEATHSIG`, but only between fork and exec, where no
/// safe code can be, and not the child's own children.) A descendant that
/// makes a group of its own escapes, which none of the tools used here does.
pub(crate) struct Group {
    pub(crate) leader: Child,
    pid: Pid,
    watchdog: Option<Child>,
    reaped: bool,
}

impl Group {
    /// Starts `command` as the leader of a new group.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        // First, so that the child is watched over as soon as it is started, but
        // for the moment until the watchdog has read its number.
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCH])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .inspect_err(|error| log::warn!("children are not watched over: {error}"))
            .ok();
        let leader = command.process_group(0).spawn().inspect_err(|_| {
            if let Some(watchdog) = watchdog.take() {
                dismiss(watchdog);
            }
        })?;
        let pid = Pid::from_child(&leader);
        if let Some(pipe) = watchdog.as_mut().and_then(|dog| dog.stdin.as_mut())
            && let Err(error) = writeln!(pipe, "{}", pid.as_raw_nonzero())
        {
            log::warn!("children are not watched over: {error}");
        }
        Ok(Self {
            leader,
            pid,
            watchdog,
            reaped: false,
        })
    }

    /// The leader's process id, which is the group's too.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Kills whatever of the group is alive.
    pub(crate) fn kill(&self) {
        // It fails when there is nobody left to kill.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// Kills what is left of the group once its leader has ended by itself,
    /// and says how that was.
    pub(crate) fn finish(mut self) -> io::Result<ExitStatus> {
        self.reap()
    }

    /// Asks the group to end, makes it after a grace, and waits for it.
    fn end(&mut self) {
        let asked = Instant::now();
        let _ = kill_process_group(self.pid, Signal::TERM);
        while asked.elapsed() < GRACE && !self.has_ended() {
            thread::sleep(LOOK);
        }
        if let Err(error) = self.reap() {
            log::warn!(
                "process {} was not reaped: {error}",
                self.pid.as_raw_nonzero()
            );
        }
    }

    /// Ends the group the hard way. The leader is unreaped until the last
    /// line, dead or alive, which keeps its number from becoming another's.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.reaped = true;
        wait_unreaped(self.pid)?;
        if let Some(mut watchdog) = self.watchdog.take() {
            if let Some(pipe) = &mut watchdog.stdin {
                // It fails when the watchdog is gone, and then there is none to tell.
                let _ = pipe.write_all(b"ended\n");
            }
            dismiss(watchdog);
        }
        self.leader.wait()
    }

    /// Whether the leader has ended.
    fn has_ended(&self) -> bool {
        let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(self.pid), how), Ok(None))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            self.end();
        }
    }
}

/// Waits for the child to end, and leaves it to be reaped.
pub(crate) fn wait_unreaped(pid: Pid) -> io::Result<()> {
    loop {
        match waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        ) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

/// Lets a watchdog go that has nothing to watch any more.
fn dismiss(mut watchdog: Child) {
    // `wait` closes the pipe first, which is what the watchdog waits for.
    let _ = watchdog.wait();
}
