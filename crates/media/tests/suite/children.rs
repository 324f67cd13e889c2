use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use lectern_media::{CancellationToken, ChildError, Limits, Program, Scratch};

use crate::fixture::Studio;

/// A shell that tells its number and that of a grandchild, then waits long.
const FAMILY: &str = "sleep 1000 & echo $$ $!; wait";
/// The same, but both are deaf to being asked to end.
const DEAF_FAMILY: &str = "trap '' TERM; sleep 1000 & echo $$ $!; wait; wait; sleep 1000";

/// Generous: what is tested is that it ends, not how soon.
fn a_minute() -> Limits {
    Limits::within(Duration::from_mins(1))
}

fn shell(script: &str) -> Program {
    Program::new("sh").args(["-c", script])
}

/// Whether a process is there and not just waiting to be reaped.
fn is_alive(pid: &str) -> bool {
    let stat = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let stat = String::from_utf8(stat.stdout).unwrap();
    !(stat.trim().is_empty() || stat.starts_with('Z'))
}

/// Runs a family until `stop` ends it, and asserts that nobody is left.
fn end_family(script: &str, limits: &Limits, stop: impl FnOnce()) -> ChildError {
    let (error, known) = end(script, limits, stop);
    assert_eq!(known, 2);
    error
}

/// The same for a family that may come to its end before it has spoken; tells
/// of how many the numbers are known.
fn end(script: &str, limits: &Limits, stop: impl FnOnce()) -> (ChildError, usize) {
    let mut said = Vec::new();
    let mut stop = Some(stop);
    let error = shell(script)
        .run(limits, &mut |bytes| {
            said.extend_from_slice(bytes);
            stop.take().into_iter().for_each(|stop| stop());
        })
        .unwrap_err();
    let said = String::from_utf8(said).unwrap();
    let pids: Vec<&str> = said.split_whitespace().collect();
    all_gone(&pids);
    (error, pids.len())
}

#[test]
fn a_time_limit_ends_the_whole_group() {
    // Of a family that has not even spoken nobody could be found: the next gets
    // twice the time.
    let mut times = (0..8).map(|i| Duration::from_millis(500 << i));
    let has_spoken = times.any(|time| {
        let (error, known) = end(FAMILY, &Limits::within(time), || {});
        assert!(matches!(error, ChildError::TimedOut { .. }), "{error}");
        known == 2
    });
    assert!(has_spoken);
}

#[test]
fn whoever_does_not_want_to_end_is_killed() {
    let cancel = CancellationToken::new();
    let limits = a_minute().cancelled_by(&cancel);
    let error = end_family(DEAF_FAMILY, &limits, || cancel.cancel());
    assert!(matches!(error, ChildError::Cancelled), "{error}");
}

#[test]
fn another_thread_cancels_at_once() {
    let cancel = CancellationToken::new();
    let (heard, hear) = mpsc::channel();
    let canceller = {
        let cancel = cancel.clone();
        thread::spawn(move || {
            hear.recv().unwrap();
            cancel.cancel();
        })
    };
    let limits = Limits::within(Duration::from_secs(1000)).cancelled_by(&cancel);
    let error = end_family(FAMILY, &limits, || heard.send(()).unwrap());
    canceller.join().unwrap();
    assert!(matches!(error, ChildError::Cancelled), "{error}");
}

#[test]
fn what_a_child_leaves_running_ends_with_it() {
    let output = shell("sleep 1000 & echo $!").output(&a_minute()).unwrap();
    all_gone(&[String::from_utf8(output).unwrap().trim()]);
}

