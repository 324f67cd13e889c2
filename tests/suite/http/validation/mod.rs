//! Requests that are refused, endpoint by endpoint and field by field. Tables
//! say what each field holds, and every way to get it wrong follows from that.
//! Whatever is refused is refused in the documented shape, names its field and
//! leaves the database as it was.

mod bodies;
mod cases;
mod coverage;
mod field;
mod queries;
mod uploads;
mod work;

use lectern_domain::JobId;
use lectern_tests::{Client, Response, TestDb, TestServer, a_job, fill, on_both_backends};
use serde_json::Value;

use self::bodies::Endpoint;
use self::cases::Case;
use self::field::Kind;
use super::openapi::HANDSHAKE;
use super::support::raw_http;
use super::support::{JOBS, NOBODY, at, dump};
use crate::http::support::raw_http::exchange;

on_both_backends!(
    a_job_that_is_not_as_it_must_be_is_refused,
    a_change_that_is_not_as_it_must_be_is_refused,
    a_report_that_is_not_as_it_must_be_is_refused,
    a_transcript_that_is_not_as_it_must_be_is_refused,
    more_of_a_transcript_that_is_not_as_it_must_be_is_refused,
    subtitles_that_are_not_as_they_must_be_are_refused,
    silence_regions_that_are_not_as_they_must_be_are_refused,
    a_layout_that_is_not_as_it_must_be_is_refused,
    content_segments_that_are_not_as_they_must_be_are_refused,
    clips_that_are_not_as_they_must_be_are_refused,
    a_log_entry_that_is_not_as_it_must_be_is_refused,
    a_query_that_is_not_as_it_must_be_is_refused,
    a_cursor_that_was_changed_or_is_of_another_list_is_refused,
);

/// A job with something in every table.
fn a_full_job(db: &TestDb) -> JobId {
    let job_id = a_job().create(db).job_id;
    fill(db, job_id);
    job_id
}

/// A clip of such a job.
fn a_clip(db: &TestDb) -> String {
    let job_id = a_full_job(db);
    let clips = db.read(|conn| conn.clips().for_job(job_id)).unwrap();
    clips[0].clip_id.to_string()
}

/// Sends an endpoint of a job what it must take, and then everything it must
/// not.
fn probe(server: &TestServer, job_id: JobId, endpoint: &Endpoint) {
    let path = endpoint.path.replace("{job_id}", &job_id.to_string());
    probe_at(server, endpoint, || {
        // So that each body finds the job as it was.
        let mut sql = server.db().sql();
        sql.execute("UPDATE jobs SET status = 'queued', completed_at = NULL")
            .unwrap();
        path.clone()
    });
}

/// The same for an endpoint whose path may be another each time.
fn probe_at(server: &TestServer, endpoint: &Endpoint, path: impl Fn() -> String) {
    for body in endpoint.good() {
        let answer = send(server, endpoint, &path(), body.clone());
        assert!(
            (200..300).contains(&answer.status),
            "{answer} to {}",
            beginning(&body)
        );
    }
    let path = path();
    let before = dump(server.db());
    let groups = endpoint.fields.iter().map(|field| endpoint.with_bad(field));
    for cases in groups.chain([endpoint.bad_as_a_whole()]) {
        for case in &cases {
            refuses(
                endpoint,
                case,
                &send(server, endpoint, &path, case.body.clone()),
            );
        }
        assert_eq!(
            dump(server.db()),
            before,
            "stored by one like {}",
            beginning(&cases[0].body)
        );
    }
    refuses_the_envelope(server, endpoint, &path);
    refuses_every_path(server, endpoint);
    assert_eq!(dump(server.db()), before);
}

fn send(client: &Client, endpoint: &Endpoint, path: &str, body: impl Into<Vec<u8>>) -> Response {
    client
        .request(endpoint.method, path)
        .body("application/json", body)
        .send()
}

/// Checks that a body was refused, and for the right reason.
fn refuses(endpoint: &Endpoint, case: &Case, answer: &Response) {
    let what = format!("{answer} to {}", beginning(&case.body));
    assert_eq!(answer.status, case.status, "{what}");
    let code = if case.status == 400 {
        "malformed_body"
    } else {
        "validation_failed"
    };
    let errors = answer.problem(case.status, code);
    let Some(blamed) = &case.blamed else { return };
    let [error] = errors.as_slice() else {
        panic!("{blamed:?} alone is to be named: {what}")
    };
    let named = error["field"].as_str().unwrap();
    let is_free = |path: &str| {
        endpoint
            .fields
            .iter()
            .any(|field| field.path == path && matches!(field.kind, Kind::Free))
    };
    let within = || {
        named
            .strip_prefix(blamed.as_str())
            .is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    assert!(
        named == blamed || (is_free(blamed) && within()),
        "{blamed:?} is to be named: {what}"
    );
}

/// A fine body that is declared as something else, or as too large a one.
fn refuses_the_envelope(server: &TestServer, endpoint: &Endpoint, path: &str) {
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
    let compressed = server
        .request(endpoint.method, path)
        .header("Content-Encoding", "gzip");
    compressed
        .json(&endpoint.body)
        .send()
        .problem(415, "unsupported_media_type");
    let length = format!("Content-Length: {}", endpoint.limit + 1);
    exchange(
        server,
        raw_http::request(endpoint.method, path, &[&length], &body),
    )
    .problem(413, "body_too_large");
}

/// A fine body for a job that is none, or under a lease that is none.
fn refuses_every_path(server: &TestServer, endpoint: &Endpoint) {
    let (variable, status, code) = match endpoint.path {
        path if path.contains("{job_id}") => ("{job_id}", 404, "job_not_found"),
        path if path.contains("{clip_id}") => ("{clip_id}", 404, "clip_not_found"),
        path if path.contains("{lease_id}") => ("{lease_id}", 409, "lease_lost"),
        _ => return,
    };
    for id in [NOBODY, "1", "null", "%00", "%FF", "..", "'%20OR%201=1--"] {
        let answer = send(
            server,
            endpoint,
            &endpoint.path.replace(variable, id),
            endpoint.body.to_string(),
        );
        assert_eq!(answer.problem(status, code), [Value::Null; 0], "{id}");
    }
}

/// As much of a body as a person wants to see.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], body.len()),
        None => text.into_owned(),
    }
}

