//! `lectern gc`.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use lectern_domain::{JobId, SystemClock};
use lectern_tests::{EmptyDb, Lectern, TestDb, TestServer, on_both_backends};

use super::recordings::{Half, announce, confirm, files, recording, send, upload, wait_for_part};

const DAY: u64 = 86_400;

/// Runs `lectern gc` on a storage; answers what it says, line by line.
fn gc(db: &TestDb, objects: &Path, arguments: &[&str]) -> Vec<String> {
    let output = run(db, objects, arguments);
    let said = String::from_utf8(output.stdout).unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && why.is_empty(), "{said}\n{why}");
    let mut lines: Vec<_> = said.lines().map(str::to_owned).collect();
    let sum = lines.pop();
    lines.sort();
    lines.extend(sum);
    lines
}

fn run(db: &TestDb, objects: &Path, arguments: &[&str]) -> std::process::Output {
    let storage = format!("file://{}", objects.display());
    Lectern::run(
        db.url(),
        &[&["gc", "--storage", &storage], arguments].concat(),
    )
}

/// Puts a file into the storage that was written so many seconds ago.
fn plant(objects: &Path, key: &str, age: u64) -> String {
    let path = objects.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "12345").unwrap();
    make_older(&path, age);
    key.to_owned()
}

fn make_older(path: &Path, age: u64) {
    let then = SystemTime::now() - Duration::from_secs(age);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(then)
        .unwrap();
}

on_both_backends! {
    fn what_no_job_owns_any_more_is_removed_and_nothing_else(server: TestServer) {
        let (gone, kept) = (upload(&server, &recording(1000)), upload(&server, &recording(2000)));
        for key in [&gone.key, &kept.key] {
            make_older(&server.objects().join(key), 2 * DAY);
        }
        // As if the server had died between the commit and the deletion.
        server.db().sql().batch(&format!("DELETE FROM jobs WHERE job_id = '{}'", gone.job_id)).unwrap();
        let nobody = JobId::new(&SystemClock);
        let old = plant(server.objects(), &format!("jobs/{nobody}/clips/1.mp4"), 2 * DAY);
        let part = plant(server.objects(), &format!("jobs/{}/original/a.mp4#7", kept.job_id), 2 * DAY);
        let mut rest = [
            kept.key.clone(),
            plant(server.objects(), &format!("jobs/{nobody}/clips/2.mp4"), DAY - 600),
            plant(server.objects(), &format!("jobs/{nobody}/clips/2.mp4#1"), DAY - 600),
            plant(server.objects(), &format!("jobs/{}/clips/1.mp4", kept.job_id), 2 * DAY),
            plant(server.objects(), &format!("uploads/{nobody}/1.mp4"), 2 * DAY),
            plant(server.objects(), "jobs/readme.txt", 2 * DAY),
        ];
        rest.sort();

        let before = files(server.objects());
        let mut told = [format!("would remove {} (1000 bytes)", gone.key), format!("would remove {old} (5 bytes)")];
        told.sort();
        let said = gc(server.db(), server.objects(), &["--dry-run"]);
        assert_eq!(said, [&told[..], &["2 objects of 1005 bytes would be removed".to_owned()]].concat());
        assert_eq!(files(server.objects()), before);

        let said = gc(server.db(), server.objects(), &[]);
        let told = told.map(|line| line.replace("would remove", "removed"));
        assert_eq!(said, [&told[..], &["2 objects of 1005 bytes and 1 unfinished uploads removed".to_owned()]].concat());
        assert_eq!(files(server.objects()), rest);
        assert!(before.contains(&part));

        let said = gc(server.db(), server.objects(), &["--older-than", "3600"]);
        assert_eq!(said.last().unwrap(), "1 objects of 5 bytes and 1 unfinished uploads removed");
        let said = gc(server.db(), server.objects(), &["--older-than", "0"]);
        assert_eq!(said, ["0 objects of 0 bytes and 0 unfinished uploads removed"]);
    }

    fn servers_may_run_meanwhile(server: TestServer) {
        let bytes = recording(3 << 20);
        let (sent, half) = (announce(&server, bytes.len()), announce(&server, bytes.len()));
        send(&server, &sent.path, &bytes).expect(200);
        let socket = Half::sent_to(&server, &half.path, bytes.len(), &bytes[..bytes.len() - 1]);
        wait_for_part(server.objects());
        let said = gc(server.db(), server.objects(), &["--older-than", "0"]);
        assert_eq!(said, ["0 objects of 0 bytes and 0 unfinished uploads removed"]);
        let answer = socket.finish(&bytes[bytes.len() - 1..]);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        for job in [&sent, &half] {
            confirm(&server, job.job_id).expect(200);
        }
    }

    fn a_database_that_is_not_up_to_date_may_be_the_wrong_one(db: EmptyDb) {
        let dir = tempfile::tempdir().unwrap();
        let nobody = JobId::new(&SystemClock);
        let old = plant(dir.path(), &format!("jobs/{nobody}/clips/1.mp4"), 2 * DAY);
        let output = run(&db, dir.path(), &[]);
        let why = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        assert!(why.contains("migrate up"), "{why}");
        assert_eq!(files(dir.path()), [old]);
    }
}
