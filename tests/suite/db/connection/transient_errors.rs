//! Errors after which the same call may succeed when it is repeated.

use std::sync::Barrier;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use lectern_db::schema::jobs;
use lectern_db::sql_types::Id;
use lectern_db::{Doing, Error, Tx};
use lectern_domain::{Job, JobId};
use lectern_tests::{Backend, Fixture, TestDb, a_job, on_both_backends};

on_both_backends!(a_violated_constraint_is_not_transient);

fn prioritize(tx: &mut Tx<'_>, job_id: JobId, priority: i32) -> Result<usize, Error> {
    tx.diesel(|conn| {
        diesel::update(jobs::table.filter(jobs::job_id.eq(Id(job_id))))
            .set(jobs::priority.eq(priority))
            .execute(conn)
    })
    .doing("prioritize a job")
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
fn a_transaction_that_loses_a_deadlock_succeeds_when_repeated() {
    let db = TestDb::on(Backend::Postgres);
    let jobs = [(); 2].map(|()| a_job().create(&db));
    let barrier = Barrier::new(2);
    let write = |first: &Job, second: &Job, wait: bool| {
        db.write(|tx| {
            prioritize(tx, first.job_id, 1)?;
            if wait {
                barrier.wait();
            }
            prioritize(tx, second.job_id, 1)
        })
    };
    let results = thread::scope(|scope| {
        let one = scope.spawn(|| write(&jobs[0], &jobs[1], true));
        let other = scope.spawn(|| write(&jobs[1], &jobs[0], true));
        [one.join().unwrap(), other.join().unwrap()]
    });
    let failed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(
        matches!(failed.as_slice(), [Error::TransactionConflict { .. }]),
        "{failed:?}"
    );
    assert!(failed[0].is_transient());
    write(&jobs[0], &jobs[1], false).unwrap();
    assert_eq!(priorities(&db), [1, 1]);
}

#[test]
fn a_serialization_failure_is_transient_and_leaves_nothing() {
    let db = TestDb::on(Backend::Postgres);
    let job = a_job().create(&db);
    let result = db.write(|tx| {
        tx.diesel(|conn| conn.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))?;
        tx.jobs().find(job.job_id)?;
        thread::scope(|scope| {
            let other = scope.spawn(|| db.write(|tx| prioritize(tx, job.job_id, 1)));
            other.join().unwrap()
        })?;
        prioritize(tx, job.job_id, 2)
    });
    let error = result.unwrap_err();
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
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
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
