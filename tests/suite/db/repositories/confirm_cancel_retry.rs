//! Confirm, cancel and retry from every status.

use lectern_db::{Database, Error};
use lectern_domain::JobStatus::{Cancelled, Completed, Failed, Pending, Queued, Running};
use lectern_domain::{Event, Job, JobId, JobStatus, Stage};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};

use crate::db::support::worker::{claim, concurrently, runs};
use crate::db::support::{stored, unknown_id};

on_both_backends!(
    confirming_queues_a_pending_job_and_changes_no_other,
    a_job_can_be_cancelled_until_it_ends,
    a_failed_or_cancelled_job_can_be_retried,
    concurrent_confirmations_queue_a_job_once,
    a_job_without_a_recording_cannot_be_retried,
    a_job_with_reported_upload_progress_can_be_retried,
);

type Call = fn(&Database, JobId) -> Result<Job, Error>;

const CONFIRM: Call = |db, job| db.write(|tx| tx.jobs().confirm(job));
const CANCEL: Call = |db, job| db.write(|tx| tx.jobs().cancel(job));
const RETRY: Call = |db, job| db.write(|tx| tx.jobs().retry(job));

/// Makes the call on a job of each status: a status in `moved` changes to `to`, a
/// job with a status in `kept` is returned unchanged, all others are rejected.
fn assert_from_each_status(
    db: &TestDb,
    call: Call,
    to: JobStatus,
    moved: &[JobStatus],
    kept: &[JobStatus],
) {
    for from in JobStatus::ALL {
        let job = a_job().status(*from).create(db);
        let before = db.sql().dump();
        let result = call(db, job.job_id);
        if moved.contains(from) {
            let after = result.unwrap();
            assert_eq!(
                (after.status, after.version),
                (to, job.version + 1),
                "{from}"
            );
            assert_eq!(stored(db, job.job_id), after);
            continue;
        }
        match result {
            Ok(same) if kept.contains(from) => assert_eq!(same, job),
            Err(Error::IllegalTransition {
                job_id,
                from: was,
                to: requested,
            }) => {
                assert!(!kept.contains(from), "{from}");
                assert_eq!((job_id, was, requested), (job.job_id, *from, to));
            }
            other => panic!("{from}: {other:?}"),
        }
        assert_eq!(db.sql().dump(), before, "{from}");
    }
    let missing = call(db, unknown_id());
    assert!(
        matches!(missing, Err(Error::JobNotFound { .. })),
        "{missing:?}"
    );
}

/// A job that ended before its recording was uploaded.
fn job_without_recording(db: &Database, status: JobStatus) -> Job {
    let job = a_job().status(Pending).create(db);
    let ended = db.write(|tx| tx.jobs().transition(job.job_id, status));
    ended.unwrap()
}

fn confirming_queues_a_pending_job_and_changes_no_other(db: TestDb) {
    assert_from_each_status(
        &db,
        CONFIRM,
        Queued,
        &[Pending],
        &[Queued, Running, Completed],
    );
}

fn a_job_can_be_cancelled_until_it_ends(db: TestDb) {
    assert_from_each_status(
        &db,
        CANCEL,
        Cancelled,
        &[Pending, Queued, Running],
        &[Cancelled],
    );
}

fn a_failed_or_cancelled_job_can_be_retried(db: TestDb) {
    assert_from_each_status(&db, RETRY, Queued, &[Failed, Cancelled], &[Queued]);
}

fn concurrent_confirmations_queue_a_job_once(db: TestDb) {
    let job = a_job().status(Pending).create(&db).job_id;
    let results = concurrently(100, |_| CONFIRM(&db, job).unwrap());
    assert!(
        results
            .iter()
            .all(|result| *result == results[0] && result.status == Queued)
    );
    assert_eq!((stored(&db, job).version, runs(&db, job).len()), (2, 6));
    let events = db
        .read(|conn| conn.job_events().after(job, 1, 100))
        .unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event, Event::from(&results[0]));
}

fn a_job_without_a_recording_cannot_be_retried(db: TestDb) {
    for status in [Failed, Cancelled] {
        let job = job_without_recording(&db, status);
        let before = db.sql().dump();
        let calls: [Call; 2] = [RETRY, |db, job| {
            db.write(|tx| tx.jobs().transition(job, Queued))
        }];
        for call in calls {
            let refused = call(&db, job.job_id);
            assert!(
                matches!(refused, Err(Error::IllegalTransition { from, to: Queued, .. }) if from == status),
                "{refused:?}"
            );
        }
        assert_eq!(db.sql().dump(), before);
        assert_eq!(claim(&db, Stage::WORK, 10), []);
    }
}

fn a_job_with_reported_upload_progress_can_be_retried(db: TestDb) {
    // A queued job has a recording.
    let job = a_job().create(&db).job_id;
    db.write(|tx| {
        tx.jobs()
            .report_progress(job, &a_report(Stage::Uploading, 100.0))
    })
    .unwrap();
    db.write(|tx| tx.jobs().transition(job, Failed)).unwrap();
    assert_eq!(RETRY(&db, job).unwrap().status, Queued);
}
