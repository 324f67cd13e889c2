//! How the time of a request grows with the number of jobs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::claims::{claim, finish};
use super::http::exchange;
use crate::arguments::{Plan, Workload};
use crate::load::{Connection, Latencies, request};
use crate::report::{Key, Metric, Metrics, Results};
use crate::stack::{Cluster, Lectern, Server};

/// Requests of one measurement, if each of them is slow.
const FEWEST: usize = 5;

/// Measures lists, statistics and claims on databases of several sizes.
pub(crate) async fn growth(
    lectern: &Lectern,
    cluster: Option<&Cluster>,
    plan: &Plan,
    results: &mut Results,
) -> Result<()> {
    let database = lectern.new_database(cluster)?;
    let dialect = database.dialect();
    let mut stored = 0;
    for jobs in plan.size([10_000, 100_000, 1_000_000].as_slice(), &[200, 400]) {
        database.run(&dialect.mixed_jobs(stored + 1, *jobs))?;
        database.run(&dialect.ready_runs())?;
        database.analyze()?;
        stored = *jobs;
        let size = usize::try_from(*jobs)?;
        let server = lectern.serve(&database)?;
        let requests = requests(&server).await?;
        for _ in 0..plan.rounds {
            for (request, path) in &requests {
                let key = Key {
                    workload: Workload::Growth,
                    request,
                    size,
                    system: server.system,
                };
                results.add(key, measure_get(&server, plan, path).await);
            }
            let key = Key {
                workload: Workload::Growth,
                request: "claim",
                size,
                system: server.system,
            };
            results.add(key, measure_claim(&server, plan).await);
        }
    }
    Ok(())
}

/// The requests, each with its name.
async fn requests(server: &Server) -> Result<Vec<(&'static str, String)>> {
    let mut connection = Connection::open(server.address).await?;
    let first = exchange(&mut connection, "GET", "/api/v1/jobs?limit=50", b"").await?;
    let first: Value = serde_json::from_slice(&first)?;
    let cursor = first["next_cursor"]
        .as_str()
        .context("there is no page 2")?;
    Ok([
        ("list", "/api/v1/jobs".to_owned()),
        ("list, page 2", format!("/api/v1/jobs?cursor={cursor}")),
        ("list ?status=", "/api/v1/jobs?status=failed".to_owned()),
        (
            "list ?stage=",
            "/api/v1/jobs?stage=transcription".to_owned(),
        ),
        (
            "list ?include_total=",
            "/api/v1/jobs?include_total=true".to_owned(),
        ),
        ("stats", "/api/v1/stats".to_owned()),
    ]
    .into())
}

async fn measure_get(server: &Server, plan: &Plan, path: &str) -> Result<Metrics> {
    let mut connection = Connection::open(server.address).await?;
    let mut bytes = Vec::new();
    request(&mut bytes, "GET", path, b"");
    let mut latencies = Latencies::default();
    // Prepares the statement and reads its pages once.
    connection.send(&bytes).await?;
    let end = Instant::now() + share(plan);
    while latencies.len() < FEWEST || Instant::now() < end {
        let sent = Instant::now();
        connection.send(&bytes).await?;
        latencies.add(sent.elapsed());
    }
    Ok(metrics(latencies))
}

async fn measure_claim(server: &Server, plan: &Plan) -> Result<Metrics> {
    let mut connection = Connection::open(server.address).await?;
    let mut latencies = Latencies::default();
    let mut buffer = Vec::new();
    let end = Instant::now() + share(plan);
    // Fewer than a twentieth of the smallest number of jobs is ready.
    while latencies.len() < FEWEST || Instant::now() < end && latencies.len() < 100 {
        let sent = Instant::now();
        let lease = claim(&mut connection, &mut buffer).await?;
        latencies.add(sent.elapsed());
        finish(&mut connection, &mut buffer, &lease).await?;
    }
    Ok(metrics(latencies))
}

/// The requests are many, and one connection needs less time.
fn share(plan: &Plan) -> Duration {
    plan.measured / 4
}

fn metrics(mut latencies: Latencies) -> Metrics {
    Metrics::from([
        (Metric::Median, latencies.percentile(50)),
        (Metric::P99, latencies.percentile(99)),
    ])
}
