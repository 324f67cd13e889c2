//! Live events when a server stops and during a database outage.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use lectern_db::Database;
use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, Cluster, Lectern, Sql, TestDb, a_job, on_both_backends};
use serde_json::json;

use super::channel::{Channel, Stream, connect, handshake, read_close_code, with_after};
use super::{finish, last_seq, metric, report, seqs, watchers};
use crate::http::support::{JOBS, in_flight, job_path, wait_until};

on_both_backends!(
    a_stopping_server_closes_subscriptions_first,
    a_stopping_server_accepts_no_subscriptions,
    a_signal_ends_a_server_with_subscribers_and_the_log_lists_them,
);

fn a_stopping_server_closes_subscriptions_first(db: TestDb) {
    let job = a_job().create(&db);
    let config = ServerConfig {
        shutdown_grace: Duration::from_mins(10),
        ..ServerConfig::default()
    };
    let server = Server::start(config, db.clone()).unwrap();
    let client = Client::new(server.url());
    let mut socket = connect(&client, job.job_id, None);
    let mut stream = Channel::Stream.follow(&client, job.job_id, None);
    let page = with_after(&job_path(job.job_id, "/events"), Some(job.last_seq));
    thread::scope(|scope| {
        let page = scope.spawn(|| {
            client
                .request("GET", &page)
                .header("Prefer", "wait=60")
                .send()
        });
        wait_until(|| watchers(&client) == 3);
        let started = Instant::now();
        let stopping = scope.spawn(|| server.stop());
        assert_eq!(read_close_code(&mut socket), 1001);
        assert_eq!(stream.rest().len(), 1);
        assert_eq!(page.join().unwrap().expect(200).json()["events"], json!([]));
        stopping.join().unwrap().unwrap();
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "{:?}",
            started.elapsed()
        );
    });
}

fn a_stopping_server_accepts_no_subscriptions(db: TestDb) {
    let job = a_job().create(&db);
    let server = Server::start(ServerConfig::default(), db.clone()).unwrap();
    let client = Client::new(server.url());
    let host = client.base().trim_start_matches("http://");
    let mut partial = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST {JOBS} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{"
    );
    partial.write_all(head.as_bytes()).unwrap();
    wait_until(|| in_flight(&client) >= 2);
    thread::scope(|scope| {
        let stopping = scope.spawn(|| server.stop());
        wait_until(|| client.get("/readyz").status == 503);
        assert_eq!(
            handshake(&client, &format!("/ws/jobs/{}", job.job_id), &[]).err(),
            Some(503)
        );
        assert_eq!(Stream::open(&client, job.job_id, None).err(), Some(503));
        partial.write_all(b"}").unwrap();
        stopping.join().unwrap().unwrap();
    });
}

fn a_signal_ends_a_server_with_subscribers_and_the_log_lists_them(db: TestDb) {
    let job = a_job().create(&db);
    let mut program = Lectern::serve_with(
        db.url(),
        &[
            ("LECTERN_SHUTDOWN_GRACE", "600"),
            ("LECTERN_MAX_WATCHERS", "2"),
        ],
    );
    let mut socket = connect(&program, job.job_id, None);
    let mut stream = Channel::Stream.follow(&program, job.job_id, None);
    stream.take(1);
    assert_eq!(Stream::open(&program, job.job_id, None).err(), Some(503));
    let handshakes = r#"http_requests_total{method="GET",route="/ws/jobs/{job_id}",status="101"}"#;
    assert_eq!(
        metric(&program, handshakes),
        1,
        "subscribers are counted at once"
    );
    assert_eq!(in_flight(&program), 1, "and are not requests in flight");
    program.signal("TERM");
    assert_eq!(read_close_code(&mut socket), 1001);
    assert_eq!(stream.next(), None);
    assert_eq!(program.wait().code(), Some(0));
    let log = program.log();
    let is_logged = |path: &str, status: &str| {
        log.lines()
            .any(|line| line.contains(path) && line.contains(status) && line.contains("answered"))
    };
    assert!(
        is_logged(&format!("/ws/jobs/{}", job.job_id), "101"),
        "{log}"
    );
    assert!(is_logged(&job_path(job.job_id, "/events"), "200"), "{log}");
}

#[test]
fn subscriptions_survive_a_database_outage() {
    let mut cluster = Cluster::start();
    let db = Database::open(cluster.url()).unwrap();
    db.migrate().unwrap();
    let job = a_job().create(&db);
    let servers = [(); 2].map(|()| Server::start(ServerConfig::default(), db.clone()).unwrap());
    let clients = servers.each_ref().map(|server| Client::new(server.url()));
    let mut subscriptions: Vec<_> = clients
        .iter()
        .flat_map(|client| Channel::BOTH.map(|channel| channel.follow(client, job.job_id, Some(0))))
        .collect();
    report(&clients[0], job.job_id, 1);
    let before = last_seq(&clients[0], job.job_id);
    let received = subscriptions.iter_mut().map(|subscription| {
        let received = subscription.take(usize::try_from(before).unwrap());
        seqs(&received)
    });
    assert!(
        received
            .into_iter()
            .all(|seqs| seqs.into_iter().eq(1..=before))
    );

    // The cluster runs without durability; the checkpoint keeps the rows across
    // the stop.
    Sql::connect(cluster.url()).batch("CHECKPOINT").unwrap();
    cluster.stop();
    for client in &clients {
        client.get("/readyz").problem(503, "database_unavailable");
    }
    cluster.start_again();
    for client in &clients {
        wait_until(|| client.get("/readyz").status == 200);
        assert_eq!(watchers(client), 2);
    }
    report(&clients[1], job.job_id, 2);
    finish(&clients[0], job.job_id);
    let last = last_seq(&clients[0], job.job_id);
    for subscription in &mut subscriptions {
        assert!(seqs(&subscription.rest()).into_iter().eq(before + 1..=last));
    }
}
