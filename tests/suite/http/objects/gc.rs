//! `lectern gc`.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use lectern_domain::{
    Clip, ClipMediaUpdate, Clock as _, JobId, JobUpdate, Patch, StorageKey, SystemClock,
};
use lectern_tests::{
    EmptyDb, Fixture as _, Lectern, TestDb, TestServer, a_job, on_both_backends, store_output,
};
use serde_json::json;

use crate::http::support::recordings::{
    PartialTransfer, announce, confirm, files, recording, send, upload, wait_for_part,
};
use crate::http::support::{JOBS, UNKNOWN_ID, job_path};

on_both_backends!(
    gc_removes_orphaned_objects_only,
    unused_clip_objects_are_removed,
    replaced_clip_objects_are_removed_once_the_job_has_ended,
    a_shared_recording_of_a_deleted_job_is_kept,
    gc_is_safe_while_servers_run,
    gc_refuses_the_objects_of_another_database,
    gc_refuses_objects_of_an_unknown_database,
    gc_refuses_to_move_a_large_share_of_the_objects,
    objects_are_deleted_after_their_time_in_the_trash,
    gc_refuses_a_database_with_pending_migrations,
);

const DAY: u64 = 86_400;

/// Runs `lectern gc` on a storage of this database, with any share of orphans; returns
/// the lines of its output.
fn gc(db: &TestDb, objects: &Path, arguments: &[&str]) -> Vec<String> {
    let guards_off = ["--adopt", "--force"];
    let output = run(db, objects, &[&guards_off, arguments].concat());
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

/// The files outside the trash that are objects of jobs or users.
fn objects_in(dir: &Path) -> Vec<String> {
    let mut files = files(dir);
    files.retain(|file| !file.starts_with("trash/"));
    files
}

/// The former keys of the objects in the trash.
fn trash_in(dir: &Path) -> Vec<String> {
    let files = files(dir);
    let in_trash = files.iter().filter_map(|file| file.strip_prefix("trash/"));
    let keys = in_trash.map(|file| file.split_once('/').unwrap().1.to_owned());
    sorted(keys.collect())
}

/// The error of a run that changes nothing.
fn refusal(db: &TestDb, objects: &Path, arguments: &[&str]) -> String {
    let before = files(objects);
    let output = run(db, objects, arguments);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert_eq!(files(objects), before);
    String::from_utf8(output.stderr).unwrap()
}

/// Writes objects of a job that does not exist, two days old.
fn write_orphans(objects: &Path, count: usize) -> Vec<String> {
    let job_id = JobId::new(&SystemClock);
    let write = |i| write_aged_file(objects, &format!("jobs/{job_id}/clips/{i}.mp4"), 2 * DAY);
    sorted((0..count).map(write).collect())
}

/// Writes objects of a job that exists, two days old.
fn write_needed(server: &TestServer, count: usize) {
    let job_id = a_job().create(server.db()).job_id;
    for i in 0..count {
        let key = format!("jobs/{job_id}/clips/{i}.mp4");
        write_aged_file(server.objects(), &key, 2 * DAY);
    }
}

/// Writes a file into the storage with a modification time `age` seconds ago.
fn write_aged_file(objects: &Path, key: &str, age: u64) -> String {
    let path = objects.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "12345").unwrap();
    make_older(&path, age);
    key.to_owned()
}

