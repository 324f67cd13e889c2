//! The WebSocket protocol.

use lectern_server::ServerConfig;
use lectern_tests::{TestDb, TestServer, a_job, on_both_backends};
use serde_json::{Value, json};
use tungstenite::Message;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::channel::{connect, handshake, read, read_close_code};
use super::{report, watchers};
use crate::http::support::{UNKNOWN_ID, wait_until};

on_both_backends!(
    json_and_protocol_pings_are_answered,
    unknown_messages_are_ignored,
    a_protocol_violation_closes_the_connection,
    a_disconnecting_client_is_unsubscribed,
    a_request_without_a_handshake_is_rejected,
    other_origins_may_subscribe_only_when_allowed,
);

fn json_and_protocol_pings_are_answered(server: TestServer) {
    let job = a_job().create(server.db());
    let mut socket = connect(&server, job.job_id, Some(job.last_seq));
    for ping in [r#"{"type":"ping"}"#, r#" { "n": 7, "type": "ping" } "#] {
        socket.send(Message::text(ping)).unwrap();
        assert_eq!(read(&mut socket), Message::text(r#"{"type":"pong"}"#));
    }
    socket.send(Message::Ping("are you there?".into())).unwrap();
    assert_eq!(
        socket.read().unwrap(),
        Message::Pong("are you there?".into())
    );
}

fn unknown_messages_are_ignored(server: TestServer) {
    let job = a_job().create(server.db());
    let mut socket = connect(&server, job.job_id, Some(job.last_seq));
    for text in [r#"{"type":"subscribe"}"#, "{}", "[]", "null", "7"] {
        socket.send(Message::text(text)).unwrap();
    }
    socket.send(Message::Pong("unsolicited".into())).unwrap();
    report(&server, job.job_id, 500);
    let message: Value = serde_json::from_str(read(&mut socket).to_text().unwrap()).unwrap();
    assert_eq!(message["seq"], json!(job.last_seq + 1), "{message}");
}

fn a_protocol_violation_closes_the_connection(server: TestServer) {
    let job = a_job().create(server.db());
    let fragment = Frame::message(r#"{"type":"#, OpCode::Data(Data::Text), false);
    let mut reserved_bit = Frame::message("{}", OpCode::Data(Data::Text), true);
    reserved_bit.header_mut().rsv1 = true;
    let violations = [
        Message::text("ping"),
        Message::text(""),
        Message::text(format!(r#"{{"type":"{}"}}"#, "x".repeat(2_000))),
        Message::binary(r#"{"type":"ping"}"#),
        Message::Frame(fragment),
        Message::Frame(reserved_bit),
        Message::Frame(Frame::message(
            vec![0xff, 0xfe],
            OpCode::Data(Data::Text),
            true,
        )),
    ];
    for frame in violations {
        let mut socket = connect(&server, job.job_id, None);
        let name = frame.to_string();
        socket.send(frame).unwrap();
        assert_eq!(read_close_code(&mut socket), 1008, "{name}");
    }
}

fn a_disconnecting_client_is_unsubscribed(server: TestServer) {
    let job = a_job().create(server.db());
    let mut socket = connect(&server, job.job_id, None);
    socket.close(None).unwrap();
    read_close_code(&mut socket);
    wait_until(|| watchers(&server) == 0);
    drop(connect(&server, job.job_id, None));
    wait_until(|| watchers(&server) == 0);
}

fn a_request_without_a_handshake_is_rejected(server: TestServer) {
    let job = a_job().create(server.db());
    let path = format!("/ws/jobs/{}", job.job_id);
    for method in ["GET", "HEAD"] {
        let response = server.request(method, &path).send();
        assert_eq!(
            response.header("Sec-WebSocket-Version"),
            Some("13"),
            "{response}"
        );
        assert_eq!(response.status, 404);
    }
    server.get(&path).problem(404, "not_found");
    let old = server
        .request("GET", &path)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "8");
    old.send().problem(404, "not_found");
    server
        .post(&path, &json!({}))
        .problem(405, "method_not_allowed");
    server.get("/ws/jobs/7").expect(404);
    for path in [format!("/ws/jobs/{UNKNOWN_ID}"), "/ws/jobs/7".to_owned()] {
        assert_eq!(handshake(&server, &path, &[]).err(), Some(404), "{path}");
    }
    assert_eq!(
        handshake(&server, &format!("{path}?after=-1"), &[]).err(),
        Some(422)
    );
    assert_eq!(
        handshake(&server, &format!("{path}?after=x"), &[]).err(),
        Some(400)
    );
}

fn other_origins_may_subscribe_only_when_allowed(db: TestDb) {
    let job = a_job().create(&db);
    let path = format!("/ws/jobs/{}", job.job_id);
    let config = ServerConfig {
        cors_origins: vec!["https://example.org".to_owned()],
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let status = |origin: &str| handshake(&server, &path, &[("Origin", origin)]).err();
    assert_eq!(status("https://example.org"), None);
    assert_eq!(status(server.base()), None, "its own pages");
    for origin in ["https://example.com", "http://example.org", "null"] {
        assert_eq!(status(origin), Some(403), "{origin}");
    }
}
