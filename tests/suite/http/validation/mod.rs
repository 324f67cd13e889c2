//! Invalid requests by endpoint and field. Tables hold the type of each field,
//! from which valid and invalid values are derived. Each rejection is a
//! documented error that names its field and leaves the database unchanged.

mod bodies;
mod cases;
mod coverage;
mod field;
mod queries;
mod uploads;
mod work;

use lectern_domain::JobId;
use lectern_tests::{Client, Response, TestDb, TestServer, a_job, on_both_backends, store_output};
use serde_json::Value;

use self::bodies::Endpoint;
use self::cases::Case;
use self::field::Kind;
use super::openapi::HANDSHAKE;
use super::support::raw_http;
use super::support::{JOBS, UNKNOWN_ID, dump, job_path};
use crate::http::support::raw_http::exchange;

on_both_backends!(
    an_invalid_job_is_rejected,
    an_invalid_job_of_a_source_is_rejected,
    an_invalid_rerun_is_rejected,
    an_invalid_update_is_rejected,
    an_invalid_report_is_rejected,
    an_invalid_transcript_is_rejected,
    an_invalid_append_is_rejected,
    invalid_subtitles_are_rejected,
    invalid_silence_regions_are_rejected,
    an_invalid_layout_is_rejected,
    invalid_content_segments_are_rejected,
    invalid_clips_are_rejected,
    an_invalid_new_clip_is_rejected,
    an_invalid_clip_update_is_rejected,
    an_invalid_transcript_segment_update_is_rejected,
    an_invalid_content_segment_update_is_rejected,
    an_invalid_log_entry_is_rejected,
    an_invalid_query_is_rejected,
    a_damaged_or_foreign_cursor_is_rejected,
);

/// A job with rows in every table.
fn a_full_job(db: &TestDb) -> JobId {
    let job_id = a_job().create(db).job_id;
    store_output(db, job_id);
    job_id
}

/// A clip of such a job.
fn a_clip(db: &TestDb) -> String {
    let job_id = a_full_job(db);
    let clips = db.read(|conn| conn.clips().for_job(job_id)).unwrap();
    clips[0].clip_id.to_string()
}

/// Checks that all valid bodies are accepted and all invalid ones rejected.
fn check_bodies(server: &TestServer, job_id: JobId, endpoint: &Endpoint) {
    let path = endpoint.path.replace("{job_id}", &job_id.to_string());
    check_bodies_at(server, endpoint, || {
        // The job has the same state before each body.
        let mut sql = server.db().sql();
        sql.execute("UPDATE jobs SET status = 'queued', completed_at = NULL")
            .unwrap();
        path.clone()
    });
}

/// The same with a path computed for each request.
fn check_bodies_at(server: &TestServer, endpoint: &Endpoint, path: impl Fn() -> String) {
    for body in endpoint.valid() {
        let answer = send(server, endpoint, &path(), body.clone());
        assert!(
            (200..300).contains(&answer.status),
            "{answer} to {}",
            beginning(&body)
        );
    }
    let path = path();
    let before = dump(server.db());
    let groups = endpoint
        .fields
        .iter()
        .map(|field| endpoint.with_invalid(field));
    for cases in groups.chain([endpoint.invalid_as_a_whole()]) {
        for case in &cases {
            assert_rejected(
                endpoint,
                case,
                &send(server, endpoint, &path, case.body.clone()),
            );
        }
        assert_eq!(
            dump(server.db()),
            before,
            "a body like {} changed the database",
            beginning(&cases[0].body)
        );
    }
    assert_wrong_headers_rejected(server, endpoint, &path);
    assert_unknown_ids_rejected(server, endpoint);
    assert_eq!(dump(server.db()), before);
}

fn send(client: &Client, endpoint: &Endpoint, path: &str, body: impl Into<Vec<u8>>) -> Response {
    client
        .request(endpoint.method, path)
        .body("application/json", body)
        .send()
}

