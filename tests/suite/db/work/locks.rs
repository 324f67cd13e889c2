//! Locks on jobs: which calls wait for them, and that no deadlock occurs.

use std::sync::Arc;

use chrono::TimeDelta;
use lectern_db::{Backend, Database, Error};
use lectern_domain::Stage::{LayoutAnalysis, SilenceDetection, Transcription};
use lectern_domain::StageRunStatus::Cancelled;
use lectern_domain::{Claim, JobId, ManualClock, Stage};
use lectern_tests::{Fixture, TestDb, a_job, a_report, on_both_backends};

use crate::db::support::worker::{LEASE, cancel, claim, statuses, wait_until, wait_until_blocked};

on_both_backends!(
    a_waiting_claim_does_not_block_the_lock_holder,
    a_claim_waits_for_a_locked_job_and_takes_what_is_left,
);

fn a_waiting_claim_does_not_block_the_lock_holder(db: TestDb) {
    let job = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        let claims = db.write(|tx| {
            tx.lock_job(job)?;
            let claims = scope.spawn(|| claim(&db, Stage::WORK, 10));
            wait_until_blocked(&db);
            tx.jobs().cancel(job)?;
            Ok::<_, Error>(claims)
        });
        assert_eq!(claims.unwrap().join().unwrap(), []);
    });
    assert_eq!(statuses(&db, job), [Cancelled; 6]);
}

fn a_claim_waits_for_a_locked_job_and_takes_what_is_left(db: TestDb) {
    let job = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        let claims = db.write(|tx| {
            tx.jobs()
                .report_progress(job, &a_report(Transcription, 1.0))?;
            let claims = scope.spawn(|| claim(&db, Stage::WORK, 10));
            wait_until_blocked(&db);
            Ok::<_, Error>(claims)
        });
        let claimed: Vec<_> = claims
            .unwrap()
            .join()
            .unwrap()
            .iter()
            .map(|claim| claim.run.stage)
            .collect();
        assert_eq!(claimed, [SilenceDetection, LayoutAnalysis]);
    });
}

/// The same database over connections with a short lock timeout.
fn with_lock_timeout(test: &TestDb) -> Database {
    test.sql()
        .batch(
            "DO $$ BEGIN
                 EXECUTE format('ALTER DATABASE %I SET lock_timeout = 20000', current_database());
             END $$",
        )
        .unwrap();
    let clock = Arc::new(ManualClock::at(test.now()));
    Database::open(test.url()).unwrap().with_clock(clock)
}

#[test]
fn a_locked_job_does_not_block_other_jobs() {
    let test = TestDb::on(Backend::Postgres);
    let held = a_job().priority(1).create(&test).job_id;
    let free = a_job().create(&test).job_id;
    // Makes the call while another transaction locks the job.
    let while_locked = |call: &dyn Fn(&Database)| {
        test.write(|tx| {
            tx.lock_job(held)?;
            call(&with_lock_timeout(&test));
            Ok::<_, Error>(())
        })
        .unwrap();
    };
    let job_ids = |claims: Vec<Claim>| -> Vec<JobId> {
        claims.iter().map(|claim| claim.job.job_id).collect()
    };
    while_locked(&|db| assert_eq!(job_ids(claim(db, Stage::WORK, 10)), [free; 3]));
    assert_eq!(job_ids(claim(&test, Stage::WORK, 10)), [held; 3]);
    test.clock().advance(TimeDelta::seconds(LEASE));
    while_locked(&|db| assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 3));
    while_locked(&|db| assert_eq!(job_ids(claim(db, Stage::WORK, 10)), [free; 3]));
    assert_eq!(job_ids(claim(&test, Stage::WORK, 10)), [held; 3]);
}

/// A clock that waits for the advisory lock 7. A statement that reads the time
/// takes its snapshot first and then waits.
const WAITING_CLOCK: &str = "CREATE SCHEMA waiting;
     CREATE FUNCTION waiting.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ BEGIN
         PERFORM pg_advisory_xact_lock_shared(7);
         RETURN pg_catalog.clock_timestamp();
     END $$;
     DO $$ BEGIN
         EXECUTE format('ALTER DATABASE %I SET search_path = waiting, pg_catalog, public', current_database());
     END $$";

#[test]
fn a_waiting_claim_locks_no_other_job() {
    // Only waits in this database count: other tests use the same server.
    const WAITS: &str = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND locktype = 'transactionid' AND datname = current_database()";
    let test = TestDb::on(Backend::Postgres);
    test.sql().batch(WAITING_CLOCK).unwrap();
    let (cancelled, held) = (a_job().create(&test).job_id, a_job().create(&test).job_id);
    let free = format!(
        "SELECT count(*) FROM
            (SELECT 1 FROM jobs WHERE job_id = '{cancelled}' FOR UPDATE SKIP LOCKED) AS free"
    );
    let (mut gate, mut sql) = (test.sql(), test.sql());
    gate.batch("SELECT pg_advisory_lock(7)").unwrap();
    let db = Database::open(test.url()).unwrap();
    std::thread::scope(|scope| {
        let claims = scope.spawn(|| claim(&db, Stage::WORK, 10));
        // The claim has seen work of both jobs and is about to lock them.
        wait_until_blocked(&test);
        cancel(&test, cancelled);
        test.write(|tx| {
            tx.lock_job(held)?;
            gate.batch("SELECT pg_advisory_unlock(7)").unwrap();
            // The first has no work left and the second is locked: the claim
            // waits or returns.
            wait_until(|| claims.is_finished() || sql.value(WAITS) != "0");
            assert_eq!(
                sql.value(&free),
                "1",
                "the claim holds a lock while it waits"
            );
            Ok::<_, Error>(())
        })
        .unwrap();
        let claims = claims.join().unwrap();
        assert!(claims.iter().all(|claim| claim.job.job_id == held));
    });
}
