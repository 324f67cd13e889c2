//! Large sets that equal the stored ones.

use std::thread;

use lectern_domain::{JobId, Stage, TranscriptSource};
use lectern_server::ServerConfig;
use lectern_tests::{
    Backend, Body, Fixture as _, TestDb, TestServer, a_job, clips, content_segments,
    on_both_backends, segments, silence_regions,
};
use serde_json::{Value, json};

use crate::http::support::worker::{claim, create_job};
use crate::http::support::{job_path, wait_until};

on_both_backends!(
    an_equal_set_under_an_unknown_lease_is_refused,
    an_equal_set_without_the_lease_of_its_stage_is_refused,
    an_equal_transcript_of_a_client_is_the_clients,
    an_equal_transcript_under_a_lease_is_the_workers,
    an_equal_set_of_an_unknown_job_is_not_found,
    an_equal_set_of_any_size_leaves_the_version_of_the_job,
);

/// More rows than a request keeps in memory for its response.
const ROWS: usize = 2_500;

/// The beginning of a transaction that writes, on SQLite.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// The sub-resource and the body of a large set of each kind.
fn large_sets() -> [(&'static str, Value); 4] {
    [
        ("/transcripts", transcript()),
        (
            "/silence-regions",
            json!({ "regions": silence_regions(ROWS).body() }),
        ),
        (
            "/content-segments",
            json!({ "segments": content_segments(ROWS).body() }),
        ),
        ("/clips", json!({ "clips": clips(ROWS).body() })),
    ]
}

fn transcript() -> Value {
    json!({ "segments": segments(ROWS).body() })
}

fn a_job_with_a_transcript(server: &TestServer) -> JobId {
    let job_id = create_job(server, json!({}));
    let path = job_path(job_id, "/transcripts");
    server.put(&path, &transcript()).expect(200);
    job_id
}

fn source(server: &TestServer, job_id: JobId) -> Value {
    let job = server.get(&job_path(job_id, "")).expect(200).json();
    job["transcript_source"].clone()
}

#[test]
fn an_equal_set_begins_no_transaction_on_sqlite() {
    let db = TestDb::on(Backend::Sqlite);
    let statements = db.record_statements();
    let server = TestServer::serve(db, ServerConfig::default());
    let job_id = a_job().create(server.db()).job_id;
    for (below, body) in large_sets() {
        let path = job_path(job_id, below);
        let stored = server.put(&path, &body).expect(200);
        let blocked = statements.block(BEGIN);
        let again = server.put(&path, &body).expect(200);
        drop(blocked);
        assert_eq!(again.text(), stored.text(), "{below}");
    }
}

#[test]
fn a_set_that_becomes_equal_before_its_transaction_keeps_its_rows() {
    let db = TestDb::on(Backend::Sqlite);
    let statements = db.record_statements();
    let server = TestServer::serve(db, ServerConfig::default());
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/transcripts");
    let stored = server
        .put(&path, &transcript())
        .expect(200)
        .text()
        .to_owned();
    let change = |from: &str, to: &str| {
        let all = format!("WHERE job_id = '{job_id}' AND text LIKE '{from}%'");
        let sql = format!("UPDATE transcripts SET text = replace(text, '{from}', '{to}') {all}");
        server.db().sql().execute(&sql).unwrap();
    };
    let text = transcript()["segments"][0]["text"]
        .as_str()
        .unwrap()
        .to_owned();
    change(&text, &format!("Not {text}"));
    let changed = server.get(&path).expect(200).text().to_owned();
    assert_ne!(changed, stored);

    let begun = statements.count(BEGIN);
    let blocked = statements.block(BEGIN);
    let again = thread::scope(|scope| {
        let put = scope.spawn(|| server.put(&path, &transcript()).expect(200));
        wait_until(|| statements.count(BEGIN) > begun);
        // Another process stores the same set meanwhile.
        change(&format!("Not {text}"), &text);
        drop(blocked);
        put.join().unwrap()
    });
    assert_eq!(again.text(), stored);
    assert_eq!(server.get(&path).expect(200).text(), stored);
}

#[test]
fn a_set_that_changes_before_its_transaction_is_replaced() {
    let db = TestDb::on(Backend::Sqlite);
    let statements = db.record_statements();
    let server = TestServer::serve(db, ServerConfig::default());
    let job_id = a_job().create(server.db()).job_id;
    let path = job_path(job_id, "/transcripts");
    server
        .put(&path, &json!({ "segments": segments(3).body() }))
        .expect(200);

    let begun = statements.count(BEGIN);
    let blocked = statements.block(BEGIN);
    thread::scope(|scope| {
        let put = scope.spawn(|| server.put(&path, &transcript()).expect(200));
        wait_until(|| statements.count(BEGIN) > begun);
        let delete = format!("DELETE FROM transcripts WHERE job_id = '{job_id}'");
        server.db().sql().execute(&delete).unwrap();
        drop(blocked);
        assert_eq!(put.join().unwrap().json()["total"], json!(ROWS));
    });
    assert_eq!(server.get(&path).expect(200).json()["total"], json!(ROWS));
}

fn an_equal_set_under_an_unknown_lease_is_refused(server: TestServer) {
    let job_id = a_job_with_a_transcript(&server);
    let put = |lease: &str| {
        let request = server.request("PUT", &job_path(job_id, "/transcripts"));
        request.header("Lease-Id", lease).json(&transcript()).send()
    };
    put("0199c0de-0000-7000-8000-000000000000").problem(409, "lease_lost");
    assert_eq!(source(&server, job_id), "client");
}

fn an_equal_set_without_the_lease_of_its_stage_is_refused(server: TestServer) {
    let job_id = a_job_with_a_transcript(&server);
    claim(&server, &[Stage::Transcription]).unwrap();
    server
        .put(&job_path(job_id, "/transcripts"), &transcript())
        .problem(409, "lease_lost");
}

fn an_equal_transcript_of_a_client_is_the_clients(server: TestServer) {
    let job_id = a_job_with_a_transcript(&server);
    let path = job_path(job_id, "/transcripts");
    let stored = server.get(&path).expect(200).text().to_owned();
    server
        .db()
        .write(|tx| tx.transcripts().set_source(job_id, TranscriptSource::Track))
        .unwrap();
    let again = server.put(&path, &transcript()).expect(200);
    assert_eq!(again.text(), stored);
    assert_eq!(source(&server, job_id), "client");
}

fn an_equal_transcript_under_a_lease_is_the_workers(server: TestServer) {
    let job_id = a_job_with_a_transcript(&server);
    let claimed = claim(&server, &[Stage::Transcription]).unwrap();
    assert_eq!(claimed.job_id, job_id);
    for _ in 0..2 {
        let request = server.request("PUT", &job_path(job_id, "/transcripts"));
        let request = request.header("Lease-Id", &claimed.lease);
        request.json(&transcript()).send().expect(200);
        assert_eq!(source(&server, job_id), "recognizer");
    }
}

fn an_equal_set_of_an_unknown_job_is_not_found(server: TestServer) {
    let job_id = a_job_with_a_transcript(&server);
    let path = job_path(job_id, "/transcripts");
    server.delete(&job_path(job_id, "")).expect(204);
    server
        .put(&path, &transcript())
        .problem(404, "job_not_found");
}

fn an_equal_set_of_any_size_leaves_the_version_of_the_job(server: TestServer) {
    for rows in [3, ROWS] {
        let job_id = create_job(&server, json!({}));
        let etag = || {
            let job = server.get(&job_path(job_id, "")).expect(200);
            job.header("ETag").unwrap().to_owned()
        };
        let body = json!({ "segments": segments(rows).body() });
        let put = |lease: Option<&str>| {
            let request = server.request("PUT", &job_path(job_id, "/transcripts"));
            let request = match lease {
                Some(lease) => request.header("Lease-Id", lease),
                None => request,
            };
            request.json(&body).send().expect(200);
            etag()
        };
        let by_client = put(None);
        assert_eq!(put(None), by_client, "{rows} rows");
        let lease = claim(&server, &[Stage::Transcription]).unwrap().lease;
        // It is the worker's from now on.
        let by_worker = put(Some(&lease));
        assert_ne!(by_worker, by_client, "{rows} rows");
        assert_eq!(put(Some(&lease)), by_worker, "{rows} rows");
    }
}
