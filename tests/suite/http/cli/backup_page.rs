//! Runs the commands of the page on backup, restore and upgrade.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use lectern_tests::{Backend, Lectern, TestDb, on_both_backends};

use crate::http::support::recordings::{path_of, recording, results, upload};
use crate::http::support::{job_path, wait_until};
use crate::readme::code_blocks;

on_both_backends!(the_commands_of_the_page_restore_a_backup);

/// A shell in which the commands run.
struct Shell<'d> {
    dir: &'d Path,
    database_url: &'d str,
}

impl Shell<'_> {
    /// Runs commands after those that set the variables; returns their output.
    fn run(&self, commands: &str) -> String {
        let variables = commands_of(&section("# Backup, restore and upgrade", "## SQLite"));
        let script = format!("set -euo pipefail\n{variables}\n{commands}");
        // `Command` looks for programs in the PATH of the child.
        let program = PathBuf::from(Lectern::command().get_program());
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", program.parent().unwrap().display());
        let mut command = Command::new("bash");
        let output = command
            .args(["-c", &script])
            .current_dir(self.dir)
            .env("PATH", path)
            .env("BACKUP", self.dir.join("backup"))
            .env("DATABASE_URL", self.database_url)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{commands}\n{stderr}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The page between two headings.
fn section(from: &str, to: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/backup.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, text) = page.split_once(&format!("{from}\n")).unwrap();
    let (text, _) = text.split_once(&format!("\n{to}\n")).unwrap_or((text, ""));
    text.to_owned()
}

fn commands_of(text: &str) -> String {
    let commands = code_blocks(text, "sh").concat();
    assert!(!commands.is_empty(), "{text}");
    commands
}

fn the_commands_of_the_page_restore_a_backup(db: TestDb) {
    let url = match db.backend() {
        Backend::Postgres => db.url(),
        // The file in the data directory.
        Backend::Sqlite => "",
    };
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("lectern-data");
    let serve = || Lectern::serve_with(url, &[("LECTERN_DATA_DIR", data_dir.to_str().unwrap())]);
    let stop = |mut server: Lectern| {
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));
    };
    let shell = Shell {
        dir: dir.path(),
        database_url: url,
    };
    let bytes = recording(1000);

    let page = match db.backend() {
        Backend::Postgres => section("## PostgreSQL", "## Objects after a restore"),
        Backend::Sqlite => section("## SQLite", "## PostgreSQL"),
    };
    let (back_up, restore) = page.split_once("\n### Restore").unwrap();

    let server = serve();
    let kept = upload(&server, &bytes);
    shell.run(&commands_of(back_up));
    let backup_dir = fs::metadata(dir.path().join("backup")).unwrap();
    assert_eq!(backup_dir.permissions().mode() & 0o777, 0o700);
    // Both are undone by the restore.
    let newer = upload(&server, &bytes);
    server.delete(&job_path(kept.job_id, "")).expect(204);
    wait_until(|| !data_dir.join("objects").join(&kept.key).exists());
    stop(server);

    shell.run(&commands_of(restore));
    let server = serve();
    let results = results(&server, kept.job_id);
    let url_of_recording = &results["metadata"]["original_video"]["url"];
    let download = server.get(path_of(&server, url_of_recording)).expect(200);
    assert!(download.body == bytes);
    let newer_job = server.get(&job_path(newer.job_id, ""));
    newer_job.problem(404, "job_not_found");
    assert_eq!(server.get("/api/v1/stats").json()["total"], 1);

    // The object of the job that is gone is not removed unasked.
    assert!(server.log().contains("belong to another database"));
    let mut gc = Lectern::command();
    gc.args(["gc", "--force"]).current_dir(dir.path());
    let refused = gc.env("DATABASE_URL", url).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let adopt = section("## Objects after a restore", "## Upgrade");
    shell.run(&commands_of(&adopt));
    let mut gc = Lectern::command();
    gc.args(["gc", "--older-than=0", "--force"]);
    let moved = gc.env("DATABASE_URL", url).current_dir(dir.path()).output();
    let moved = String::from_utf8(moved.unwrap().stdout).unwrap();
    assert!(moved.contains(&format!("moved {}", newer.key)), "{moved}");
    stop(server);

    // The last command reverts what the others applied.
    let upgrade = commands_of(&section("## Upgrade", "## the end of the page"));
    assert!(shell.run(&upgrade).contains("reverted "));
    let output = shell.run(&upgrade);
    assert!(output.contains("applied ") && output.contains("pending "));
    serve().get(&job_path(kept.job_id, "")).expect(200);
}
