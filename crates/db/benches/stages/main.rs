//! What the indexes of `stage_runs` for operators cost workers, and how long the numbers take that
//! are read from them.
//!
//! ```console
//! $ cargo bench -p lectern-db --bench stages
//! $ BENCH_DATABASE_URL=postgres://me@localhost/postgres cargo bench -p lectern-db --bench stages
//! ```
//!
//! A database with 100,000 runs that have ended within a day, and jobs that wait. Claiming and
//! completing a stage is timed with and without indexes, in two databases with the same content.
//! Batches of the two alternate, and a ratio is the median of the ratios of neighbouring batches.
//!
//! `BENCH_DATABASE_URL` names a PostgreSQL server; databases are made on it for the run and dropped
//! afterwards. `RUNS` changes the number of runs. Nothing is asserted about time.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../ratios/measure.rs"]
mod measure;
#[path = "../ratios/scratch.rs"]
mod scratch;

use std::env;
use std::hint::black_box;

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use lectern_db::{Backend, Database, DatabaseConfig, Durability, Error};
use lectern_domain::{
    ClaimLimit, ClaimRequest, HistoryPeriod, LeaseDuration, NewJob, Stage, StageNotes, Stages,
    WorkerName,
};

use crate::measure::{Comparison, alternate, per_call};
use crate::scratch::ScratchDatabase;

/// Pairs of batches per line of the table, after one to warm up.
const ROUNDS: usize = 20;
/// Stages that are claimed and completed in a batch: all of ten jobs.
const STAGES: usize = 60;

/// The indexes that only the numbers for operators need.
const INDEXES: [&str; 6] = [
    "stage_runs_ready_at_idx",
    "stage_runs_waiting_idx",
    "stage_runs_running_idx",
    "stage_runs_worker_idx",
    "stage_runs_finished_at_idx",
    "stage_runs_failed_idx",
];

fn main() -> Result<()> {
    if !env::args().any(|arg| arg == "--bench") {
        println!("nothing is measured unless it is run by `cargo bench`");
        return Ok(());
    }
    let runs = match env::var("RUNS") {
        Ok(runs) => runs.parse().context("RUNS")?,
        Err(_) => 100_000,
    };
    println!("{runs} runs have ended; {ROUNDS} pairs of batches of {STAGES} stages a line.");
    let dir = tempfile::tempdir()?;
    let file = |name: &str| format!("sqlite://{}", dir.path().join(name).display());
    measure(&file("with.db"), &file("without.db"), runs)?;
    match env::var("BENCH_DATABASE_URL") {
        Ok(server) if !server.is_empty() => {
            let with = ScratchDatabase::create(&server, "stages_with")?;
            let without = ScratchDatabase::create(&server, "stages_without")?;
            println!("\nPostgreSQL {}", with.describe()?);
            measure(with.url(), without.url(), runs)?;
        }
        _ => println!("\nPostgreSQL was not measured: BENCH_DATABASE_URL is not set."),
    }
    Ok(())
}

fn measure(with_url: &str, without_url: &str, runs: usize) -> Result<()> {
    let (with, without) = (open(with_url)?, open(without_url)?);
    for (db, url) in [(&with, with_url), (&without, without_url)] {
        fill(db, url, runs)?;
    }
    println!(
        "\n{}\n{:<42} {:>5}  {:>11}  {:>11} {:>11}",
        with.backend(),
        "claim and complete, with all and without",
        "ratio",
        "spread",
        "with",
        "without"
    );
    let mut lines = vec![("all six", &INDEXES[..]), ("none (control)", &[])];
    lines.extend(
        INDEXES
            .iter()
            .map(|index| (*index, std::slice::from_ref(index))),
    );
    let mut sql = Sql::connect(&without, without_url)?;
    for (name, indexes) in lines {
        let mut restore = String::new();
        for index in indexes {
            restore += &format!("{};", sql.definition(index)?);
            sql.batch(&format!("DROP INDEX {index}"))?;
        }
        let times = alternate(ROUNDS, |()| process(&with), |()| process(&without), &mut ())?;
        print(name, &times);
        sql.batch(&restore)?;
    }
    read(&with)
}

/// The numbers for operators, the history beside the current ones.
fn read(db: &Database) -> Result<()> {
    println!(
        "{:<42} {:>5}  {:>11}  {:>11} {:>11}",
        "", "ratio", "spread", "history", "stats"
    );
    for hours in [1, 24, 168, 720] {
        let period = HistoryPeriod::new(hours)?;
        let times = alternate(
            ROUNDS,
            |()| {
                per_call(3, |_| {
                    black_box(db.read(|conn| conn.stage_runs().history(period))?);
                    Ok(())
                })
            },
            |()| {
                per_call(3, |_| {
                    black_box(db.read(|conn| conn.stage_runs().stats())?);
                    Ok(())
                })
            },
            &mut (),
        )?;
        print(&format!("history of {hours} h"), &times);
    }
    Ok(())
}

