//! Workers that are killed, and workers that are suspended past their lease.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use lectern_domain::JobId;
use lectern_domain::Stage::{self, Transcription};
use lectern_tests::{Client, Lectern, TestDb, on_both_backends};
use serde_json::json;

use crate::http::support::job_path;
use crate::http::support::worker::{Claimed, claim, claims, create_job, request_claim};

on_both_backends!(
    a_stage_of_a_killed_worker_is_claimed_again_and_completes_once,
    writes_of_a_worker_suspended_past_its_lease_are_rejected,
);

/// Claims a stage, sends a heartbeat, prints the claim and waits for SIGCONT.
/// Then it makes every call a worker can make under a lease and prints the
/// results.
const WORKER: &str = r#"
import json, signal, sys, urllib.error, urllib.request
api, job, stage = sys.argv[1:]
# Blocked first, so that a signal that arrives early is kept for sigwait.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})
def call(method, path, body, lease=None):
    headers = {"Content-Type": "application/json", **({"Lease-Id": lease} if lease else {})}
    request = urllib.request.Request(api + path, json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
_, answer = call("POST", "/work/claim", {"worker": "killed", "stages": [stage], "lease_seconds": 10})
lease = answer["claims"][0]["lease_id"]
status, _ = call("POST", f"/work/{lease}/heartbeat", {"percent": 10})
print("beat", status, flush=True)
signal.sigwait({signal.SIGCONT})
segments = {"segments": [{"start_time": 0, "end_time": 1, "text": "too late"}]}
late = [
    call("POST", f"/work/{lease}/heartbeat", {"percent": 20}),
    call("PUT", f"/jobs/{job}/transcripts", segments, lease),
    call("POST", f"/jobs/{job}/transcripts", segments, lease),
    call("POST", f"/jobs/{job}/progress", {"stage": stage, "percent": 99}, lease),
    call("POST", f"/work/{lease}/complete", {}),
    call("POST", f"/work/{lease}/fail", {"error": "too late"}),
    call("POST", f"/work/{lease}/heartbeat", {"percent": 99}),
]
print(*(answer["code"] for _, answer in late), flush=True)
"#;

/// A worker process.
struct Worker {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(client: &Client, job_id: JobId, stage: Stage) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", WORKER, &format!("{}/api/v1", client.base())])
            .args([job_id.to_string(), stage.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn read_line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A job and a worker that has claimed one of its stages and waits for SIGCONT.
fn a_waiting_worker(client: &Client) -> (JobId, Worker) {
    let job_id = create_job(client, json!({}));
    let mut worker = Worker::start(client, job_id, Transcription);
    assert_eq!(worker.read_line(), "beat 200");
    (job_id, worker)
}

/// Waits until the stage is claimable again, and claims it.
fn claim_again(client: &Client, job_id: JobId) -> Claimed {
    let more = json!({ "lease_seconds": 600, "wait_seconds": 60 });
    let claimed = claims(request_claim(client, &[Transcription], more)).remove(0);
    assert_eq!((claimed.job_id, claimed.attempt), (job_id, 2));
    claimed
}

/// Completes the remaining stages of a job, first the claimed one.
fn finish(client: &Client, job_id: JobId, first: Claimed) {
    let mut claimed = Some(first);
    while let Some(stage) = claimed.take() {
        stage.store(client);
        stage.send(client, "complete", &json!({})).expect(200);
        claimed = claim(client, Stage::WORK);
    }
    assert_eq!(
        client.get(&job_path(job_id, "")).expect(200).json()["status"],
        "completed"
    );
    let page = client
        .get(&job_path(job_id, "/events?after=0"))
        .expect(200)
        .json();
    let events = page["events"].as_array().unwrap();
    let completed = events.iter().filter(|event| event["type"] == "complete");
    assert_eq!(completed.count(), 1);
    assert_eq!(events.last().unwrap()["type"], "complete");
}

fn a_stage_of_a_killed_worker_is_claimed_again_and_completes_once(db: TestDb) {
    let lectern = Lectern::serve(db.url());
    let (job_id, worker) = a_waiting_worker(&lectern);
    worker.signal("KILL");
    let claimed = claim_again(&lectern, job_id);
    let entries = lectern
        .get(&job_path(job_id, "/logs?stage=transcription"))
        .expect(200)
        .json();
    let entries: Vec<_> = entries["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["status"])
        .collect();
    assert_eq!(entries, ["started", "failed", "started"]);
    finish(&lectern, job_id, claimed);
}

fn writes_of_a_worker_suspended_past_its_lease_are_rejected(db: TestDb) {
    let lectern = Lectern::serve(db.url());
    let (job_id, mut worker) = a_waiting_worker(&lectern);
    worker.signal("STOP");
    let claimed = claim_again(&lectern, job_id);
    let before = lectern.get(&job_path(job_id, "/stages")).expect(200).json();
    worker.signal("CONT");
    assert_eq!(worker.read_line(), ["lease_lost"; 7].join(" "));
    let after = lectern.get(&job_path(job_id, "/stages")).expect(200).json();
    assert_eq!(before, after);
    let transcript = lectern
        .get(&job_path(job_id, "/transcripts"))
        .expect(200)
        .json();
    assert_eq!(transcript["total"], 0);
    finish(&lectern, job_id, claimed);
}
