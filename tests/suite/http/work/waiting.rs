//! Waiting claims.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use lectern_domain::Stage::{
    self, ContentAnalysis, LayoutAnalysis, SilenceDetection, Transcription,
};
use lectern_server::ServerConfig;
use lectern_tests::{Client, Fixture, Lectern, TestDb, TestServer, on_both_backends};
use serde_json::json;

use crate::http::support::worker::{CLAIM, Claimed, claim, claims, create_job, request_claim};
use crate::http::support::{concurrently, in_flight, job_path, raw_http, wait_until};

on_both_backends!(
    a_waiting_claim_gets_work_of_this_server,
    work_of_this_server_is_found_without_polling,
    a_waiting_claim_gets_work_of_another_process,
    a_waiting_claim_gets_delayed_work_when_its_delay_ends,
    a_waiting_claim_gets_the_stage_of_a_lost_worker,
    fifty_waiting_claims_each_get_one_of_fifty_stages,
    a_waiting_claim_for_many_gets_what_is_available,
    a_waiting_claim_times_out_with_an_empty_list,
    one_poll_serves_all_waiting_claims_and_none_runs_without_them,
    waiting_claims_over_the_limit_are_rejected,
    a_disconnected_claim_takes_no_work,
    a_stopping_server_answers_waiting_claims,
);

/// A text that only the poll for waiting claims contains.
const POLL: &str = "wanted.value AS stage";

/// Claims one stage and waits for it for up to a minute.
fn wait(client: &Client, stages: &[Stage]) -> Option<Claimed> {
    claims(request_claim(client, stages, json!({ "wait_seconds": 60 }))).pop()
}

/// Runs `meanwhile` while a claim for `stages` waits; returns what it claimed.
fn claim_while(client: &Client, stages: &[Stage], meanwhile: impl FnOnce()) -> Option<Claimed> {
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(client, stages));
        // The waiting claim and the request for the metrics.
        wait_until(|| in_flight(client) == 2);
        meanwhile();
        waiting.join().unwrap()
    })
}

fn a_waiting_claim_gets_work_of_this_server(server: TestServer) {
    let mut job_id = None;
    let claimed = claim_while(&server, &[Transcription], || {
        job_id = Some(create_job(&server, json!({})));
    });
    let claimed = claimed.unwrap();
    assert_eq!((Some(claimed.job_id), claimed.attempt), (job_id, 1));
    let job_id = claimed.job_id;

    let others = [SilenceDetection, LayoutAnalysis].map(|stage| claim(&server, &[stage]).unwrap());
    let next = claim_while(&server, &[ContentAnalysis], || {
        for done in others.iter().chain([&claimed]) {
            done.send(&server, "complete", &json!({})).expect(200);
        }
    });
    assert_eq!(next.unwrap().job_id, job_id);

    let again = claim_while(&server, &[ContentAnalysis], || {
        server
            .request("POST", &job_path(job_id, "/cancel"))
            .send()
            .expect(200);
        server
            .request("POST", &job_path(job_id, "/retry"))
            .send()
            .expect(200);
    });
    assert_eq!(again.unwrap().job_id, job_id);
}

fn work_of_this_server_is_found_without_polling(server: TestServer) {
    let statements = server.db().record_statements();
    // The poll for waiting claims is blocked.
    let _blocked = statements.block(POLL);
    for _ in 0..20 {
        let mut job_id = None;
        let claimed = claim_while(&server, &[Transcription], || {
            job_id = Some(create_job(&server, json!({})));
        });
        assert_eq!(claimed.map(|claimed| claimed.job_id), job_id);
    }
}

fn a_waiting_claim_gets_work_of_another_process(server: TestServer) {
    let other = Lectern::serve(server.db().url());
    let mut job_id = None;
    let claimed = claim_while(&server, &[Transcription], || {
        job_id = Some(create_job(&other, json!({})));
    });
    assert_eq!(claimed.map(|claimed| claimed.job_id), job_id);
}

fn a_waiting_claim_gets_delayed_work_when_its_delay_ends(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let failed = claim(&server, &[Transcription]).unwrap();
    failed
        .send(&server, "fail", &json!({ "error": "no memory" }))
        .expect(200);
    assert_eq!(
        claims(request_claim(
            &server,
            &[Transcription],
            json!({ "wait_seconds": 2 })
        )),
        []
    );
    let again = claim_while(&server, &[Transcription], || {
        server.db().clock().advance(TimeDelta::seconds(2));
    });
    let again = again.unwrap();
    assert_eq!((again.job_id, again.attempt), (job_id, 2));
}

fn a_waiting_claim_gets_the_stage_of_a_lost_worker(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let lost = claim(&server, &[Transcription]).unwrap();
    let again = claim_while(&server, &[Transcription], || {
        server.db().clock().advance(TimeDelta::seconds(60));
    });
    let again = again.unwrap();
    assert_eq!((again.job_id, again.attempt), (job_id, 2));
    lost.send(&server, "complete", &json!({}))
        .problem(409, "lease_lost");
}

