//! A worker whose storage is far away: recordings are fetched.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::blocking_storage::tests::bucket;

/// Takes a request, and answers it with an object of this size that begins like
/// this.
fn answer(mut connection: TcpStream, size: u64, content: &str) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        asked.extend(byte);
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: \"1\"\r\n\
         Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(content.as_bytes()).unwrap();
}

/// A job whose recording is in a bucket for which the listener answers.
fn bench(listener: &TcpListener) -> Bench {
    Bench {
        store: bucket(listener),
        ..Bench::new()
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn a_recording_there_can_never_be_room_for_is_not_fetched() {
    let listener = listener();
    let bench = bench(&listener);
    let worker = bench.worker(vec![Box::new(Asks {
        stage: Stage::SilenceDetection,
        given: Some(Arc::default()),
        fails: false,
    })]);
    let claim = bench.claim();
    thread::scope(|scope| {
        scope.spawn(|| answer(listener.accept().unwrap().0, 1 << 40, "moov"));
        let done = worker.work_on(&claim);
        assert!(matches!(done, Err(Failure::Permanent { .. })), "{done:?}");
    });
}

/// Asks for the recording, and fails the first time.
struct FailsOnce(AtomicUsize);

impl StageHandler for FailsOnce {
    fn stage(&self) -> Stage {
        Stage::SilenceDetection
    }

    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
        assert_eq!(std::fs::read(task.recording()?)?, b"moov");
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(Failure::transient("the service does not answer"));
        }
        Ok(StageOutput::new(|_, _| Ok(())))
    }
}

#[test]
fn a_failure_that_passes_does_not_cost_another_copy() {
    let listener = listener();
    let bench = bench(&listener);
    let works = Stage::WORK.iter().map(|stage| -> Box<dyn StageHandler> {
        if *stage == Stage::SilenceDetection {
            return Box::new(FailsOnce(AtomicUsize::new(0)));
        }
        Box::new(Asks {
            stage: *stage,
            given: None,
            fails: false,
        })
    });
    thread::scope(|scope| {
        // Once, and then there is nobody any more.
        scope.spawn(move || answer(listener.accept().unwrap().0, 4, "moov"));
        assert_eq!(bench.finish(works.collect()), JobStatus::Completed);
    });
}
