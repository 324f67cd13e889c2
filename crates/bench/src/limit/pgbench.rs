//! The limit on PostgreSQL: pgbench with as many clients as there are connections.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::statements::{
    JOBS, TRANSCRIBED, claim, complete, create, fill, heartbeat, of, ready_run,
};
use crate::arguments::{Plan, Workload};
use crate::environment::output;
use crate::report::{Key, Metric, Metrics, Results};
use crate::stack::{Cluster, Database, Dialect, System};
use crate::workload::{HTTP, PUT_CONNECTIONS, ready_runs_for, workers};

const POSTGRES: Dialect = Dialect::Postgres;

/// Measures all workloads on an empty database with Lectern's tables.
pub(crate) fn pgbench(database: &Database<'_>, plan: &Plan, results: &mut Results) -> Result<()> {
    let Database::Postgres(cluster, name) = database else {
        return Ok(());
    };
    database.run(&fill(POSTGRES))?;
    database.analyze()?;
    for workload in HTTP {
        let levels = match workload {
            Workload::PutSegments => &[PUT_CONNECTIONS],
            _ => plan.connections(),
        };
        for clients in levels.iter().filter(|_| plan.includes(workload)) {
            let measured = run(cluster, name, plan, *clients, &script(workload));
            results.add(key(workload, *clients), measured);
        }
    }
    for workload in [Workload::Claim, Workload::Queue] {
        for clients in workers(plan).iter().filter(|_| plan.includes(workload)) {
            database.add_ready_runs(ready_runs_for(workload, plan))?;
            let measured = run(cluster, name, plan, *clients, &script(workload));
            results.add(key(workload, *clients), measured);
        }
    }
    Ok(())
}

fn key(workload: Workload, size: usize) -> Key {
    Key {
        workload,
        request: "",
        size,
        system: System::PostgresLimit,
    }
}

/// pgbench's script of a workload.
fn script(workload: Workload) -> String {
    // \gset keeps the id of the claimed run in a variable.
    let work = format!(
        "{} \\gset run_\n{}\n{}\n",
        claim(POSTGRES),
        heartbeat(POSTGRES, ":run_id"),
        complete(POSTGRES, ":run_id")
    );
    match workload {
        Workload::Claim => work,
        Workload::Queue => {
            let create = create().replace(';', " RETURNING job_id \\gset new_\n");
            format!(
                "BEGIN;\n{create}{}\nEND;\n{work}",
                ready_run(":new_job_id::uuid")
            )
        }
        _ => {
            let jobs = match workload {
                Workload::Results | Workload::PutSegments => TRANSCRIBED,
                _ => JOBS,
            };
            let statements = of(workload, POSTGRES, &POSTGRES.job_id(":job")).join("\n");
            let (begin, end) = match workload {
                Workload::PutSegments => ("BEGIN;\n", "\nEND;"),
                _ => ("", ""),
            };
            format!("\\set job random(1, {jobs})\n{begin}{statements}{end}\n")
        }
    }
}

fn run(
    cluster: &Cluster,
    name: &str,
    plan: &Plan,
    clients: usize,
    script: &str,
) -> Result<Metrics> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), script)?;
    let mut pgbench = Command::new(cluster.programs().path("pgbench"));
    pgbench
        .args(["--no-vacuum", "--protocol=prepared"])
        .args([
            format!("--client={clients}"),
            format!("--jobs={}", clients.min(2)),
        ])
        .arg(format!("--file={}", file.path().display()))
        .arg(cluster.url(name));
    if plan.smoke {
        pgbench.arg("--transactions=3");
    } else {
        // Whole seconds, in which pgbench also connects its clients.
        let seconds = plan.measured.as_secs_f64().ceil() + (clients as f64 / 64.0).ceil();
        pgbench.arg(format!("--time={seconds}"));
    }
    let printed = output(&mut pgbench)?;
    let number = |prefix: &str| -> Result<f64> {
        let line = printed.lines().find_map(|line| line.strip_prefix(prefix));
        let word = line.and_then(|line| line.split([' ', '/']).find(|word| !word.is_empty()));
        let number = word.and_then(|word| word.parse().ok());
        number.with_context(|| format!("pgbench printed no {prefix} {printed}"))
    };
    // The rate leaves out the time of connecting.
    ensure!(
        number("number of failed transactions:")? == 0.0,
        "{printed}"
    );
    Ok(Metrics::from([
        (Metric::PerSecond, number("tps =")?),
        (Metric::Mean, number("latency average =")?),
    ]))
}
