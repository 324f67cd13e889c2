//! The cost of lectern-db compared with its driver alone.
//!
//! ```console
//! $ cargo bench -p lectern-db
//! $ BENCH_DATABASE_URL=postgres://me@localhost/postgres cargo bench -p lectern-db
//! ```
//!
//! Each call of a repository is timed beside the same SQL on a bare diesel
//! connection: no pool, no enum over both backends, no domain types. Batches of the
//! two alternate in one run, and a ratio is the median of the ratios of
//! neighbouring batches, so that other load on the machine affects both. Before
//! anything is timed, the SQL both sides send is recorded and compared.
//!
//! `BENCH_DATABASE_URL` names a PostgreSQL server; a database is made on it for
//! the run and dropped afterwards. Nothing is asserted about time.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod bare;
mod fixture;
mod measure;
mod recorder;
mod scratch;

use std::env;
use std::hint::black_box;
use std::mem;

use anyhow::{Context as _, Result, ensure};
use lectern_db::{Backend, Database, DatabaseConfig, Durability};
use lectern_domain::{JobFilter, JobId, JobPageRequest};

use crate::bare::{Bare, BarePostgres, BareSqlite};
use crate::measure::{Comparison, alternate, per_call};

/// Jobs that are stored before the measurement.
const JOBS: usize = 10_000;
/// Pairs of batches per line of the table, after one to warm up.
const ROUNDS: usize = 100;
/// Segments of the transcript that is stored as a whole.
const SEGMENTS: usize = 2_000;

