//! Failed attempts and retries.

use chrono::TimeDelta;
use lectern_db::Database;
use lectern_domain::Stage::{LayoutAnalysis, SilenceDetection, Transcription};
use lectern_domain::StageRunStatus::{Cancelled, Failed, Ready, Running, Waiting};
use lectern_domain::{
    Heartbeat, Job, JobId, JobStatus, LogEntry, LogStatus, Percent, Seconds, Stage, StageRun,
    retry_delay,
};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};

use crate::db::support::stored;
use crate::db::support::worker::{
    LEASE, a_failure, a_heartbeat, claim, claim_one, complete, fail, heartbeat, retry, run, runs,
    statuses, with_one_stage,
};

on_both_backends!(
    a_failed_attempt_is_retried_after_a_delay,
    retry_delays_have_jitter,
    a_permanent_failure_fails_the_job_at_once,
    three_failed_attempts_fail_the_job_and_cancel_its_other_stages,
    a_stage_with_an_expired_lease_is_claimable_at_once,
    three_expired_leases_fail_the_job_and_cancel_its_other_stages,
    the_sweep_ends_expired_leases_without_a_claim,
    the_sweep_ends_any_number_of_expired_leases,
    every_attempt_is_logged_with_worker_and_duration,
);

fn expire(db: &Database) -> usize {
    db.write(|tx| tx.work().expire()).unwrap()
}

/// Advances the clock past the end of the current leases.
fn expire_leases(db: &TestDb) {
    db.clock().advance(TimeDelta::seconds(LEASE));
}

/// Advances the clock to the end of the delay of a failed run.
fn end_delay(db: &TestDb, (_, run): (Job, StageRun)) {
    let delay = run.available_at.expect("a delay") - db.now();
    db.clock().advance(delay);
}

fn log(db: &Database, job: JobId) -> Vec<LogEntry> {
    db.read(|conn| conn.processing_logs().for_job(job)).unwrap()
}

fn a_failed_attempt_is_retried_after_a_delay(db: TestDb) {
    let job = a_job().create(&db).job_id;
    for attempt in 1..3 {
        let lease = claim_one(&db, Transcription);
        assert_eq!(lease.run.attempt, attempt);
        heartbeat(&db, lease.lease_id, &a_heartbeat(50.0)).unwrap();
        db.clock().advance(TimeDelta::seconds(30));
        let (updated, failed) = fail(&db, lease.lease_id).unwrap();
        assert_eq!(
            (&updated, &failed),
            (&stored(&db, job), &run(&db, job, Transcription))
        );
        assert_eq!((failed.status, failed.attempt), (Ready, attempt));
        assert_eq!(failed.error.as_deref(), Some("disk full"));
        assert_eq!(
            (
                failed.progress.percent,
                failed.progress.message.as_deref(),
                failed.progress.eta_seconds
            ),
            (Percent::ZERO, None, None)
        );
        assert_eq!(failed.finished_at, Some(db.now()));
        assert_eq!(
            (updated.status, &updated.error_message),
            (JobStatus::Running, &None)
        );

        let delay = (failed.available_at.unwrap() - db.now()).to_std().unwrap();
        assert!(
            delay >= retry_delay(attempt, 1.0) && delay <= retry_delay(attempt, 0.0),
            "{delay:?}"
        );
        assert_eq!(claim(&db, &[Transcription], 1), []);
        end_delay(&db, (updated, failed));
        db.clock().advance(TimeDelta::microseconds(-1));
        assert_eq!(claim(&db, &[Transcription], 1), []);
        db.clock().advance(TimeDelta::microseconds(1));
    }
    let third = claim_one(&db, Transcription).run;
    assert_eq!(
        (third.attempt, third.available_at, third.finished_at),
        (3, None, None)
    );
    assert_eq!(
        third.error.as_deref(),
        Some("disk full"),
        "the last error stays until completion"
    );
    let (_, done) = complete(&db, third.lease.unwrap().lease_id).unwrap();
    assert_eq!(done.error, None);
}

