//! Files for the timeline of a recording: its waveform and its thumbnails.

use std::fs;

use lectern_domain::{JobId, Stage};
use lectern_tests::{Response, TestServer, a_completed_job, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::recordings::{files, path_of, send, upload};
use crate::http::support::worker::claim;
use crate::http::support::{UNKNOWN_ID, job_path};

on_both_backends!(
    a_waveform_of_a_worker_is_served,
    a_file_that_is_no_waveform_is_not_served,
    thumbnails_are_webvtt_and_a_picture,
    text_that_is_no_webvtt_is_not_served,
    without_files_there_is_nothing,
    the_page_names_the_files_that_there_are,
    the_files_are_deleted_with_the_job,
);

const CUES: &str = "WEBVTT\n\n00:00.000 --> 00:01.000\nthumbnails.jpg#xywh=0,0,160,90\n";

fn a_waveform() -> Value {
    json!({
        "version": 2, "channels": 1, "sample_rate": 48000, "samples_per_pixel": 1920, "bits": 8,
        "length": 3, "data": [-128, 127, 0, 0, -1, 1],
    })
}

/// Writes an object of a job.
fn write(server: &TestServer, job_id: JobId, name: &str, content: impl AsRef<[u8]>) {
    let dir = server.objects().join(format!("jobs/{job_id}"));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(name), content).unwrap();
}

fn get(server: &TestServer, job_id: JobId, below: &str) -> Response {
    server.get(&job_path(job_id, below))
}

fn a_waveform_of_a_worker_is_served(server: TestServer) {
    let job_id = upload(&server, b"moov").job_id;
    let claimed = claim(&server, &[Stage::SilenceDetection]).unwrap();
    let store = |waveform: &Value| {
        let file = waveform.to_string();
        let body = json!({ "filename": "waveform.json", "file_size": file.len() });
        let objects = format!("/api/v1/work/{}/objects", claimed.lease);
        let announced = server.post(&objects, &body).expect(201).json();
        send(
            &server,
            path_of(&server, &announced["upload_url"]),
            file.as_bytes(),
        )
        .expect(200);
    };
    store(&a_waveform());
    let found = get(&server, job_id, "/waveform").expect(200);
    assert_eq!(found.header("Content-Type"), Some("application/json"));
    assert_eq!(found.json(), a_waveform());
    let etag = found.header("ETag").unwrap();
    let path = job_path(job_id, "/waveform");
    let again = server.request("GET", &path).header("If-None-Match", etag);
    assert_eq!(again.send().expect(304).body.len(), 0);
    server.request("HEAD", &path).send().expect(200);
    // An attempt replaces the file of an earlier one.
    let mut other = a_waveform();
    other["data"][0] = 5.into();
    store(&other);
    assert_eq!(get(&server, job_id, "/waveform").expect(200).json(), other);
    let changed = server.request("GET", &path).header("If-None-Match", etag);
    changed.send().expect(200);
}

fn a_file_that_is_no_waveform_is_not_served(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let mut contradictory = a_waveform();
    contradictory["length"] = 4.into();
    let large = format!("{}{}", a_waveform(), " ".repeat(1 << 20));
    for file in [
        "",
        "<script>",
        "{}",
        "\u{feff}",
        &contradictory.to_string(),
        &large,
    ] {
        write(&server, job_id, "waveform.json", file);
        get(&server, job_id, "/waveform").problem(404, "waveform_not_found");
    }
    write(&server, job_id, "waveform.json", a_waveform().to_string());
    let found = get(&server, job_id, "/waveform").expect(200);
    let path = job_path(job_id, "/waveform");
    let head = server.request("HEAD", &path).send().expect(200);
    assert_eq!(head.body, b"");
    assert_eq!(head.header("ETag"), found.header("ETag"));
}

fn thumbnails_are_webvtt_and_a_picture(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    write(&server, job_id, "thumbnails.vtt", CUES);
    write(
        &server,
        job_id,
        "thumbnails.jpg",
        b"\xff\xd8a picture\xff\xd9",
    );
    let cues = get(&server, job_id, "/thumbnails").expect(200);
    assert_eq!(cues.text(), CUES);
    assert!(cues.header("Content-Type").unwrap().starts_with("text/vtt"));
    let picture = get(&server, job_id, "/thumbnails.jpg").expect(200);
    assert_eq!(picture.header("Content-Type"), Some("image/jpeg"));
    assert_eq!(picture.body, b"\xff\xd8a picture\xff\xd9");
    for (below, found) in [("/thumbnails", cues), ("/thumbnails.jpg", picture)] {
        let path = job_path(job_id, below);
        let etag = found.header("ETag").unwrap();
        let again = server.request("GET", &path).header("If-None-Match", etag);
        again.send().expect(304);
        let head = server.request("HEAD", &path).send().expect(200);
        assert_eq!(head.header("Content-Type"), found.header("Content-Type"));
    }
    let part = server.request("GET", &job_path(job_id, "/thumbnails.jpg"));
    let part = part.header("Range", "bytes=2-2").send().expect(206);
    assert_eq!(part.body, b"a");
}

fn text_that_is_no_webvtt_is_not_served(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    let large = format!("{CUES}{}", "\n".repeat(64 << 10));
    for file in [&b""[..], b"<html>", b"WEBVTT \xff", large.as_bytes()] {
        write(&server, job_id, "thumbnails.vtt", file);
        get(&server, job_id, "/thumbnails").problem(404, "thumbnails_not_found");
    }
}

fn without_files_there_is_nothing(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    for (below, code) in [
        ("/waveform", "waveform_not_found"),
        ("/thumbnails", "thumbnails_not_found"),
        ("/thumbnails.jpg", "thumbnails_not_found"),
    ] {
        get(&server, job_id, below).problem(404, code);
        let unknown = format!("/api/v1/jobs/{UNKNOWN_ID}{below}");
        server.get(&unknown).problem(404, "job_not_found");
        let malformed = format!("/api/v1/jobs/x{below}");
        server.get(&malformed).problem(404, "job_not_found");
    }
}

fn the_page_names_the_files_that_there_are(server: TestServer) {
    let job_id = a_completed_job(server.db()).job_id;
    let page = || {
        let request = server.request("GET", &format!("/jobs/{job_id}"));
        let page = request.header("Accept", "text/html").send().expect(200);
        page.text().to_owned()
    };
    let has = |page: &str| {
        [
            page.contains("id=\"waveform\""),
            page.contains("data-thumbnails="),
        ]
    };
    assert_eq!(has(&page()), [false, false]);
    write(&server, job_id, "waveform.json", a_waveform().to_string());
    write(&server, job_id, "thumbnails.vtt", CUES);
    let first = page();
    assert_eq!(has(&first), [true, true]);
    assert!(
        first.contains("show-regions"),
        "the job has a layout analysis"
    );
    let version = |page: &str| {
        let (_, rest) = page.split_once("data-version=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    write(
        &server,
        job_id,
        "waveform.json",
        format!("{} ", a_waveform()),
    );
    assert_ne!(
        version(&page()),
        version(&first),
        "another file has another version"
    );
}

fn the_files_are_deleted_with_the_job(server: TestServer) {
    let job_id = a_job().create(server.db()).job_id;
    for name in ["waveform.json", "thumbnails.vtt", "thumbnails.jpg"] {
        write(&server, job_id, name, "x");
    }
    server.delete(&job_path(job_id, "")).expect(204);
    let left = files(server.objects());
    assert!(
        left.iter().all(|file| !file.contains(&job_id.to_string())),
        "{left:?}"
    );
}
