//! The cost of owners' filters with a million jobs.
//!
//! ```console
//! $ cargo bench -p lectern-db --bench owners
//! $ BENCH_DATABASE_URL=postgres://me@localhost/postgres cargo bench -p lectern-db --bench owners
//! ```
//!
//! A million jobs of a hundred owners, of which the largest has a tenth and the smallest five
//! thousand. Each call with the handle of an owner is timed beside the same call without an
//! owner, in the same database. Batches of the two alternate, and a ratio is the median of the
//! ratios of neighbouring batches.
//!
//! `BENCH_DATABASE_URL` names a PostgreSQL server; a database is made on it for the run and
//! dropped afterwards. `JOBS` changes the number of jobs. Nothing is asserted about time.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../ratios/measure.rs"]
mod measure;
#[path = "../ratios/scratch.rs"]
mod scratch;

use std::env;
use std::hint::black_box;

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use lectern_db::{Backend, Database, DatabaseConfig, Durability, Error, Reader, RoleName};
use lectern_domain::{
    FilenamePart, JobFilter, JobId, JobOrder, JobPageRequest, JobStatus, OwnerName,
};

use crate::measure::{Comparison, alternate, per_call};
use crate::scratch::ScratchDatabase;

/// Pairs of batches per line of the table, after one to warm up.
const ROUNDS: usize = 30;
/// Calls of a batch.
const CALLS: usize = 20;
/// The number of owners.
const OWNERS: usize = 100;

fn main() -> Result<()> {
    if !env::args().any(|arg| arg == "--bench") {
        println!("nothing is measured unless it is run by `cargo bench`");
        return Ok(());
    }
    let jobs = match env::var("JOBS") {
        Ok(jobs) => jobs.parse().context("JOBS")?,
        Err(_) => 1_000_000,
    };
    println!("Ratio of the time of an owner's handle to that of a handle without owner.");
    println!("{jobs} jobs of {OWNERS} owners; {ROUNDS} pairs of batches of {CALLS} calls a line.");

    let dir = tempfile::tempdir()?;
    let file = format!("sqlite://{}", dir.path().join("owners.db").display());
    measure(&file, jobs, None)?;

    match env::var("BENCH_DATABASE_URL") {
        Ok(server) if !server.is_empty() => {
            let scratch = ScratchDatabase::create(&server, "owners")?;
            println!("\nPostgreSQL {}", scratch.describe()?);
            measure(scratch.url(), jobs, None)?;
            let role = RoleName::new("lectern_bench_owners")?;
            measure(scratch.url(), jobs, Some(role))?;
        }
        _ => println!("\nPostgreSQL was not measured: BENCH_DATABASE_URL is not set."),
    }
    Ok(())
}

/// Measures the owners with the most jobs and with the fewest.
fn measure(url: &str, jobs: usize, role: Option<RoleName>) -> Result<()> {
    let fence = if role.is_some() {
        ", with row-level security"
    } else {
        ""
    };
    let db = open(url, role)?;
    if db.read(|conn| conn.jobs().count(&JobFilter::default()))? == 0 {
        fill(&db, url, jobs)?;
    }
    db.enable_row_security()?;
    for name in ["owner-0", "owner-99"] {
        let owned = db.as_owner(OwnerName::new(name)?);
        let own = owned.read(|conn| conn.jobs().count(&JobFilter::default()))?;
        println!("\n{}{fence}: {name} with {own} jobs", db.backend());
        println!(
            "{:<34} {:>5}  {:>11}  {:>11} {:>11}",
            "", "ratio", "spread", "owner", "no owner"
        );
        for (call, run) in CALLED {
            let ids = first_ids(&owned)?;
            let times = alternate(
                ROUNDS,
                |()| per_call(CALLS, |i| run(&owned, ids[i % ids.len()])),
                |()| per_call(CALLS, |i| run(&db, ids[i % ids.len()])),
                &mut (),
            )?;
            print(call, &times);
        }
    }
    Ok(())
}

type Call = fn(&Database, JobId) -> Result<()>;

