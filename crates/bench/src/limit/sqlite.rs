//! The limit on SQLite: prepared statements on one connection, in a loop.

use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, params_from_iter};

use super::statements::{
    JOBS, TRANSCRIBED, claim, complete, create, fill, heartbeat, of, ready_run,
};
use crate::arguments::{Plan, Workload};
use crate::load::Latencies;
use crate::report::{Key, Metric, Metrics, Results};
use crate::stack::{Database, Dialect, System};
use crate::workload::{HTTP, ready_runs_for};

const SQLITE: Dialect = Dialect::Sqlite;

/// Measures all workloads on an empty database with Lectern's tables.
pub(crate) fn sqlite(database: &Database<'_>, plan: &Plan, results: &mut Results) -> Result<()> {
    let Database::Sqlite(file) = database else {
        return Ok(());
    };
    database.run(&fill(SQLITE))?;
    for workload in HTTP.into_iter().chain([Workload::Claim, Workload::Queue]) {
        if !plan.includes(workload) {
            continue;
        }
        if matches!(workload, Workload::Claim | Workload::Queue) {
            database.add_ready_runs(ready_runs_for(workload, plan))?;
        }
        let key = Key {
            workload,
            request: "",
            size: 1,
            system: System::SqliteLimit,
        };
        results.add(key, measure(file, workload, plan));
    }
    Ok(())
}

fn measure(file: &Path, workload: Workload, plan: &Plan) -> Result<Metrics> {
    let connection = Connection::open(file)?;
    // As durable as Lectern by default.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    let next = Cell::new(0);
    let jobs = match workload {
        Workload::Results | Workload::PutSegments => TRANSCRIBED,
        _ => JOBS,
    };
    let statements = of(workload, SQLITE, &SQLITE.job_id("?1"));
    let once = || -> Result<()> {
        next.set(next.get() % jobs + 1);
        match workload {
            Workload::Claim => work(&connection),
            Workload::Queue => {
                connection.execute_batch("BEGIN IMMEDIATE")?;
                let returning = create().replace(';', " RETURNING job_id");
                let mut insert = connection.prepare_cached(&returning)?;
                let job: String = insert.query_row((), |row| row.get(0))?;
                connection
                    .prepare_cached(&ready_run("?1"))?
                    .execute([job])?;
                connection.execute_batch("COMMIT")?;
                work(&connection)
            }
            _ => {
                let several = workload == Workload::PutSegments;
                if several {
                    connection.execute_batch("BEGIN IMMEDIATE")?;
                }
                for sql in &statements {
                    run(&connection, sql, next.get())?;
                }
                if several {
                    connection.execute_batch("COMMIT")?;
                }
                Ok(())
            }
        }
    };
    let mut latencies = Latencies::default();
    let began = Instant::now();
    while latencies.len() < 3 || began.elapsed() < plan.measured {
        let sent = Instant::now();
        once()?;
        latencies.add(sent.elapsed());
    }
    let duration = began.elapsed().as_secs_f64();
    Ok(Metrics::from([
        (Metric::PerSecond, latencies.len() as f64 / duration),
        (Metric::Median, latencies.percentile(50)),
        (Metric::P99, latencies.percentile(99)),
    ]))
}

/// Runs a statement to its end, and reads every value as text or bytes would be sent.
fn run(connection: &Connection, sql: &str, job: u32) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let parameters = (statement.parameter_count() > 0).then_some(job);
    let mut rows = statement.query(params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column)?);
        }
    }
    Ok(())
}

/// Claims a run, sends a heartbeat and completes it: three transactions.
fn work(connection: &Connection) -> Result<()> {
    let mut claim = connection.prepare_cached(&claim(SQLITE))?;
    let claimed: i64 = claim
        .query_row((), |row| row.get(0))
        .context("no run was ready")?;
    for sql in [heartbeat(SQLITE, "?1"), complete(SQLITE, "?1")] {
        connection.prepare_cached(&sql)?.execute([claimed])?;
    }
    Ok(())
}
