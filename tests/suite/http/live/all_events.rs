//! The events of all jobs: pages, long polls and streams.

use std::thread;

use chrono::TimeDelta;
use lectern_domain::JobId;
use lectern_server::{LiveConfig, Server, ServerConfig};
use lectern_tests::{Client, Response, TestDb, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};

use super::channel::Stream;
use super::{finish, report, report_and_finish, watchers};
use crate::http::support::{job_path, wait_until};

on_both_backends!(
    one_cursor_leads_through_the_events_of_all_jobs,
    a_cursor_survives_a_restart_and_works_on_another_server,
    a_page_after_the_latest_event_is_empty,
    pages_for_people_name_where_the_events_after_them_begin,
    a_waiting_request_gets_the_next_event_of_any_server,
    a_waiting_request_times_out_with_its_cursor,
    a_stream_sends_the_events_of_all_servers_and_resumes,
    a_deleted_job_is_reported_as_deleted,
    a_cursor_older_than_the_retention_has_expired,
    a_stopping_server_ends_streams_and_waits,
    followers_over_the_limit_are_rejected,
    invalid_cursors_and_limits_are_rejected,
);

const EVENTS: &str = "/api/v1/events";

/// Another server of the same database.
fn another_server(server: &TestServer) -> (Server, Client) {
    let other = Server::start(ServerConfig::default(), (**server.db()).clone()).unwrap();
    let client = Client::new(other.url());
    (other, client)
}

fn path(after: Option<&str>, limit: usize) -> String {
    let after = after.map(|after| format!("&after={after}"));
    format!("{EVENTS}?limit={limit}{}", after.unwrap_or_default())
}

/// The events of a page, and its cursor.
fn page(client: &Client, after: Option<&str>, limit: usize) -> (Vec<Value>, String) {
    events_and_cursor(&client.get(&path(after, limit)).expect(200))
}

fn events_and_cursor(page: &Response) -> (Vec<Value>, String) {
    let page = page.json();
    let events = page["events"].as_array().unwrap().clone();
    (events, page["next_cursor"].as_str().unwrap().to_owned())
}

/// Reads pages until there are `count` events. On PostgreSQL, a transaction of another test
/// may hold them back for a moment.
fn read(client: &Client, after: Option<&str>, limit: usize, count: usize) -> (Vec<Value>, String) {
    let (mut events, mut cursor) = page(client, after, limit);
    while events.len() < count {
        let (more, next) = page(client, Some(&cursor), limit);
        events.extend(more);
        cursor = next;
        thread::yield_now();
    }
    (events, cursor)
}

/// A cursor after all events of this job.
fn cursor_after(client: &Client, job_id: JobId) -> String {
    let last = super::last_seq(client, job_id);
    let (mut events, mut cursor) = page(client, None, 100);
    while !events
        .iter()
        .any(|event| event["job_id"] == json!(job_id) && event["seq"] == json!(last))
    {
        (events, cursor) = page(client, Some(&cursor), 100);
        thread::yield_now();
    }
    cursor
}

fn wait_for(client: &Client, after: &str, seconds: u32) -> Response {
    let request = client.request("GET", &path(Some(after), 100));
    request.header("Prefer", &format!("wait={seconds}")).send()
}

fn keys(events: &[Value]) -> Vec<(&str, i64)> {
    let key = |event: &'_ Value| event["seq"].as_i64().unwrap();
    events
        .iter()
        .map(|event| (event["job_id"].as_str().unwrap(), key(event)))
        .collect()
}

fn one_cursor_leads_through_the_events_of_all_jobs(server: TestServer) {
    let jobs = [(); 3].map(|()| a_job().create(server.db()));
    let count: i64 = jobs
        .iter()
        .map(|job| report_and_finish(&server, job, 2))
        .sum();
    let count = usize::try_from(count).unwrap();
    let (events, cursor) = read(&server, None, 4, count);
    assert_eq!(events.len(), count);
    for job in &jobs {
        let of_the_job = events
            .iter()
            .filter(|event| event["job_id"] == json!(job.job_id));
        let page = server
            .get(&job_path(job.job_id, "/events?after=0"))
            .expect(200);
        assert_eq!(
            page.json()["events"],
            of_the_job.cloned().collect::<Value>()
        );
    }
    assert_eq!(page(&server, Some(&cursor), 100), (vec![], cursor.clone()));
}