fn a_job_that_is_not_as_it_must_be_is_refused(server: TestServer) {
    probe(&server, a_full_job(server.db()), &bodies::job());
}

fn a_change_that_is_not_as_it_must_be_is_refused(server: TestServer) {
    probe(&server, a_full_job(server.db()), &bodies::change());
}

fn a_report_that_is_not_as_it_must_be_is_refused(server: TestServer) {
    probe(&server, a_full_job(server.db()), &bodies::progress());
}

fn a_transcript_that_is_not_as_it_must_be_is_refused(server: TestServer) {
    probe(
        &server,
        a_full_job(server.db()),
        &bodies::transcripts("PUT"),
    );
}

fn more_of_a_transcript_that_is_not_as_it_must_be_is_refused(server: TestServer) {
    probe(
        &server,
        a_full_job(server.db()),
        &bodies::transcripts("POST"),
    );
}

fn subtitles_that_are_not_as_they_must_be_are_refused(server: TestServer) {
    let clip_id = a_clip(server.db());
    let endpoint = bodies::subtitles();
    probe_at(&server, &endpoint, || {
        endpoint.path.replace("{clip_id}", &clip_id)
    });
}

fn silence_regions_that_are_not_as_they_must_be_are_refused(server: TestServer) {
    probe(&server, a_full_job(server.db()), &bodies::silence_regions());
}

fn a_layout_that_is_not_as_it_must_be_is_refused(server: TestServer) {
    probe(&server, a_full_job(server.db()), &bodies::layout_analysis());
}

fn content_segments_that_are_not_as_they_must_be_are_refused(server: TestServer) {
    probe(
        &server,
        a_full_job(server.db()),
        &bodies::content_segments(),
    );
}

fn clips_that_are_not_as_they_must_be_are_refused(server: TestServer) {
    let (job_id, other) = (a_full_job(server.db()), a_full_job(server.db()));
    let segment = |job_id| {
        let stored = server
            .db()
            .read(|conn| conn.content_segments().for_job(job_id));
        stored.unwrap()[1].segment_id
    };
    probe(
        &server,
        job_id,
        &bodies::clips(segment(job_id), segment(other)),
    );
}

fn a_log_entry_that_is_not_as_it_must_be_is_refused(server: TestServer) {
    probe(&server, a_full_job(server.db()), &bodies::log());
}

fn a_query_that_is_not_as_it_must_be_is_refused(server: TestServer) {
    let job_id = a_full_job(server.db());
    let clip_id = a_clip(server.db());
    let before = dump(server.db());
    for endpoint in &queries::ENDPOINTS {
        let path = endpoint
            .path
            .replace("{job_id}", &job_id.to_string())
            .replace("{clip_id}", &clip_id);
        let status = if path.starts_with("/ws/") { 101 } else { 200 };
        for query in endpoint.good() {
            let request = server.request("GET", &format!("{path}?{query}"));
            let handshake = HANDSHAKE.iter().filter(|_| status == 101);
            let request = handshake.fold(request, |request, (name, value)| {
                request.header(name, value)
            });
            request.send().expect(status);
        }
        for (query, status, blamed) in endpoint.bad() {
            let code = if status == 400 {
                "malformed_query"
            } else {
                "validation_failed"
            };
            server
                .get(&format!("{path}?{query}"))
                .expect(status)
                .problem_with(status, code, &blamed);
        }
    }
    assert_eq!(dump(server.db()), before);
}

fn a_cursor_that_was_changed_or_is_of_another_list_is_refused(server: TestServer) {
    let job_id = a_full_job(server.db());
    a_job().create(server.db());
    let lists = [JOBS.to_owned(), at(job_id, "/logs")];
    let cursors = lists.clone().map(|list| {
        let page = server.get(&format!("{list}?limit=1")).expect(200).json();
        page["next_cursor"].as_str().unwrap().to_owned()
    });
    for ((list, own), foreign) in lists.iter().zip(&cursors).zip(cursors.iter().rev()) {
        let ask = |cursor: &str| server.get(&format!("{list}?cursor={cursor}"));
        ask(own).expect(200);
        let mut bad = vec![foreign.clone()];
        for place in 0..own.len() {
            let other = if &own[place..=place] == "A" { "B" } else { "A" };
            bad.push([&own[..place], other, &own[place + 1..]].concat());
            bad.push(own[..place].to_owned());
        }
        bad.extend(["A", "=", "%20", "%00", own].map(|more| format!("{own}{more}")));
        for cursor in bad {
            ask(&cursor).problem_with(400, "malformed_query", "cursor");
        }
    }
}