/// The calls that are compared.
const CALLED: [(&str, Call); 8] = [
    ("get", |db, id| {
        read(db, |conn| conn.jobs().find(id).map(drop))
    }),
    ("first page", |db, _| {
        page(db, &JobFilter::default(), JobOrder::CreatedAt)
    }),
    ("page of a status", |db, _| {
        page(db, &of_status(JobStatus::Failed), JobOrder::CreatedAt)
    }),
    ("page by last change", |db, _| {
        page(db, &of_status(JobStatus::Queued), JobOrder::UpdatedAt)
    }),
    ("page by file name", |db, _| {
        let filter = JobFilter {
            filename: Some(FilenamePart::new("5.mp4")?),
            ..JobFilter::default()
        };
        page(db, &filter, JobOrder::CreatedAt)
    }),
    ("number of jobs", |db, _| {
        read(db, |conn| {
            conn.jobs().count(&JobFilter::default()).map(drop)
        })
    }),
    ("number of jobs of a status", |db, _| {
        let filter = of_status(JobStatus::Failed);
        read(db, |conn| conn.jobs().count(&filter).map(drop))
    }),
    ("statistics", |db, _| {
        read(db, |conn| conn.jobs().metrics().map(drop))
    }),
];

fn of_status(status: JobStatus) -> JobFilter {
    JobFilter {
        statuses: vec![status],
        ..JobFilter::default()
    }
}

fn page(db: &Database, filter: &JobFilter, order: JobOrder) -> Result<()> {
    let page = JobPageRequest {
        order,
        ..JobPageRequest::default()
    };
    read(db, |conn| conn.jobs().list(filter, page).map(drop))
}

fn read(db: &Database, queries: impl Fn(&mut Reader<'_>) -> Result<(), Error>) -> Result<()> {
    black_box(db.read_committed(queries)?);
    Ok(())
}

fn first_ids(db: &Database) -> Result<Vec<JobId>> {
    let page = db.read(|conn| {
        conn.jobs()
            .list(&JobFilter::default(), JobPageRequest::default())
    })?;
    Ok(page.items.iter().map(|job| job.job_id).collect())
}

/// Commits do not wait for the disk.
fn open(url: &str, owner_role: Option<RoleName>) -> Result<Database> {
    let db = Database::connect(&DatabaseConfig {
        durability: Durability::Relaxed,
        owner_role,
        ..DatabaseConfig::new(url)?
    })?;
    db.migrate()?;
    Ok(db)
}

/// Stores the jobs. Owner `n` of a hundred has those whose remainder is at least `100 * sqrt(n)`
/// and less than `100 * sqrt(n + 1)`, and the jobs of all owners are mixed.
fn fill(db: &Database, url: &str, jobs: usize) -> Result<()> {
    // 2654435761 is coprime to 1000, so the remainders are spread evenly.
    let remainder = "(i * 2654435761 % 1000)";
    let owner = format!(
        "'owner-' || ({remainder} * {remainder} / {})",
        1_000_000 / OWNERS
    );
    let time = match db.backend() {
        Backend::Postgres => "timestamptz '2026-01-01' + i * interval '1 second'",
        Backend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1767225600 + i, 'unixepoch')",
    };
    let insert = format!(
        "INSERT INTO jobs (filename, status, created_at, updated_at, owner_id)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {jobs})
         SELECT 'lecture ' || i || '.mp4',
                CASE WHEN i % 20 = 0 THEN 'failed' ELSE 'queued' END, {time}, {time}, {owner}
         FROM n;"
    );
    if let Some(file) = db.url().file() {
        let mut conn = SqliteConnection::establish(&file.to_string_lossy())?;
        conn.batch_execute(&insert)?;
        conn.batch_execute("ANALYZE")?;
    } else {
        let mut conn = PgConnection::establish(url)?;
        conn.batch_execute(&insert)?;
        conn.batch_execute("VACUUM ANALYZE")?;
    }
    Ok(())
}

fn print(name: &str, times: &Comparison) {
    let (low, high) = times.spread();
    println!(
        "{name:<34} {:>5.2}  {:>11}  {:>8.1} µs {:>8.1} µs",
        times.ratio(),
        format!("{low:.2}–{high:.2}"),
        times.ours() * 1e6,
        times.bare() * 1e6,
    );
}