fn a_cursor_survives_a_restart_and_works_on_another_server(db: TestDb) {
    let start = || Server::start(ServerConfig::default(), db.clone()).unwrap();
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..3 {
        let (first, second) = (start(), start());
        let [first, second] = [&first, &second].map(|server| Client::new(server.url()));
        let job = a_job().create(&db);
        report(&second, job.job_id, 10);
        let (events, next) = read(&first, cursor.as_deref(), 1, 1);
        let (more, next) = read(&second, Some(&next), 1, 1);
        all.extend(events);
        all.extend(more);
        cursor = Some(next);
    }
    let (in_one_go, end) = read(&Client::new(start().url()), None, 100, 0);
    drop(end);
    assert_eq!(all.len(), 6);
    assert!(in_one_go.is_empty() || in_one_go == all[..in_one_go.len()]);
}

fn a_page_after_the_latest_event_is_empty(server: TestServer) {
    let job = a_job().create(server.db());
    cursor_after(&server, job.job_id);
    let (events, cursor) = page(&server, Some("latest"), 10);
    assert_eq!(events, [Value::Null; 0]);
    report(&server, job.job_id, 10);
    let (events, _) = read(&server, Some(&cursor), 10, 1);
    assert_eq!(events[0]["seq"], json!(job.last_seq + 1));
}

fn pages_for_people_name_where_the_events_after_them_begin(server: TestServer) {
    let job = a_job().create(server.db());
    cursor_after(&server, job.job_id);
    for (per_mille, path) in [
        (100, "/".to_owned()),
        (200, format!("/jobs/{}", job.job_id)),
    ] {
        let request = server.request("GET", &path).header("Accept", "text/html");
        let html = request.send().expect(200);
        let (_, rest) = html.text().split_once("data-events-after=\"").unwrap();
        let (cursor, _) = rest.split_once('"').unwrap();
        report(&server, job.job_id, per_mille);
        let (events, _) = read(&server, Some(cursor), 10, 1);
        let progress = &events[0]["data"]["progress"]["percent"];
        assert_eq!(progress, &json!(per_mille / 10), "{events:?}");
    }
}

fn a_waiting_request_gets_the_next_event_of_any_server(server: TestServer) {
    let (_other, other) = another_server(&server);
    let job = a_job().create(server.db());
    for (per_mille, sender) in [(100, &*server), (200, &other)] {
        let cursor = cursor_after(&server, job.job_id);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait_for(&server, &cursor, 60));
            wait_until(|| watchers(&server) == 1);
            report(sender, job.job_id, per_mille);
            let answer = waiter.join().unwrap().expect(200);
            assert_eq!(answer.header("Preference-Applied"), Some("wait=60"));
            let (events, _) = events_and_cursor(&answer);
            assert_eq!(
                events[0]["data"]["progress"]["percent"],
                json!(per_mille / 10)
            );
        });
        wait_until(|| watchers(&server) == 0);
    }
}

fn a_waiting_request_times_out_with_its_cursor(server: TestServer) {
    let job = a_job().create(server.db());
    let cursor = cursor_after(&server, job.job_id);
    let answer = wait_for(&server, &cursor, 1).expect(200);
    assert_eq!(answer.header("Preference-Applied"), Some("wait=1"));
    assert_eq!(events_and_cursor(&answer), (vec![], cursor));
    let first = server.request("GET", EVENTS).header("Prefer", "wait=60");
    let (events, _) = events_and_cursor(&first.send().expect(200));
    assert_eq!(events.len(), 1, "events that are there are not waited for");
}

fn a_stream_sends_the_events_of_all_servers_and_resumes(server: TestServer) {
    let (_other, other) = another_server(&server);
    let jobs = [(); 2].map(|()| a_job().create(server.db()).job_id);
    let mut stream = Stream::open_at(&server, EVENTS, None).unwrap();
    let mut received = Vec::new();
    let mut id = None;
    let mut take = |stream: &mut Stream, count| {
        for _ in 0..count {
            let (next, event) = stream.next_with_id().expect("an event");
            id = Some(next);
            received.push(event);
        }
        id.clone().unwrap()
    };
    take(&mut stream, 2);
    report(&server, jobs[0], 10);
    report(&other, jobs[1], 10);
    let id = take(&mut stream, 2);
    drop(stream);
    report(&other, jobs[0], 20);
    finish(&server, jobs[1]);
    let mut resumed =
        Stream::open_at(&other, &format!("{EVENTS}?after=latest"), Some(&id)).unwrap();
    let rest = usize::try_from(
        jobs.map(|job| super::last_seq(&server, job))
            .iter()
            .sum::<i64>()
            - 4,
    );
    take(&mut resumed, rest.unwrap());
    let mut sorted = keys(&received);
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), received.len(), "each event once");
}

