//! Notifications after a commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use lectern_db::{Committed, Database, Error};
use lectern_domain::{JobId, JobStatus, Stage};
use lectern_tests::{Backend, Fixture, TestDb, a_job, a_report, on_both_backends};

use crate::db::support::unknown_id;
use crate::db::support::worker::{
    a_heartbeat, cancel, claim, claim_one, complete, concurrently, fail, heartbeat, retry,
};

on_both_backends!(
    a_commit_notifies_of_events_and_claimable_stages,
    a_transaction_sends_one_notification_with_its_events_in_order,
    a_rollback_sends_no_notification,
    a_write_without_events_sends_no_notification,
    every_event_written_through_any_clone_is_notified,
);

type Notifications = Arc<Mutex<Vec<Committed>>>;

/// The same database and its notifications. At the time of a notification
/// another connection can read the events.
fn with_notifications(db: &TestDb) -> (Database, Notifications) {
    let notifications = Notifications::default();
    let (recorded, reader) = (notifications.clone(), Database::clone(db));
    let notified = Database::clone(db).on_commit(Arc::new(move |committed| {
        for event in &committed.events {
            let stored =
                reader.read(|conn| conn.job_events().after(event.job_id, event.seq - 1, 1));
            assert_eq!(stored.unwrap(), std::slice::from_ref(event));
        }
        for job in &committed.deleted {
            assert_eq!(reader.read(|conn| conn.jobs().find(*job)).unwrap(), None);
        }
        recorded.lock().unwrap().push(committed.clone());
    }));
    (notified, notifications)
}

/// The notifications since the last call.
fn take(notifications: &Notifications) -> Vec<Committed> {
    std::mem::take(&mut notifications.lock().unwrap())
}

/// The number of events and the claimable stages of the only notification.
fn only_notification(notifications: &Notifications) -> (usize, Vec<Stage>) {
    match take(notifications).as_slice() {
        [committed] => (committed.events.len(), committed.ready.clone()),
        other => panic!("{other:?}"),
    }
}

fn a_commit_notifies_of_events_and_claimable_stages(db: TestDb) {
    let (db, notifications) = with_notifications(&db);
    let first_stages = [
        Stage::SilenceDetection,
        Stage::Transcription,
        Stage::LayoutAnalysis,
    ];
    let job = a_job().create(&db).job_id;
    assert_eq!(
        only_notification(&notifications),
        (1, first_stages.to_vec())
    );
    let claims = claim(&db, Stage::WORK, 10);
    assert_eq!(only_notification(&notifications), (4, vec![]));
    heartbeat(&db, claims[0].lease_id, &a_heartbeat(1.0)).unwrap();
    assert_eq!(only_notification(&notifications), (1, vec![]));
    // The failed stage is claimable only after its delay.
    fail(&db, claims[0].lease_id).unwrap();
    assert_eq!(only_notification(&notifications), (2, vec![]));
    complete(&db, claims[1].lease_id).unwrap();
    assert_eq!(only_notification(&notifications), (2, vec![]));
    cancel(&db, job);
    assert_eq!(only_notification(&notifications), (1, vec![]));
    retry(&db, job);
    assert_eq!(
        only_notification(&notifications),
        (1, vec![Stage::SilenceDetection, Stage::LayoutAnalysis])
    );
    for stage in [Stage::SilenceDetection, Stage::LayoutAnalysis] {
        complete(&db, claim_one(&db, stage).lease_id).unwrap();
    }
    assert_eq!(
        take(&notifications).pop().unwrap().ready,
        [Stage::ContentAnalysis]
    );
    db.write(|tx| tx.jobs().delete(job)).unwrap();
    assert_eq!(
        take(&notifications),
        [Committed {
            deleted: vec![job],
            ..Committed::default()
        }]
    );

    let pending = a_job().status(JobStatus::Pending).create(&db).job_id;
    assert_eq!(only_notification(&notifications), (1, vec![]));
    db.write(|tx| tx.jobs().confirm(pending)).unwrap();
    assert_eq!(
        only_notification(&notifications),
        (1, first_stages.to_vec())
    );
}

