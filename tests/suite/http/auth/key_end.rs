//! The end of a key: revoked or rotated.

use std::time::{Duration, Instant};

use lectern_domain::Role;
use lectern_server::Server;
use lectern_tests::{Backend, Client, Fixture as _, TestDb, a_job, on_both_backends};
use serde_json::json;

use crate::http::live::channel::{Stream, handshake};
use crate::http::support::api_key::{Key, serve_with_keys, with_keys};
use crate::http::support::{JOBS, job_path, wait_until};

on_both_backends!(
    a_revoked_key_is_refused_by_every_server_within_five_seconds,
    a_rotated_key_is_accepted_at_once_and_the_old_one_refused_within_five_seconds,
    a_new_key_is_accepted_at_once,
    what_waits_ends_within_five_seconds_of_the_revocation,
);

/// What is promised.
const PROMISED: Duration = Duration::from_secs(5);

fn status(client: &Client, key: &Key) -> u16 {
    key.request(client, "GET", JOBS).send().status
}

/// Uses the key all the time, so that it is in memory, until it is refused.
#[track_caller]
fn assert_refused_in_time(client: &Client, key: &Key, since: Instant) {
    wait_until(|| status(client, key) == 401);
    assert!(since.elapsed() < PROMISED, "{:?}", since.elapsed());
}

fn a_revoked_key_is_refused_by_every_server_within_five_seconds(db: TestDb) {
    let (key, other) = (
        Key::create(&db, Role::Viewer),
        Key::create(&db, Role::Viewer),
    );
    let second = Server::start(with_keys(), (*db).clone()).unwrap();
    let second_client = Client::new(second.url());
    let server = serve_with_keys(db);
    assert_eq!(
        (status(&server, &key), status(&second_client, &key)),
        (200, 200)
    );
    key.revoke(server.db());
    let revoked = Instant::now();
    assert_refused_in_time(&second_client, &key, revoked);
    assert_refused_in_time(&server, &key, revoked);
    assert_eq!(
        (status(&server, &other), status(&second_client, &other)),
        (200, 200)
    );
}

fn a_rotated_key_is_accepted_at_once_and_the_old_one_refused_within_five_seconds(db: TestDb) {
    let key = Key::create(&db, Role::Viewer);
    let server = serve_with_keys(db);
    assert_eq!(status(&server, &key), 200);
    let rotated = key.rotate(server.db());
    let since = Instant::now();
    assert_eq!(status(&server, &rotated), 200);
    assert_refused_in_time(&server, &key, since);
    assert_eq!(status(&server, &rotated), 200);
}

fn a_new_key_is_accepted_at_once(db: TestDb) {
    let server = serve_with_keys(db);
    for _ in 0..10 {
        let key = Key::create(server.db(), Role::Viewer);
        assert_eq!(status(&server, &key), 200);
    }
}

fn what_waits_ends_within_five_seconds_of_the_revocation(db: TestDb) {
    let key = Key::create(&db, Role::Admin);
    let job = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    let credentials = [("Authorization", key.bearer())];
    let credentials = credentials
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let mut stream = Stream::open_with(&server, &job_path(job, "/events"), &credentials).unwrap();
    stream.next_with_id().expect("a snapshot");
    let mut feed = Stream::open_with(&server, "/api/v1/events?after=latest", &credentials).unwrap();
    let mut socket = handshake(&server, &format!("/ws/jobs/{job}"), &credentials).unwrap();
    socket.read().unwrap();
    std::thread::scope(|scope| {
        let claim = scope.spawn(|| {
            let body = json!({ "worker": "w", "stages": ["compilation"], "wait_seconds": 60 });
            let claim = key.request(&server, "POST", "/api/v1/work/claim");
            claim.json(&body).send()
        });
        let page = scope.spawn(|| {
            let path = format!("{}?after=1", job_path(job, "/events"));
            let page = key.request(&server, "GET", &path);
            page.header("Prefer", "wait=60").send()
        });
        // Both requests wait.
        wait_until(|| {
            let metrics = key.request(&server, "GET", "/metrics").send().expect(200);
            metrics.text().contains("\nhttp_requests_in_flight 3")
        });
        key.revoke(server.db());
        let revoked = Instant::now();
        claim.join().unwrap().problem(401, "invalid_key");
        page.join().unwrap().problem(401, "invalid_key");
        while stream.line().is_some() {}
        while feed.line().is_some() {}
        while socket.read().is_ok() {}
        assert!(revoked.elapsed() < PROMISED, "{:?}", revoked.elapsed());
    });
}

#[test]
fn a_read_that_takes_long_is_refused_if_the_key_ends_meanwhile() {
    // Readers of SQLite never wait for others.
    let db = TestDb::on(Backend::Postgres);
    let [revoked, kept] = [(); 2].map(|()| Key::create(&db, Role::Viewer));
    let server = serve_with_keys(db);
    let mut sql = server.db().sql();
    sql.batch("BEGIN; LOCK TABLE jobs").unwrap();
    std::thread::scope(|scope| {
        let reads = [(&revoked, 1), (&kept, 2)].map(|(key, limit)| {
            // Equal requests would share a query.
            let request = key.request(&server, "GET", &format!("{JOBS}?limit={limit}"));
            scope.spawn(|| request.send())
        });
        let wait_for_reads = |since: &str| {
            let waiting = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                 AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - interval '{since}'"
            );
            let mut sql = server.db().sql();
            wait_until(|| sql.value(&waiting) == "2");
        };
        wait_for_reads("0 s");
        revoked.revoke(server.db());
        // Longer than the two seconds for which the server uses what it knows about a key, and
        // shorter than it waits for a lock.
        wait_for_reads("2.2 s");
        sql.batch("ROLLBACK").unwrap();
        let [refused, answered] = reads.map(|read| read.join().unwrap());
        refused.problem(401, "invalid_key");
        answered.expect(200);
    });
}
