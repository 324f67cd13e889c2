//! Shorthands for the calls of a worker.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lectern_db::{Database, Error};
use lectern_domain::{
    Claim, ClaimLimit, ClaimRequest, Heartbeat, Job, JobId, JsonObject, LeaseDuration, LeaseId,
    LeaseState, LongText, NonNegativeInt, Percent, Pipelines, ProgressMessage, Stage, StageFailure,
    StageRun, StageRunStatus, Stages, WorkerName,
};
use lectern_tests::{Backend, TestDb};
use serde_json::{Value, json};

/// The duration of leases in these tests, in seconds.
pub(crate) const LEASE: i64 = 60;

/// A request for up to `max` runs of these stages.
pub(crate) fn a_request(stages: &[Stage], max: i64) -> ClaimRequest {
    ClaimRequest {
        worker: WorkerName::new("worker-1").unwrap(),
        stages: Stages::new(stages.to_vec()).unwrap(),
        max: ClaimLimit::new(max).unwrap(),
        lease: LeaseDuration::new(LEASE).unwrap(),
    }
}

/// Claims up to `max` runs of these stages.
pub(crate) fn claim(db: &Database, stages: &[Stage], max: i64) -> Vec<Claim> {
    let request = a_request(stages, max);
    db.write(|tx| tx.work().claim(&request)).unwrap()
}

/// The same, in a batch with concurrent claims.
pub(crate) fn claim_together(db: &Database, stages: &[Stage], max: i64) -> Vec<Claim> {
    db.claim(&a_request(stages, max)).unwrap()
}

/// Claims the first run of this stage; panics if there is none.
pub(crate) fn claim_one(db: &Database, stage: Stage) -> Claim {
    claim(db, &[stage], 1).pop().expect("a run to claim")
}

pub(crate) fn heartbeat(
    db: &Database,
    lease: LeaseId,
    beat: &Heartbeat,
) -> Result<LeaseState, Error> {
    db.write(|tx| tx.work().heartbeat(lease, beat))
}

pub(crate) fn complete(db: &Database, lease: LeaseId) -> Result<(Job, StageRun), Error> {
    db.write(|tx| tx.work().complete(lease))
}

/// Reports a transient failure.
pub(crate) fn fail(db: &Database, lease: LeaseId) -> Result<(Job, StageRun), Error> {
    db.write(|tx| tx.work().fail(lease, &a_failure(true)))
}

/// A failure with every field set.
pub(crate) fn a_failure(retryable: bool) -> StageFailure {
    StageFailure {
        error: LongText::new("disk full").unwrap(),
        details: Some(JsonObject::try_from(json!({ "free": 0 })).unwrap()),
        retryable,
        retry_after: None,
    }
}

pub(crate) fn percent(percent: f64) -> Percent {
    Percent::new(percent).unwrap()
}

/// A heartbeat with every field set.
pub(crate) fn a_heartbeat(done: f64) -> Heartbeat {
    Heartbeat {
        percent: Some(percent(done)),
        message: Some(ProgressMessage::new(format!("at {done}")).unwrap()),
        eta_seconds: Some(NonNegativeInt::new(90).unwrap()),
    }
}

/// Claims and completes these stages, one after the other.
pub(crate) fn complete_stages(db: &Database, stages: &[Stage]) {
    for stage in stages {
        complete(db, claim_one(db, *stage).lease_id).unwrap();
    }
}

pub(crate) fn cancel(db: &Database, job_id: JobId) -> Job {
    db.write(|tx| tx.jobs().cancel(job_id)).unwrap()
}

pub(crate) fn retry(db: &Database, job_id: JobId) -> Job {
    db.write(|tx| tx.jobs().retry(job_id)).unwrap()
}

/// The runs of a job, in the order of its pipeline.
pub(crate) fn runs(db: &Database, job_id: JobId) -> Vec<StageRun> {
    db.read(|conn| conn.stage_runs().for_job(job_id)).unwrap()
}

/// The run of this stage.
pub(crate) fn run(db: &Database, job_id: JobId, stage: Stage) -> StageRun {
    let mut of_job = runs(db, job_id).into_iter();
    of_job.find(|run| run.stage == stage).expect("a run")
}

/// The statuses of the runs of a job, in the order of its pipeline.
pub(crate) fn statuses(db: &Database, job_id: JobId) -> Vec<StageRunStatus> {
    runs(db, job_id).iter().map(|run| run.status).collect()
}

/// The stages of a job, in the order of its pipeline.
pub(crate) fn stages(db: &Database, job_id: JobId) -> Vec<Stage> {
    runs(db, job_id).iter().map(|run| run.stage).collect()
}

/// The same database with other pipelines.
pub(crate) fn with_pipelines(db: &Database, pipelines: Value) -> Database {
    let pipelines = Pipelines::from_json(pipelines).unwrap();
    db.clone().with_pipelines(Arc::new(pipelines))
}

/// The same database with a pipeline of transcription only.
pub(crate) fn with_one_stage(db: &Database) -> Database {
    with_pipelines(db, json!({ "default": [{ "stage": "transcription" }] }))
}

/// Runs `call` on this many threads at once, each with its number; returns their
/// results in order.
pub(crate) fn concurrently<T: Send>(threads: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(threads);
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|i| {
                let (start, call) = (&start, &call);
                scope.spawn(move || {
                    start.wait();
                    call(i)
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .collect()
    })
}

/// Waits until the condition holds; panics after a minute.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "the condition does not become true"
        );
        thread::yield_now();
    }
}

/// Waits until a transaction waits for a lock. Returns at once on SQLite, where
/// one connection does all writes.
pub(crate) fn wait_until_blocked(db: &TestDb) {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    if db.backend() == Backend::Postgres {
        let mut sql = db.sql();
        wait_until(|| sql.value(WAITING) != "0");
    }
}
