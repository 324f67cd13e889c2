//! Clients that work while the server or its database is killed, and record the
//! acknowledged writes.

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
    pub(crate) made: Vec<JobId>,
    pub(crate) completed: Vec<(JobId, String)>,
}

/// Clients that create jobs and complete stages.
#[derive(Debug, Default)]
pub(crate) struct Load {
    acknowledged: Mutex<Acknowledged>,
    /// Responses other than success and 503.
    unexpected: Mutex<Vec<String>>,
    count: Mutex<usize>,
    counted: Condvar,
    over: AtomicBool,
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
        while !self.over.load(Ordering::SeqCst) {
            let client = &client();
            let Some(job) = self.call(&agent, client, JOBS, &a_recording()) else {
                continue;
            };
            self.note(|acknowledged| acknowledged.made.push(id(&job["job_id"])));
            let ask = json!({ "worker": "load", "stages": ["transcription", "layout_analysis"], "lease_seconds": 600 });
            let Some(answer) = self.call(&agent, client, CLAIM, &ask) else {
                continue;
            };
            for claim in answer["claims"].as_array().unwrap() {
                let complete = format!(
                    "/api/v1/work/{}/complete",
                    claim["lease_id"].as_str().unwrap()
                );
                if self.call(&agent, client, &complete, &json!({})).is_some() {
                    let stage = claim["stage"].as_str().unwrap().to_owned();
                    let job_id = id(&claim["job"]["job_id"]);
                    self.note(|acknowledged| acknowledged.completed.push((job_id, stage)));
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
        let mut answer = agent.run(request).ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        match answer.status().as_u16() {
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

    fn note(&self, note: impl FnOnce(&mut Acknowledged)) {
        note(&mut self.acknowledged.lock().unwrap());
        *self.count.lock().unwrap() += 1;
        self.counted.notify_all();
    }

    /// Waits until `n` more writes are acknowledged.
    pub(crate) fn wait_for(&self, n: usize) {
        let count = self.count.lock().unwrap();
        let until = *count + n;
        drop(
            self.counted
                .wait_while(count, |count| *count < until)
                .unwrap(),
        );
    }

    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Checks that all acknowledged writes are stored and no job is
    /// inconsistent.
    pub(crate) fn check(self, database: &Database) {
        assert_eq!(self.unexpected.into_inner().unwrap(), Vec::<String>::new());
        let acknowledged = self.acknowledged.into_inner().unwrap();
        assert!(!acknowledged.completed.is_empty());
        for job_id in &acknowledged.made {
            whole(database, *job_id);
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

/// Checks that a job agrees with its runs and events.
fn whole(database: &Database, job_id: JobId) {
    let (job, runs, events) = database
        .read(|conn| {
            Ok::<_, lectern_db::Error>((
                conn.jobs().find(job_id)?,
                conn.stage_runs().for_job(job_id)?,
                conn.job_events().after(job_id, 0, 1_000)?,
            ))
        })
        .unwrap();
    let job = job.unwrap_or_else(|| panic!("{job_id} was made and is not there"));
    assert!(
        events.iter().map(|event| event.seq).eq(1..=job.last_seq),
        "{job_id}"
    );
    assert_eq!(runs.len(), 6, "{job_id}");
    let begun = runs.iter().any(|run| run.attempt > 0);
    let status = if begun {
        JobStatus::Running
    } else {
        JobStatus::Queued
    };
    assert_eq!(job.status, status, "{job_id}");
    let done: f64 = runs.iter().map(|run| run.progress.percent.get()).sum();
    let responded = job.progress.map_or(0.0, |progress| progress.percent.get());
    assert!((responded - done / 6.0).abs() < 1e-9, "{job_id}");
}

fn id(value: &Value) -> JobId {
    value.as_str().unwrap().parse().unwrap()
}
