//! The settings file: where it is, and what it may set.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::Shell;

/// Settings that run a program, which creates the file `ran`.
const PROGRAMS: &str = "LECTERN_FFMPEG=./program\n\
                        LECTERN_FFPROBE=./program\n\
                        LECTERN_TRANSCRIBE_COMMAND='./program {audio}'\n\
                        LECTERN_SANDBOX=./program\n\
                        PATH=.\n\
                        LD_PRELOAD=./program\n";

impl Shell {
    fn with_program() -> Self {
        let shell = Self::new();
        shell.write("program", "#!/bin/sh\n: >ran\n");
        let program = shell.dir().join("program");
        fs::set_permissions(program, Permissions::from_mode(0o755)).unwrap();
        shell
    }

    fn has(&self, name: &str) -> bool {
        self.dir().join(name).exists()
    }
}

#[test]
fn a_settings_file_is_read_from_the_data_directory_only() {
    let shell = Shell::new();
    shell.write(
        ".env",
        "DATABASE_URL=sqlite://of-the-working-directory.db\n",
    );
    shell.run(&["migrate", "up"]).lines();
    assert!(!shell.has("of-the-working-directory.db"));
    assert!(shell.has("lectern-data/lectern.db"));

    shell.write(
        "data/.env",
        "DATABASE_URL=sqlite://of-the-data-directory.db\n",
    );
    shell.run(&["migrate", "up", "--data-dir=data"]).lines();
    assert!(shell.has("of-the-data-directory.db"));
}

#[test]
fn another_settings_file_can_be_given() {
    let shell = Shell::new();
    shell.write("lectern-data/.env", "DATABASE_URL=sqlite://default.db\n");
    shell.write("settings", "DATABASE_URL=sqlite://given.db\n");
    shell.run(&["migrate", "up", "--env-file=settings"]).lines();
    assert!(shell.has("given.db") && !shell.has("default.db"));
    let output = shell.run(&["migrate", "up", "--env-file=nowhere"]);
    assert!(output.error_line().contains("nowhere"), "{output:?}");
}

#[test]
fn a_settings_file_names_no_programs() {
    let shell = Shell::with_program();
    shell.write("lectern-data/.env", PROGRAMS);
    // It looks for its programs before it connects. No server listens on port 1.
    let output = shell.run_on("postgres://127.0.0.1:1/lectern", &["work"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(!shell.has("ran"));
    for line in PROGRAMS.lines() {
        let (name, _) = line.split_once('=').unwrap();
        let warning = format!("sets {name}, which is ignored");
        assert!(output.err.contains(&warning), "{name}: {output:?}");
    }
}

#[test]
fn processing_a_recording_reads_no_settings_file() {
    let shell = Shell::with_program();
    let settings = format!("{PROGRAMS}DATABASE_URL=sqlite://of-the-file.db\n");
    for name in [".env", "lectern-data/.env", "settings"] {
        shell.write(name, &settings);
    }
    shell.write("talk.mp4", "no recording");
    shell.run(&["process", "talk.mp4", "--env-file=settings"]);
    assert!(!shell.has("ran") && !shell.has("of-the-file.db"));
}
