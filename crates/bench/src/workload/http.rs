//! The routes that Lectern and its peer both have.

use std::cell::RefCell;
use std::collections::VecDeque;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::observe::observe;
use super::requests::{JOB, SEGMENTS, progress, segments};
use crate::arguments::{Plan, Workload};
use crate::load::{Connection, Next, request};
use crate::report::{Key, Metrics, Results};
use crate::stack::{Server, System};

/// The workloads of this file, in the order in which they run: those that add rows last.
pub(crate) const HTTP: [Workload; 6] = [
    Workload::Get,
    Workload::List,
    Workload::Results,
    Workload::Progress,
    Workload::PutSegments,
    Workload::Create,
];

/// Workloads of SQLite without waiting for the disk.
pub(crate) const RELAXED: [Workload; 1] = [Workload::CreateRelaxed];

/// Connections that replace transcripts.
pub(crate) const PUT_CONNECTIONS: usize = 8;
/// Different transcripts for one job, one after the other.
const VARIANTS: usize = 7;

/// The jobs of a server.
struct Jobs {
    all: Vec<String>,
    /// Those with a transcript.
    transcribed: Vec<String>,
}

/// Measures `workloads` on a server with an empty database.
pub(crate) async fn http(
    workloads: &[Workload],
    server: &Server,
    plan: &Plan,
    results: &mut Results,
) -> Result<()> {
    let jobs = create_jobs(server, plan).await?;
    let reports = RefCell::new(vec![0_u32; jobs.all.len()]);
    for &workload in workloads {
        if !plan.includes(workload) {
            continue;
        }
        let levels = match workload {
            Workload::PutSegments => &[PUT_CONNECTIONS],
            _ => plan.connections(),
        };
        for connections in levels {
            let measured = measure(workload, server, plan, *connections, &jobs, &reports).await;
            let key = Key {
                workload,
                request: "",
                size: *connections,
                system: server.system,
            };
            results.add(key, measured);
        }
    }
    Ok(())
}

async fn measure(
    workload: Workload,
    server: &Server,
    plan: &Plan,
    connections: usize,
    jobs: &Jobs,
    reports: &RefCell<Vec<u32>>,
) -> Result<Metrics> {
    let next = Next::default();
    let gets = |paths: Vec<String>| -> Vec<Vec<u8>> {
        let mut requests = vec![Vec::new(); paths.len()];
        for (path, into) in paths.iter().zip(&mut requests) {
            request(into, "GET", path, b"");
        }
        requests
    };
    let paths = |jobs: &[String], prefix: &str| -> Vec<String> {
        jobs.iter().map(|job| format!("{prefix}/{job}")).collect()
    };
    match workload {
        Workload::Progress => {
            let send = async |connection: &mut Connection, buffer: &mut Vec<u8>| {
                let job = next.take() % jobs.all.len();
                let count = {
                    let mut reports = reports.borrow_mut();
                    reports[job] += 1;
                    reports[job]
                };
                // Increases in each report of a job, and never reaches 100.
                let percent = 100.0 * (1.0 - (-f64::from(count) / 20_000.0).exp());
                let path = format!("/api/v1/jobs/{}/progress", jobs.all[job]);
                request(buffer, "POST", &path, &progress(percent, "minute 21 of 52"));
                connection.send(buffer).await.map(drop)
            };
            observe(server, plan, connections, send).await
        }
        Workload::PutSegments => {
            let bodies: Vec<_> = (0..VARIANTS)
                .map(|variant| segments(SEGMENTS, variant))
                .collect();
            // A job is only in one request at a time: the answer to a PUT is read page by
            // page, and ends early if another PUT has replaced the set meanwhile.
            let free: RefCell<VecDeque<&String>> = RefCell::new(jobs.transcribed.iter().collect());
            let send = async |connection: &mut Connection, buffer: &mut Vec<u8>| {
                let job = free.borrow_mut().pop_front().context("no job is free")?;
                let body = &bodies[next.take() / jobs.transcribed.len() % VARIANTS];
                request(
                    buffer,
                    "PUT",
                    &format!("/api/v1/jobs/{job}/transcripts"),
                    body,
                );
                connection.send(buffer).await?;
                free.borrow_mut().push_back(job);
                Ok(())
            };
            observe(server, plan, connections, send).await
        }
        _ => {
            let requests = match workload {
                Workload::Get => gets(paths(&jobs.all, "/api/v1/jobs")),
                Workload::List => gets(vec!["/api/v1/jobs?limit=50&include=metadata".to_owned()]),
                Workload::Results => gets(paths(&jobs.transcribed, "/api/v1/results")),
                _ => {
                    let mut create = Vec::new();
                    request(&mut create, "POST", "/api/v1/jobs", JOB);
                    vec![create]
                }
            };
            let send = async |connection: &mut Connection, _: &mut Vec<u8>| {
                let request = &requests[next.take() % requests.len()];
                connection.send(request).await.map(drop)
            };
            observe(server, plan, connections, send).await
        }
    }
}

/// Creates the jobs, some of them completed and with a transcript.
async fn create_jobs(server: &Server, plan: &Plan) -> Result<Jobs> {
    let mut connection = Connection::open(server.address).await?;
    let mut all = Vec::new();
    for _ in 0..plan.size(300, 20) {
        all.push(create_job(&mut connection).await?);
    }
    let mut transcribed = Vec::new();
    if plan.includes_any(&[Workload::Results, Workload::PutSegments]) {
        for n in 0..plan.size(2 * PUT_CONNECTIONS, PUT_CONNECTIONS) {
            let job = create_job(&mut connection).await?;
            let path = format!("/api/v1/jobs/{job}");
            let body = segments(SEGMENTS, VARIANTS + n);
            exchange(
                &mut connection,
                "PUT",
                &format!("{path}/transcripts"),
                &body,
            )
            .await?;
            if server.system != System::Peer {
                let report = progress(99.0, "done");
                exchange(
                    &mut connection,
                    "POST",
                    &format!("{path}/progress"),
                    &report,
                )
                .await?;
                exchange(
                    &mut connection,
                    "PATCH",
                    &path,
                    br#"{"status": "completed"}"#,
                )
                .await?;
            }
            transcribed.push(job);
        }
    }
    Ok(Jobs { all, transcribed })
}

/// Creates a job; returns its id.
pub(crate) async fn create_job(connection: &mut Connection) -> Result<String> {
    let created = exchange(connection, "POST", "/api/v1/jobs", JOB).await?;
    let created: Value = serde_json::from_slice(&created)?;
    let job_id = created["job_id"].as_str();
    Ok(job_id.context("a created job has no id")?.to_owned())
}

/// Sends a request; returns the body of the response.
pub(crate) async fn exchange(
    connection: &mut Connection,
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    request(&mut buffer, method, path, body);
    let response = connection.send(&buffer).await;
    Ok(response
        .with_context(|| format!("{method} {path}"))?
        .to_vec())
}
