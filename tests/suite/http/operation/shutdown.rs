use std::io::{Read, Write};
use std::net::TcpStream;

use lectern_tests::{Lectern, TestDb, on_both_backends};

use crate::http::support::{JOBS, a_recording, in_flight, wait_until};

on_both_backends!(
    a_stopping_server_completes_running_requests,
    an_idle_server_stops_on_sigterm_and_sigint,
    stored_rows_survive_a_restart,
    an_endless_request_does_not_block_shutdown,
    a_second_signal_stops_a_server_at_once,
);

/// A POST that is sent up to the middle of its body.
struct PartialPost {
    socket: TcpStream,
    rest: String,
}

impl PartialPost {
    fn sent_to(server: &Lectern) -> Self {
        let mut socket =
            TcpStream::connect(server.base().strip_prefix("http://").unwrap()).unwrap();
        let mut body = a_recording().to_string();
        let rest = body.split_off(body.len() / 2);
        let length = body.len() + rest.len();
        let head = format!(
            "POST {JOBS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}"
        );
        socket
            .write_all(format!("{head}\r\n\r\n{body}").as_bytes())
            .unwrap();
        // This request and the one for the metrics.
        wait_until(|| in_flight(server) >= 2);
        Self { socket, rest }
    }

    /// Sends the rest; returns everything up to the end of the connection.
    fn finish(mut self) -> String {
        self.socket.write_all(self.rest.as_bytes()).unwrap();
        let mut response = String::new();
        self.socket.read_to_string(&mut response).unwrap();
        response
    }
}

/// Waits until the server reports that it stops.
fn wait_until_stopping(server: &Lectern) {
    wait_until(|| server.get("/readyz").status == 503);
    server.get("/readyz").problem(503, "overloaded");
}

fn a_stopping_server_completes_running_requests(db: TestDb) {
    let mut server = Lectern::serve(db.url());
    let partial = PartialPost::sent_to(&server);
    server.signal("TERM");
    wait_until_stopping(&server);
    let response = partial.finish();
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    assert!(
        response
            .to_lowercase()
            .contains("\r\nconnection: close\r\n"),
        "{response}"
    );
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(db.sql().count("jobs"), 1);
}

fn an_idle_server_stops_on_sigterm_and_sigint(db: TestDb) {
    for signal in ["TERM", "INT"] {
        let mut server = Lectern::serve(db.url());
        // The client keeps its connection open.
        server.get("/readyz").expect(200);
        server.signal(signal);
        let address = server.base().replace("http://", "");
        assert_eq!(server.wait().code(), Some(0), "{signal}");
        assert!(TcpStream::connect(address).is_err(), "{signal}");
    }
}

fn stored_rows_survive_a_restart(db: TestDb) {
    let mut server = Lectern::serve(db.url());
    let created = server.post(JOBS, &a_recording()).expect(201);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let server = Lectern::serve(db.url());
    assert_eq!(
        server
            .get(created.header("Location").unwrap())
            .expect(200)
            .json(),
        created.json()
    );
}

fn an_endless_request_does_not_block_shutdown(db: TestDb) {
    let mut server = Lectern::serve_with(db.url(), &[("LECTERN_SHUTDOWN_GRACE", "1")]);
    let _partial = PartialPost::sent_to(&server);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(db.sql().count("jobs"), 0);
}

fn a_second_signal_stops_a_server_at_once(db: TestDb) {
    let mut server = Lectern::serve(db.url());
    let _partial = PartialPost::sent_to(&server);
    server.signal("TERM");
    // A signal right after the first one is ignored as a duplicate.
    while !server.log().contains("exiting at once") {
        server.signal("TERM");
    }
    assert_eq!(server.wait().code(), Some(1));
}
