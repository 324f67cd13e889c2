//! Confirmed, called off, tried again: from every status a job can have.

use lectern_db::{Database, Error};
use lectern_domain::JobStatus::{Cancelled, Completed, Failed, Pending, Queued, Running};
use lectern_domain::{Event, Job, JobId, JobStatus, Stage};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};

use crate::db::support::worker::{at_once, claim, runs};
use crate::db::support::{nobody, stored};

on_both_backends!(
    a_pending_job_is_confirmed_and_one_that_was_is_left_as_it_is,
    a_job_is_called_off_unless_it_has_ended,
    a_job_is_tried_again_if_it_failed_or_was_called_off,
    a_job_confirmed_by_a_hundred_at_once_is_queued_once,
    a_job_whose_recording_never_arrived_cannot_be_tried_again,
    what_was_reported_of_an_upload_keeps_nobody_from_trying_a_job_again,
);

type Call = fn(&Database, JobId) -> Result<Job, Error>;

const CONFIRM: Call = |db, job| db.write(|tx| tx.jobs().confirm(job));
const CANCEL: Call = |db, job| db.write(|tx| tx.jobs().cancel(job));
const RETRY: Call = |db, job| db.write(|tx| tx.jobs().retry(job));

/// Calls it on a job of each status: those of `moved` get the status `to`,
/// those of `kept` are answered as they are, all others are refused. Only the
/// first are changed.
fn from_each_status(
    db: &TestDb,
    call: Call,
    to: JobStatus,
    moved: &[JobStatus],
    kept: &[JobStatus],
) {
    for from in JobStatus::ALL {
        let job = a_job().status(*from).create(db);
        let before = db.sql().dump();
        let answer = call(db, job.job_id);
        if moved.contains(from) {
            let after = answer.unwrap();
            assert_eq!(
                (after.status, after.version),
                (to, job.version + 1),
                "{from}"
            );
            assert_eq!(stored(db, job.job_id), after);
            continue;
        }
        match answer {
            Ok(same) if kept.contains(from) => assert_eq!(same, job),
            Err(Error::IllegalTransition {
                job_id,
                from: was,
                to: asked,
            }) => {
                assert!(!kept.contains(from), "{from}");
                assert_eq!((job_id, was, asked), (job.job_id, *from, to));
            }
            other => panic!("{from}: {other:?}"),
        }
        assert_eq!(db.sql().dump(), before, "{from}");
    }
    let missing = call(db, nobody());
    assert!(
        matches!(missing, Err(Error::JobNotFound { .. })),
        "{missing:?}"
    );
}

/// A job whose recording never arrived.
fn given_up(db: &Database, status: JobStatus) -> Job {
    let job = a_job().status(Pending).create(db);
    let ended = db.write(|tx| tx.jobs().transition(job.job_id, status));
    ended.unwrap()
}

fn a_pending_job_is_confirmed_and_one_that_was_is_left_as_it_is(db: TestDb) {
    from_each_status(
        &db,
        CONFIRM,
        Queued,
        &[Pending],
        &[Queued, Running, Completed],
    );
}

fn a_job_is_called_off_unless_it_has_ended(db: TestDb) {
    from_each_status(&db, CANCEL, Cancelled, &[Pending, Queued, Running], &[]);
}

fn a_job_is_tried_again_if_it_failed_or_was_called_off(db: TestDb) {
    from_each_status(&db, RETRY, Queued, &[Failed, Cancelled], &[]);
}

fn a_job_confirmed_by_a_hundred_at_once_is_queued_once(db: TestDb) {
    let job = a_job().status(Pending).create(&db).job_id;
    let answers = at_once(100, |_| CONFIRM(&db, job).unwrap());
    assert!(
        answers
            .iter()
            .all(|answer| *answer == answers[0] && answer.status == Queued)
    );
    assert_eq!((stored(&db, job).version, runs(&db, job).len()), (2, 6));
    let events = db
        .read(|conn| conn.job_events().after(job, 1, 100))
        .unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event, Event::from(&answers[0]));
}

fn a_job_whose_recording_never_arrived_cannot_be_tried_again(db: TestDb) {
    for status in [Failed, Cancelled] {
        let job = given_up(&db, status);
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

fn what_was_reported_of_an_upload_keeps_nobody_from_trying_a_job_again(db: TestDb) {
    // The recording is there, or the job would not have been queued.
    let job = a_job().create(&db).job_id;
    db.write(|tx| {
        tx.jobs()
            .report_progress(job, &a_report(Stage::Uploading, 100.0))
    })
    .unwrap();
    db.write(|tx| tx.jobs().transition(job, Failed)).unwrap();
    assert_eq!(RETRY(&db, job).unwrap().status, Queued);
}
