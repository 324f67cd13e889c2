//! A worker with a remote storage, from which recordings are copied.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::blocking_storage::tests::bucket;

/// Reads a request, and answers with an object of `size` bytes that starts with
/// `content`.
fn serve_object(mut connection: TcpStream, size: u64, content: &str) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: \"1\"\r\n\
         Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(content.as_bytes()).unwrap();
}

/// A job whose recording is in an S3 bucket at the address of `listener`.
fn fixture(listener: &TcpListener) -> Fixture {
    Fixture {
        storage: bucket(listener),
        ..super::fixture()
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn a_recording_larger_than_the_scratch_limit_is_not_copied() {
    let listener = listener();
    let fixture = fixture(&listener);
    let handler = TestHandler {
        stage: Stage::SilenceDetection,
        recordings: Some(Recordings::default()),
        fails: false,
    };
    let worker = fixture.worker(vec![Box::new(handler)], 1);
    let claim = fixture.claim();
    thread::scope(|scope| {
        scope.spawn(|| serve_object(listener.accept().unwrap().0, 1 << 40, "moov"));
        let result = worker.run_claim(&claim);
        assert!(
            matches!(result, Err(Failure::Permanent { .. })),
            "{result:?}"
        );
    });
}

/// Asks for the recording, and fails at the first attempt.
struct FailsOnce(AtomicUsize);

impl StageHandler for FailsOnce {
    fn stage(&self) -> Stage {
        Stage::SilenceDetection
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        assert_eq!(std::fs::read(context.recording()?)?, b"moov");
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(Failure::transient("the service does not answer"));
        }
        Ok(empty_output())
    }
}

#[test]
fn a_retry_after_a_transient_failure_uses_the_same_copy() {
    let listener = listener();
    let fixture = fixture(&listener);
    let handlers = Stage::WORK.iter().map(|stage| -> Box<dyn StageHandler> {
        if *stage == Stage::SilenceDetection {
            return Box::new(FailsOnce(AtomicUsize::new(0)));
        }
        TestHandler::idle(*stage)
    });
    thread::scope(|scope| {
        // Serves the object once, then closes the listener.
        scope.spawn(move || serve_object(listener.accept().unwrap().0, 4, "moov"));
        assert_eq!(fixture.run_job(handlers.collect()), JobStatus::Completed);
    });
}
