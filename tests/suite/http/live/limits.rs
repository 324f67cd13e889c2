//! Slow subscribers and the limit of subscriptions.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use lectern_domain::JobId;
use lectern_server::{LiveConfig, Server, ServerConfig};
use lectern_tests::{Client, TestDb, TestServer, a_job, on_both_backends};
use serde_json::json;

use super::channel::{Channel, Stream, TIMEOUT, connect, handshake, read_close_code};
use super::{finish, last_seq, metric, report, seqs, watchers};
use crate::http::support::{job_path, wait_until};

on_both_backends!(
    a_subscriber_that_does_not_read_is_disconnected,
    a_slow_subscriber_is_disconnected_and_can_reconnect,
    a_stalled_subscriber_misses_no_event,
    a_subscriber_that_answers_no_ping_is_disconnected,
    an_idle_stream_sends_comments,
    subscriptions_over_the_limit_are_rejected,
    one_poll_serves_all_subscribers_and_none_runs_without_them,
);

fn serve(db: TestDb, live: LiveConfig) -> TestServer {
    TestServer::serve(
        db,
        ServerConfig {
            live,
            database_timeout: Duration::from_mins(1),
            ..ServerConfig::default()
        },
    )
}

/// Opens a connection, subscribes to a job and never reads.
fn connect_without_reading(client: &Client, job_id: JobId, channel: Channel) -> TcpStream {
    let host = client.base().trim_start_matches("http://");
    let mut socket = TcpStream::connect(host).unwrap();
    let (path, headers) = match channel {
        Channel::Stream => (job_path(job_id, "/events"), "Accept: text/event-stream\r\n"),
        Channel::Socket => (
            format!("/ws/jobs/{job_id}"),
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
        ),
    };
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// Reports progress with a long message, to fill buffers.
fn report_long_message(client: &Client, job_id: JobId) {
    let message = "\u{1d11e}".repeat(500);
    let report = json!({ "stage": "transcription", "percent": 50, "message": message });
    client
        .post(&job_path(job_id, "/progress"), &report)
        .expect(200);
}

fn a_subscriber_that_does_not_read_is_disconnected(db: TestDb) {
    let server = serve(
        db,
        LiveConfig {
            tcp_send_timeout: Duration::from_secs(1),
            ..LiveConfig::default()
        },
    );
    for channel in Channel::BOTH {
        let job = a_job().create(server.db());
        let mut socket = connect_without_reading(&server, job.job_id, channel);
        let mut reader = channel.follow(&server, job.job_id, Some(job.last_seq));
        wait_until(|| watchers(&server) == 2);
        while watchers(&server) == 2 {
            report_long_message(&server, job.job_id);
            reader.next().unwrap();
        }
        // The server has closed the connection: writes fail after the data in
        // transit.
        socket.write_all(&[0]).unwrap();
        let mut bytes = Vec::new();
        let ended = socket.read_to_end(&mut bytes);
        assert!(ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
        assert!(bytes.len() < 1 << 20, "{} bytes were buffered", bytes.len());

        finish(&server, job.job_id);
        let received = reader.rest();
        assert_eq!(seqs(&received).last(), Some(&last_seq(&server, job.job_id)));
        wait_until(|| watchers(&server) == 0);
    }
}

fn a_slow_subscriber_is_disconnected_and_can_reconnect(db: TestDb) {
    let server = serve(
        db,
        LiveConfig {
            send_timeout: Duration::from_millis(20),
            tcp_send_timeout: Duration::from_mins(10),
            ..LiveConfig::default()
        },
    );
    let other = Server::start(ServerConfig::default(), (**server.db()).clone()).unwrap();
    for (count, channel) in (1..).zip(Channel::BOTH) {
        let job = a_job().create(server.db());
        let mut slow = channel.follow(&server, job.job_id, Some(0));
        while metric(&server, "lectern_watchers_dropped_total") < count {
            report_long_message(&server, job.job_id);
        }
        assert_eq!(watchers(&server), 1, "the connection is still open");
        finish(&server, job.job_id);
        let mut received = Vec::new();
        let code = loop {
            match slow.next_or_code() {
                Ok(message) => received.extend(seqs(&[message])),
                Err(code) => break code,
            }
        };
        assert_eq!(
            code,
            match channel {
                Channel::Socket => Some(1013),
                Channel::Stream => None,
            }
        );
        let rest = channel
            .follow(
                &Client::new(other.url()),
                job.job_id,
                received.last().copied(),
            )
            .rest();
        assert!(!rest.is_empty());
        received.extend(seqs(&rest));
        assert_eq!(
            received,
            (1..=last_seq(&server, job.job_id)).collect::<Vec<_>>()
        );
        wait_until(|| watchers(&server) == 0);
    }
}

fn a_stalled_subscriber_misses_no_event(db: TestDb) {
    let no_timeout = Duration::from_mins(10);
    let server = serve(
        db,
        LiveConfig {
            send_timeout: no_timeout,
            tcp_send_timeout: no_timeout,
            ..LiveConfig::default()
        },
    );
    for channel in Channel::BOTH {
        let job = a_job().create(server.db());
        let mut watcher = channel.follow(&server, job.job_id, Some(job.last_seq));
        let before = metric(&server, "lectern_events_delivered_total");
        // More than fits into all buffers.
        for _ in 0..600 {
            report_long_message(&server, job.job_id);
        }
        finish(&server, job.job_id);
        let last = last_seq(&server, job.job_id);
        let stored = u64::try_from(last - job.last_seq).unwrap();
        assert!(
            metric(&server, "lectern_events_delivered_total") - before < stored,
            "the subscriber is behind"
        );
        assert_eq!(
            seqs(&watcher.rest()),
            (job.last_seq + 1..=last).collect::<Vec<_>>()
        );
    }
    assert_eq!(metric(&server, "lectern_watchers_dropped_total"), 0);
}

fn a_subscriber_that_answers_no_ping_is_disconnected(db: TestDb) {
    let live = LiveConfig {
        ping_interval: Duration::from_millis(200),
        receive_timeout: Duration::from_secs(5),
        ..LiveConfig::default()
    };
    let server = serve(db, live);
    let job = a_job().create(server.db());
    let mut silent = connect(&server, job.job_id, None);
    let mut alive = Channel::Socket.follow(&server, job.job_id, None);
    alive.take(1);
    thread::scope(|scope| {
        let rest = scope.spawn(|| alive.rest());
        wait_until(|| metric(&server, "lectern_watchers_dropped_total") == 1);
        complete_queued(&server, job.job_id);
        assert!(!rest.join().unwrap().is_empty());
    });
    assert_eq!(read_close_code(&mut silent), 1008);
    assert_eq!(metric(&server, "lectern_watchers_dropped_total"), 1);
}

fn an_idle_stream_sends_comments(db: TestDb) {
    let server = serve(
        db,
        LiveConfig {
            comment_interval: Duration::from_millis(20),
            ..LiveConfig::default()
        },
    );
    let job = a_job().create(server.db());
    let mut stream = Stream::open(&server, job.job_id, Some(job.last_seq)).unwrap();
    for _ in 0..3 {
        assert_eq!(stream.line().as_deref(), Some(":"));
    }
}

fn subscriptions_over_the_limit_are_rejected(db: TestDb) {
    let server = serve(
        db,
        LiveConfig {
            max_watchers: 2,
            ..LiveConfig::default()
        },
    );
    let job = a_job().create(server.db());
    let first = Channel::Socket.follow(&server, job.job_id, None);
    let _second = Channel::Stream.follow(&server, job.job_id, None);
    assert_eq!(
        handshake(&server, &format!("/ws/jobs/{}", job.job_id), &[]).err(),
        Some(503)
    );
    let events = job_path(job.job_id, "/events");
    server
        .request("GET", &events)
        .header("Accept", "text/event-stream")
        .send()
        .problem(503, "overloaded");
    server
        .request("GET", &events)
        .header("Prefer", "wait=9")
        .send()
        .problem(503, "overloaded");
    server.get(&events).expect(200);
    drop(first);
    wait_until(|| watchers(&server) == 1);
    let mut third = Channel::Socket.follow(&server, job.job_id, None);
    third.take(1);
}

fn one_poll_serves_all_subscribers_and_none_runs_without_them(db: TestDb) {
    let statements = db.record_statements();
    let server = serve(db, LiveConfig::default());
    let jobs: Vec<_> = (0..5).map(|_| a_job().create(server.db())).collect();
    // A statement the server sends every second measures the time.
    let wait_seconds = |n: usize| {
        let before = statements.count("lease_expires_at");
        wait_until(|| statements.count("lease_expires_at") >= before + n);
    };
    wait_seconds(2);
    assert_eq!(statements.count("AS seen"), 0);

    let started = Instant::now();
    let subscriptions: Vec<_> = jobs
        .iter()
        .cycle()
        .take(20)
        .zip(Channel::BOTH.into_iter().cycle())
        .map(|(job, channel)| channel.follow(&server, job.job_id, None))
        .collect();
    wait_until(|| statements.count("AS seen") >= 5);
    let (polls, max_polls) = (
        statements.count("AS seen"),
        started.elapsed().as_millis() / 200 + 2,
    );
    assert!(
        polls as u128 <= max_polls,
        "{polls} polls, at most {max_polls} in that time"
    );

    drop(subscriptions);
    wait_until(|| watchers(&server) == 0);
    // One statement may be in progress.
    let max_polls = statements.count("AS seen") + 1;
    wait_seconds(2);
    assert!(statements.count("AS seen") <= max_polls);
}

/// Completes a queued job.
fn complete_queued(client: &Client, job_id: JobId) {
    report(client, job_id, 1);
    finish(client, job_id);
}
