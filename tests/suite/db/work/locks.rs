//! Locked jobs: claims and expiry skip them.

use std::sync::Arc;

use chrono::TimeDelta;
use lectern_db::{Backend, Database, Error};
use lectern_domain::Stage::{LayoutAnalysis, SilenceDetection, Transcription};
use lectern_domain::StageRunStatus::Cancelled;
use lectern_domain::{Claim, JobId, ManualClock, Stage};
use lectern_tests::{Fixture, TestDb, a_job, a_report, on_both_backends};

use crate::db::support::worker::{LEASE, cancel, claim, statuses, wait_until_blocked};

on_both_backends!(a_claim_takes_what_another_transaction_has_left);

fn a_claim_takes_what_another_transaction_has_left(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let of_stage =
        |claims: &[Claim]| -> Vec<_> { claims.iter().map(|claim| claim.run.stage).collect() };
    db.write(|tx| {
        tx.jobs()
            .report_progress(job, &a_report(Transcription, 1.0))?;
        if db.backend() == Backend::Postgres {
            let claims = claim(&other_handle(&db), Stage::WORK, 10);
            assert_eq!(of_stage(&claims), [], "the job is locked");
        }
        Ok::<_, Error>(())
    })
    .unwrap();
    let claims = claim(&db, Stage::WORK, 10);
    assert_eq!(of_stage(&claims), [SilenceDetection, LayoutAnalysis]);
}

/// The same database over other connections.
fn other_handle(test: &TestDb) -> Database {
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
            call(&other_handle(&test));
            Ok::<_, Error>(())
        })
        .unwrap();
    };
    let job_ids = |claims: Vec<Claim>| -> Vec<JobId> {
        claims.iter().map(|claim| claim.job.job_id).collect()
    };
    while_locked(&|db| {
        assert_eq!(job_ids(claim(db, Stage::WORK, 10)), [free; 3]);
        assert_eq!(job_ids(claim(db, Stage::WORK, 10)), []);
    });
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
fn a_claim_that_comes_too_late_neither_waits_nor_takes_anything() {
    let test = TestDb::on(Backend::Postgres);
    test.sql().batch(WAITING_CLOCK).unwrap();
    let (cancelled, held) = (a_job().create(&test).job_id, a_job().create(&test).job_id);
    let mut gate = test.sql();
    gate.batch("SELECT pg_advisory_lock(7)").unwrap();
    let db = Database::open(test.url()).unwrap();
    std::thread::scope(|scope| {
        let mut claims = Some(scope.spawn(|| claim(&db, Stage::WORK, 10)));
        // The claim has seen work of both jobs and is about to lock them.
        wait_until_blocked(&test);
        cancel(&test, cancelled);
        test.write(|tx| {
            tx.lock_job(held)?;
            gate.batch("SELECT pg_advisory_unlock(7)").unwrap();
            assert_eq!(claims.take().unwrap().join().unwrap(), []);
            Ok::<_, Error>(())
        })
        .unwrap();
    });
    assert_eq!(statuses(&test, cancelled), [Cancelled; 6]);
    let claims = claim(&test, Stage::WORK, 10);
    assert!(claims.iter().all(|claim| claim.job.job_id == held));
    assert_eq!(claims.len(), 3);
}
