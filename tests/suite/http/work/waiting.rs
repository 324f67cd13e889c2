//! Workers that wait for work.

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

use crate::http::support::worker::{CLAIM, Claimed, ask, claim, claims, make};
use crate::http::support::{at, at_once, in_flight, raw_http, wait_until};

on_both_backends!(
    whoever_waits_gets_what_this_server_makes_ready,
    what_this_server_makes_ready_is_not_found_by_asking,
    whoever_waits_gets_what_another_process_makes_ready,
    whoever_waits_gets_what_a_pause_kept_back_once_it_is_over_and_not_before,
    whoever_waits_gets_what_a_lost_worker_was_on,
    of_fifty_who_wait_for_fifty_stages_each_gets_one,
    one_who_wants_many_gets_what_there_is,
    whoever_waits_in_vain_is_told_so_when_the_time_is_over,
    the_database_is_asked_once_for_all_who_wait_and_not_while_nobody_does,
    there_is_room_for_so_many_who_wait_and_the_next_is_told,
    whoever_hangs_up_is_given_nothing,
    a_server_that_stops_sends_home_who_waits,
);

/// What only the question has in it that is asked for those who wait.
const LOOK: &str = "wanted.value AS stage";

/// Asks for one stage and waits for it, for a minute.
fn wait(client: &Client, stages: &[Stage]) -> Option<Claimed> {
    claims(ask(client, stages, json!({ "wait_seconds": 60 }))).pop()
}

/// Runs `meanwhile` while somebody waits for one of `stages`; answers what that
/// one got.
fn while_waiting(client: &Client, stages: &[Stage], meanwhile: impl FnOnce()) -> Option<Claimed> {
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(client, stages));
        // The other one is the question itself.
        wait_until(|| in_flight(client) == 2);
        meanwhile();
        waiting.join().unwrap()
    })
}

fn whoever_waits_gets_what_this_server_makes_ready(server: TestServer) {
    let mut job_id = None;
    let claimed = while_waiting(&server, &[Transcription], || {
        job_id = Some(make(&server, json!({})))
    });
    let claimed = claimed.unwrap();
    assert_eq!((Some(claimed.job_id), claimed.attempt), (job_id, 1));
    let job_id = claimed.job_id;

    let others = [SilenceDetection, LayoutAnalysis].map(|stage| claim(&server, &[stage]).unwrap());
    let next = while_waiting(&server, &[ContentAnalysis], || {
        for done in others.iter().chain([&claimed]) {
            done.tell(&server, "complete", &json!({})).expect(200);
        }
    });
    assert_eq!(next.unwrap().job_id, job_id);

    let again = while_waiting(&server, &[ContentAnalysis], || {
        server
            .request("POST", &at(job_id, "/cancel"))
            .send()
            .expect(200);
        server
            .request("POST", &at(job_id, "/retry"))
            .send()
            .expect(200);
    });
    assert_eq!(again.unwrap().job_id, job_id);
}

fn what_this_server_makes_ready_is_not_found_by_asking(server: TestServer) {
    let ear = server.db().listen();
    // Nobody who asks for those who wait gets an answer.
    let _held = ear.hold(LOOK);
    for _ in 0..20 {
        let mut job_id = None;
        let claimed = while_waiting(&server, &[Transcription], || {
            job_id = Some(make(&server, json!({})))
        });
        assert_eq!(claimed.map(|claimed| claimed.job_id), job_id);
    }
}

fn whoever_waits_gets_what_another_process_makes_ready(server: TestServer) {
    let other = Lectern::serve(server.db().url());
    let mut job_id = None;
    let claimed = while_waiting(&server, &[Transcription], || {
        job_id = Some(make(&other, json!({})))
    });
    assert_eq!(claimed.map(|claimed| claimed.job_id), job_id);
}

fn whoever_waits_gets_what_a_pause_kept_back_once_it_is_over_and_not_before(server: TestServer) {
    let job_id = make(&server, json!({}));
    let failed = claim(&server, &[Transcription]).unwrap();
    failed
        .tell(&server, "fail", &json!({ "error": "no memory" }))
        .expect(200);
    assert_eq!(
        claims(ask(&server, &[Transcription], json!({ "wait_seconds": 2 }))),
        []
    );
    let again = while_waiting(&server, &[Transcription], || {
        server.db().clock().advance(TimeDelta::seconds(2));
    });
    let again = again.unwrap();
    assert_eq!((again.job_id, again.attempt), (job_id, 2));
}

fn whoever_waits_gets_what_a_lost_worker_was_on(server: TestServer) {
    let job_id = make(&server, json!({}));
    let lost = claim(&server, &[Transcription]).unwrap();
    let again = while_waiting(&server, &[Transcription], || {
        server.db().clock().advance(TimeDelta::seconds(60));
    });
    let again = again.unwrap();
    assert_eq!((again.job_id, again.attempt), (job_id, 2));
    lost.tell(&server, "complete", &json!({}))
        .problem(409, "lease_lost");
}

