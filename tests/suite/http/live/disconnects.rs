//! A thousand disconnects neither lose nor repeat an event.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use lectern_db::Database;
use lectern_domain::JobId;
use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, Lectern, TestDb, a_job, on_both_backends};
use serde_json::json;

use super::channel::Channel;
use super::{finish, last_seq};
use crate::http::support::job_path;
use crate::pseudo_random::PseudoRandom;

on_both_backends!(
    a_thousand_disconnects_neither_lose_nor_repeat_events,
    two_server_processes_neither_lose_nor_repeat_events,
);

/// Subscribers, half of them on each channel.
const WATCHERS: usize = 8;

/// Disconnects per subscriber.
const DISCONNECTS: usize = 125;

/// The minimum number of reports, each of which is two events.
const REPORTS: usize = 1_000;

/// Follows a job on both servers, disconnects and reconnects repeatedly, and
/// finally stays until the end. Checks that event numbers are consecutive;
/// returns the last. `disconnecting` counts the subscribers that will still
/// disconnect.
fn follow(servers: &[Client; 2], job_id: JobId, number: usize, disconnecting: &AtomicUsize) -> i64 {
    let channel = Channel::BOTH[number % 2];
    let mut random = PseudoRandom::new(number);
    let mut seen: Option<i64> = None;
    let check_next = |seen: &mut Option<i64>, message: &serde_json::Value| {
        let seq = message["seq"].as_i64().unwrap();
        match *seen {
            None => assert_eq!(message["type"], "snapshot"),
            Some(seen) => assert_eq!(seq, seen + 1, "watcher {number} on {channel:?}"),
        }
        *seen = Some(seq);
    };
    for _ in 0..DISCONNECTS {
        let mut subscription = channel.follow(&servers[random.below(2)], job_id, seen);
        for _ in 0..random.below(20) {
            check_next(&mut seen, &subscription.next().expect("another message"));
        }
    }
    disconnecting.fetch_sub(1, Ordering::SeqCst);
    let mut subscription = channel.follow(&servers[random.below(2)], job_id, seen);
    while let Some(message) = subscription.next() {
        check_next(&mut seen, &message);
    }
    seen.unwrap()
}

/// Runs all subscribers while reports go to both servers in turn, until each
/// subscriber has disconnected often enough.
fn assert_no_event_lost_or_repeated(servers: &[Client; 2], job_id: JobId) {
    let disconnecting = AtomicUsize::new(WATCHERS);
    thread::scope(|scope| {
        let watch = |number| {
            let disconnecting = &disconnecting;
            scope.spawn(move || follow(servers, job_id, number, disconnecting))
        };
        let watchers: Vec<_> = (0..WATCHERS).map(watch).collect();
        let mut reports = 0;
        while reports < REPORTS || disconnecting.load(Ordering::SeqCst) > 0 {
            let percent = (reports as f64 / 100.0).min(100.0);
            let report = json!({ "stage": "transcription", "percent": percent });
            servers[reports % 2]
                .post(&job_path(job_id, "/progress"), &report)
                .expect(200);
            reports += 1;
            assert!(
                !watchers.iter().any(thread::ScopedJoinHandle::is_finished),
                "a subscriber panicked"
            );
        }
        finish(&servers[0], job_id);
        let last = last_seq(&servers[0], job_id);
        for watcher in watchers {
            assert_eq!(watcher.join().unwrap(), last);
        }
    });
}

fn a_thousand_disconnects_neither_lose_nor_repeat_events(db: TestDb) {
    let job = a_job().create(&db);
    let servers = [(); 2].map(|()| {
        let own = Database::open(db.url()).unwrap();
        Server::start(ServerConfig::default(), own).unwrap()
    });
    let clients = servers.each_ref().map(|server| Client::new(server.url()));
    assert_no_event_lost_or_repeated(&clients, job.job_id);
}

fn two_server_processes_neither_lose_nor_repeat_events(db: TestDb) {
    let job = a_job().create(&db);
    let programs = [(); 2].map(|()| Lectern::serve(db.url()));
    let clients = programs.each_ref().map(|program| (**program).clone());
    assert_no_event_lost_or_repeated(&clients, job.job_id);
}
