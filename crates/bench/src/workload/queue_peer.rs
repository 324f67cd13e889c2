//! procrastinate, with the same number of jobs at a time in two worker processes.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::claims::workers;
use crate::arguments::{Plan, Workload};
use crate::environment::{Guarded, output};
use crate::report::{Key, Metric, Metrics, Results};
use crate::stack::{Cluster, Peers, System, WORKERS};

/// Measures `claim`, from a full queue, and `queue`, where jobs are deferred meanwhile.
pub(crate) fn queue_peer(
    peers: &Peers,
    cluster: &Cluster,
    plan: &Plan,
    results: &mut Results,
) -> Result<()> {
    for workload in [Workload::Claim, Workload::Queue] {
        if !plan.includes(workload) {
            continue;
        }
        for workers in workers(plan) {
            let url = peers.new_queue(cluster)?;
            let run = |arguments: &[&str]| {
                let mut command = peers.command("python", &url);
                command.arg("queue_peer.py").args(arguments);
                command
            };
            let measured = match workload {
                Workload::Claim => from_full_queue(&run, plan, *workers),
                _ => while_deferred(&run, plan, *workers),
            };
            let key = Key {
                workload,
                request: "",
                size: *workers,
                system: System::Peer,
            };
            results.add(key, measured);
        }
    }
    Ok(())
}

/// Jobs per second of workers with a full queue, from the first that was started.
fn from_full_queue(
    run: &dyn Fn(&[&str]) -> Command,
    plan: &Plan,
    workers: usize,
) -> Result<Metrics> {
    // The number decides how long it takes; workers run some hundreds per second.
    let count = plan.size(plan.measured.as_secs_f64() * 300.0, 20.0).ceil();
    output(&mut run(&["fill", &count.to_string()]))?;
    let processes = start_workers(run, "serve", workers)?;
    let rate = output(&mut run(&["rate", "started"]))?;
    drop(processes);
    metrics(&rate)
}

/// Jobs per second that are deferred, fetched and finished.
fn while_deferred(
    run: &dyn Fn(&[&str]) -> Command,
    plan: &Plan,
    workers: usize,
) -> Result<Metrics> {
    let processes = start_workers(run, "serve", workers)?;
    let seconds = plan.measured.as_secs_f64().to_string();
    output(&mut run(&["defer", &seconds, &workers.to_string()]))?;
    let rate = output(&mut run(&["rate", "deferred"]))?;
    drop(processes);
    metrics(&rate)
}

fn start_workers(
    run: &dyn Fn(&[&str]) -> Command,
    command: &str,
    workers: usize,
) -> Result<Vec<Guarded>> {
    let processes = workers.min(WORKERS);
    let concurrency = (workers / processes).to_string();
    (0..processes)
        .map(|_| {
            let mut worker = run(&[command, &concurrency]);
            Guarded::start(worker.stdout(Stdio::null()).stderr(Stdio::null()))
        })
        .collect()
}

fn metrics(rate: &str) -> Result<Metrics> {
    let rate = rate.parse().context("procrastinate ran no jobs")?;
    Ok(Metrics::from([(Metric::PerSecond, rate)]))
}
