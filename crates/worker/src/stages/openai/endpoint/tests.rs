//! An endpoint, and servers with different responses.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::*;

/// The body of every request.
const REQUEST_BODY: &str = "anyone there?";

fn endpoint(listener: &TcpListener) -> Endpoint {
    let address = listener.local_addr().unwrap();
    Endpoint {
        url: format!("http://{address}/v1/chat"),
        model: "small".to_owned(),
        key: Some("sesame".to_owned()),
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Answers one request with each of the responses. An empty response only closes the
/// connection.
fn serve(listener: &TcpListener, responses: &[&str]) {
    for response in responses {
        let mut connection = listener.accept().unwrap().0;
        let mut request = Vec::new();
        while !request.ends_with(REQUEST_BODY.as_bytes()) {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        connection.write_all(response.as_bytes()).unwrap();
    }
}

fn request(endpoint: &Endpoint, token: &CancellationToken) -> Result<String, Failure> {
    let body = endpoint.request(token, |builder| builder.send(REQUEST_BODY))?;
    Ok(String::from_utf8(body).unwrap())
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
const BUSY: &str =
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nwait";

#[test]
fn cancellation_does_not_wait_for_a_response() {
    let (listener, token) = (listener(), CancellationToken::new());
    let endpoint = endpoint(&listener);
    thread::scope(|scope| {
        let silent_server = scope.spawn(|| {
            let connection = listener.accept().unwrap();
            token.cancel();
            connection
        });
        let result = request(&endpoint, &token);
        assert!(matches!(result, Err(Failure::Cancelled)), "{result:?}");
        drop(silent_server.join().unwrap());
    });
}

#[test]
fn cancellation_does_not_wait_for_a_retry() {
    let (listener, token) = (listener(), CancellationToken::new());
    let endpoint = endpoint(&listener);
    thread::scope(|scope| {
        scope.spawn(|| {
            serve(&listener, &[&BUSY.replace(": 0", ": 100")]);
            token.cancel();
        });
        let result = request(&endpoint, &token);
        assert!(matches!(result, Err(Failure::Cancelled)), "{result:?}");
    });
}

#[test]
fn transient_failures_are_retried() {
    let listener = listener();
    let endpoint = endpoint(&listener);
    thread::scope(|scope| {
        scope.spawn(|| serve(&listener, &["", BUSY, OK]));
        let result = request(&endpoint, &CancellationToken::new());
        assert_eq!(result.unwrap(), "yes");
    });
}

#[test]
fn too_many_or_too_long_retries_are_a_transient_failure() {
    for responses in [vec![BUSY; 3], vec![&BUSY.replace(": 0", ": 3600")]] {
        let listener = listener();
        let endpoint = endpoint(&listener);
        thread::scope(|scope| {
            scope.spawn(|| serve(&listener, &responses));
            let result = request(&endpoint, &CancellationToken::new());
            assert!(
                matches!(result, Err(Failure::Transient { .. })),
                "{result:?}"
            );
        });
    }
}

#[test]
fn secrets_in_an_error_response_are_redacted() {
    let listener = listener();
    let mut endpoint = endpoint(&listener);
    let public_url = endpoint.url.clone();
    endpoint.url = public_url.replace("//", "//nobody:password@") + "?api-key=mellon";
    let echo = format!("sesame, password, mellon at {}: who is it?", endpoint.url);
    let length = echo.len();
    let response = format!("HTTP/1.1 401 Unauthorized\r\nContent-Length: {length}\r\n\r\n{echo}");
    thread::scope(|scope| {
        scope.spawn(|| serve(&listener, &[&response]));
        let result = request(&endpoint, &CancellationToken::new());
        let Err(Failure::Permanent { message, details }) = result else {
            panic!("{result:?}")
        };
        assert_eq!(message, format!("{public_url} answered 401 Unauthorized"));
        assert_eq!(
            details["body"],
            format!("…, …, … at {public_url}: who is it?")
        );
    });
}

#[test]
fn secrets_in_an_invalid_url_are_redacted() {
    for url in [
        "ftp://nobody:password@host/?key=mellon",
        "nobody:password@host?key=mellon",
    ] {
        let endpoint = Endpoint {
            url: url.to_owned(),
            model: "small".to_owned(),
            key: None,
        };
        let result = request(&endpoint, &CancellationToken::new());
        let text = format!("{result:?} {endpoint:?}");
        assert!(matches!(result, Err(Failure::Transient { .. })), "{text}");
        assert!(
            !text.contains("password") && !text.contains("mellon"),
            "{text}"
        );
    }
}
