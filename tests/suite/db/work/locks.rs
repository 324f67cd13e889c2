//! Who holds a job, who waits for it, and that nobody waits in a circle.

use std::sync::Arc;

use chrono::TimeDelta;
use lectern_db::{Backend, Database, Error};
use lectern_domain::Stage::{LayoutAnalysis, SilenceDetection, Transcription};
use lectern_domain::StageRunStatus::Cancelled;
use lectern_domain::{Claim, JobId, ManualClock, Stage};
use lectern_tests::{Fixture, TestDb, a_job, a_report, on_both_backends};

use crate::db::support::worker::{
    LEASE, cancel, claim, statuses, until_somebody_waits, wait_until,
};

on_both_backends!(
    a_claim_that_waits_for_a_job_keeps_its_holder_from_nothing,
    a_claim_waits_for_a_job_that_is_held_and_then_gets_what_is_left,
);

fn a_claim_that_waits_for_a_job_keeps_its_holder_from_nothing(db: TestDb) {
    let job = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        let claims = db.write(|tx| {
            tx.lock_job(job)?;
            let claims = scope.spawn(|| claim(&db, Stage::WORK, 10));
            until_somebody_waits(&db);
            tx.jobs().cancel(job)?;
            Ok::<_, Error>(claims)
        });
        assert_eq!(claims.unwrap().join().unwrap(), []);
    });
    assert_eq!(statuses(&db, job), [Cancelled; 6]);
}

fn a_claim_waits_for_a_job_that_is_held_and_then_gets_what_is_left(db: TestDb) {
    let job = a_job().create(&db).job_id;
    std::thread::scope(|scope| {
        let claims = db.write(|tx| {
            tx.jobs()
                .report_progress(job, &a_report(Transcription, 1.0))?;
            let claims = scope.spawn(|| claim(&db, Stage::WORK, 10));
            until_somebody_waits(&db);
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

/// The same database by way of connections that would rather fail than wait for
/// a lock for long.
fn impatient(test: &TestDb) -> Database {
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
fn a_job_that_is_held_keeps_nobody_from_the_others() {
    let test = TestDb::on(Backend::Postgres);
    let held = a_job().priority(1).create(&test).job_id;
    let free = a_job().create(&test).job_id;
    // While somebody holds a job and takes his time.
    let meanwhile = |act: &dyn Fn(&Database)| {
        test.write(|tx| {
            tx.lock_job(held)?;
            act(&impatient(&test));
            Ok::<_, Error>(())
        })
        .unwrap();
    };
    let of = |claims: Vec<Claim>| -> Vec<JobId> {
        claims.iter().map(|claim| claim.job.job_id).collect()
    };
    meanwhile(&|db| assert_eq!(of(claim(db, Stage::WORK, 10)), [free; 3]));
    assert_eq!(of(claim(&test, Stage::WORK, 10)), [held; 3]);
    test.clock().advance(TimeDelta::seconds(LEASE));
    meanwhile(&|db| assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 3));
    meanwhile(&|db| assert_eq!(of(claim(db, Stage::WORK, 10)), [free; 3]));
    assert_eq!(of(claim(&test, Stage::WORK, 10)), [held; 3]);
}

/// Lets every statement that asks for the time wait once it has seen what there
/// is, for as long as somebody holds the advisory lock 7.
const WAITING_CLOCK: &str = "CREATE SCHEMA waiting;
     CREATE FUNCTION waiting.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ BEGIN
         PERFORM pg_advisory_xact_lock_shared(7);
         RETURN pg_catalog.clock_timestamp();
     END $$;
     DO $$ BEGIN
         EXECUTE format('ALTER DATABASE %I SET search_path = waiting, pg_catalog, public', current_database());
     END $$";

#[test]
fn a_claim_that_waits_for_a_job_holds_no_other() {
    // Other tests have databases of their own on the same server.
    const WAITS: &str = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND locktype = 'transactionid' AND datname = current_database()";
    let test = TestDb::on(Backend::Postgres);
    test.sql().batch(WAITING_CLOCK).unwrap();
    let (gone, held) = (a_job().create(&test).job_id, a_job().create(&test).job_id);
    let free = format!(
        "SELECT count(*) FROM
            (SELECT 1 FROM jobs WHERE job_id = '{gone}' FOR UPDATE SKIP LOCKED) AS free"
    );
    let (mut gate, mut sql) = (test.sql(), test.sql());
    gate.batch("SELECT pg_advisory_lock(7)").unwrap();
    let db = Database::open(test.url()).unwrap();
    std::thread::scope(|scope| {
        let claims = scope.spawn(|| claim(&db, Stage::WORK, 10));
        // It has seen work in both jobs, and is about to try and hold them.
        until_somebody_waits(&test);
        cancel(&test, gone);
        test.write(|tx| {
            tx.lock_job(held)?;
            gate.batch("SELECT pg_advisory_unlock(7)").unwrap();
            // Of the first nothing is left, and the second is held: it waits, or
            // gives up.
            wait_until(|| claims.is_finished() || sql.value(WAITS) != "0");
            assert_eq!(
                sql.value(&free),
                "1",
                "it waits, and somebody may wait for it"
            );
            Ok::<_, Error>(())
        })
        .unwrap();
        let claims = claims.join().unwrap();
        assert!(claims.iter().all(|claim| claim.job.job_id == held));
    });
}
