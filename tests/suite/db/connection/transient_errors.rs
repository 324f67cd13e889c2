//! Errors after which the same call may succeed when it is repeated.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use lectern_db::schema::{jobs, stage_runs};
use lectern_db::sql_types::Id;
use lectern_db::{Database, DatabaseConfig, Doing, Error, Outage, Timeouts, Tx};
use lectern_domain::{Job, JobId};
use lectern_tests::{Backend, Fixture, TestDb, a_job, on_both_backends};

use crate::db::support::worker::wait_until;

on_both_backends!(a_violated_constraint_is_not_transient);

fn prioritize(tx: &mut Tx<'_>, job_id: JobId, priority: i32) -> Result<usize, Error> {
    tx.diesel(|conn| {
        diesel::update(jobs::table.filter(jobs::job_id.eq(Id(job_id))))
            .set(jobs::priority.eq(priority))
            .execute(conn)
    })
    .doing("prioritize a job")
}

fn outage(error: &Error) -> Option<Outage> {
    match error {
        Error::Unavailable { outage, .. } => Some(*outage),
        _ => None,
    }
}

/// Runs one statement in a transaction; returns the outage that it reports.
fn outage_of(db: &Database, statement: &str) -> Option<Outage> {
    let result = db.write(|tx| {
        tx.diesel(|conn| diesel::sql_query(statement).execute(conn))
            .doing("run a statement of the test")
    });
    let error = result.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    outage(&error)
}

/// The same database with short timeouts.
fn impatient(db: &TestDb) -> Database {
    let config = DatabaseConfig {
        timeouts: Timeouts {
            statement: Duration::from_millis(200),
            lock: Duration::from_millis(100),
            idle_in_transaction: Duration::from_millis(100),
            ..Timeouts::default()
        },
        ..DatabaseConfig::new(db.url()).unwrap()
    };
    Database::connect(&config).unwrap()
}

fn priorities(db: &TestDb) -> Vec<i32> {
    db.read(|conn| {
        conn.diesel(|conn| {
            jobs::table
                .order(jobs::id)
                .select(jobs::priority)
                .load(conn)
        })
        .doing("list priorities")
    })
    .unwrap()
}

#[test]
fn a_transaction_that_loses_a_deadlock_is_repeated() {
    let db = TestDb::on(Backend::Postgres);
    let jobs = [(); 2].map(|()| a_job().create(&db));
    let barrier = Barrier::new(2);
    let (attempts, has_winner) = (AtomicUsize::new(0), AtomicBool::new(false));
    let write = |first: &Job, second: &Job| {
        db.write(|tx| {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            if attempt == 2 {
                // The loser repeats its transaction after the winner's.
                wait_until(|| has_winner.load(Ordering::Relaxed));
            }
            prioritize(tx, first.job_id, 1)?;
            if attempt < 2 {
                barrier.wait();
            }
            prioritize(tx, second.job_id, 1)
        })
        .unwrap();
        has_winner.store(true, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        let one = scope.spawn(|| write(&jobs[0], &jobs[1]));
        let other = scope.spawn(|| write(&jobs[1], &jobs[0]));
        one.join().unwrap();
        other.join().unwrap();
    });
    assert_eq!(attempts.into_inner(), 3);
    assert_eq!(priorities(&db), [1, 1]);
}

#[test]
fn a_second_serialization_failure_is_reported_and_leaves_nothing() {
    let db = TestDb::on(Backend::Postgres);
    let job = a_job().create(&db);
    let mut attempts = 0;
    let result = db.write(|tx| {
        attempts += 1;
        tx.diesel(|conn| conn.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))?;
        tx.jobs().find(job.job_id)?;
        thread::scope(|scope| {
            let other = scope.spawn(|| db.write(|tx| prioritize(tx, job.job_id, 1)));
            other.join().unwrap()
        })?;
        prioritize(tx, job.job_id, 2)
    });
    let error = result.unwrap_err();
    assert_eq!(attempts, 2);
    assert!(
        matches!(error, Error::TransactionConflict { .. }),
        "{error:?}"
    );
    assert!(error.is_transient());
    assert_eq!(priorities(&db), [1]);
}

#[test]
fn a_busy_sqlite_file_is_transient() {
    let db = TestDb::on(Backend::Sqlite);
    // All writes use one connection, so the next one does not wait either.
    db.write(|tx| {
        tx.diesel(|conn| conn.batch_execute("PRAGMA busy_timeout = 0"))
            .map_err(Error::from)
    })
    .unwrap();
    let mut other = db.sql();
    other.batch("BEGIN IMMEDIATE").unwrap();
    let error = db
        .write(|tx| tx.jobs().create(&a_job().build()))
        .unwrap_err();
    assert_eq!(outage(&error), Some(Outage::Locked), "{error:?}");
    assert!(error.is_transient());
    other.batch("ROLLBACK").unwrap();
    a_job().create(&db);
}

