//! An endpoint and services that answer in every way.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::*;

/// What is asked of services here.
const QUESTION: &str = "anyone there?";

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

/// Takes a request for each of the answers, and gives it; an empty one is the end
/// of the connection.
fn answer(listener: &TcpListener, answers: &[&str]) {
    for answer in answers {
        let mut connection = listener.accept().unwrap().0;
        let mut asked = Vec::new();
        while !asked.ends_with(QUESTION.as_bytes()) {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            asked.extend(byte);
        }
        connection.write_all(answer.as_bytes()).unwrap();
    }
}

fn ask(endpoint: &Endpoint, cancel: &CancellationToken) -> Result<String, Failure> {
    let body = endpoint.ask(cancel, |request| request.send(QUESTION))?;
    Ok(String::from_utf8(body).unwrap())
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
const BUSY: &str =
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nwait";

#[test]
fn whoever_cancels_does_not_wait_for_an_answer() {
    let (listener, cancel) = (listener(), CancellationToken::new());
    let endpoint = endpoint(&listener);
    thread::scope(|scope| {
        let silent = scope.spawn(|| {
            let connection = listener.accept().unwrap();
            cancel.cancel();
            connection
        });
        let asked = ask(&endpoint, &cancel);
        assert!(matches!(asked, Err(Failure::Cancelled)), "{asked:?}");
        drop(silent.join().unwrap());
    });
}

#[test]
fn whoever_cancels_does_not_wait_for_another_try() {
    let (listener, cancel) = (listener(), CancellationToken::new());
    let endpoint = endpoint(&listener);
    thread::scope(|scope| {
        scope.spawn(|| {
            answer(&listener, &[&BUSY.replace(": 0", ": 100")]);
            cancel.cancel();
        });
        let asked = ask(&endpoint, &cancel);
        assert!(matches!(asked, Err(Failure::Cancelled)), "{asked:?}");
    });
}

#[test]
fn trouble_that_passes_is_waited_for() {
    let listener = listener();
    let endpoint = endpoint(&listener);
    thread::scope(|scope| {
        scope.spawn(|| answer(&listener, &["", BUSY, GOOD]));
        assert_eq!(ask(&endpoint, &CancellationToken::new()).unwrap(), "yes");
    });
}

#[test]
fn trouble_that_does_not_pass_ends_in_a_failure_that_may() {
    for answers in [vec![BUSY; 3], vec![&BUSY.replace(": 0", ": 3600")]] {
        let listener = listener();
        let endpoint = endpoint(&listener);
        thread::scope(|scope| {
            scope.spawn(|| answer(&listener, &answers));
            let asked = ask(&endpoint, &CancellationToken::new());
            assert!(matches!(asked, Err(Failure::Transient { .. })), "{asked:?}");
        });
    }
}

#[test]
fn no_secret_is_told_with_a_refusal() {
    let listener = listener();
    let mut endpoint = endpoint(&listener);
    let place = endpoint.url.clone();
    endpoint.url = place.replace("//", "//nobody:password@") + "?api-key=mellon";
    let echo = format!("sesame, password, mellon at {}: who is it?", endpoint.url);
    let length = echo.len();
    let refusal = format!("HTTP/1.1 401 Unauthorized\r\nContent-Length: {length}\r\n\r\n{echo}");
    thread::scope(|scope| {
        scope.spawn(|| answer(&listener, &[&refusal]));
        let asked = ask(&endpoint, &CancellationToken::new());
        let Err(Failure::Permanent { message, details }) = asked else {
            panic!("{asked:?}")
        };
        assert_eq!(message, format!("{place} answered 401 Unauthorized"));
        assert_eq!(details["body"], format!("…, …, … at {place}: who is it?"));
    });
}

#[test]
fn no_secret_is_told_of_an_address_that_is_none() {
    for url in [
        "ftp://nobody:password@host/?key=mellon",
        "nobody:password@host?key=mellon",
    ] {
        let endpoint = Endpoint {
            url: url.to_owned(),
            model: "small".to_owned(),
            key: None,
        };
        let asked = ask(&endpoint, &CancellationToken::new());
        let told = format!("{asked:?} {endpoint:?}");
        assert!(matches!(asked, Err(Failure::Transient { .. })), "{told}");
        assert!(
            !told.contains("password") && !told.contains("mellon"),
            "{told}"
        );
    }
}
