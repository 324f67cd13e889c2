//! `docs/worker.py`, the worker to copy, when it is stopped.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use lectern_domain::Role;
use lectern_domain::Stage::Transcription;
use lectern_tests::{TestDb, TestServer, a_job, on_both_backends};
use serde_json::json;

use crate::http::support::api_key::{Key, serve_with_keys};
use crate::http::support::worker::{claim, create_job, status};
use crate::http::support::{in_flight, wait_until};

on_both_backends!(
    a_stopped_worker_gives_its_stage_back,
    a_worker_completes_a_stage_that_ends_before_its_grace,
    a_worker_that_is_stopped_while_it_waits_takes_no_work,
    a_worker_sends_its_key,
);

/// Its main program with a stage that reports that it has started, and ends when it may.
const STAGE: &str = "
import select, sys
import worker

@worker.stage('transcription')
def transcription(work):
    print('started', flush=True)
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        work.check()

worker.main()
";

/// A process of the worker, killed on drop.
struct ExampleWorker(Child);

impl ExampleWorker {
    fn start(server: &TestServer, grace_seconds: &str) -> Self {
        Self::start_with_key(server, grace_seconds, "")
    }

    fn start_with_key(server: &TestServer, grace_seconds: &str, key: &str) -> Self {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
        let child = Command::new("python3")
            .args(["-c", STAGE, server.base(), "--stages", "transcription"])
            .args(["--grace", grace_seconds])
            .env("PYTHONPATH", docs)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("LECTERN_API_KEY", key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3");
        Self(child)
    }

    /// Waits until it works on a stage.
    fn wait_for_start(&mut self) {
        let mut line = String::new();
        let output = self.0.stdout.as_mut().expect("a pipe");
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "started\n");
    }

    fn stop(&self) {
        let sent = Command::new("kill")
            .args(["-s", "TERM", &self.0.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    fn wait_for_end(mut self) {
        // `wait` would close it, which ends the stage.
        let _stdin = self.0.stdin.take();
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for ExampleWorker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn a_stopped_worker_gives_its_stage_back(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    // More deploys than a stage has attempts.
    for _ in 0..4 {
        let mut worker = ExampleWorker::start(&server, "0");
        worker.wait_for_start();
        worker.stop();
        worker.wait_for_end();
        assert_eq!(status(&server, job_id, Transcription), "ready");
    }
    assert_eq!(claim(&server, &[Transcription]).unwrap().attempt, 1);
}

fn a_worker_completes_a_stage_that_ends_before_its_grace(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let mut worker = ExampleWorker::start(&server, "600");
    worker.wait_for_start();
    worker.stop();
    worker.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    worker.wait_for_end();
    assert_eq!(status(&server, job_id, Transcription), "completed");
}

fn a_worker_that_is_stopped_while_it_waits_takes_no_work(server: TestServer) {
    let worker = ExampleWorker::start(&server, "600");
    // Its claim and the request for the metrics.
    wait_until(|| in_flight(&server) == 2);
    worker.stop();
    let job_id = create_job(&server, json!({}));
    worker.wait_for_end();
    assert_eq!(status(&server, job_id, Transcription), "ready");
    assert_eq!(claim(&server, &[Transcription]).unwrap().attempt, 1);
}

fn a_worker_sends_its_key(db: TestDb) {
    let key = Key::create(&db, Role::Worker);
    let job_id = a_job().create(&db).job_id;
    let server = serve_with_keys(db);
    let mut worker = ExampleWorker::start_with_key(&server, "600", &key.text);
    worker.wait_for_start();
    worker.stop();
    worker.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    worker.wait_for_end();
    let path = format!("/api/v1/jobs/{job_id}/stages");
    let stages = key.request(&server, "GET", &path).send().expect(200).json();
    let stages = stages["stages"].as_array().unwrap();
    let transcription = stages.iter().find(|run| run["stage"] == "transcription");
    assert_eq!(transcription.unwrap()["status"], "completed");
}
