//! Workers that claim stages, send a heartbeat and complete them.

use anyhow::{Context as _, Result};

use super::observe::observe;
use super::requests::JOB;
use crate::arguments::{Plan, Workload};
use crate::load::{Connection, find, request};
use crate::report::{Key, Results};
use crate::stack::{Database, Server};

/// More runs than any system completes in a second.
const RUNS_PER_SECOND: u64 = 8_000;

const CLAIM: &[u8] = br#"{"worker": "bench", "stages": ["transcription"], "lease_seconds": 60}"#;
const HEARTBEAT: &[u8] = br#"{"percent": 50, "message": "minute 21 of 52"}"#;

/// Numbers of workers.
pub(crate) fn workers(plan: &Plan) -> &'static [usize] {
    plan.size(&[1, 16, 64], &[4])
}

/// Runs that have to be ready before a measurement.
pub(crate) fn ready_runs_for(workload: Workload, plan: &Plan) -> u64 {
    let seconds = (plan.measured + plan.warm_up).as_secs() + 1;
    // The workers of a queue take jobs that others have created.
    let created = workload == Workload::Queue || plan.smoke;
    if created {
        1_000
    } else {
        seconds * RUNS_PER_SECOND
    }
}

/// Measures `claim`, from a full queue, and `queue`, where each worker also creates a job.
pub(crate) async fn claims(
    server: &Server,
    database: &Database<'_>,
    plan: &Plan,
    results: &mut Results,
) -> Result<()> {
    for workload in [Workload::Claim, Workload::Queue] {
        if !plan.includes(workload) {
            continue;
        }
        for workers in workers(plan) {
            database.add_ready_runs(ready_runs_for(workload, plan))?;
            let work = async |connection: &mut Connection, buffer: &mut Vec<u8>| {
                if workload == Workload::Queue {
                    request(buffer, "POST", "/api/v1/jobs", JOB);
                    connection.send(buffer).await.context("create")?;
                    buffer.clear();
                }
                work_once(connection, buffer).await
            };
            let key = Key {
                workload,
                request: "",
                size: *workers,
                system: server.system,
            };
            results.add(key, observe(server, plan, *workers, work).await);
        }
    }
    Ok(())
}

/// Claims a run, sends a heartbeat and completes it.
pub(crate) async fn work_once(connection: &mut Connection, buffer: &mut Vec<u8>) -> Result<()> {
    let lease = claim(connection, buffer).await?;
    finish(connection, buffer, &lease).await
}

/// Claims a run; returns the lease.
pub(crate) async fn claim(connection: &mut Connection, buffer: &mut Vec<u8>) -> Result<String> {
    buffer.clear();
    request(buffer, "POST", "/api/v1/work/claim", CLAIM);
    let claimed = connection.send(buffer).await.context("claim")?;
    let field = b"\"lease_id\":\"";
    let lease =
        find(claimed, field).and_then(|place| claimed.get(place + field.len()..)?.get(..36));
    let lease = lease.context("no run was ready")?;
    Ok(String::from_utf8(lease.to_vec())?)
}

/// Sends a heartbeat and completes the run.
pub(crate) async fn finish(
    connection: &mut Connection,
    buffer: &mut Vec<u8>,
    lease: &str,
) -> Result<()> {
    buffer.clear();
    request(
        buffer,
        "POST",
        &format!("/api/v1/work/{lease}/heartbeat"),
        HEARTBEAT,
    );
    connection.send(buffer).await.context("heartbeat")?;
    buffer.clear();
    request(
        buffer,
        "POST",
        &format!("/api/v1/work/{lease}/complete"),
        b"",
    );
    connection.send(buffer).await.context("complete")?;
    Ok(())
}