/// The last line of a run that deletes nothing from the trash.
fn summary(objects: usize, bytes: usize, parts: usize) -> String {
    format!(
        "{objects} objects of {bytes} bytes moved to the trash, 0 objects of 0 bytes deleted from \
         it, {parts} unfinished uploads removed"
    )
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

    let before = objects_in(server.objects());
    let mut moved_lines = [
        format!("would move {} (1000 bytes)", deleted.key),
        format!("would move {old} (5 bytes)"),
    ];
    moved_lines.sort();
    let mut output = gc(server.db(), server.objects(), &["--dry-run"]);
    assert_eq!(
        output.pop().unwrap(),
        "2 objects of 1005 bytes would be moved to the trash, 0 objects of 0 bytes would be \
         deleted from it"
    );
    let share = output.remove(0);
    assert_eq!(
        share,
        "2 of 5 objects belong to no job, more than 10 %: moving them needs --force"
    );
    assert_eq!(output, moved_lines);
    assert_eq!(objects_in(server.objects()), before);

    let output = gc(server.db(), server.objects(), &[]);
    let moved_lines = moved_lines.map(|line| line.replace("would move", "moved"));
    assert_eq!(output, [&moved_lines[..], &[summary(2, 1005, 1)]].concat());
    assert_eq!(objects_in(server.objects()), remaining);
    assert!(before.contains(&part));
    assert_eq!(trash_in(server.objects()), sorted(vec![deleted.key, old]));

    let output = gc(server.db(), server.objects(), &["--older-than", "3600"]);
    assert_eq!(output.last().unwrap(), &summary(1, 5, 1));
    let output = gc(server.db(), server.objects(), &["--older-than", "0"]);
    assert_eq!(output, [summary(0, 0, 0)]);
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
    let moved_lines = |orphans: &[String]| -> Vec<String> {
        let removed = orphans.iter().map(|key| format!("moved {key} (5 bytes)"));
        let (count, bytes) = (orphans.len(), orphans.len() * 5);
        removed.chain([summary(count, bytes, 0)]).collect()
    };
    assert_eq!(
        gc(server.db(), server.objects(), &[]),
        moved_lines(&orphans)
    );
    assert_eq!(
        objects_in(server.objects()),
        sorted([&remaining[..], &young].concat())
    );
    assert_eq!(
        gc(server.db(), server.objects(), &["--older-than", "0"]),
        moved_lines(&sorted(young.to_vec()))
    );
    assert_eq!(objects_in(server.objects()), remaining);
}

fn replaced_clip_objects_are_removed_once_the_job_has_ended(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let [clip, other, _] = store_output(server.db(), job_id).try_into().unwrap();
    let version = "0123456789abcdef";
    let write =
        |name: String| write_aged_file(server.objects(), &format!("jobs/{job_id}/{name}"), 2 * DAY);
    let (old, new) = (
        write(format!("clips/{}.mp4", clip.clip_id)),
        write(format!("clips/{}-{version}.mp4", clip.clip_id)),
    );
    let (old_reel, new_reel) = (
        write(format!("highlights-{}.mp4", clip.clip_id)),
        write(format!("highlights-{}-{version}.mp4", other.clip_id)),
    );
    let unlinked = [
        write(format!("clips/{}-{version}.jpg", clip.clip_id)),
        write(format!("clips/{}-{version}.mp4", other.clip_id)),
    ];
    let files = ClipMediaUpdate {
        s3_key: set_key(&new),
        ..ClipMediaUpdate::default()
    };
    let reel = JobUpdate {
        compiled_video_s3_key: set_key(&new_reel),
        ..JobUpdate::default()
    };
    server
        .db()
        .write(|tx| {
            tx.clips().set_media_keys(clip.clip_id, &files)?;
            tx.jobs().update(job_id, &reel, None)
        })
        .unwrap();
    assert_eq!(
        gc(server.db(), server.objects(), &[]),
        [summary(0, 0, 0)],
        "a worker may have stored them just now"
    );
    server.db().write(|tx| tx.jobs().cancel(job_id)).unwrap();
    let moved = sorted(vec![old, old_reel]);
    let mut lines: Vec<_> = moved
        .iter()
        .map(|key| format!("moved {key} (5 bytes)"))
        .collect();
    lines.push(summary(2, 10, 0));
    assert_eq!(gc(server.db(), server.objects(), &[]), lines);
    let remaining = [&[new, new_reel][..], &unlinked].concat();
    assert_eq!(objects_in(server.objects()), sorted(remaining));
}

fn a_shared_recording_of_a_deleted_job_is_kept(server: TestServer) {
    let first = upload(&server, &recording(1000));
    let shared = server
        .post(JOBS, &json!({ "source_job_id": first.job_id }))
        .expect(201)
        .json();
    let shared = format!("{JOBS}/{}", shared["job_id"].as_str().unwrap());
    server.delete(&job_path(first.job_id, "")).expect(204);
    make_older(&server.objects().join(&first.key), 2 * DAY);
    let orphan = write_aged_file(
        server.objects(),
        &format!("jobs/{}/clips/1.mp4", first.job_id),
        2 * DAY,
    );
    let moved = format!("moved {orphan} (5 bytes)");
    assert_eq!(
        gc(server.db(), server.objects(), &[]),
        [moved, summary(1, 5, 0)]
    );
    assert_eq!(
        objects_in(server.objects()),
        std::slice::from_ref(&first.key)
    );
    // As if the server had crashed between the commit and the deletion of the object.
    let id = shared.rsplit('/').next().unwrap();
    let delete = format!("DELETE FROM jobs WHERE job_id = '{id}'");
    server.db().sql().execute(&delete).unwrap();
    let moved = format!("moved {} (1000 bytes)", first.key);
    assert_eq!(
        gc(server.db(), server.objects(), &[]),
        [moved, summary(1, 1000, 0)]
    );
}

