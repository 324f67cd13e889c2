//! All clips of a job in one ZIP file.

use std::io::{Cursor, Read as _};

use lectern_domain::{JobId, Role, StorageKey};
use lectern_tests::{Response, TestDb, TestServer, a_completed_job, a_job, on_both_backends};
use serde_json::json;
use zip::ZipArchive;

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::{UNKNOWN_ID, job_path};

on_both_backends!(
    an_archive_has_the_clips_in_their_order,
    clips_without_a_file_are_left_out,
    files_of_another_job_are_left_out,
    an_archive_of_many_clips_is_complete,
    head_and_unknown_jobs_send_no_archive,
    an_archive_is_for_readers_of_the_job,
);

/// The names and contents of the files in an archive.
fn files(archive: &Response) -> Vec<(String, String)> {
    let mut archive = ZipArchive::new(Cursor::new(&archive.body)).unwrap();
    (0..archive.len())
        .map(|i| {
            let mut file = archive.by_index(i).unwrap();
            let mut content = String::new();
            // This checks the sum, too.
            file.read_to_string(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

/// Stores clips with these titles and keys, which are relative to the objects of the job.
fn store_clips(server: &TestServer, job_id: JobId, clips: &[(&str, Option<&str>)]) {
    let body = |(i, (title, key)): (usize, &(&str, Option<&str>))| {
        let key = key.map(|key| format!("jobs/{job_id}/{key}"));
        json!({ "title": title, "start_time": i, "end_time": i + 1, "s3_key": key })
    };
    let clips: Vec<_> = clips.iter().enumerate().map(body).collect();
    let path = job_path(job_id, "/clips");
    server.put(&path, &json!({ "clips": clips })).expect(200);
}

fn store_file(server: &TestServer, key: &str, content: &str) {
    let file = server
        .objects()
        .join(StorageKey::new(key).unwrap().as_str());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content).unwrap();
}

fn archive(server: &TestServer, job_id: JobId) -> Response {
    server.get(&job_path(job_id, "/clips/archive")).expect(200)
}

fn an_archive_has_the_clips_in_their_order(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    let clips = [
        ("What is a tree?", Some("clips/b.mp4")),
        ("Trees", Some("clips/a.mp4")),
        ("Trees", Some("clips/c.webm")),
    ];
    store_clips(&server, job_id, &clips);
    // Larger than the parts in which files are read.
    let large = "tree ".repeat(200_000);
    for (key, content) in [("a.mp4", large.as_str()), ("b.mp4", "b"), ("c.webm", "")] {
        store_file(&server, &format!("jobs/{job_id}/clips/{key}"), content);
    }
    let archive = archive(&server, job_id);
    assert_eq!(archive.header("Content-Type"), Some("application/zip"));
    let disposition = archive.header("Content-Disposition").unwrap();
    assert!(disposition.contains("lecture clips.zip"), "{disposition}");
    let expected = [
        ("01 What is a tree_.mp4", "b"),
        ("02 Trees.mp4", large.as_str()),
        ("03 Trees.webm", ""),
    ];
    let expected = expected.map(|(name, content)| (name.to_owned(), content.to_owned()));
    assert_eq!(files(&archive), expected);
}

fn clips_without_a_file_are_left_out(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    let clips = [
        ("Not cut", None),
        ("Cut", Some("clips/a.mp4")),
        ("Gone", Some("clips/gone.mp4")),
    ];
    store_clips(&server, job_id, &clips);
    store_file(&server, &format!("jobs/{job_id}/clips/a.mp4"), "a");
    let found = files(&archive(&server, job_id));
    assert_eq!(found, [("02 Cut.mp4".to_owned(), "a".to_owned())]);
    let empty = a_job().create(server.db()).job_id;
    assert!(files(&archive(&server, empty)).is_empty());
}

fn files_of_another_job_are_left_out(server: TestServer) {
    let (own, other) = (
        a_completed_job(server.db()).job_id,
        a_completed_job(server.db()).job_id,
    );
    let key = format!("jobs/{other}/clips/a.mp4");
    store_file(&server, &key, "not for everyone");
    store_clips(&server, own, &[("Own", Some("clips/a.mp4"))]);
    // Such a key is stored by statements of other programs only.
    let clips = server.db().read(|conn| conn.clips().for_job(own)).unwrap();
    let update = lectern_domain::ClipMediaUpdate {
        s3_key: lectern_domain::Patch::Set(StorageKey::new(key).unwrap()),
        ..lectern_domain::ClipMediaUpdate::default()
    };
    let db = server.db();
    db.write(|tx| tx.clips().set_media_keys(clips[0].clip_id, &update))
        .unwrap();
    assert!(files(&archive(&server, own)).is_empty());
}

fn an_archive_of_many_clips_is_complete(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    // Several pages of rows.
    let clips = vec![("Trees", Some("clips/a.mp4")); 2_500];
    store_clips(&server, job_id, &clips);
    store_file(&server, &format!("jobs/{job_id}/clips/a.mp4"), "a");
    let found = files(&archive(&server, job_id));
    assert_eq!(found.len(), 2_500);
    assert_eq!(found[2_499].0, "2500 Trees.mp4");
}

fn head_and_unknown_jobs_send_no_archive(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    let head = server.request("HEAD", &job_path(job_id, "/clips/archive"));
    let head = head.send().expect(200);
    assert_eq!(head.header("Content-Type"), Some("application/zip"));
    assert!(head.body.is_empty());
    let unknown = format!("/api/v1/jobs/{UNKNOWN_ID}/clips/archive");
    server.get(&unknown).problem(404, "job_not_found");
}

fn an_archive_is_for_readers_of_the_job(db: TestDb) {
    let job_id = a_completed_job(&db).job_id;
    let (viewer, metrics) = (
        Key::create(&db, Role::Viewer),
        Key::create(&db, Role::Metrics),
    );
    let server = serve_with_keys(db);
    let get = |key: &Key| key.request(&server, "GET", &job_path(job_id, "/clips/archive"));
    get(&viewer).send().expect(200);
    get(&metrics).send().problem(403, "scope_missing");
}
