use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use lectern_media::{CancellationToken, ChildError, Limits, Program, Scratch};

use crate::fixture::Fixture;

/// A shell that prints its process id and that of its child, then waits.
const PARENT_AND_CHILD: &str = "sleep 1000 & echo $$ $!; wait";
/// The same, but both ignore SIGTERM.
const PARENT_AND_CHILD_IGNORING_SIGTERM: &str =
    "trap '' TERM; sleep 1000 & echo $$ $!; wait; wait; sleep 1000";

/// A generous limit: the tests check that a program ends, not how soon.
fn one_minute() -> Limits {
    Limits::within(Duration::from_mins(1))
}

fn shell(script: &str) -> Program {
    Program::new("sh").args(["-c", script])
}

/// Whether a process exists and is not a zombie.
fn is_alive(pid: &str) -> bool {
    let stat = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let stat = String::from_utf8(stat.stdout).unwrap();
    !(stat.trim().is_empty() || stat.starts_with('Z'))
}

/// Runs a parent and its child until `stop` ends them, and waits until no process
/// is left.
fn run_until_stopped(script: &str, limits: &Limits, stop: impl FnOnce()) -> ChildError {
    let (error, count) = run_and_count(script, limits, stop);
    assert_eq!(count, 2);
    error
}

/// Like [`run_until_stopped`], but the parent may end before it has printed the
/// process ids. Also returns how many were printed.
fn run_and_count(script: &str, limits: &Limits, stop: impl FnOnce()) -> (ChildError, usize) {
    let mut output = Vec::new();
    let mut stop = Some(stop);
    let error = shell(script)
        .run(limits, &mut |bytes| {
            output.extend_from_slice(bytes);
            stop.take().into_iter().for_each(|stop| stop());
        })
        .unwrap_err();
    let output = String::from_utf8(output).unwrap();
    let pids: Vec<&str> = output.split_whitespace().collect();
    wait_until_gone(&pids);
    (error, pids.len())
}

#[test]
fn a_time_limit_ends_the_whole_group() {
    // A run that ended before the process ids were printed proves nothing. The next
    // one gets twice the time.
    let mut times = (0..8).map(|i| Duration::from_millis(500 << i));
    let has_printed = times.any(|time| {
        let (error, count) = run_and_count(PARENT_AND_CHILD, &Limits::within(time), || {});
        assert!(matches!(error, ChildError::TimedOut { .. }), "{error}");
        count == 2
    });
    assert!(has_printed);
}

#[test]
fn a_group_that_ignores_sigterm_is_killed() {
    let token = CancellationToken::new();
    let limits = one_minute().cancelled_by(&token);
    let error = run_until_stopped(PARENT_AND_CHILD_IGNORING_SIGTERM, &limits, || {
        token.cancel();
    });
    assert!(matches!(error, ChildError::Cancelled), "{error}");
}

#[test]
fn cancellation_by_another_thread_takes_effect_at_once() {
    let token = CancellationToken::new();
    let (started, has_started) = mpsc::channel();
    let canceller = {
        let token = token.clone();
        thread::spawn(move || {
            has_started.recv().unwrap();
            token.cancel();
        })
    };
    let limits = Limits::within(Duration::from_secs(1000)).cancelled_by(&token);
    let error = run_until_stopped(PARENT_AND_CHILD, &limits, || started.send(()).unwrap());
    canceller.join().unwrap();
    assert!(matches!(error, ChildError::Cancelled), "{error}");
}

#[test]
fn processes_left_behind_by_a_child_are_killed() {
    let output = shell("sleep 1000 & echo $!").output(&one_minute()).unwrap();
    wait_until_gone(&[String::from_utf8(output).unwrap().trim()]);
}

#[test]
fn a_panic_leaves_no_process_behind() {
    let mut output = String::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        shell(PARENT_AND_CHILD).run(&one_minute(), &mut |bytes| {
            output = String::from_utf8_lossy(bytes).into_owned();
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    wait_until_gone(&output.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn a_cancelled_token_prevents_the_start() {
    let fixture = Fixture::new();
    let token = CancellationToken::new();
    token.cancel();
    let touch = Program::new("touch").arg(fixture.path("started"));
    let error = touch
        .output(&one_minute().cancelled_by(&token))
        .unwrap_err();
    assert!(matches!(error, ChildError::Cancelled), "{error}");
    assert!(!fixture.path("started").exists());
}

#[test]
fn a_failure_has_the_last_lines_of_stderr() {
    let script = "for i in $(seq 50000); do echo line $i >&2; done; echo the reason >&2; exit 7";
    let error = shell(script).output(&one_minute()).unwrap_err();
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
fn output_is_complete() {
    let output = shell("seq 200000; seq 200000 >&2")
        .output(&one_minute())
        .unwrap();
    let output = String::from_utf8(output).unwrap();
    let numbers: Vec<u32> = output.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.into_iter().eq(1..=200_000));
}

#[test]
fn a_missing_program_has_its_own_error() {
    let error = Program::new("/nowhere/at-all")
        .output(&one_minute())
        .unwrap_err();
    assert!(matches!(&error, ChildError::NotFound(name) if name == "/nowhere/at-all"));
}

#[test]
fn a_child_that_fills_the_scratch_space_is_ended() {
    let root = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(root.path(), 1_000_000).unwrap();
    let dir = scratch.dir("full").unwrap();
    let error = shell("while :; do head -c 100000 /dev/zero >> much; sleep 0.01; done")
        .current_dir(dir.path())
        .output(&one_minute().in_scratch(&scratch))
        .unwrap_err();
    let ChildError::NoSpace(full) = error else {
        panic!("{error}");
    };
    assert!(full.used > full.limit && full.limit == 1_000_000, "{full}");
}

#[test]
fn a_callback_runs_at_most_once() {
    let token = CancellationToken::new();
    let (sender, calls) = mpsc::channel();
    let register = |name: &'static str| {
        let sender = sender.clone();
        token.on_cancel(move || sender.send(name).unwrap())
    };
    let _registered = register("registered");
    drop(register("unregistered"));
    token.cancel();
    token.cancel();
    let _late = register("late");
    assert_eq!(calls.try_iter().collect::<Vec<_>>(), ["registered", "late"]);
}

/// Not a test: the process that is killed in the test below.
#[test]
#[ignore = "run by another test, which kills it"]
fn a_process_with_children() {
    let Some(pids_file) = std::env::var_os("LECTERN_TEST_PIDS") else {
        return;
    };
    let pids_file = Path::new(&pids_file);
    // Written here and not by the shell, which may run before its watchdog does.
    let _ = shell(PARENT_AND_CHILD).run(&one_minute(), &mut |output| {
        let new = pids_file.with_extension("new");
        fs::write(&new, output).unwrap();
        fs::rename(new, pids_file).unwrap();
    });
}

#[test]
fn no_child_outlives_a_killed_process() {
    let fixture = Fixture::new();
    let pids_file = fixture.path("pids");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--ignored",
            "child_process::a_process_with_children",
        ])
        .env("LECTERN_TEST_PIDS", &pids_file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the process ids are written", || pids_file.exists());
    let pids = fs::read_to_string(&pids_file).unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until_gone(&pids.split_whitespace().collect::<Vec<_>>());
}

/// Waits until none of the processes is alive. Killing takes a moment.
fn wait_until_gone(pids: &[&str]) {
    wait_until("no process is alive", || {
        !pids.iter().any(|pid| is_alive(pid))
    });
}

/// Waits for an effect in another process, at most a minute.
fn wait_until(condition: &str, is_met: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_met() {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "waited too long until {condition}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}