fn of_fifty_who_wait_for_fifty_stages_each_gets_one(server: TestServer) {
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| wait(&server, &[Transcription])))
            .collect();
        wait_until(|| in_flight(&server) == 51);
        // Whoever waits has no connection.
        wait_until(|| {
            server
                .get("/metrics")
                .expect(200)
                .text()
                .contains("lectern_db_connections{state=\"in_use\"} 0")
        });
        let mut made = at_once(50, |_| make(&server, json!({})));
        let mut got: Vec<_> = waiting
            .into_iter()
            .map(|waiting| waiting.join().unwrap().unwrap().job_id)
            .collect();
        made.sort();
        got.sort();
        assert_eq!(got, made);
    });
    assert_eq!(claim(&server, &[Transcription]), None);
}

fn one_who_wants_many_gets_what_there_is(server: TestServer) {
    let got = thread::scope(|scope| {
        let more = json!({ "wait_seconds": 60, "max": 100 });
        let waiting =
            scope.spawn(|| claims(ask(&server, &[Transcription, SilenceDetection], more)));
        wait_until(|| in_flight(&server) == 2);
        make(&server, json!({}));
        waiting.join().unwrap()
    });
    assert_eq!(got.len(), 2);
}

fn whoever_waits_in_vain_is_told_so_when_the_time_is_over(server: TestServer) {
    let began = Instant::now();
    let answer = ask(&server, Stage::WORK, json!({ "wait_seconds": 1 })).expect(200);
    assert_eq!(answer.text(), r#"{"claims":[]}"#);
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    let answer = ask(&server, Stage::WORK, json!({ "wait_seconds": 0 })).expect(200);
    assert_eq!(answer.text(), r#"{"claims":[]}"#);
}

fn the_database_is_asked_once_for_all_who_wait_and_not_while_nobody_does(server: TestServer) {
    let other = TestServer::on(server.db().backend());
    let (ear, other_ear) = (server.db().listen(), other.db().listen());
    let wait = |server: &TestServer| {
        let began = Instant::now();
        at_once(10, |_| {
            claims(ask(server, Stage::WORK, json!({ "wait_seconds": 2 })))
        });
        began.elapsed()
    };
    let took = wait(&server);
    let looks = ear.heard(LOOK);
    let at_most = usize::try_from(took.as_millis()).unwrap() / 500;
    assert!((1..=at_most).contains(&looks), "{looks} in {took:?}");
    // It may have begun the last one when the time was over.
    wait(&other);
    let after = ear.heard(LOOK);
    assert!(after <= looks + 1, "{after} after {looks}");
    wait(&other);
    assert_eq!(ear.heard(LOOK), after);
    assert!(other_ear.heard(LOOK) > 0);
}

fn there_is_room_for_so_many_who_wait_and_the_next_is_told(db: TestDb) {
    let ear = db.listen();
    let server = TestServer::serve(
        db,
        ServerConfig {
            max_waiting_claims: 1,
            ..ServerConfig::default()
        },
    );
    let got = while_waiting(&server, &[Transcription], || {
        // It has its place once the database is asked for it.
        wait_until(|| ear.heard(LOOK) > 0);
        let refused = ask(&server, Stage::WORK, json!({ "wait_seconds": 60 }));
        refused.problem(503, "overloaded");
        assert_eq!(
            claim(&server, Stage::WORK),
            None,
            "who does not wait needs no room"
        );
        make(&server, json!({}));
    });
    got.unwrap();
    // Neither does who finds something at once.
    wait(&server, Stage::WORK).unwrap();
}

fn whoever_hangs_up_is_given_nothing(server: TestServer) {
    let body = json!({ "worker": "gone", "stages": Stage::WORK, "wait_seconds": 60 }).to_string();
    let length = format!("Content-Length: {}", body.len());
    let mut socket = TcpStream::connect(server.base().strip_prefix("http://").unwrap()).unwrap();
    socket
        .write_all(raw_http::request("POST", CLAIM, &[&length], &body).as_bytes())
        .unwrap();
    wait_until(|| in_flight(&server) == 2);
    drop(socket);
    wait_until(|| in_flight(&server) == 1);
    let job_id = make(&server, json!({}));
    let claimed = claim(&server, Stage::WORK).unwrap();
    assert_eq!(
        (claimed.job_id, claimed.stage, claimed.attempt),
        (job_id, SilenceDetection, 1)
    );
}

fn a_server_that_stops_sends_home_who_waits(db: TestDb) {
    let mut server = Lectern::serve(db.url());
    let got = while_waiting(&server, Stage::WORK, || server.signal("TERM"));
    assert_eq!(got, None);
    assert_eq!(server.wait().code(), Some(0));
}