/// Seconds to claim and to complete a stage.
fn process(db: &Database) -> Result<f64> {
    let job = NewJob::new("lecture.mp4")?;
    db.write(|tx| {
        for _ in 0..STAGES / Stage::WORK.len() {
            tx.jobs().create(&job)?;
        }
        Ok::<_, Error>(())
    })?;
    let request = ClaimRequest {
        worker: WorkerName::new("bench")?,
        stages: Stages::new(Stage::WORK.to_vec())?,
        max: ClaimLimit::new(1)?,
        lease: LeaseDuration::default(),
    };
    per_call(STAGES, |_| {
        let claims = db.write(|tx| tx.work().claim(&request))?;
        let claim = claims.first().context("no stage is ready")?;
        db.write(|tx| {
            tx.work()
                .complete_with_notes(claim.lease_id, &StageNotes::default())
        })?;
        Ok(())
    })
}

/// Commits do not wait for the disk.
fn open(url: &str) -> Result<Database> {
    let db = Database::connect(&DatabaseConfig {
        durability: Durability::Relaxed,
        ..DatabaseConfig::new(url)?
    })?;
    db.migrate()?;
    Ok(db)
}

/// Stores jobs whose runs have ended at times spread over a day, a minute after they were claimed,
/// a tenth of them failed.
fn fill(db: &Database, url: &str, runs: usize) -> Result<()> {
    let jobs = runs / Stage::WORK.len();
    let ago = |seconds: &str| match db.backend() {
        Backend::Postgres => format!("now() - ({seconds}) * interval '1 second'"),
        Backend::Sqlite => {
            format!("strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-' || ({seconds}) || ' seconds')")
        }
    };
    let stages = Stage::WORK
        .iter()
        .map(|stage| format!("SELECT '{stage}' AS stage"));
    let stages = stages.collect::<Vec<_>>().join(" UNION ALL ");
    let id = match db.backend() {
        Backend::Postgres => "gen_random_uuid()",
        Backend::Sqlite => {
            "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2))
             || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6)))"
        }
    };
    let age = format!("1 + j.n * 86000.0 / {jobs}");
    let fill = format!(
        "INSERT INTO jobs (filename, status)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {jobs})
         SELECT 'lecture.mp4', 'completed' FROM n;
         INSERT INTO stage_runs (run_id, job_id, stage, status, created_at, ready_at, started_at, finished_at)
         SELECT {id}, j.job_id, s.stage, CASE WHEN j.n % 10 = 0 THEN 'failed' ELSE 'completed' END,
                {ready}, {ready}, {started}, {finished}
         FROM (SELECT job_id, row_number() OVER (ORDER BY id) AS n FROM jobs) AS j
         CROSS JOIN ({stages}) AS s;",
        ready = ago(&format!("{age} + 90")),
        started = ago(&format!("{age} + 60")),
        finished = ago(&age),
    );
    let mut sql = Sql::connect(db, url)?;
    sql.batch(&fill)?;
    sql.batch(match db.backend() {
        Backend::Postgres => "VACUUM ANALYZE",
        Backend::Sqlite => "ANALYZE",
    })
}

/// A connection beside that of the library.
enum Sql {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Sql {
    fn connect(db: &Database, url: &str) -> Result<Self> {
        Ok(match db.url().file() {
            Some(file) => Self::Sqlite(SqliteConnection::establish(&file.to_string_lossy())?),
            None => Self::Postgres(PgConnection::establish(url)?),
        })
    }

    fn batch(&mut self, statements: &str) -> Result<()> {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(statements)?,
            Self::Postgres(conn) => conn.batch_execute(statements)?,
        }
        Ok(())
    }

    /// The statement that creates an index.
    fn definition(&mut self, index: &str) -> Result<String> {
        Ok(match self {
            Self::Sqlite(conn) => {
                let of = format!("(SELECT sql FROM sqlite_master WHERE name = '{index}')");
                diesel::select(sql::<Text>(&of)).get_result(conn)?
            }
            Self::Postgres(conn) => {
                let of = format!("pg_get_indexdef('{index}'::regclass)");
                diesel::select(sql::<Text>(&of)).get_result(conn)?
            }
        })
    }
}

fn print(name: &str, times: &Comparison) {
    let (low, high) = times.spread();
    println!(
        "{name:<42} {:>5.2}  {:>11}  {:>8.1} µs {:>8.1} µs",
        times.ratio(),
        format!("{low:.2}–{high:.2}"),
        times.ours() * 1e6,
        times.bare() * 1e6,
    );
}
