//! Calls under a lost lease are rejected and store nothing.

use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::Stage::{SilenceDetection, Transcription};
use lectern_domain::{JobId, JobStatus, LeaseId};
use lectern_tests::{TestDb, a_job, on_both_backends};

use crate::db::support::unknown_id;
use crate::db::support::worker::{
    LEASE, a_failure, a_heartbeat, cancel, claim_one, complete, fail, heartbeat, retry, run,
};

on_both_backends!(
    an_unknown_lease_is_lost,
    a_lease_is_lost_when_it_expires_even_before_a_sweep,
    a_replaced_lease_is_lost,
    the_lease_of_a_failed_attempt_is_lost,
    the_lease_of_a_completed_stage_only_completes_again,
    the_lease_of_a_cancelled_stage_only_reports_cancellation,
    a_lease_is_lost_when_its_job_ends,
    a_lease_is_valid_for_its_own_job_and_stage_only,
);

/// A call under a lease.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Call {
    Heartbeat,
    Complete,
    Fail,
    Guard,
}

use Call::{Complete, Fail, Guard, Heartbeat};

const ALL: &[Call] = &[Heartbeat, Complete, Fail, Guard];

/// Makes these calls under a lost lease; checks that each is rejected and that
/// nothing changed.
fn assert_lost(db: &TestDb, job: JobId, lease: LeaseId, calls: &[Call]) {
    let before = db.sql().dump();
    db.write(|tx| {
        for call in calls {
            let mut work = tx.work();
            let result = match call {
                Heartbeat => work.heartbeat(lease, &a_heartbeat(99.0)).map(drop),
                Complete => work.complete(lease).map(drop),
                Fail => work.fail(lease, &a_failure(false)).map(drop),
                Guard => work.guard(job, &[Transcription], Some(lease)).map(drop),
            };
            assert!(
                matches!(result, Err(Error::LeaseLost { lease_id }) if lease_id == Some(lease)),
                "{call:?}: {result:?}"
            );
        }
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(db.sql().dump(), before);
}

/// A job with a lease on its transcription.
fn leased(db: &Database) -> (JobId, LeaseId) {
    let job = a_job().create(db).job_id;
    (job, claim_one(db, Transcription).lease_id)
}

fn an_unknown_lease_is_lost(db: TestDb) {
    let (job, _) = leased(&db);
    assert_lost(&db, job, unknown_id(), ALL);
}

fn a_lease_is_lost_when_it_expires_even_before_a_sweep(db: TestDb) {
    let (job, lease) = leased(&db);
    db.clock().advance(TimeDelta::seconds(LEASE));
    assert_lost(&db, job, lease, ALL);
    db.write(|tx| tx.work().expire()).unwrap();
    assert_lost(&db, job, lease, ALL);
}

fn a_replaced_lease_is_lost(db: TestDb) {
    let (job, lease) = leased(&db);
    db.clock().advance(TimeDelta::seconds(LEASE));
    let other_lease = claim_one(&db, Transcription).lease_id;
    assert_lost(&db, job, lease, ALL);
    complete(&db, other_lease).unwrap();
    assert_lost(&db, job, lease, ALL);
}

fn the_lease_of_a_failed_attempt_is_lost(db: TestDb) {
    let (job, lease) = leased(&db);
    fail(&db, lease).unwrap();
    assert_lost(&db, job, lease, ALL);
    db.clock().advance(TimeDelta::seconds(2));
    claim_one(&db, Transcription);
    assert_lost(&db, job, lease, ALL);
}

fn the_lease_of_a_completed_stage_only_completes_again(db: TestDb) {
    let (job, lease) = leased(&db);
    complete(&db, lease).unwrap();
    assert_lost(&db, job, lease, &[Heartbeat, Fail, Guard]);
}

fn the_lease_of_a_cancelled_stage_only_reports_cancellation(db: TestDb) {
    let (job, lease) = leased(&db);
    cancel(&db, job);
    assert_lost(&db, job, lease, &[Complete, Fail, Guard]);
    retry(&db, job);
    assert_lost(&db, job, lease, ALL);
    claim_one(&db, Transcription);
    assert_lost(&db, job, lease, ALL);
}

fn a_lease_is_lost_when_its_job_ends(db: TestDb) {
    for status in [JobStatus::Completed, JobStatus::Failed] {
        let (job, lease) = leased(&db);
        db.write(|tx| tx.jobs().transition(job, status)).unwrap();
        let updated = heartbeat(&db, lease, &a_heartbeat(1.0));
        match status {
            JobStatus::Failed => assert!(updated.unwrap().cancelled),
            _ => assert!(
                matches!(updated, Err(Error::LeaseLost { .. })),
                "{updated:?}"
            ),
        }
        assert_lost(&db, job, lease, &[Complete, Fail, Guard]);
    }
}

fn a_lease_is_valid_for_its_own_job_and_stage_only(db: TestDb) {
    let ((job, lease), (other, other_lease)) = (leased(&db), leased(&db));
    assert_lost(&db, job, other_lease, &[Guard]);
    assert_lost(&db, other, lease, &[Guard]);
    let silence = claim_one(&db, SilenceDetection);
    assert_eq!(silence.job.job_id, job);
    assert_lost(&db, job, silence.lease_id, &[Guard]);
    complete(&db, silence.lease_id).unwrap();
    assert_eq!(run(&db, job, Transcription).lease.unwrap().lease_id, lease);
}
