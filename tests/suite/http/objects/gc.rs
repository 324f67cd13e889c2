//! `lectern gc`.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use lectern_domain::{Clip, ClipMediaUpdate, JobId, JobUpdate, Patch, StorageKey, SystemClock};
use lectern_tests::{EmptyDb, Lectern, TestDb, TestServer, a_job, on_both_backends, store_output};

use crate::http::support::recordings::{
    PartialTransfer, announce, confirm, files, recording, send, upload, wait_for_part,
};

on_both_backends!(
    gc_removes_orphaned_objects_only,
    unused_clip_objects_are_removed,
    gc_is_safe_while_servers_run,
    gc_refuses_a_database_with_pending_migrations,
);

const DAY: u64 = 86_400;

/// Runs `lectern gc` on a storage; returns the lines of its output.
fn gc(db: &TestDb, objects: &Path, arguments: &[&str]) -> Vec<String> {
    let output = run(db, objects, arguments);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let succeeded = output.status.success() && stderr.is_empty();
    assert!(succeeded, "{stdout}\n{stderr}");
    let mut lines: Vec<_> = stdout.lines().map(str::to_owned).collect();
    let summary = lines.pop();
    lines.sort();
    lines.extend(summary);
    lines
}

fn run(db: &TestDb, objects: &Path, arguments: &[&str]) -> std::process::Output {
    let storage = format!("file://{}", objects.display());
    Lectern::run(
        db.url(),
        &[&["gc", "--storage", &storage], arguments].concat(),
    )
}

/// Writes a file into the storage with a modification time `age` seconds ago.
fn write_aged_file(objects: &Path, key: &str, age: u64) -> String {
    let path = objects.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "12345").unwrap();
    make_older(&path, age);
    key.to_owned()
}