fn a_deleted_job_is_reported_as_deleted(server: TestServer) {
    let (_other, other) = another_server(&server);
    let job = a_job().create(server.db());
    let cursor = cursor_after(&server, job.job_id);
    let mut stream = Stream::open_at(&other, &format!("{EVENTS}?after={cursor}"), None).unwrap();
    report(&server, job.job_id, 10);
    let (_, progress) = stream.next_with_id().unwrap();
    assert_eq!(progress["type"], "progress");
    server.delete(&job_path(job.job_id, "")).expect(204);
    let (id, deleted) = stream.next_with_id().unwrap();
    assert_eq!(deleted["type"], "deleted");
    assert_eq!(deleted["data"], json!({ "job_id": job.job_id }));
    assert_eq!(deleted["seq"], json!(progress["seq"].as_i64().unwrap() + 1));
    let (events, next) = read(&server, Some(&cursor), 100, 1);
    assert_eq!((&*events, next), (&[deleted][..], id));
}

fn a_cursor_older_than_the_retention_has_expired(server: TestServer) {
    let (_, start) = page(&server, Some("latest"), 1);
    let job = a_job().create(server.db());
    report_and_finish(&server, &job, 1);
    let cursor = cursor_after(&server, job.job_id);
    server.db().clock().advance(TimeDelta::days(31));
    let pruned = server
        .db()
        .write(|tx| tx.job_events().prune(TimeDelta::days(30)));
    assert_ne!(pruned.unwrap(), 0);
    server
        .get(&path(Some(&start), 10))
        .problem(410, "cursor_expired");
    wait_for(&server, &start, 60).problem(410, "cursor_expired");
    for method in ["GET", "HEAD"] {
        let stream = server.request(method, EVENTS);
        let stream = stream.header("Accept", "text/event-stream");
        let refused = stream.header("Last-Event-ID", &start).send();
        assert_eq!(refused.status, 410, "{refused}");
    }
    assert_eq!(page(&server, Some(&cursor), 10), (vec![], cursor.clone()));
    assert_eq!(page(&server, None, 10), (vec![], cursor));
}

fn a_stopping_server_ends_streams_and_waits(db: TestDb) {
    let server = Server::start(ServerConfig::default(), db.clone()).unwrap();
    let client = Client::new(server.url());
    let job = a_job().create(&db);
    let cursor = cursor_after(&client, job.job_id);
    let mut stream = Stream::open_at(&client, EVENTS, Some(&cursor)).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| wait_for(&client, &cursor, 60));
        wait_until(|| watchers(&client) == 2);
        let stopping = scope.spawn(|| server.stop());
        assert_eq!(stream.next_with_id(), None);
        let answer = waiter.join().unwrap().expect(200);
        assert_eq!(events_and_cursor(&answer), (vec![], cursor.clone()));
        stopping.join().unwrap().unwrap();
    });
}

fn followers_over_the_limit_are_rejected(db: TestDb) {
    let live = LiveConfig {
        max_watchers: 1,
        ..LiveConfig::default()
    };
    let config = ServerConfig {
        live,
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let _stream = Stream::open_at(&server, EVENTS, None).unwrap();
    assert_eq!(Stream::open_at(&server, EVENTS, None).err(), Some(503));
    let waiting = server.request("GET", EVENTS).header("Prefer", "wait=9");
    waiting.send().problem(503, "overloaded");
    server.get(EVENTS).expect(200);
}

fn invalid_cursors_and_limits_are_rejected(server: TestServer) {
    let job = a_job().create(server.db());
    let cursor = cursor_after(&server, job.job_id);
    let changed = cursor.replace(&cursor[..4], "AAAA");
    let of_jobs = server.get("/api/v1/jobs?limit=1").json();
    for after in [
        "7",
        "LATEST",
        &changed,
        of_jobs["next_cursor"].as_str().unwrap_or("x"),
    ] {
        server
            .get(&path(Some(after), 10))
            .problem_with(400, "malformed_query", "after");
    }
    server
        .get(&path(None, 101))
        .problem_with(422, "validation_failed", "limit");
    // An event never has such an id.
    let ignored = server.request("GET", EVENTS).header("Last-Event-ID", "7");
    assert_eq!(events_and_cursor(&ignored.send().expect(200)).0.len(), 1);
}
