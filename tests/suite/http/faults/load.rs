//! Clients that send requests while the server or its database is killed, and
//! record which writes were acknowledged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use lectern_db::Database;
use lectern_domain::{JobId, JobStatus, StageRunStatus};
use lectern_tests::Client;
use serde_json::{Value, json};
use ureq::http::Request;

use crate::http::support::worker::CLAIM;
use crate::http::support::{JOBS, a_recording};

/// Acknowledged writes.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    pub(crate) created: Vec<JobId>,
    pub(crate) completed: Vec<(JobId, String)>,
}

/// Clients that create jobs and complete stages.
#[derive(Debug, Default)]
pub(crate) struct Load {
    acknowledged: Mutex<Acknowledged>,
    /// Responses other than success and 503.
    unexpected: Mutex<Vec<String>>,
    /// The number of acknowledged writes.
    count: Mutex<usize>,
    count_changed: Condvar,
    ended: AtomicBool,
}

impl Load {
    /// Creates a job, claims a stage and completes it, repeatedly, until
    /// [`Load::end`]. After a request without a response the outcome is unknown
    /// and the client continues with another.
    pub(crate) fn run_against(&self, client: impl Fn() -> Client) {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        while !self.ended.load(Ordering::SeqCst) {
            let client = &client();
            let Some(job) = self.call(&agent, client, JOBS, &a_recording()) else {
                continue;
            };
            self.record(|acknowledged| acknowledged.created.push(id(&job["job_id"])));
            let request = json!({ "worker": "load", "stages": ["transcription", "layout_analysis"], "lease_seconds": 600 });
            let Some(response) = self.call(&agent, client, CLAIM, &request) else {
                continue;
            };
            for claim in response["claims"].as_array().unwrap() {
                let complete = format!(
                    "/api/v1/work/{}/complete",
                    claim["lease_id"].as_str().unwrap()
                );
                if self.call(&agent, client, &complete, &json!({})).is_some() {
                    let stage = claim["stage"].as_str().unwrap().to_owned();
                    let job_id = id(&claim["job"]["job_id"]);
                    self.record(|acknowledged| acknowledged.completed.push((job_id, stage)));
                }
            }
        }
    }

    fn call(
        &self,
        agent: &ureq::Agent,
        client: &Client,
        path: &str,
        body: &Value,
    ) -> Option<Value> {
        let request = Request::post(format!("{}{path}", client.base()))
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .unwrap();
        let mut response = agent.run(request).ok()?;
        let text = response.body_mut().read_to_string().ok()?;
        match response.status().as_u16() {
            200 | 201 => Some(serde_json::from_str(&text).unwrap()),
            503 => None,
            status => {
                self.unexpected
                    .lock()
                    .unwrap()
                    .push(format!("{path}: {status} {text}"));
                None
            }
        }
    }

    fn record(&self, record: impl FnOnce(&mut Acknowledged)) {
        record(&mut self.acknowledged.lock().unwrap());
        *self.count.lock().unwrap() += 1;
        self.count_changed.notify_all();
    }

    /// Waits until `n` more writes are acknowledged.
    pub(crate) fn wait_for(&self, n: usize) {
        let count = self.count.lock().unwrap();
        let target = *count + n;
        drop(
            self.count_changed
                .wait_while(count, |count| *count < target)
                .unwrap(),
        );
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Checks that all acknowledged writes are stored and no job is
    /// inconsistent.
    pub(crate) fn check(self, database: &Database) {
        assert_eq!(self.unexpected.into_inner().unwrap(), Vec::<String>::new());
        let acknowledged = self.acknowledged.into_inner().unwrap();
        assert!(!acknowledged.completed.is_empty());
        for job_id in &acknowledged.created {
            assert_consistent(database, *job_id);
        }
        for (job_id, stage) in &acknowledged.completed {
            let runs = database
                .read(|conn| conn.stage_runs().for_job(*job_id))
                .unwrap();
            let run = runs.iter().find(|run| run.stage.as_str() == stage).unwrap();
            assert_eq!(run.status, StageRunStatus::Completed, "{stage} of {job_id}");
        }
    }
}

/// Checks that a job is consistent with its runs and events.
fn assert_consistent(database: &Database, job_id: JobId) {
    let (job, runs, events) = database
        .read(|conn| {
            Ok::<_, lectern_db::Error>((
                conn.jobs().find(job_id)?,
                conn.stage_runs().for_job(job_id)?,
                conn.job_events().after(job_id, 0, 1_000)?,
            ))
        })
        .unwrap();
    let job = job.unwrap_or_else(|| panic!("{job_id} was created and is missing"));
    assert!(
        events.iter().map(|event| event.seq).eq(1..=job.last_seq),
        "{job_id}"
    );
    assert_eq!(runs.len(), 6, "{job_id}");
    let is_started = runs.iter().any(|run| run.attempt > 0);
    let status = if is_started {
        JobStatus::Running
    } else {
        JobStatus::Queued
    };
    assert_eq!(job.status, status, "{job_id}");
    let done: f64 = runs.iter().map(|run| run.progress.percent.get()).sum();
    let reported = job.progress.map_or(0.0, |progress| progress.percent.get());
    // The mean is rounded to hundredths.
    assert!((reported - done / 6.0).abs() < 0.005 + 1e-9, "{job_id}");
}

fn id(value: &Value) -> JobId {
    value.as_str().unwrap().parse().unwrap()
}
