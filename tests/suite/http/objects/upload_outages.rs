//! Uploads that are completed while the database does not answer.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use lectern_db::Backend;
use lectern_tests::{Client, Cluster, Fixture as _, Lectern, TestDb};

use crate::http::support::job_path;
use crate::http::support::recordings::{
    Announced, PartialTransfer, announce, confirm, files, recording, send, wait_for_part,
};

const SECRET: &str = "the same secret for all servers, and long enough";

/// A server whose objects are in this directory.
fn serve(url: &str, objects: &Path) -> Lectern {
    let storage = format!("file://{}", objects.display());
    Lectern::serve_with(
        url,
        &[("LECTERN_STORAGE", &storage), ("LECTERN_SECRET", SECRET)],
    )
}

/// An upload of which all bytes but the last are sent, and some are on disk.
fn almost_complete(
    server: &Client,
    announced: &Announced,
    bytes: &[u8],
    objects: &Path,
) -> PartialTransfer {
    let first = &bytes[..bytes.len() - 1];
    let partial = PartialTransfer::upload(server, &announced.path, bytes.len(), first);
    wait_for_part(objects);
    partial
}

fn make_older(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    let then = SystemTime::now() - Duration::from_hours(48);
    file.set_modified(then).unwrap();
}

/// Runs `lectern gc` for objects of any age.
fn gc(url: &str, objects: &Path) -> String {
    let storage = format!("file://{}", objects.display());
    let arguments = ["gc", "--storage", &storage, "--older-than", "0", "--force"];
    let output = Lectern::run(url, &arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_upload_that_ends_during_an_outage_is_kept_and_confirmed_after_it() {
    let mut cluster = Cluster::with_durable_commits();
    let objects = tempfile::tempdir().unwrap();
    let objects = objects.path();
    let server = serve(cluster.url(), objects);
    let bytes = recording(3 << 20);
    let last = &bytes[bytes.len() - 1..];
    let announced = announce(&server, bytes.len());
    let partial = almost_complete(&server, &announced, &bytes, objects);

    cluster.stop();
    let answer = partial.finish(last);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.to_lowercase().contains("\r\netag: \""), "{answer}");
    assert_eq!(files(objects), [announced.key.as_str()]);
    confirm(&server, announced.job_id).problem(503, "database_unavailable");
    send(&server, &announced.path, &bytes).problem(503, "database_unavailable");
    assert_eq!(files(objects), [announced.key.as_str()]);
    drop(server);

    // Another server confirms it. What `gc` would remove is removed first.
    cluster.start_again();
    let server = serve(cluster.url(), objects);
    let file = objects.join(&announced.key);
    make_older(&file);
    assert!(gc(cluster.url(), objects).starts_with("0 objects"));
    let job = confirm(&server, announced.job_id).expect(200).json();
    assert_eq!(job["status"], "queued");
    assert!(fs::read(&file).unwrap() == bytes);
}

#[test]
fn a_recording_is_not_replaced_during_an_outage() {
    let mut cluster = Cluster::with_durable_commits();
    let objects = tempfile::tempdir().unwrap();
    let objects = objects.path();
    let server = serve(cluster.url(), objects);
    let (first, second) = (recording(3 << 20), vec![7; 3 << 20]);
    let announced = announce(&server, first.len());
    send(&server, &announced.path, &first).expect(200);
    let partial = almost_complete(&server, &announced, &second, objects);
    cluster.stop();
    let answer = partial.finish(&[7]);
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("database_unavailable"),
        "{answer}"
    );
    cluster.start_again();
    assert!(fs::read(objects.join(&announced.key)).unwrap() == first);
    send(&server, &announced.path, &second).expect(200);
    confirm(&server, announced.job_id).expect(200);
    assert!(fs::read(objects.join(&announced.key)).unwrap() == second);
}

#[test]
fn an_upload_of_a_job_deleted_before_an_outage_is_removed_by_gc() {
    let mut cluster = Cluster::with_durable_commits();
    let objects = tempfile::tempdir().unwrap();
    let objects = objects.path();
    let server = serve(cluster.url(), objects);
    let bytes = recording(3 << 20);
    let announced = announce(&server, bytes.len());
    let partial = almost_complete(&server, &announced, &bytes, objects);
    server.delete(&job_path(announced.job_id, "")).expect(204);
    cluster.stop();
    let answer = partial.finish(&bytes[bytes.len() - 1..]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    cluster.start_again();
    confirm(&server, announced.job_id).problem(404, "job_not_found");
    let file = objects.join(&announced.key);
    make_older(&file);
    assert!(gc(cluster.url(), objects).contains(&announced.key));
    assert!(!file.exists());
}

#[test]
fn an_upload_that_ends_while_sqlite_is_locked_is_kept_and_confirmed_after_it() {
    let db = TestDb::on(Backend::Sqlite);
    let objects = tempfile::tempdir().unwrap();
    let objects = objects.path();
    let server = serve(db.url(), objects);
    let bytes = recording(3 << 20);
    let announced = announce(&server, bytes.len());
    let partial = almost_complete(&server, &announced, &bytes, objects);
    let mut other_process = db.sql();
    other_process.batch("BEGIN IMMEDIATE").unwrap();
    let answer = partial.finish(&bytes[bytes.len() - 1..]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let refused = confirm(&server, announced.job_id);
    assert_eq!(refused.status, 503, "{refused}");
    other_process.batch("ROLLBACK").unwrap();
    assert!(gc(db.url(), objects).starts_with("0 objects"));
    confirm(&server, announced.job_id).expect(200);
    assert!(fs::read(objects.join(&announced.key)).unwrap() == bytes);
    assert_eq!(files(objects), [announced.key]);
}