fn fifty_waiting_claims_each_get_one_of_fifty_stages(server: TestServer) {
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| wait(&server, &[Transcription])))
            .collect();
        wait_until(|| in_flight(&server) == 51);
        // Waiting claims hold no connection.
        wait_until(|| {
            server
                .get("/metrics")
                .expect(200)
                .text()
                .contains("lectern_db_connections{state=\"in_use\"} 0")
        });
        let mut created = concurrently(50, |_| create_job(&server, json!({})));
        let mut claimed: Vec<_> = waiting
            .into_iter()
            .map(|waiting| waiting.join().unwrap().unwrap().job_id)
            .collect();
        created.sort();
        claimed.sort();
        assert_eq!(claimed, created);
    });
    assert_eq!(claim(&server, &[Transcription]), None);
}

fn a_waiting_claim_for_many_gets_what_is_available(server: TestServer) {
    let claimed = thread::scope(|scope| {
        let more = json!({ "wait_seconds": 60, "max": 100 });
        let waiting = scope.spawn(|| {
            claims(request_claim(
                &server,
                &[Transcription, SilenceDetection],
                more,
            ))
        });
        wait_until(|| in_flight(&server) == 2);
        create_job(&server, json!({}));
        waiting.join().unwrap()
    });
    assert_eq!(claimed.len(), 2);
}

fn a_waiting_claim_times_out_with_an_empty_list(server: TestServer) {
    let started = Instant::now();
    let answer = request_claim(&server, Stage::WORK, json!({ "wait_seconds": 1 })).expect(200);
    assert_eq!(answer.text(), r#"{"claims":[]}"#);
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    let answer = request_claim(&server, Stage::WORK, json!({ "wait_seconds": 0 })).expect(200);
    assert_eq!(answer.text(), r#"{"claims":[]}"#);
}

fn one_poll_serves_all_waiting_claims_and_none_runs_without_them(server: TestServer) {
    let other = TestServer::on(server.db().backend());
    let (statements, other_statements) = (
        server.db().record_statements(),
        other.db().record_statements(),
    );
    let wait = |server: &TestServer| {
        let started = Instant::now();
        concurrently(10, |_| {
            claims(request_claim(
                server,
                Stage::WORK,
                json!({ "wait_seconds": 2 }),
            ))
        });
        started.elapsed()
    };
    let took = wait(&server);
    let polls = statements.count(POLL);
    let max_polls = usize::try_from(took.as_millis()).unwrap() / 500;
    assert!((1..=max_polls).contains(&polls), "{polls} in {took:?}");
    // A poll may have started just before the timeout.
    wait(&other);
    let after = statements.count(POLL);
    assert!(after <= polls + 1, "{after} after {polls}");
    wait(&other);
    assert_eq!(statements.count(POLL), after);
    assert!(other_statements.count(POLL) > 0);
}

fn waiting_claims_over_the_limit_are_rejected(db: TestDb) {
    let statements = db.record_statements();
    let server = TestServer::serve(
        db,
        ServerConfig {
            max_waiting_claims: 1,
            ..ServerConfig::default()
        },
    );
    let claimed = claim_while(&server, &[Transcription], || {
        // The claim is registered once the database is polled.
        wait_until(|| statements.count(POLL) > 0);
        let refused = request_claim(&server, Stage::WORK, json!({ "wait_seconds": 60 }));
        refused.problem(503, "overloaded");
        assert_eq!(
            claim(&server, Stage::WORK),
            None,
            "a claim that does not wait needs no slot"
        );
        create_job(&server, json!({}));
    });
    claimed.unwrap();
    // A claim that finds work at once needs no slot.
    wait(&server, Stage::WORK).unwrap();
}

fn a_disconnected_claim_takes_no_work(server: TestServer) {
    let body =
        json!({ "worker": "disconnected", "stages": Stage::WORK, "wait_seconds": 60 }).to_string();
    let length = format!("Content-Length: {}", body.len());
    let mut socket = TcpStream::connect(server.base().strip_prefix("http://").unwrap()).unwrap();
    socket
        .write_all(raw_http::request("POST", CLAIM, &[&length], &body).as_bytes())
        .unwrap();
    wait_until(|| in_flight(&server) == 2);
    drop(socket);
    wait_until(|| in_flight(&server) == 1);
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, Stage::WORK).unwrap();
    assert_eq!(
        (claimed.job_id, claimed.stage, claimed.attempt),
        (job_id, SilenceDetection, 1)
    );
}

fn a_stopping_server_answers_waiting_claims(db: TestDb) {
    let mut server = Lectern::serve(db.url());
    let claimed = claim_while(&server, Stage::WORK, || server.signal("TERM"));
    assert_eq!(claimed, None);
    assert_eq!(server.wait().code(), Some(0));
}
