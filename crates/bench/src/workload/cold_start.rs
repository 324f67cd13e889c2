//! The time from the start of a process until it is ready, and its memory when idle.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::arguments::{Plan, Workload};
use crate::environment::{Usage, resident_memory};
use crate::load::median;
use crate::report::{Key, Metric, Metrics, Results};
use crate::stack::{Cluster, Dialect, Lectern, Peers, Server, System};

/// Starts Lectern on an existing SQLite file.
pub(crate) fn lectern(lectern: &Lectern, plan: &Plan, results: &mut Results) -> Result<()> {
    let database = lectern.new_database(None)?;
    database.run(&Dialect::Sqlite.mixed_jobs(1, 1_000))?;
    let start = || lectern.serve(&database);
    results.add(
        key(System::LecternSqlite),
        measure(plan.size(10, 2), plan, start),
    );
    Ok(())
}

/// Starts the peer on its existing database.
pub(crate) fn peer(
    peers: &Peers,
    cluster: &Cluster,
    plan: &Plan,
    results: &mut Results,
) -> Result<()> {
    drop(peers.serve(cluster)?);
    let start = || peers.serve_existing(cluster);
    results.add(key(System::Peer), measure(plan.size(3, 1), plan, start));
    Ok(())
}

fn key(system: System) -> Key {
    Key {
        workload: Workload::ColdStart,
        request: "",
        size: 1,
        system,
    }
}

fn measure(starts: usize, plan: &Plan, start: impl Fn() -> Result<Server>) -> Result<Metrics> {
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..starts {
        let server = start()?;
        times.push(server.started_in.as_secs_f64() * 1e3);
        // All processes of the peer have loaded their code by then.
        thread::sleep(plan.size(Duration::from_millis(500), Duration::ZERO));
        memory.push(resident_memory(&Usage::of(server.id()).processes));
    }
    Ok(Metrics::from([
        (Metric::Median, median(times)),
        (Metric::Memory, median(memory)),
    ]))
}