fn main() -> Result<()> {
    if !env::args().any(|arg| arg == "--bench") {
        println!("nothing is measured unless it is run by `cargo bench`");
        return Ok(());
    }
    println!(
        "Ratio of lectern-db's time to a bare diesel connection's; the target is 1.3 at most."
    );
    println!(
        "{JOBS} jobs; {ROUNDS} pairs of batches a line; the spread is the ratios' 10th to 90th percentile."
    );

    let dir = tempfile::tempdir()?;
    let file = dir.path().join("bench.db");
    let file = file
        .to_str()
        .context("the temporary directory is not UTF-8")?;
    let bare = || BareSqlite::connect(file);
    compare(&format!("sqlite://{file}"), "a temporary file", bare)?;

    match env::var("BENCH_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
    {
        Some(server) => {
            let scratch = scratch::ScratchDatabase::create(&server, "ratios")?;
            let bare = || BarePostgres::connect(scratch.url());
            compare(scratch.url(), &scratch.describe()?, bare)?;
        }
        None => println!("\nPostgreSQL was not measured: BENCH_DATABASE_URL is not set."),
    }
    Ok(())
}

/// Measures one backend and prints its table.
fn compare<B: Bare>(url: &str, description: &str, connect: impl Fn() -> Result<B>) -> Result<()> {
    assert_same_sql(url, &connect)?;

    let db = open(url)?;
    let ids = fixture::fill(&db, JOBS)?;
    let mut bare = connect()?;
    bare.settle()?;

    println!("\n{} ({description})", db.backend());
    println!(
        "{:<40} {:>5}  {:>11}  {:>11} {:>11}",
        "", "ratio", "spread", "lectern-db", "bare"
    );
    print("find", &find(&db, &mut bare, &ids)?);
    print("list, a page of 50", &list(&db, &mut bare)?);
    print("create, in its transaction", &create(&db, &mut bare)?);
    let bulk = match db.backend() {
        Backend::Postgres => "replace_for_job of 2,000 : COPY",
        Backend::Sqlite => "replace_for_job of 2,000 : INSERT loop",
    };
    print(bulk, &replace(&db, &mut bare)?);
    Ok(())
}

/// Commits do not wait for the disk, on neither side.
fn open(url: &str) -> Result<Database> {
    let config = DatabaseConfig {
        durability: Durability::Relaxed,
        ..DatabaseConfig::new(url)?
    };
    Ok(Database::connect(&config)?)
}

fn print(name: &str, times: &Comparison) {
    let (low, high) = times.spread();
    println!(
        "{name:<40} {:>5.2}  {:>11}  {:>8.1} µs {:>8.1} µs",
        times.ratio(),
        format!("{low:.2}–{high:.2}"),
        times.ours() * 1e6,
        times.bare() * 1e6,
    );
}

fn find(db: &Database, bare: &mut impl Bare, ids: &[JobId]) -> Result<Comparison> {
    let wanted: Vec<_> = ids.iter().step_by(20).copied().collect();
    let keys = bare.ids(&wanted);
    alternate(
        ROUNDS,
        |_| {
            per_call(wanted.len(), |i| {
                black_box(db.read_committed(|conn| conn.jobs().find(wanted[i]))?);
                Ok(())
            })
        },
        |bare| per_call(keys.len(), |i| bare.find(&keys[i])),
        bare,
    )
}

fn list(db: &Database, bare: &mut impl Bare) -> Result<Comparison> {
    let (filter, page) = (JobFilter::default(), JobPageRequest::default());
    alternate(
        ROUNDS,
        |_| {
            per_call(20, |_| {
                black_box(db.read_committed(|conn| conn.jobs().list(&filter, page))?);
                Ok(())
            })
        },
        |bare| per_call(20, |_| bare.list()),
        bare,
    )
}

fn create(db: &Database, bare: &mut impl Bare) -> Result<Comparison> {
    let job = fixture::new_upload()?;
    alternate(
        ROUNDS,
        |bare| {
            bare.catch_up()?;
            per_call(100, |_| {
                black_box(db.write(|tx| tx.jobs().create(&job))?);
                Ok(())
            })
        },
        |bare| {
            let rows: Vec<_> = (0..100).map(|_| bare.job_row(&job)).collect();
            bare.catch_up()?;
            per_call(rows.len(), |i| bare.create(&rows[i]))
        },
        bare,
    )
}

/// Each call replaces the transcript of a new job, created outside the measured
/// time. The bare side gets complete rows, ids included.
fn replace(db: &Database, bare: &mut impl Bare) -> Result<Comparison> {
    let segments = fixture::segments(SEGMENTS)?;
    alternate(
        ROUNDS,
        |bare| {
            let job_id = fixture::create(db)?;
            bare.catch_up()?;
            per_call(1, |_| {
                db.write(|tx| tx.transcripts().replace_for_job(job_id, &segments))?;
                Ok(())
            })
        },
        |bare| {
            let mut rows = bare.segment_rows(fixture::create(db)?, &segments);
            bare.catch_up()?;
            per_call(1, |_| bare.store(mem::take(&mut rows)))
        },
        bare,
    )
}

/// Fails unless both sides send the same statements for single rows, and
/// lectern-db sends those of the bare side among others for a whole transcript.
fn assert_same_sql<B: Bare>(url: &str, connect: impl Fn() -> Result<B>) -> Result<()> {
    recorder::start()?;
    let db = open(url)?;
    db.migrate()?;
    let mut bare = connect()?;

    let job = fixture::new_upload()?;
    let job_id = fixture::create(&db)?;
    let (filter, page) = (JobFilter::default(), JobPageRequest::default());
    let segments = fixture::segments(1)?;
    let (key, row) = (bare.ids(&[job_id]), bare.job_row(&job));
    let rows = bare.segment_rows(job_id, &segments);

    let find = || db.read_committed(|conn| conn.jobs().find(job_id));
    let list = || db.read_committed(|conn| conn.jobs().list(&filter, page));
    let create = || db.write(|tx| tx.jobs().create(&job));
    let replace = || db.write(|tx| tx.transcripts().replace_for_job(job_id, &segments));
    let pairs = [
        (
            recorder::sent_by(find)?,
            recorder::sent_by(|| bare.find(&key[0]))?,
        ),
        (recorder::sent_by(list)?, recorder::sent_by(|| bare.list())?),
        (
            recorder::sent_by(create)?,
            recorder::sent_by(|| bare.create(&row))?,
        ),
    ];
    for (mut ours, bare) in pairs {
        // The server's clock, and the empty SELECT, which finds a transaction that has failed,
        // are a part of the price.
        for statement in &mut ours {
            *statement = statement
                .replace("COALESCE(", "")
                .replace(", statement_timestamp())", "")
                .replace("SELECT; COMMIT", "COMMIT");
        }
        ensure!(
            ours == bare && !ours.is_empty(),
            "lectern-db sends {ours:#?}, the bare side {bare:#?}"
        );
    }
    let (ours, bare) = (
        recorder::sent_by(replace)?,
        recorder::sent_by(|| bare.store(rows))?,
    );
    // All but the COMMIT.
    let bare = &bare[..bare.len().saturating_sub(1)];
    ensure!(
        bare.len() == 2 && bare.iter().all(|statement| ours.contains(statement)),
        "lectern-db sends {ours:#?}, the bare side {bare:#?}"
    );
    recorder::stop()
}
