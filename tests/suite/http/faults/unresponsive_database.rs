//! A database that neither answers nor closes its connections.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lectern_db::{Backend, Database, DatabaseConfig, Timeouts};
use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, Cluster, Fixture, Lectern, TestDb, TestServer, a_job};
use serde_json::json;

use crate::http::support::{JOBS, a_recording, concurrently, job_path, wait_until};

/// How long a request may wait for the database in these tests.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

/// Upper bound of the time until every request has an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// A server of this database that gives it up soon.
fn serve(url: &str) -> (Server, Client) {
    let timeouts = Timeouts {
        lock: DATABASE_TIMEOUT / 2,
        ..Timeouts::default()
    };
    let config = DatabaseConfig {
        timeouts,
        ..DatabaseConfig::new(url).unwrap()
    };
    let database = Database::connect(&config).unwrap();
    database.migrate().unwrap();
    let config = ServerConfig {
        database_timeout: DATABASE_TIMEOUT,
        ..ServerConfig::default()
    };
    let server = Server::start(config, database).unwrap();
    let client = Client::new(server.url());
    (server, client)
}

/// Checks that reads, writes and the readiness check fail in time.
fn assert_unavailable_in_time(client: &Client) {
    let job = job_path(lectern_domain::JobId::new(&lectern_domain::SystemClock), "");
    concurrently(40, |i| {
        let started = Instant::now();
        let response = match i % 4 {
            0 => client.get(&job),
            1 => client.post(JOBS, &a_recording()),
            2 => client.post(
                "/api/v1/work/claim",
                &json!({"worker": "w", "stages": ["transcription"]}),
            ),
            _ => client.get("/readyz"),
        };
        assert_eq!(response.status, 503, "{response}");
        let code = response.json()["code"].as_str().unwrap().to_owned();
        response.problem(503, &code);
        let elapsed = started.elapsed();
        assert!(elapsed < ANSWER_TIMEOUT, "{elapsed:?}: {response}");
    });
}

#[test]
fn requests_to_a_frozen_database_fail_in_time_and_succeed_after_it() {
    let cluster = Cluster::start();
    let (_server, client) = serve(cluster.url());
    let job = client.post(JOBS, &a_recording()).expect(201).json();
    let path = format!("{JOBS}/{}", job["job_id"].as_str().unwrap());
    concurrently(20, |_| client.get(&path).expect(200));
    let frozen = cluster.freeze();
    // With connections from before, and with none.
    assert_unavailable_in_time(&client);
    assert_unavailable_in_time(&client);
    client.get("/healthz").expect(200);
    drop(frozen);
    wait_until(|| client.get("/readyz").status == 200);
    wait_until(|| client.get(&path).status == 200);
    concurrently(40, |_| client.post(JOBS, &a_recording()).expect(201));
}

#[test]
fn a_server_stops_within_its_grace_although_its_database_is_frozen() {
    let cluster = Cluster::start();
    let mut server = Lectern::serve_with(
        cluster.url(),
        &[
            ("LECTERN_SHUTDOWN_GRACE", "2"),
            ("LECTERN_DATABASE_TIMEOUT", "60"),
        ],
    );
    server.post(JOBS, &a_recording()).expect(201);
    let _frozen = cluster.freeze();
    let client = server.with_timeout(Duration::from_mins(1));
    thread::scope(|scope| {
        // It waits for the database until the process ends.
        let request = scope
            .spawn(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| client.get(JOBS))));
        wait_until(|| in_flight_connections(&server) > 0);
        let started = Instant::now();
        server.signal("TERM");
        server.wait();
        assert!(started.elapsed() < Duration::from_secs(10));
        let _ = request.join();
    });
}

/// The number of requests that the server has received and not answered.
fn in_flight_connections(server: &Client) -> u32 {
    crate::http::support::in_flight(server)
}

/// Passes connections on to a PostgreSQL server, until it forgets those that are
/// open: it keeps them and passes nothing on any more.
struct Proxy {
    address: SocketAddr,
    /// Connections that were accepted before the last time they were forgotten are
    /// of a lower generation.
    generation: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let generation = Arc::new(AtomicUsize::new(0));
        let current = Arc::clone(&generation);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                let own = current.load(Ordering::SeqCst);
                let (from_client, from_server) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                for (from, to) in [(from_client, server), (from_server, client)] {
                    let current = Arc::clone(&current);
                    thread::spawn(move || {
                        let _ = pass_on(from, to, || current.load(Ordering::SeqCst) == own);
                    });
                }
            }
        });
        Self {
            address,
            generation,
        }
    }

    fn forget_connections(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

/// Copies bytes while `is_remembered`, then reads without passing them on, so that
/// the sender notices nothing.
fn pass_on(
    mut from: TcpStream,
    mut to: TcpStream,
    is_remembered: impl Fn() -> bool,
) -> io::Result<()> {
    let mut buffer = [0; 8192];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return to.shutdown(std::net::Shutdown::Write);
        }
        if is_remembered() {
            to.write_all(&buffer[..n])?;
        }
    }
}

#[test]
fn connections_that_a_firewall_forgot_are_replaced() {
    let test = TestDb::on(Backend::Postgres);
    let (_, server) = test.url().rsplit_once('@').unwrap();
    let (server, _) = server.split_once('/').unwrap();
    let proxy = Proxy::start(server.parse().unwrap());
    let proxied = test.url().replace(server, &proxy.address.to_string());
    let (_server, client) = serve(&proxied);
    let path = job_path(a_job().create(&test).job_id, "");
    for _ in 0..3 {
        concurrently(20, |_| client.get(&path).expect(200));
        proxy.forget_connections();
        let started = Instant::now();
        let first = client.get(&path);
        assert!(started.elapsed() < ANSWER_TIMEOUT, "{first}");
        // Those that were called meanwhile may fail; all later ones succeed.
        wait_until(|| client.get(&path).status == 200);
        concurrently(20, |_| client.get(&path).expect(200));
    }
}

#[test]
fn changes_of_a_locked_job_do_not_keep_others_from_the_database() {
    let test = TestDb::on(Backend::Postgres);
    let (_server, client) = serve(test.url());
    let locked = a_job().create(&test).job_id;
    let mut other = test.sql();
    other
        .batch(&format!(
            "BEGIN; SELECT 1 FROM jobs WHERE job_id = '{locked}' FOR UPDATE"
        ))
        .unwrap();
    let change = || {
        client.patch(
            &job_path(locked, ""),
            &json!({"extra_metadata": {"changed": true}}),
        )
    };
    thread::scope(|scope| {
        let changes: Vec<_> = (0..40).map(|_| scope.spawn(change)).collect();
        wait_until(|| changes.iter().any(thread::ScopedJoinHandle::is_finished));
        client.get("/readyz").expect(200);
        client.post(JOBS, &a_recording()).expect(201);
        for change in changes {
            let response = change.join().unwrap();
            assert_eq!(response.status, 503, "{response}");
        }
    });
    other.batch("ROLLBACK").unwrap();
    change().expect(200);
}

#[test]
fn a_standby_is_not_ready() {
    let server = TestServer::on(Backend::Postgres);
    server.get("/readyz").expect(200);
    server
        .db()
        .sql()
        .batch(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',
                 current_database()); END $$",
        )
        .unwrap();
    server.db().sql().terminate_other_connections();
    wait_until(|| server.get("/readyz").status == 503);
    let response = server.get("/readyz");
    response.problem(503, "database_unavailable");
    assert!(response.text().contains("accepts no writes"), "{response}");
    server
        .post(JOBS, &a_recording())
        .problem(503, "database_unavailable");
}
