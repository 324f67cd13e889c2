//! A write within a write on the same database is an error at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use lectern_db::{Database, Error};
use lectern_domain::{
    ClaimLimit, ClaimRequest, LeaseDuration, ManualClock, Stage, Stages, WorkerName,
};
use lectern_tests::{Fixture, TestDb, a_job, on_both_backends};

on_both_backends!(
    a_write_within_a_write_is_refused_on_every_handle,
    a_claim_or_migration_within_a_write_is_refused,
    a_write_to_another_database_within_a_write_is_stored,
    a_write_after_one_that_failed_or_panicked_is_stored,
    a_commit_listener_may_write,
);

fn write(db: &Database) -> Result<(), Error> {
    db.write(|tx| tx.jobs().create(&a_job().build()).map(drop))
}

fn a_write_within_a_write_is_refused_on_every_handle(db: TestDb) {
    let handles = [
        Database::clone(&db),
        db.with_checkout_timeout(Duration::from_hours(1)),
        db.with_checkout_timeout(Duration::from_hours(1))
            .with_clock(Arc::new(ManualClock::default())),
    ];
    for inner in handles {
        let refused = db.write(|_| write(&inner)).unwrap_err();
        assert!(matches!(refused, Error::NestedWrite), "{refused:?}");
        assert!(refused.to_string().contains("pass the Tx on"), "{refused}");
        let refused = inner.write(|_| write(&db)).unwrap_err();
        assert!(matches!(refused, Error::NestedWrite), "{refused:?}");
    }
    assert_eq!(db.sql().count("jobs"), 0);
}

fn a_claim_or_migration_within_a_write_is_refused(db: TestDb) {
    let request = ClaimRequest {
        worker: WorkerName::new("w").unwrap(),
        stages: Stages::new(vec![Stage::Transcription]).unwrap(),
        max: ClaimLimit::default(),
        lease: LeaseDuration::default(),
    };
    let refused = db.write(|_| db.claim(&request)).unwrap_err();
    assert!(matches!(refused, Error::NestedWrite), "{refused:?}");
    let refused = db.write(|_| db.migrate()).unwrap_err();
    assert!(matches!(refused, Error::NestedWrite), "{refused:?}");
}

fn a_write_to_another_database_within_a_write_is_stored(db: TestDb) {
    let other = TestDb::on(db.backend());
    db.write(|tx| {
        write(&other)?;
        tx.jobs().create(&a_job().build())
    })
    .unwrap();
    assert_eq!((db.sql().count("jobs"), other.sql().count("jobs")), (1, 1));
}

fn a_write_after_one_that_failed_or_panicked_is_stored(db: TestDb) {
    assert!(
        db.write(|_| Err::<(), _>(Error::Url("on purpose".into())))
            .is_err()
    );
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        db.write(|_| -> Result<(), Error> { panic!("on purpose") })
    }));
    assert!(panicked.is_err());
    // A refused inner write does not end the outer one: a second is refused,
    // too.
    db.write(|_| {
        assert!(write(&db).is_err());
        assert!(write(&db).is_err());
        Ok::<_, Error>(())
    })
    .unwrap();
    write(&db).unwrap();
    assert_eq!(db.sql().count("jobs"), 1);
}

fn a_commit_listener_may_write(db: TestDb) {
    let inner = Database::clone(&db);
    let listening = Database::clone(&db).on_commit(Arc::new(move |_| write(&inner).unwrap()));
    write(&listening).unwrap();
    assert_eq!(db.sql().count("jobs"), 2);
}