/// Checks that a body was rejected for the expected reason.
fn assert_rejected(endpoint: &Endpoint, case: &Case, answer: &Response) {
    let context = format!("{answer} to {}", beginning(&case.body));
    assert_eq!(answer.status, case.status, "{context}");
    let code = if case.status == 400 {
        "malformed_body"
    } else {
        "validation_failed"
    };
    let errors = answer.problem(case.status, code);
    let Some(named_field) = &case.named_field else {
        return;
    };
    let [error] = errors.as_slice() else {
        panic!("the error must name only {named_field:?}: {context}")
    };
    let named = error["field"].as_str().unwrap();
    let is_any_object = |path: &str| {
        endpoint
            .fields
            .iter()
            .any(|field| field.path == path && matches!(field.kind, Kind::AnyObject))
    };
    let within = || {
        named
            .strip_prefix(named_field.as_str())
            .is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    assert!(
        named == named_field || (is_any_object(named_field) && within()),
        "the error must name {named_field:?}: {context}"
    );
}

/// Checks that valid bodies with a wrong media type or length are rejected.
fn assert_wrong_headers_rejected(server: &TestServer, endpoint: &Endpoint, path: &str) {
    let body = endpoint.body.to_string();
    for kind in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let answer = server
            .request(endpoint.method, path)
            .body(kind, body.clone())
            .send();
        assert_eq!(
            answer.problem(415, "unsupported_media_type"),
            [Value::Null; 0],
            "{kind}"
        );
    }
    for (coding, status, code) in [
        ("br", 415, "unsupported_media_type"),
        // The body is not what the header says.
        ("gzip", 400, "malformed_body"),
    ] {
        let compressed = server.request(endpoint.method, path);
        let compressed = compressed.header("Content-Encoding", coding);
        compressed.json(&endpoint.body).send().problem(status, code);
    }
    let length = format!("Content-Length: {}", endpoint.limit + 1);
    exchange(
        server,
        raw_http::request(endpoint.method, path, &[&length], &body),
    )
    .problem(413, "body_too_large");
}

/// Checks that a valid body for an unknown job, clip or lease is rejected.
fn assert_unknown_ids_rejected(server: &TestServer, endpoint: &Endpoint) {
    let (variable, status, code) = match endpoint.path {
        path if path.contains("{job_id}") => ("{job_id}", 404, "job_not_found"),
        path if path.contains("{clip_id}") => ("{clip_id}", 404, "clip_not_found"),
        path if path.contains("{segment_id}") => ("{segment_id}", 404, "segment_not_found"),
        path if path.contains("{lease_id}") => ("{lease_id}", 409, "lease_lost"),
        _ => return,
    };
    for id in [
        UNKNOWN_ID,
        "1",
        "null",
        "%00",
        "%FF",
        "..",
        "'%20OR%201=1--",
    ] {
        let answer = send(
            server,
            endpoint,
            &endpoint.path.replace(variable, id),
            endpoint.body.to_string(),
        );
        assert_eq!(answer.problem(status, code), [Value::Null; 0], "{id}");
    }
}

/// The beginning of a body, for messages.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], body.len()),
        None => text.into_owned(),
    }
}

fn an_invalid_job_is_rejected(server: TestServer) {
    check_bodies(&server, a_full_job(server.db()), &bodies::job());
}

fn an_invalid_job_of_a_source_is_rejected(server: TestServer) {
    let source = a_full_job(server.db()).to_string();
    let endpoint = bodies::job_of_source(&source);
    check_bodies_at(&server, &endpoint, || JOBS.to_owned());
}

fn an_invalid_rerun_is_rejected(server: TestServer) {
    let job_id = a_full_job(server.db());
    let endpoint = bodies::rerun();
    let path = endpoint.path.replace("{job_id}", &job_id.to_string());
    check_bodies_at(&server, &endpoint, || {
        let finish = "UPDATE jobs SET status = 'failed', completed_at = NULL";
        server.db().sql().execute(finish).unwrap();
        path.clone()
    });
}

fn an_invalid_update_is_rejected(server: TestServer) {
    check_bodies(&server, a_full_job(server.db()), &bodies::change());
}

fn an_invalid_report_is_rejected(server: TestServer) {
    check_bodies(&server, a_full_job(server.db()), &bodies::progress());
}

fn an_invalid_transcript_is_rejected(server: TestServer) {
    check_bodies(
        &server,
        a_full_job(server.db()),
        &bodies::transcripts("PUT"),
    );
}

fn an_invalid_append_is_rejected(server: TestServer) {
    check_bodies(
        &server,
        a_full_job(server.db()),
        &bodies::transcripts("POST"),
    );
}

fn invalid_subtitles_are_rejected(server: TestServer) {
    let clip_id = a_clip(server.db());
    let endpoint = bodies::subtitles();
    check_bodies_at(&server, &endpoint, || {
        endpoint.path.replace("{clip_id}", &clip_id)
    });
}

fn invalid_silence_regions_are_rejected(server: TestServer) {
    check_bodies(&server, a_full_job(server.db()), &bodies::silence_regions());
}

fn an_invalid_layout_is_rejected(server: TestServer) {
    check_bodies(&server, a_full_job(server.db()), &bodies::layout_analysis());
}

fn invalid_content_segments_are_rejected(server: TestServer) {
    check_bodies(
        &server,
        a_full_job(server.db()),
        &bodies::content_segments(),
    );
}

fn invalid_clips_are_rejected(server: TestServer) {
    let (job_id, other) = (a_full_job(server.db()), a_full_job(server.db()));
    let segment = |job_id| {
        let stored = server
            .db()
            .read(|conn| conn.content_segments().for_job(job_id));
        stored.unwrap()[1].segment_id
    };
    let endpoint = bodies::clips(segment(job_id), segment(other));
    let path = endpoint.path.replace("{job_id}", &job_id.to_string());
    check_bodies_at(&server, &endpoint, || {
        let one = lectern_tests::clips(1);
        server
            .db()
            .write(|tx| tx.clips().replace_for_job(job_id, &one))
            .unwrap();
        let set_id = format!(
            "UPDATE clips SET clip_id = '{}' WHERE job_id = '{job_id}'",
            bodies::CLIP_ID
        );
        server.db().sql().execute(&set_id).unwrap();
        path.clone()
    });
}

