//! Which writes the leases of a job allow.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use lectern_db::{Database, Error, Tx};
use lectern_domain::Stage::{
    self, ContentAnalysis, LayoutAnalysis, SilenceDetection, Transcription,
};
use lectern_domain::{JobId, LeaseId};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends, segments};

use crate::db::support::unknown_id;
use crate::db::support::worker::{
    LEASE, a_request, cancel, claim_one, complete, fail, heartbeat, runs, wait_until_blocked,
};

on_both_backends!(
    a_write_is_allowed_under_the_lease_of_its_stage,
    a_lease_guards_until_it_expires,
    a_reported_stage_without_a_lease_guards_nothing,
    a_guard_reports_an_unknown_job,
    a_guarded_lease_is_kept_until_the_write_commits,
    a_guard_that_waited_for_the_lock_sees_the_leases_after_the_wait,
);

/// Whether a write of the output of these stages is allowed.
fn allows(db: &Database, job: JobId, owners: &[Stage], lease: Option<LeaseId>) -> bool {
    match db.write(|tx| tx.work().guard(job, owners, lease)) {
        Ok(lock) => {
            assert_eq!(lock.job_id(), job);
            true
        }
        Err(Error::LeaseLost { lease_id }) => {
            assert_eq!(lease_id, lease);
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}

fn a_write_is_allowed_under_the_lease_of_its_stage(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let expired = Some(claim_one(&db, SilenceDetection).lease_id);
    db.clock().advance(TimeDelta::seconds(LEASE - 1));
    let mine = Some(claim_one(&db, Transcription).lease_id);
    db.clock().advance(TimeDelta::seconds(1));
    a_job().create(&db);
    // The claim on the older job comes first.
    let [yours, foreign] = [(); 2].map(|()| Some(claim_one(&db, LayoutAnalysis).lease_id));
    let unknown = Some(unknown_id());

    for (owners, lease, allowed) in [
        // No stage has a lease.
        (&[][..], None, true),
        (&[ContentAnalysis], None, true),
        (&[SilenceDetection], None, true),
        (&[], mine, true),
        (&[ContentAnalysis], mine, true),
        (&[SilenceDetection], mine, true),
        // One stage has a lease.
        (&[Transcription], None, false),
        (&[Transcription], mine, true),
        (&[Transcription], yours, false),
        (&[ContentAnalysis, Transcription], None, false),
        (&[ContentAnalysis, Transcription], mine, true),
        (&[Transcription, ContentAnalysis], yours, false),
        // Both stages have leases.
        (&[Transcription, LayoutAnalysis], None, false),
        (&[Transcription, LayoutAnalysis], mine, true),
        (&[Transcription, LayoutAnalysis], yours, true),
        // A given lease has to be a valid lease of this job even if none is
        // needed.
        (&[], expired, false),
        (&[SilenceDetection], expired, false),
        (&[Transcription], expired, false),
        (&[], foreign, false),
        (&[ContentAnalysis], foreign, false),
        (&[Transcription], foreign, false),
        (&[], unknown, false),
        (&[ContentAnalysis], unknown, false),
        (&[Transcription], unknown, false),
    ] {
        assert_eq!(
            allows(&db, job, owners, lease),
            allowed,
            "{owners:?} under {lease:?}"
        );
    }
}

fn a_lease_guards_until_it_expires(db: TestDb) {
    let own = &[Transcription];
    // Whether a write is allowed without and with the lease.
    let allowed = |job, lease| {
        (
            allows(&db, job, own, None),
            allows(&db, job, own, Some(lease)),
        )
    };
    let job_and_lease = || {
        (
            a_job().create(&db).job_id,
            claim_one(&db, Transcription).lease_id,
        )
    };
    let unguarded = (true, false);

    let (job, lease) = job_and_lease();
    assert_eq!(allowed(job, lease), (false, true));
    complete(&db, lease).unwrap();
    assert_eq!(allowed(job, lease), unguarded);

    let (job, lease) = job_and_lease();
    fail(&db, lease).unwrap();
    assert_eq!(allowed(job, lease), unguarded);
    cancel(&db, job);

    let (job, lease) = job_and_lease();
    cancel(&db, job);
    assert_eq!(allowed(job, lease), unguarded);

    let (job, lease) = job_and_lease();
    db.clock().advance(TimeDelta::seconds(LEASE));
    assert_eq!(allowed(job, lease), unguarded);
}

fn a_reported_stage_without_a_lease_guards_nothing(db: TestDb) {
    let job = a_job().create(&db).job_id;
    db.write(|tx| {
        tx.jobs()
            .report_progress(job, &a_report(Transcription, 1.0))
    })
    .unwrap();
    assert!(allows(&db, job, &[Transcription], None));
}

fn a_guard_reports_an_unknown_job(db: TestDb) {
    a_job().create(&db);
    let lease = claim_one(&db, Transcription).lease_id;
    for shown in [None, Some(lease), Some(unknown_id())] {
        let missing = db.write(|tx| tx.work().guard(unknown_id(), &[Transcription], shown));
        assert!(
            matches!(missing, Err(Error::JobNotFound { job_id }) if job_id == unknown_id()),
            "{missing:?}"
        );
    }
}

fn a_guarded_lease_is_kept_until_the_write_commits(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Transcription).lease_id;
    let written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let completion = db.write(|tx| {
            let job = tx.work().guard(job, &[Transcription], Some(lease))?;
            let completion = scope.spawn(|| {
                complete(&db, lease).unwrap();
                assert!(
                    written.load(Ordering::SeqCst),
                    "completed in the middle of a write"
                );
            });
            wait_until_blocked(&db);
            tx.transcripts().replace_for_job(job, &segments(3))?;
            written.store(true, Ordering::SeqCst);
            Ok::<_, Error>(completion)
        });
        completion.unwrap().join().unwrap();
    });
    assert!(heartbeat(&db, lease, &lectern_domain::Heartbeat::default()).is_err());
}

fn a_guard_that_waited_for_the_lock_sees_the_leases_after_the_wait(db: TestDb) {
    let db = &db;
    let job = a_job().create(db).job_id;
    let allowed_after = |change: &dyn Fn(&mut Tx<'_>) -> Result<(), Error>, lease| {
        std::thread::scope(|scope| {
            let allowed = db.write(|tx| {
                change(tx)?;
                let allowed = scope.spawn(move || allows(db, job, &[Transcription], lease));
                wait_until_blocked(db);
                Ok::<_, Error>(allowed)
            });
            allowed.unwrap().join().unwrap()
        })
    };
    let request = a_request(&[Transcription], 1);
    let claim = |tx: &mut Tx<'_>| tx.work().claim(&request).map(drop);
    assert!(!allowed_after(&claim, None), "claimed meanwhile");

    let lease = runs(db, job).iter().find_map(|run| run.lease);
    let lease = lease.unwrap().lease_id;
    let complete = |tx: &mut Tx<'_>| tx.work().complete(lease).map(drop);
    assert!(
        !allowed_after(&complete, Some(lease)),
        "completed meanwhile"
    );
}