fn retry_delays_have_jitter(db: TestDb) {
    for _ in 0..20 {
        a_job().create(&db);
    }
    let mut delays: Vec<_> = claim(&db, &[Transcription], 20)
        .iter()
        .map(|claim| fail(&db, claim.lease_id).unwrap().1.available_at)
        .collect();
    delays.sort();
    delays.dedup();
    assert!(delays.len() > 10, "{delays:?}");
}

fn a_permanent_failure_fails_the_job_at_once(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Transcription).lease_id;
    let (updated, failed) = db
        .write(|tx| tx.work().fail(lease, &a_failure(false)))
        .unwrap();
    assert_eq!(
        (failed.status, failed.attempt, failed.available_at),
        (Failed, 1, None)
    );
    assert_eq!(
        (updated.status, updated.error_message.as_deref()),
        (JobStatus::Failed, Some("transcription: disk full"))
    );
    assert_eq!(stored(&db, job), updated);
}

fn three_failed_attempts_fail_the_job_and_cancel_its_other_stages(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let sibling = claim_one(&db, SilenceDetection).lease_id;
    for _ in 0..2 {
        end_delay(
            &db,
            fail(&db, claim_one(&db, Transcription).lease_id).unwrap(),
        );
    }
    let (updated, failed) = fail(&db, claim_one(&db, Transcription).lease_id).unwrap();
    assert_eq!((failed.status, failed.attempt), (Failed, 3));
    assert_eq!(
        (updated.status, updated.error_message.as_deref()),
        (JobStatus::Failed, Some("transcription: disk full"))
    );
    assert_eq!(
        statuses(&db, job),
        [
            Cancelled, Failed, Cancelled, Cancelled, Cancelled, Cancelled
        ]
    );
    assert!(
        heartbeat(&db, sibling, &Heartbeat::default())
            .unwrap()
            .cancelled
    );

    retry(&db, job);
    assert_eq!(
        statuses(&db, job),
        [Ready, Ready, Ready, Waiting, Waiting, Waiting]
    );
    assert_eq!(
        claim_one(&db, Transcription).run.attempt,
        1,
        "attempts are counted from 1 again"
    );
}

fn a_stage_with_an_expired_lease_is_claimable_at_once(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let first = claim_one(&db, Transcription);
    db.clock()
        .advance(TimeDelta::seconds(LEASE) - TimeDelta::microseconds(1));
    assert_eq!(
        claim(&db, &[Transcription], 1),
        [],
        "the lease has a microsecond left"
    );
    db.clock().advance(TimeDelta::microseconds(1));
    let second = claim_one(&db, Transcription);
    assert_eq!(
        (second.run.run_id, second.run.attempt),
        (first.run.run_id, 2)
    );
    assert_ne!(second.lease_id, first.lease_id);
    assert_eq!(
        second.run.error.as_deref(),
        Some("the lease expired: no heartbeat came in time")
    );
    let (done, _) = complete(&db, second.lease_id).unwrap();
    assert_eq!(done, stored(&db, job));
}

fn three_expired_leases_fail_the_job_and_cancel_its_other_stages(db: TestDb) {
    let job = a_job().create(&db).job_id;
    for attempt in 1..3 {
        assert_eq!(claim_one(&db, Transcription).run.attempt, attempt);
        expire_leases(&db);
    }
    assert_eq!(claim_one(&db, Transcription).run.attempt, 3);
    db.clock().advance(TimeDelta::seconds(1));
    let sibling = claim_one(&db, SilenceDetection).lease_id;
    db.clock().advance(TimeDelta::seconds(LEASE - 1));
    assert_eq!(claim(&db, Stage::WORK, 10), []);
    assert_eq!(
        statuses(&db, job),
        [
            Cancelled, Failed, Cancelled, Cancelled, Cancelled, Cancelled
        ]
    );
    let updated = stored(&db, job);
    assert_eq!(updated.status, JobStatus::Failed);
    assert_eq!(
        updated.error_message.as_deref(),
        Some("transcription: the lease expired: no heartbeat came in time")
    );
    assert!(
        heartbeat(&db, sibling, &Heartbeat::default())
            .unwrap()
            .cancelled
    );
}

