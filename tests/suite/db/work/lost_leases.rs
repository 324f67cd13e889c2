//! Whoever lost a lease is told so, and nothing of what it says is stored.

use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::Stage::{SilenceDetection, Transcription};
use lectern_domain::{JobId, JobStatus, LeaseId};
use lectern_tests::{TestDb, a_job, on_both_backends};

use crate::db::support::nobody;
use crate::db::support::worker::{
    LEASE, a_beat, a_failure, cancel, claim_one, complete, fail, heartbeat, retry, run,
};

on_both_backends!(
    a_lease_nobody_was_given_is_lost,
    a_lease_is_lost_the_moment_it_expires_whether_anybody_noticed_or_not,
    a_lease_is_lost_once_another_worker_has_one,
    a_lease_is_lost_with_the_attempt_that_was_given_up,
    with_a_completed_stage_nothing_can_be_done_but_to_complete_it_again,
    with_a_stage_that_was_called_off_nothing_can_be_done_but_to_hear_of_it,
    a_lease_is_lost_when_its_job_ends_without_it,
    a_lease_is_good_for_its_own_job_and_stage_alone,
);

/// What can be done with a lease.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Call {
    Heartbeat,
    Complete,
    Fail,
    Guard,
}

use Call::{Complete, Fail, Guard, Heartbeat};

const ALL: &[Call] = &[Heartbeat, Complete, Fail, Guard];

/// Makes these calls under a lease and commits whatever they did: it has to be
/// nothing.
fn refused(db: &TestDb, job: JobId, lease: LeaseId, calls: &[Call]) {
    let before = db.sql().dump();
    db.write(|tx| {
        for call in calls {
            let mut work = tx.work();
            let answer = match call {
                Heartbeat => work.heartbeat(lease, &a_beat(99.0)).map(drop),
                Complete => work.complete(lease).map(drop),
                Fail => work.fail(lease, &a_failure(false)).map(drop),
                Guard => work.guard(job, &[Transcription], Some(lease)).map(drop),
            };
            assert!(
                matches!(answer, Err(Error::LeaseLost { lease_id }) if lease_id == Some(lease)),
                "{call:?}: {answer:?}"
            );
        }
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(db.sql().dump(), before);
}

/// A job whose transcription somebody has a lease on.
fn leased(db: &Database) -> (JobId, LeaseId) {
    let job = a_job().create(db).job_id;
    (job, claim_one(db, Transcription).lease_id)
}

fn a_lease_nobody_was_given_is_lost(db: TestDb) {
    let (job, _) = leased(&db);
    refused(&db, job, nobody(), ALL);
}

fn a_lease_is_lost_the_moment_it_expires_whether_anybody_noticed_or_not(db: TestDb) {
    let (job, lease) = leased(&db);
    db.clock().advance(TimeDelta::seconds(LEASE));
    refused(&db, job, lease, ALL);
    db.write(|tx| tx.work().expire()).unwrap();
    refused(&db, job, lease, ALL);
}

fn a_lease_is_lost_once_another_worker_has_one(db: TestDb) {
    let (job, lease) = leased(&db);
    db.clock().advance(TimeDelta::seconds(LEASE));
    let others = claim_one(&db, Transcription).lease_id;
    refused(&db, job, lease, ALL);
    complete(&db, others).unwrap();
    refused(&db, job, lease, ALL);
}

fn a_lease_is_lost_with_the_attempt_that_was_given_up(db: TestDb) {
    let (job, lease) = leased(&db);
    fail(&db, lease).unwrap();
    refused(&db, job, lease, ALL);
    db.clock().advance(TimeDelta::seconds(2));
    claim_one(&db, Transcription);
    refused(&db, job, lease, ALL);
}

fn with_a_completed_stage_nothing_can_be_done_but_to_complete_it_again(db: TestDb) {
    let (job, lease) = leased(&db);
    complete(&db, lease).unwrap();
    refused(&db, job, lease, &[Heartbeat, Fail, Guard]);
}

fn with_a_stage_that_was_called_off_nothing_can_be_done_but_to_hear_of_it(db: TestDb) {
    let (job, lease) = leased(&db);
    cancel(&db, job);
    refused(&db, job, lease, &[Complete, Fail, Guard]);
    retry(&db, job);
    refused(&db, job, lease, ALL);
    claim_one(&db, Transcription);
    refused(&db, job, lease, ALL);
}

fn a_lease_is_lost_when_its_job_ends_without_it(db: TestDb) {
    for status in [JobStatus::Completed, JobStatus::Failed] {
        let (job, lease) = leased(&db);
        db.write(|tx| tx.jobs().transition(job, status)).unwrap();
        let told = heartbeat(&db, lease, &a_beat(1.0));
        match status {
            JobStatus::Failed => assert!(told.unwrap().cancelled),
            _ => assert!(matches!(told, Err(Error::LeaseLost { .. })), "{told:?}"),
        }
        refused(&db, job, lease, &[Complete, Fail, Guard]);
    }
}

fn a_lease_is_good_for_its_own_job_and_stage_alone(db: TestDb) {
    let ((job, lease), (other, others)) = (leased(&db), leased(&db));
    refused(&db, job, others, &[Guard]);
    refused(&db, other, lease, &[Guard]);
    let silence = claim_one(&db, SilenceDetection);
    assert_eq!(silence.job.job_id, job);
    refused(&db, job, silence.lease_id, &[Guard]);
    complete(&db, silence.lease_id).unwrap();
    assert_eq!(run(&db, job, Transcription).lease.unwrap().lease_id, lease);
}