fn set_key(key: &str) -> Patch<StorageKey> {
    Patch::Set(StorageKey::new(key).unwrap())
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
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

fn gc_removes_orphaned_objects_only(server: TestServer) {
    let (deleted, kept) = (
        upload(&server, &recording(1000)),
        upload(&server, &recording(2000)),
    );
    for key in [&deleted.key, &kept.key] {
        make_older(&server.objects().join(key), 2 * DAY);
    }
    // As if the server had crashed between the commit and the deletion of the
    // objects.
    server
        .db()
        .sql()
        .batch(&format!(
            "DELETE FROM jobs WHERE job_id = '{}'",
            deleted.job_id
        ))
        .unwrap();
    let unknown_job = JobId::new(&SystemClock);
    let old = write_aged_file(
        server.objects(),
        &format!("jobs/{unknown_job}/clips/1.mp4"),
        2 * DAY,
    );
    let part = write_aged_file(
        server.objects(),
        &format!("jobs/{}/original/a.mp4#7", kept.job_id),
        2 * DAY,
    );
    let mut remaining = [
        kept.key.clone(),
        write_aged_file(
            server.objects(),
            &format!("jobs/{unknown_job}/clips/2.mp4"),
            DAY - 600,
        ),
        write_aged_file(
            server.objects(),
            &format!("jobs/{unknown_job}/clips/2.mp4#1"),
            DAY - 600,
        ),
        write_aged_file(
            server.objects(),
            &format!("jobs/{}/clips/1.mp4", kept.job_id),
            2 * DAY,
        ),
        write_aged_file(
            server.objects(),
            &format!("uploads/{unknown_job}/1.mp4"),
            2 * DAY,
        ),
        write_aged_file(server.objects(), "jobs/readme.txt", 2 * DAY),
    ];
    remaining.sort();

    let before = files(server.objects());
    let mut removed_lines = [
        format!("would remove {} (1000 bytes)", deleted.key),
        format!("would remove {old} (5 bytes)"),
    ];
    removed_lines.sort();
    let output = gc(server.db(), server.objects(), &["--dry-run"]);
    assert_eq!(
        output,
        [
            &removed_lines[..],
            &["2 objects of 1005 bytes would be removed".to_owned()]
        ]
        .concat()
    );
    assert_eq!(files(server.objects()), before);

    let output = gc(server.db(), server.objects(), &[]);
    let removed_lines = removed_lines.map(|line| line.replace("would remove", "removed"));
    assert_eq!(
        output,
        [
            &removed_lines[..],
            &["2 objects of 1005 bytes and 1 unfinished uploads removed".to_owned()]
        ]
        .concat()
    );
    assert_eq!(files(server.objects()), remaining);
    assert!(before.contains(&part));

    let output = gc(server.db(), server.objects(), &["--older-than", "3600"]);
    assert_eq!(
        output.last().unwrap(),
        "1 objects of 5 bytes and 1 unfinished uploads removed"
    );
    let output = gc(server.db(), server.objects(), &["--older-than", "0"]);
    assert_eq!(
        output,
        ["0 objects of 0 bytes and 0 unfinished uploads removed"]
    );
}

fn unused_clip_objects_are_removed(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let [linked, unlinked, deleted] = store_output(server.db(), job_id).try_into().unwrap();
    server
        .db()
        .sql()
        .batch(&format!(
            "DELETE FROM clips WHERE clip_id = '{}'",
            deleted.clip_id
        ))
        .unwrap();
    let write_aged_file =
        |path: &str, age| write_aged_file(server.objects(), &format!("jobs/{job_id}/{path}"), age);
    let media_file = |clip: &Clip, ending: &str| {
        write_aged_file(&format!("clips/{}{ending}", clip.clip_id), 2 * DAY)
    };
    let subtitle_file = |clip: &Clip, version: u8, age| {
        write_aged_file(&format!("subtitles/{}-{version}.vtt", clip.clip_id), age)
    };

    let (subtitle, reel) = (
        subtitle_file(&linked, 1, 2 * DAY),
        write_aged_file(&format!("highlights-{}.mp4", deleted.clip_id), 2 * DAY),
    );
    let subtitles = ClipMediaUpdate {
        subtitle_s3_key: set_key(&subtitle),
        ..ClipMediaUpdate::default()
    };
    let highlights = JobUpdate {
        compiled_video_s3_key: set_key(&reel),
        ..JobUpdate::default()
    };
    server
        .db()
        .write(|tx| {
            tx.clips().set_media_keys(linked.clip_id, &subtitles)?;
            tx.jobs().update(job_id, &highlights, None)
        })
        .unwrap();
    let orphans = sorted(vec![
        media_file(&deleted, ".mp4"),
        subtitle_file(&deleted, 1, 2 * DAY),
        subtitle_file(&linked, 2, 2 * DAY),
        subtitle_file(&unlinked, 1, 2 * DAY),
    ]);
    let young = [
        subtitle_file(&unlinked, 2, DAY - 600),
        subtitle_file(&deleted, 2, DAY - 600),
    ];
    let remaining = sorted(vec![
        subtitle,
        reel,
        media_file(&linked, ".mp4"),
        // Written, but not stored with the clip yet.
        media_file(&unlinked, ".vtt"),
        subtitle_file(&unlinked, 3, 3000),
        // Keys from which no clip id can be read.
        media_file(&deleted, "-raw.mp4"),
        write_aged_file("clips/7f8b2f0e-93f6-4f1c-9d0a-0f6c3b7e5a11.mp4", 2 * DAY),
    ]);
    let removed_lines = |orphans: &[String]| -> Vec<String> {
        let removed = orphans.iter().map(|key| format!("removed {key} (5 bytes)"));
        let (count, bytes) = (orphans.len(), orphans.len() * 5);
        let summary = format!("{count} objects of {bytes} bytes and 0 unfinished uploads removed");
        removed.chain([summary]).collect()
    };
    assert_eq!(
        gc(server.db(), server.objects(), &[]),
        removed_lines(&orphans)
    );
    assert_eq!(
        files(server.objects()),
        sorted([&remaining[..], &young].concat())
    );
    assert_eq!(
        gc(server.db(), server.objects(), &["--older-than", "0"]),
        removed_lines(&sorted(young.to_vec()))
    );
    assert_eq!(files(server.objects()), remaining);
}

fn gc_is_safe_while_servers_run(server: TestServer) {
    let bytes = recording(3 << 20);
    let (sent, partial) = (
        announce(&server, bytes.len()),
        announce(&server, bytes.len()),
    );
    send(&server, &sent.path, &bytes).expect(200);
    let socket = PartialTransfer::upload(
        &server,
        &partial.path,
        bytes.len(),
        &bytes[..bytes.len() - 1],
    );
    wait_for_part(server.objects());
    let output = gc(server.db(), server.objects(), &["--older-than", "0"]);
    assert_eq!(
        output,
        ["0 objects of 0 bytes and 0 unfinished uploads removed"]
    );
    let answer = socket.finish(&bytes[bytes.len() - 1..]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for job in [&sent, &partial] {
        confirm(&server, job.job_id).expect(200);
    }
}

fn gc_refuses_a_database_with_pending_migrations(db: EmptyDb) {
    let dir = tempfile::tempdir().unwrap();
    let unknown_job = JobId::new(&SystemClock);
    let old = write_aged_file(
        dir.path(),
        &format!("jobs/{unknown_job}/clips/1.mp4"),
        2 * DAY,
    );
    let output = run(&db, dir.path(), &[]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(message.contains("migrate up"), "{message}");
    assert_eq!(files(dir.path()), [old]);
}