fn gc_is_safe_while_servers_run(server: TestServer) {
    // The program has its own clock, by which the uploads must not have expired.
    let clock = server.db().clock();
    clock.advance(SystemClock.now() - clock.now());
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
    assert_eq!(output, [summary(0, 0, 0)]);
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

fn gc_refuses_the_objects_of_another_database(server: TestServer) {
    let objects = server.objects();
    write_needed(&server, 20);
    gc(server.db(), objects, &[]);
    // A new database on the same storage.
    let other = TestDb::on(server.db().backend());
    for arguments in [&[][..], &["--dry-run"], &["--force"]] {
        let refusal = refusal(&other, objects, arguments);
        assert!(refusal.contains("belong to another database"), "{refusal}");
    }
    let output = run(&other, objects, &["--adopt"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    // The objects belong to the other database now.
    let refusal = refusal(server.db(), objects, &[]);
    assert!(refusal.contains("belong to another database"), "{refusal}");
    assert_eq!(objects_in(objects).len(), 20);
}

fn gc_refuses_objects_of_an_unknown_database(server: TestServer) {
    write_needed(&server, 20);
    let orphans = write_orphans(server.objects(), 1);
    let refusal = refusal(server.db(), server.objects(), &["--force"]);
    assert!(refusal.contains("no record of the database"), "{refusal}");
    // Every command that opens the storage records it.
    let storage = format!("file://{}", server.objects().display());
    let lectern = Lectern::serve_with(server.db().url(), &[("LECTERN_STORAGE", &storage)]);
    drop(lectern);
    let output = run(server.db(), server.objects(), &[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(trash_in(server.objects()), orphans);
}

fn gc_refuses_to_move_a_large_share_of_the_objects(server: TestServer) {
    let objects = server.objects();
    gc(server.db(), objects, &[]);
    write_needed(&server, 17);
    let mut orphans = write_orphans(objects, 2);
    let refusal = refusal(server.db(), objects, &[]);
    assert!(
        refusal.contains("2 of 19 objects belong to no job, more than 10 %"),
        "{refusal}"
    );
    // Exactly 10 %.
    write_needed(&server, 1);
    assert!(run(server.db(), objects, &[]).status.success());
    assert_eq!(trash_in(objects), orphans);
    orphans.extend(write_orphans(objects, 30));
    assert_eq!(run(server.db(), objects, &[]).status.code(), Some(1));
    assert!(run(server.db(), objects, &["--force"]).status.success());
    assert_eq!(trash_in(objects), sorted(orphans));
    assert_eq!(objects_in(objects).len(), 18);
}

fn objects_are_deleted_after_their_time_in_the_trash(server: TestServer) {
    let objects = server.objects();
    let moved_at = |age: u64| {
        let time = DateTime::<Utc>::from(SystemTime::now() - Duration::from_secs(age));
        time.format("trash/%Y%m%dT%H%M%SZ").to_string()
    };
    let [older, newer] = [7 * DAY + 60, 7 * DAY - 60].map(|age| {
        let key = format!("{}/jobs/{UNKNOWN_ID}/clips/{age}.mp4", moved_at(age));
        write_aged_file(objects, &key, 30 * DAY)
    });
    // Not moved there by gc.
    let of_a_user = write_aged_file(objects, "trash/talk.mp4", 30 * DAY);
    let deleted = |arguments: &[&str]| {
        let mut output = gc(server.db(), objects, arguments);
        output.pop();
        output
    };
    assert_eq!(
        deleted(&["--dry-run"]),
        [format!("would delete {older} (5 bytes)")]
    );
    assert!(deleted(&["--trash-days", "8"]).is_empty());
    assert_eq!(deleted(&[]), [format!("deleted {older} (5 bytes)")]);
    assert_eq!(
        deleted(&["--trash-days", "0"]),
        [format!("deleted {newer} (5 bytes)")]
    );
    let rest = files(objects);
    assert_eq!(rest, [of_a_user]);
    // At once.
    write_orphans(objects, 1);
    let output = deleted(&["--trash-days", "0"]);
    assert_eq!(output.len(), 2, "{output:?}");
    assert_eq!(files(objects), rest);
}