#[test]
fn a_panic_leaves_nobody_behind() {
    let mut said = String::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        shell(FAMILY).run(&a_minute(), &mut |bytes| {
            said = String::from_utf8_lossy(bytes).into_owned();
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    all_gone(&said.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn nothing_is_started_that_is_cancelled_already() {
    let studio = Studio::new();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let touch = Program::new("touch").arg(studio.path("started"));
    let error = touch.output(&a_minute().cancelled_by(&cancel)).unwrap_err();
    assert!(matches!(error, ChildError::Cancelled), "{error}");
    assert!(!studio.path("started").exists());
}

#[test]
fn a_failure_has_the_last_lines_of_stderr() {
    let script = "for i in $(seq 50000); do echo line $i >&2; done; echo the reason >&2; exit 7";
    let error = shell(script).output(&a_minute()).unwrap_err();
    let ChildError::Failed { status, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(status.code(), Some(7));
    let tail = error.stderr_tail().unwrap();
    assert_eq!(tail.lines().count(), 20);
    assert!(
        tail.starts_with("line 49982\n") && tail.ends_with("\nthe reason"),
        "{tail}"
    );
    assert!(
        error
            .to_string()
            .contains("sh failed (exit status: 7): line 49982")
    );
}

#[test]
fn what_is_written_arrives_whole() {
    let output = shell("seq 200000; seq 200000 >&2")
        .output(&a_minute())
        .unwrap();
    let output = String::from_utf8(output).unwrap();
    let numbers: Vec<u32> = output.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.into_iter().eq(1..=200_000));
}

#[test]
fn a_program_that_is_not_there_is_told_as_such() {
    let error = Program::new("/nowhere/at-all")
        .output(&a_minute())
        .unwrap_err();
    assert!(matches!(&error, ChildError::NotFound(name) if name == "/nowhere/at-all"));
}

#[test]
fn a_child_that_fills_the_disk_is_stopped() {
    let root = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(root.path(), 1_000_000).unwrap();
    let dir = scratch.dir("full").unwrap();
    let error = shell("while :; do head -c 100000 /dev/zero >> much; sleep 0.01; done")
        .current_dir(dir.path())
        .output(&a_minute().in_scratch(&scratch))
        .unwrap_err();
    let ChildError::NoSpace(full) = error else {
        panic!("{error}");
    };
    assert!(full.used > full.limit && full.limit == 1_000_000, "{full}");
}

#[test]
fn a_cancelled_call_is_made_once_or_not_at_all() {
    let cancel = CancellationToken::new();
    let (sender, calls) = mpsc::channel();
    let call = |name: &'static str| {
        let sender = sender.clone();
        cancel.on_cancel(move || sender.send(name).unwrap())
    };
    let _kept = call("kept");
    drop(call("taken back"));
    cancel.cancel();
    cancel.cancel();
    let _late = call("late");
    assert_eq!(calls.try_iter().collect::<Vec<_>>(), ["kept", "late"]);
}

/// Not a test of its own: the process of the test below, which is killed.
#[test]
#[ignore = "waits to be killed by another test"]
fn a_process_with_a_family() {
    let Some(told) = std::env::var_os("LECTERN_TEST_TOLD") else {
        return;
    };
    let told = Path::new(&told);
    // Told by us and not by the shell, which may speak before it is watched over.
    let _ = shell(FAMILY).run(&a_minute(), &mut |said| {
        let new = told.with_extension("new");
        fs::write(&new, said).unwrap();
        fs::rename(new, told).unwrap();
    });
}

#[test]
fn nobody_outlives_a_process_that_is_killed() {
    let studio = Studio::new();
    let told = studio.path("pids");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "children::a_process_with_a_family"])
        .env("LECTERN_TEST_TOLD", &told)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    eventually("the family tells its numbers", || told.exists());
    let pids = fs::read_to_string(&told).unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    all_gone(&pids.split_whitespace().collect::<Vec<_>>());
}

/// Waits until none of the processes is alive: the dead take a moment to die.
fn all_gone(pids: &[&str]) {
    eventually("nobody is alive", || !pids.iter().any(|pid| is_alive(pid)));
}

/// Waits for what happens in other processes, and gives up after a minute.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "waited too long until {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}