fn an_invalid_new_clip_is_rejected(server: TestServer) {
    let job_id = a_full_job(server.db());
    let endpoint = bodies::new_clip();
    let path = endpoint.path.replace("{job_id}", &job_id.to_string());
    check_bodies_at(&server, &endpoint, || {
        server.db().sql().execute("DELETE FROM clips").unwrap();
        path.clone()
    });
}

fn an_invalid_clip_update_is_rejected(server: TestServer) {
    let clip_id = a_clip(server.db());
    // The positions of the other clips are not free.
    let delete = format!("DELETE FROM clips WHERE clip_id <> '{clip_id}'");
    server.db().sql().execute(&delete).unwrap();
    let endpoint = bodies::clip_update();
    check_bodies_at(&server, &endpoint, || {
        endpoint.path.replace("{clip_id}", &clip_id)
    });
}

fn an_invalid_transcript_segment_update_is_rejected(server: TestServer) {
    let job_id = a_full_job(server.db());
    let segments = server.db().read(|conn| conn.transcripts().for_job(job_id));
    let segment_id = segments.unwrap()[0].segment_id.to_string();
    let endpoint = bodies::transcript_segment_update();
    check_bodies_at(&server, &endpoint, || {
        endpoint.path.replace("{segment_id}", &segment_id)
    });
}

fn an_invalid_content_segment_update_is_rejected(server: TestServer) {
    let job_id = a_full_job(server.db());
    let segments = server
        .db()
        .read(|conn| conn.content_segments().for_job(job_id));
    let segment_id = segments.unwrap()[0].segment_id.to_string();
    let delete = format!("DELETE FROM content_segments WHERE segment_id <> '{segment_id}'");
    server.db().sql().execute(&delete).unwrap();
    let endpoint = bodies::content_segment_update();
    check_bodies_at(&server, &endpoint, || {
        endpoint.path.replace("{segment_id}", &segment_id)
    });
}

fn an_invalid_log_entry_is_rejected(server: TestServer) {
    check_bodies(&server, a_full_job(server.db()), &bodies::log());
}

fn an_invalid_query_is_rejected(server: TestServer) {
    let job_id = a_full_job(server.db());
    let clip_id = a_clip(server.db());
    let segments = server.db().read(|conn| conn.transcripts().for_job(job_id));
    let segment_id = segments.unwrap()[0].segment_id.to_string();
    let before = dump(server.db());
    for endpoint in &queries::ENDPOINTS {
        let path = endpoint
            .path
            .replace("{job_id}", &job_id.to_string())
            .replace("{segment_id}", &segment_id)
            .replace("{clip_id}", &clip_id);
        let status = if path.starts_with("/ws/") { 101 } else { 200 };
        for query in endpoint.valid() {
            let request = server.request("GET", &format!("{path}?{query}"));
            let handshake = HANDSHAKE.iter().filter(|_| status == 101);
            let request = handshake.fold(request, |request, (name, value)| {
                request.header(name, value)
            });
            request.send().expect(status);
        }
        for (query, status, named_field) in endpoint.invalid() {
            let code = if status == 400 {
                "malformed_query"
            } else {
                "validation_failed"
            };
            server
                .get(&format!("{path}?{query}"))
                .expect(status)
                .problem_with(status, code, &named_field);
        }
    }
    assert_eq!(dump(server.db()), before);
}

fn a_damaged_or_foreign_cursor_is_rejected(server: TestServer) {
    let job_id = a_full_job(server.db());
    a_job().create(server.db());
    let lists = [JOBS.to_owned(), job_path(job_id, "/logs")];
    let cursors = lists.clone().map(|list| {
        let page = server.get(&format!("{list}?limit=1")).expect(200).json();
        page["next_cursor"].as_str().unwrap().to_owned()
    });
    for ((list, own), foreign) in lists.iter().zip(&cursors).zip(cursors.iter().rev()) {
        let get = |cursor: &str| server.get(&format!("{list}?cursor={cursor}"));
        get(own).expect(200);
        let mut invalid = vec![foreign.clone()];
        for i in 0..own.len() {
            let other = if &own[i..=i] == "A" { "B" } else { "A" };
            invalid.push([&own[..i], other, &own[i + 1..]].concat());
            invalid.push(own[..i].to_owned());
        }
        invalid.extend(["A", "=", "%20", "%00", own].map(|more| format!("{own}{more}")));
        for cursor in invalid {
            get(&cursor).problem_with(400, "malformed_query", "cursor");
        }
    }
}