fn a_violated_constraint_is_not_transient(db: TestDb) {
    let job = a_job().create(&db);
    let error = db
        .write(|tx| tx.jobs().create_as(job.job_id, &a_job().build()))
        .unwrap_err();
    assert!(matches!(error, Error::Constraint { .. }), "{error:?}");
    assert!(!error.is_transient());
    assert!(!Error::NestedWrite.is_transient());
}

#[test]
fn the_timeouts_of_postgresql_are_outages() {
    let test = TestDb::on(Backend::Postgres);
    a_job().create(&test);
    let db = impatient(&test);
    assert_eq!(
        outage_of(&db, "SELECT pg_sleep(60)"),
        Some(Outage::Cancelled)
    );
    let mut other = test.sql();
    other.batch("BEGIN; SELECT 1 FROM jobs FOR UPDATE").unwrap();
    let lock = "SELECT 1 FROM jobs FOR NO KEY UPDATE";
    assert_eq!(outage_of(&db, lock), Some(Outage::Locked));
    assert_eq!(
        outage_of(&db, "SELECT 1 FROM jobs FOR UPDATE NOWAIT"),
        Some(Outage::Locked)
    );
    other.batch("ROLLBACK").unwrap();
    // The first transaction sends nothing until the server ends it.
    let mut sql = test.sql();
    let result = db.write(|tx| {
        tx.diesel(|conn| diesel::sql_query(lock).execute(conn))?;
        sql.batch(lock).unwrap();
        tx.diesel(|conn| diesel::sql_query(lock).execute(conn))
            .map_err(Error::from)
    });
    assert_eq!(outage(&result.unwrap_err()), Some(Outage::Connection));
}

#[test]
fn migrations_are_not_subject_to_timeouts() {
    let test = TestDb::on(Backend::Postgres);
    let db = impatient(&test);
    let mut other = test.sql();
    other
        .batch("BEGIN; LOCK TABLE database_identity IN ACCESS SHARE MODE")
        .unwrap();
    thread::scope(|scope| {
        let reverted = scope.spawn(|| db.migrations().down(usize::MAX));
        // Longer than each timeout.
        let mut sql = test.sql();
        wait_until(|| {
            sql.value(
                "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'
                     AND query_start < clock_timestamp() - interval '300 ms'",
            ) != "0"
        });
        other.batch("ROLLBACK").unwrap();
        assert!(!reverted.join().unwrap().unwrap().is_empty());
    });
}

on_both_backends!(a_database_that_refuses_writes_is_an_outage);

fn a_database_that_refuses_writes_is_an_outage(test: TestDb) {
    let read_only = match test.backend() {
        Backend::Postgres => "SET TRANSACTION READ ONLY",
        Backend::Sqlite => "PRAGMA query_only = ON",
    };
    let job = a_job().build();
    let error = test
        .write(|tx| {
            tx.diesel(|conn| conn.batch_execute(read_only))?;
            tx.jobs().create(&job)
        })
        .unwrap_err();
    assert_eq!(outage(&error), Some(Outage::ReadOnly), "{error:?}");
}

/// Begins a `COPY` that sends nothing until `end` is called; returns whether it ended with
/// success.
fn copies(url: &str, application: &str, end: impl Fn()) -> bool {
    let mut conn = PgConnection::establish(url).unwrap();
    conn.batch_execute(&format!("SET application_name = '{application}'"))
        .unwrap();
    let has_begun = AtomicBool::new(false);
    let copied = diesel::copy_from(stage_runs::table)
        .from_raw_data(stage_runs::table, |_| {
            has_begun.store(true, Ordering::Relaxed);
            end();
            diesel::QueryResult::Ok(())
        })
        .execute(&mut conn);
    assert!(has_begun.into_inner(), "{copied:?}");
    copied.is_ok()
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method by itself has one lifetime only"
)]
fn end_copies(db: &Database) -> i64 {
    db.read_committed(|conn| conn.end_abandoned_copies())
        .unwrap()
}

#[test]
fn a_copy_whose_client_has_stopped_is_ended() {
    let test = TestDb::on(Backend::Postgres);
    let db = impatient(&test);
    let ended = || wait_until(|| end_copies(&db) == 1);
    assert!(!copies(test.url(), "lectern", ended));
    // That of another application, such as pg_restore, may take as long as it likes.
    let both = || {
        assert!(!copies(test.url(), "lectern", ended));
        assert_eq!(end_copies(&db), 0);
    };
    assert!(copies(test.url(), "pg_restore", both));
}

#[test]
fn there_are_no_copies_to_end_on_sqlite() {
    let db = TestDb::on(Backend::Sqlite);
    assert_eq!(end_copies(&db), 0);
}
