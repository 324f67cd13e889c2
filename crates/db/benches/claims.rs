//! The cost of a claim compared with a single statement that claims a run.
//!
//! ```console
//! $ BENCH_DATABASE_URL=postgres://me@localhost/postgres cargo bench -p lectern-db --bench claims
//! ```
//!
//! Eight claimers take 100,000 ready runs in batches of ten: once through
//! `db.claim()`, which also updates the jobs, writes events and log entries and
//! reads the rows it returns; and once as the bare `SKIP LOCKED` statement
//! under pgbench, on a database with the same rows. Both run until no ready run is
//! left. Nothing is asserted about time.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "ratios/scratch.rs"]
mod scratch;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use lectern_db::Database;
use lectern_domain::{ClaimLimit, ClaimRequest, LeaseDuration, Stage, Stages, WorkerName};

use crate::scratch::ScratchDatabase;

/// Ready runs: the three first stages of each of 33,334 jobs, without the last two
/// runs.
const RUNS: usize = 100_000;
const CLAIMERS: usize = 8;
const BATCH: usize = 10;

/// Stores the jobs and their runs.
const FILL: &str = "
    INSERT INTO jobs (job_id, filename, status)
    SELECT gen_random_uuid(), 'lecture.mp4', 'queued' FROM generate_series(1, 33334);
    INSERT INTO stage_runs (run_id, job_id, stage, status, waits_for)
    SELECT gen_random_uuid(), job_id, stage, CASE WHEN place < 4 THEN 'ready' ELSE 'waiting' END, '[]'
    FROM jobs, unnest(ARRAY['silence_detection', 'transcription', 'layout_analysis',
                            'content_analysis', 'segmentation', 'compilation'])
               WITH ORDINALITY AS stages (stage, place)
    ORDER BY jobs.id, place;
    DELETE FROM stage_runs WHERE status = 'ready' AND id IN
        (SELECT id FROM stage_runs WHERE status = 'ready' ORDER BY id DESC LIMIT 2);
    VACUUM ANALYZE;";

/// A minimal claim in one statement.
const STATEMENT: &str = "
    UPDATE stage_runs
    SET status = 'running', attempt = attempt + 1, worker = 'bench', lease_id = gen_random_uuid(),
        lease_expires_at = now() + interval '60 s', lease_seconds = 60, started_at = now()
    WHERE id IN (
        SELECT stage_runs.id FROM stage_runs JOIN jobs ON jobs.job_id = stage_runs.job_id
        WHERE stage_runs.status = 'ready'
          AND stage_runs.stage = ANY('{silence_detection,transcription,layout_analysis}')
          AND (available_at IS NULL OR available_at <= now())
        ORDER BY stage_runs.priority DESC, stage_runs.created_at, stage_runs.id
        LIMIT 10 FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING *;";

fn main() -> Result<()> {
    if !env::args().any(|arg| arg == "--bench") {
        println!("nothing is measured unless it is run by `cargo bench`");
        return Ok(());
    }
    let Some(server) = env::var("BENCH_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
    else {
        println!("nothing was measured: BENCH_DATABASE_URL is not set");
        return Ok(());
    };
    println!(
        "PostgreSQL {}",
        ScratchDatabase::create(&server, "version")?.describe()?
    );
    println!(
        "{RUNS} ready runs, {CLAIMERS} claimers, batches of {BATCH}; runs claimed per second:"
    );
    println!("{:>12} {:>12} {:>8}", "claim()", "statement", "ratio");
    for _ in 0..3 {
        let (ours, bare) = (ours(&server)?, bare(&server)?);
        println!("{ours:>12.0} {bare:>12.0} {:>8.2}", ours / bare);
    }
    Ok(())
}

fn scratch(server: &str, label: &str) -> Result<(ScratchDatabase, Database)> {
    let scratch = ScratchDatabase::create(server, label)?;
    let db = Database::open(scratch.url())?;
    db.migrate()?;
    let mut conn = PgConnection::establish(scratch.url())?;
    for statement in FILL
        .split(';')
        .filter(|statement| !statement.trim().is_empty())
    {
        conn.batch_execute(statement)?;
    }
    Ok((scratch, db))
}

fn per_second(took: Duration) -> f64 {
    RUNS as f64 / took.as_secs_f64()
}

fn ours(server: &str) -> Result<f64> {
    let (_scratch, db) = scratch(server, "claims")?;
    let request = ClaimRequest {
        worker: WorkerName::new("bench")?,
        stages: Stages::new(Stage::WORK[..3].to_vec())?,
        max: ClaimLimit::new(BATCH.try_into()?)?,
        // Longer than the measurement takes on any machine.
        lease: LeaseDuration::new(LeaseDuration::MAX)?,
    };
    let claim_all = || -> Result<usize> {
        let mut claimed = 0;
        loop {
            match db.claim(&request)?.len() {
                0 => return Ok(claimed),
                more => claimed += more,
            }
        }
    };
    let started = Instant::now();
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (0..CLAIMERS).map(|_| scope.spawn(claim_all)).collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .map_err(|_| anyhow::anyhow!("a claimer panicked"))?
            })
            .collect::<Result<Vec<_>>>()
    })?;
    let took = started.elapsed();
    ensure!(
        counts.iter().sum::<usize>() == RUNS,
        "each run once: {counts:?}"
    );
    Ok(per_second(took))
}

fn bare(server: &str) -> Result<f64> {
    let (scratch, _db) = scratch(server, "statement")?;
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), STATEMENT)?;
    let started = Instant::now();
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--file"])
        .arg(file.path())
        .arg(format!("--client={CLAIMERS}"))
        .arg(format!("--transactions={}", RUNS / BATCH / CLAIMERS))
        .arg(scratch.url())
        .output()
        .context("run pgbench, which is part of PostgreSQL's server package")?;
    let took = started.elapsed();
    ensure!(
        output.status.success(),
        "pgbench: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut conn = PgConnection::establish(scratch.url())?;
    let claimed: i64 = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "(SELECT count(*) FROM stage_runs WHERE status = 'running')",
    ))
    .get_result(&mut conn)?;
    ensure!(claimed > 99_000, "only {claimed} were claimed");
    Ok(per_second(took))
}