fn a_transaction_sends_one_notification_with_its_events_in_order(db: TestDb) {
    let (db, notifications) = with_notifications(&db);
    let jobs = db.write(|tx| {
        let reported = tx.jobs().create(&a_job().build())?;
        let cancelled = tx.jobs().create(&a_job().build())?;
        for percent in 1..4 {
            tx.jobs().report_progress(
                reported.job_id,
                &a_report(Stage::Compilation, f64::from(percent)),
            )?;
        }
        tx.jobs().cancel(cancelled.job_id)?;
        Ok::<_, Error>([reported.job_id, cancelled.job_id])
    });
    let jobs = jobs.unwrap();
    let notified = take(&notifications);
    assert_eq!(notified.len(), 1);
    for job in jobs {
        let of_job: Vec<_> = notified[0]
            .events
            .iter()
            .filter(|event| event.job_id == job)
            .cloned()
            .collect();
        assert_eq!(
            of_job,
            db.read(|conn| conn.job_events().after(job, 0, 100))
                .unwrap()
        );
    }
}

fn a_rollback_sends_no_notification(db: TestDb) {
    let (db, notifications) = with_notifications(&db);
    let before = a_job().create(&db).job_id;
    take(&notifications);
    let change = |tx: &mut lectern_db::Tx<'_>| {
        tx.jobs().create(&a_job().build())?;
        tx.jobs().cancel(before)?;
        tx.jobs().delete(before)
    };
    let refused = db.write(|tx| {
        change(tx)?;
        Err::<(), _>(Error::Url("no reason".into()))
    });
    assert!(refused.is_err());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        db.write(|tx| -> Result<(), Error> {
            change(tx)?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(take(&notifications), []);
    // The next notification does not hold it either.
    cancel(&db, before);
    assert_eq!(only_notification(&notifications), (1, vec![]));
}

fn a_write_without_events_sends_no_notification(db: TestDb) {
    let (db, notifications) = with_notifications(&db);
    db.write(|tx| {
        assert!(tx.jobs().delete(unknown_id()).is_err());
        assert!(tx.jobs().cancel(unknown_id()).is_err());
        assert_eq!(tx.work().expire()?, 0);
        tx.job_events().prune(chrono::TimeDelta::MAX)
    })
    .unwrap();
    assert_eq!(claim(&db, Stage::WORK, 10), []);
    db.read(|conn| conn.jobs().find(unknown_id())).unwrap();
    assert_eq!(take(&notifications), []);
}

fn every_event_written_through_any_clone_is_notified(db: TestDb) {
    let (db, notifications) = with_notifications(&db);
    let jobs: Vec<JobId> = concurrently(8, |_| {
        let db = db.clone();
        let job = a_job().create(&db).job_id;
        for percent in 1..5 {
            db.write(|tx| {
                tx.jobs()
                    .report_progress(job, &a_report(Stage::Compilation, f64::from(percent)))
            })
            .unwrap();
        }
        job
    });
    let notified: Vec<_> = take(&notifications)
        .into_iter()
        .flat_map(|committed| committed.events)
        .collect();
    assert_eq!(notified.len(), 8 * 5);
    for job in jobs {
        let of_job: Vec<_> = notified
            .iter()
            .filter(|event| event.job_id == job)
            .cloned()
            .collect();
        assert_eq!(
            of_job,
            db.read(|conn| conn.job_events().after(job, 0, 100))
                .unwrap()
        );
    }
}

#[test]
fn a_failed_commit_sends_no_notification() {
    let test = TestDb::on(Backend::Postgres);
    let (db, notifications) = with_notifications(&test);
    let failed = db.write(|tx| {
        let job = tx.jobs().create(&a_job().build())?;
        test.sql().terminate_other_connections();
        Ok::<_, Error>(job)
    });
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(take(&notifications), []);
    assert_eq!(test.sql().count("jobs"), 0);
}
