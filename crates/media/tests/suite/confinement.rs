use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use lectern_domain::TimeRange;
use lectern_media::{ChildError, Confinement, CutSettings, Limits, Media, Program, Scratch, Tools};

use crate::fixture::{Fixture, assert_seconds};

/// Variables that the shell sets itself.
const OF_THE_SHELL: [&str; 4] = ["PWD", "OLDPWD", "SHLVL", "_"];
/// A variable that cargo sets for every test.
const OF_CARGO: &str = "CARGO_MANIFEST_DIR";

fn one_minute() -> Limits {
    Limits::within(Duration::from_mins(1))
}

/// The output of a shell script.
fn shell(script: &str, confinement: &Confinement, limits: &Limits) -> Result<String, ChildError> {
    let program = Program::new("sh").args(["-c", script]);
    let output = program.confined_by(confinement).output(limits)?;
    Ok(String::from_utf8(output).unwrap().trim().to_owned())
}

/// The names in the output of `env`.
fn names(output: &str) -> Vec<&str> {
    let names = output.lines().filter_map(|line| line.split_once('='));
    names.map(|(name, _)| name).collect()
}

#[track_caller]
fn assert_allowed(names: &[&str]) {
    let is_allowed = |name: &&&str| {
        ["PATH", "HOME", "TMPDIR", "LANG"].contains(*name)
            || name.starts_with("LC_")
            || OF_THE_SHELL.contains(*name)
    };
    assert!(names.iter().all(|name| is_allowed(&name)), "{names:?}");
    assert!(names.contains(&"PATH"));
}

#[test]
fn a_program_gets_only_the_allowed_variables() {
    assert!(env::var_os(OF_CARGO).is_some());
    let output = Program::new("env").output(&one_minute()).unwrap();
    assert_allowed(&names(&String::from_utf8(output).unwrap()));
}

#[test]
fn a_program_gets_the_variables_named_by_the_user() {
    for name in [OF_CARGO, "CARGO_MANIFEST_*"] {
        let confinement = Confinement {
            variables: vec![name.to_owned()],
            ..Confinement::default()
        };
        let output = shell("env", &confinement, &one_minute()).unwrap();
        assert!(names(&output).contains(&OF_CARGO), "{output}");
        assert!(!names(&output).contains(&"CARGO_PKG_NAME"), "{output}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_watchdog_gets_only_the_allowed_variables() {
    // The watchdog is a sibling of the program.
    let script = "for dir in /proc/[0-9]*; do
        grep -qs \"^PPid:[[:space:]]*$PPID$\" $dir/status && grep -qs 'read -r ended' $dir/cmdline &&
            tr '\\0' '\\n' <$dir/environ
        done; true";
    let output = shell(script, &Confinement::default(), &one_minute()).unwrap();
    assert_allowed(&names(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn memory_is_limited() {
    let with_memory = |memory| Confinement {
        memory,
        ..Confinement::default()
    };
    let allocate = "dd if=/dev/zero of=/dev/null bs=200M count=1";
    shell(allocate, &with_memory(Some(400 << 20)), &one_minute()).unwrap();
    let error = shell(allocate, &with_memory(Some(100 << 20)), &one_minute()).unwrap_err();
    let reason = error.stderr_tail().unwrap();
    assert!(reason.contains("memory exhausted"), "{reason}");
}

#[test]
fn no_file_is_much_larger_than_the_scratch_space() {
    let root = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(root.path(), 1_000_000).unwrap();
    let dir = scratch.dir("large").unwrap();
    let file = dir.path().join("file");
    // Ignored, so that `head` reports the error.
    let script = format!("trap '' XFSZ; head -c 1G /dev/zero >'{}'", file.display());
    let limits = one_minute().in_scratch(&scratch);
    let error = shell(&script, &Confinement::default(), &limits).unwrap_err();
    // Unless the file was measured while it was written.
    if let Some(reason) = error.stderr_tail() {
        assert!(reason.contains("File too large"), "{reason}");
    }
    let size = fs::metadata(&file).unwrap().len();
    assert!(size <= 1_000_000 + (64 << 20), "{size}");
}

#[test]
fn processor_time_core_dumps_and_priority_are_limited() {
    let confined = |script: &str| shell(script, &Confinement::default(), &one_minute()).unwrap();
    let seconds: u64 = confined("ulimit -t").parse().unwrap();
    let processors = std::thread::available_parallelism().unwrap().get() as u64;
    assert!(seconds <= 60 * processors, "{seconds}");
    assert_eq!(confined("ulimit -c"), "0");
    let own = Command::new("nice").output().unwrap().stdout;
    let own: u8 = String::from_utf8(own).unwrap().trim().parse().unwrap();
    assert_eq!(confined("nice"), (own + 10).min(19).to_string());
}

#[test]
fn a_sandbox_runs_the_program() {
    let confinement = Confinement {
        sandbox: vec!["env".to_owned(), "SANDBOX=of this test".to_owned()],
        ..Confinement::default()
    };
    let output = shell("echo \"$SANDBOX\"", &confinement, &one_minute()).unwrap();
    assert_eq!(output, "of this test");
}

#[test]
fn a_missing_sandbox_is_reported_instead_of_the_program() {
    let confinement = Confinement {
        sandbox: vec!["no-sandbox".to_owned()],
        ..Confinement::default()
    };
    let error = shell("true", &confinement, &one_minute()).unwrap_err();
    assert!(matches!(&error, ChildError::NotFound(name) if name == "no-sandbox"));
    let missing = Tools::find().unwrap().confined_by(confinement).unwrap_err();
    let missing = missing.to_string();
    assert!(
        missing.contains("\"no-sandbox\" not found") && missing.contains("LECTERN_SANDBOX"),
        "{missing}"
    );
}

/// Only where bubblewrap is installed and may create namespaces.
#[cfg(target_os = "linux")]
#[test]
fn ffmpeg_works_in_bubblewrap() {
    let probe = Command::new("bwrap")
        .args(["--unshare-all", "--ro-bind", "/", "/", "true"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return;
    }
    let fixture = Fixture::new();
    let lecture = fixture.lecture();
    let (dir, out) = (fixture.path(""), fixture.path("out"));
    fs::create_dir(&out).unwrap();
    let [dir, out] = [&dir, &out].map(|path| path.to_str().unwrap());
    let sandbox = format!(
        "bwrap --unshare-all --die-with-parent --new-session --ro-bind /usr /usr \
         --ro-bind /etc /etc --symlink usr/bin /bin --symlink usr/lib /lib \
         --symlink usr/lib64 /lib64 --proc /proc --dev /dev \
         --ro-bind {dir} {dir} --bind {out} {out}"
    );
    let confinement = Confinement {
        sandbox: sandbox.split_whitespace().map(str::to_owned).collect(),
        ..Confinement::default()
    };
    let refused = Program::new("touch")
        .arg(fixture.path("outside"))
        .confined_by(&confinement)
        .output(&one_minute());
    assert!(refused.is_err() && !fixture.path("outside").exists());

    let tools = Tools::find().unwrap().confined_by(confinement).unwrap();
    let media = Media::new(&tools, one_minute());
    let recording = media.probe(&lecture.path).unwrap();
    assert_eq!(recording, lecture);
    let clip = fixture.path("out/clip.mp4");
    let range = TimeRange::new(1.0, 3.0).unwrap();
    let settings = CutSettings::default();
    media
        .cut(&recording, range, &settings, &clip, &mut |_| {})
        .unwrap();
    assert_seconds(fixture.probe(&clip).duration, 2.0);
}