fn the_sweep_ends_expired_leases_without_a_claim(db: TestDb) {
    let any_expired = || db.read(|conn| conn.stage_runs().any_expired()).unwrap();
    let (job, other) = (a_job().create(&db).job_id, a_job().create(&db).job_id);
    assert_eq!(
        (claim(&db, Stage::WORK, 5).len(), expire(&db), any_expired()),
        (5, 0, false)
    );
    db.write(|tx| {
        tx.jobs()
            .report_progress(other, &a_report(LayoutAnalysis, 1.0))
    })
    .unwrap();
    let kept = runs(&db, other)[0].lease.unwrap().lease_id;
    db.clock().advance(TimeDelta::seconds(LEASE - 1));
    heartbeat(&db, kept, &Heartbeat::default()).unwrap();
    db.clock().advance(TimeDelta::seconds(1));
    assert!(any_expired());
    assert_eq!((expire(&db), expire(&db), any_expired()), (4, 0, false));
    assert_eq!(
        statuses(&db, job),
        [Ready, Ready, Ready, Waiting, Waiting, Waiting]
    );
    assert_eq!(
        statuses(&db, other),
        [Running, Ready, Running, Waiting, Waiting, Waiting],
        "a heartbeat extends a lease; a reported run has none"
    );
    assert_eq!(run(&db, job, Transcription).available_at, None);
}

fn the_sweep_ends_any_number_of_expired_leases(db: TestDb) {
    let one_stage_db = with_one_stage(&db);
    for _ in 0..150 {
        a_job().create(&one_stage_db);
    }
    assert_eq!(
        claim(&db, &[Transcription], 100).len() + claim(&db, &[Transcription], 100).len(),
        150
    );
    expire_leases(&db);
    let swept: usize = std::iter::repeat_with(|| expire(&db))
        .take_while(|swept| *swept > 0)
        .sum();
    assert_eq!(swept, 150);
    assert_eq!(
        claim(&db, &[Transcription], 100).len() + claim(&db, &[Transcription], 100).len(),
        150
    );
}

fn every_attempt_is_logged_with_worker_and_duration(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let first = claim_one(&db, Transcription).lease_id;
    db.clock().advance(TimeDelta::milliseconds(1_500));
    end_delay(&db, fail(&db, first).unwrap());
    claim_one(&db, Transcription);
    expire_leases(&db);
    let third = claim_one(&db, Transcription).lease_id;
    db.clock().advance(TimeDelta::seconds(7));
    complete(&db, third).unwrap();

    let entries = log(&db, job);
    assert!(entries.iter().all(|entry| entry.stage == Transcription));
    assert!(
        entries
            .iter()
            .all(|entry| entry.agent_name.as_deref() == Some("worker-1"))
    );
    let logged: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.status,
                entry.message.as_deref(),
                entry.duration_seconds.map(Seconds::get),
            )
        })
        .collect();
    assert_eq!(
        logged,
        [
            (LogStatus::Started, None, None),
            (LogStatus::Failed, Some("disk full"), Some(1.5)),
            (LogStatus::Started, None, None),
            (
                LogStatus::Failed,
                Some("the lease expired: no heartbeat came in time"),
                Some(60.0)
            ),
            (LogStatus::Started, None, None),
            (LogStatus::Completed, None, Some(7.0)),
        ]
    );
    assert_eq!(entries[1].error_details_json().unwrap()["free"], 0);
    assert_eq!(entries[5].timestamp, db.now());
}
