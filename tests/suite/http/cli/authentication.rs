//! When `lectern serve` asks for keys, and when it does not start.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use lectern_tests::{Client, TestDb, on_both_backends};

use super::{CommandOutput, Shell};
use crate::http::support::JOBS;

on_both_backends!(
    a_loopback_address_asks_for_nothing,
    another_address_needs_a_key_or_a_decision,
    keys_can_be_asked_for_on_a_loopback_address,
);

/// A server that was started with these arguments, on all addresses or one, and its log until
/// it listened.
struct Serving {
    child: Child,
    log: String,
    client: Client,
    _shell: Shell,
}

impl Serving {
    fn start(db: &TestDb, arguments: &[&str]) -> Self {
        let shell = Shell::new();
        let mut child = shell
            .command(&[&["serve", "--with-worker=false"], arguments].concat())
            .env("DATABASE_URL", db.url())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let url = loop {
            let line = stderr.next().expect(&log).unwrap();
            log.push_str(&line);
            log.push('\n');
            if let Some((_, url)) = line.split_once("listens on ") {
                break url.split(' ').next().unwrap().to_owned();
            }
        };
        // The rest of the log is read, too, so that the server can write it.
        std::thread::spawn(move || stderr.for_each(drop));
        let port = url.rsplit(':').next().unwrap();
        Self {
            child,
            log,
            client: Client::new(format!("http://127.0.0.1:{port}")),
            _shell: shell,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(db: &TestDb, arguments: &[&str]) -> CommandOutput {
    Shell::new().run_on(db.url(), arguments)
}

fn new_key(db: &TestDb, arguments: &[&str]) -> String {
    let output = run(db, &[&["keys", "new", "--role=viewer"], arguments].concat());
    output.lines()[0].to_owned()
}

fn a_loopback_address_asks_for_nothing(db: TestDb) {
    // Not even if there are keys.
    new_key(&db, &[]);
    for bind in ["127.0.0.1:0", "localhost:0", "0"] {
        let server = Serving::start(&db, &["--bind", bind]);
        server.client.get(JOBS).expect(200);
        server.client.get("/metrics").expect(200);
        assert!(!server.log.contains(" WARN "), "{}", server.log);
    }
    // A proxy may let others reach it.
    let server = Serving::start(&db, &["--bind=0", "--public-url=https://lectern.example"]);
    assert!(server.log.contains("--auth keys"), "{}", server.log);
}

fn another_address_needs_a_key_or_a_decision(db: TestDb) {
    let refused = || {
        for bind in ["0.0.0.0:0", ":0", "[::]:0"] {
            let output = run(&db, &["serve", "--log=error", "--bind", bind]);
            let error = output.error_line();
            assert!(error.contains("lectern keys new --role admin"), "{error}");
            assert!(error.contains("--auth off"), "{error}");
        }
    };
    refused();
    let server = Serving::start(&db, &["--bind=:0", "--auth=off"]);
    server.client.get(JOBS).expect(200);
    assert!(
        server.log.contains("callers need no keys"),
        "{}",
        server.log
    );
    drop(server);

    let key = new_key(&db, &[]);
    let server = Serving::start(&db, &["--bind=:0"]);
    server
        .client
        .get(JOBS)
        .problem(401, "authentication_required");
    server
        .client
        .get("/metrics")
        .problem(401, "authentication_required");
    for open in ["/healthz", "/readyz", "/openapi.json", "/docs"] {
        server.client.get(open).expect(200);
    }
    let request = server.client.request("GET", JOBS);
    request.header("X-API-Key", &key).send().expect(200);
    drop(server);

    // Keys that are not accepted any more do not count.
    let keys = run(&db, &["keys", "list"]);
    let id = keys.lines()[1].split(' ').next().unwrap().to_owned();
    run(&db, &["keys", "revoke", &id]).lines();
    refused();
}

fn keys_can_be_asked_for_on_a_loopback_address(db: TestDb) {
    let server = Serving::start(&db, &["--bind=0", "--auth=keys"]);
    assert!(
        server.log.contains("no key is accepted yet"),
        "{}",
        server.log
    );
    server
        .client
        .get(JOBS)
        .problem(401, "authentication_required");
    let key = new_key(&db, &[]);
    let request = server.client.request("GET", JOBS);
    request.header("X-API-Key", &key).send().expect(200);
}
