//! The worker process of a server: it is killed, or its server is.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use lectern_domain::{JobId, StageRunStatus};
use lectern_tests::{Lectern, TestDb, on_both_backends};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::support::recordings::{UPLOAD, confirm, send};
use crate::http::support::{job_path, wait_until};

on_both_backends!(
    a_server_outlives_its_worker_and_the_job_completes,
    a_worker_ends_with_its_killed_server_and_returns_its_stages,
    a_worker_ends_when_its_server_stops,
);

/// Counts its calls, and never ends before the call given as its argument.
const TRANSCRIBER: &str = r#"
cd "$(dirname "$0")"
echo >> calls
[ "$(wc -l < calls)" -ge "$1" ] || exec sleep 600
printf '1\n00:00:00,000 --> 00:00:01,000\nWelcome back.\n'
"#;

/// A server with a worker process and one stage, a transcription that blocks.
struct Served {
    lectern: Lectern,
    job_id: JobId,
    dir: TempDir,
}

impl Served {
    /// Transcriptions before the given one never end. A lease lasts for `lease` seconds.
    fn start(db: &TestDb, transcription_that_ends: u32, lease: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path.into_os_string().into_string().unwrap()
        };
        let transcriber = file("transcriber", TRANSCRIBER);
        let pipelines = json!({ "default": [{ "stage": "transcription" }] }).to_string();
        let lectern = Lectern::serve_with(
            db.url(),
            &[
                ("LECTERN_WITH_WORKER", "true"),
                ("LECTERN_LEASE", &lease.to_string()),
                ("LECTERN_PIPELINES", &file("pipelines.json", &pipelines)),
                (
                    "LECTERN_TRANSCRIBE_COMMAND",
                    &format!("sh {transcriber} {transcription_that_ends} {{audio}}"),
                ),
            ],
        );
        let job_id = upload_a_second_of_silence(&lectern);
        Self {
            lectern,
            job_id,
            dir,
        }
    }

    fn calls(&self) -> usize {
        let calls = fs::read_to_string(self.dir.path().join("calls"));
        calls.map_or(0, |calls| calls.lines().count())
    }

    /// The ids of all worker processes so far.
    fn workers(&self) -> Vec<String> {
        let log = self.lectern.log();
        let ids = log.split("the worker is process ").skip(1);
        ids.map(|rest| rest.lines().next().unwrap().to_owned())
            .collect()
    }

    fn stage(&self, db: &TestDb) -> StageRunStatus {
        let runs = db.read(|conn| conn.stage_runs().for_job(self.job_id));
        runs.unwrap()[0].status
    }
}

/// A job whose recording is a second of silence as 8-bit WAV.
fn upload_a_second_of_silence(lectern: &Lectern) -> JobId {
    let mut wav = b"RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    wav.extend(b"\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x40\x1f\0\0");
    wav.resize(wav.len() + 8_000, 0x80);
    let announcement = json!({
        "filename": "talk.wav", "file_size": wav.len(), "content_type": "audio/wav",
        "processing_config": { "processing_mode": "audio" },
    });
    let announced: Value = lectern.post(UPLOAD, &announcement).expect(201).json();
    let url = announced["upload_url"].as_str().unwrap();
    let path = url.strip_prefix(lectern.base()).unwrap();
    send(lectern, path, &wav).expect(200);
    let job_id = announced["job_id"].as_str().unwrap().parse().unwrap();
    confirm(lectern, job_id).expect(200);
    job_id
}

fn kill(signal: &str, process: &str) {
    let sent = Command::new("kill").args(["-s", signal, process]).status();
    assert!(sent.unwrap().success());
}

fn a_server_outlives_its_worker_and_the_job_completes(db: TestDb) {
    let served = Served::start(&db, 3, 3);
    let client = &served.lectern;
    for (attempt, signal) in [(1, "KILL"), (2, "ABRT")] {
        wait_until(|| served.calls() == attempt);
        let worker = served.workers().pop().unwrap();
        if cfg!(target_os = "linux") {
            let command = fs::read(PathBuf::from(format!("/proc/{worker}/cmdline"))).unwrap();
            assert_eq!(command, b"lectern\0work\0--stop-with-stdin\0", "no secrets");
        }
        kill(signal, &worker);
        client.get("/healthz").expect(200);
    }
    let job = job_path(served.job_id, "");
    let job = || client.get(&job).expect(200).json();
    wait_until(|| !["queued", "running"].contains(&job()["status"].as_str().unwrap()));
    assert_eq!(job()["status"], "completed", "{}", client.log());
    let entries = client
        .get(&job_path(served.job_id, "/logs"))
        .expect(200)
        .json();
    let statuses: Vec<_> = entries["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["status"].as_str().unwrap())
        .collect();
    let expected = [
        "started",
        "failed",
        "started",
        "failed",
        "started",
        "completed",
    ];
    assert_eq!(statuses, expected);
    assert_eq!(served.workers().len(), 3, "{}", client.log());
}

fn a_worker_ends_with_its_killed_server_and_returns_its_stages(db: TestDb) {
    let mut served = Served::start(&db, 2, 3600);
    wait_until(|| served.calls() == 1);
    assert_eq!(served.stage(&db), StageRunStatus::Running);
    served.lectern.signal("KILL");
    // Until the log is complete: the worker writes to it as well.
    served.lectern.wait();
    assert_eq!(served.stage(&db), StageRunStatus::Ready);
}

fn a_worker_ends_when_its_server_stops(db: TestDb) {
    let mut served = Served::start(&db, 2, 3600);
    wait_until(|| served.calls() == 1);
    served.lectern.signal("TERM");
    let status = served.lectern.wait();
    assert!(status.success(), "{status}: {}", served.lectern.log());
    assert_eq!(served.stage(&db), StageRunStatus::Ready);
    assert_eq!(served.workers().len(), 1, "{}", served.lectern.log());
}

#[test]
fn a_database_in_memory_is_worked_on_in_the_server() {
    let mut lectern = Lectern::serve_with("sqlite::memory:", &[("LECTERN_WITH_WORKER", "true")]);
    wait_until(|| lectern.log().contains(" runs silence_detection, "));
    lectern.signal("TERM");
    assert!(lectern.wait().success());
    assert!(!lectern.log().contains("the worker is process"));
}
