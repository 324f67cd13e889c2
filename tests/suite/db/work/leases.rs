//! Heartbeats, completion and release of claimed stages.

use chrono::TimeDelta;
use lectern_db::Error;
use lectern_domain::Stage::{
    Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection, Transcription,
};
use lectern_domain::StageRunStatus::{Cancelled, Completed, Ready, Running, Waiting};
use lectern_domain::{
    Heartbeat, JobStatus, LeaseDuration, LeaseState, NoteLevel, NoteOfStage, NoteText, Percent,
    Stage, StageNote, StageNotes,
};
use lectern_tests::{Fixture, TestDb, a_job, a_report, on_both_backends};

use super::progress::progress;
use crate::db::support::stored;
use crate::db::support::worker::{
    LEASE, a_heartbeat, a_request, cancel, claim, claim_one, complete, complete_stages, heartbeat,
    run, statuses,
};

on_both_backends!(
    a_heartbeat_extends_a_lease_by_its_duration,
    a_released_stage_is_claimable_at_once_and_counts_no_attempt,
    a_stage_with_an_expired_lease_cannot_be_released,
    a_claim_from_one_job_returns_only_its_stages,
    notes_of_a_completion_are_stored_and_logged,
    a_completed_stage_makes_its_dependents_ready,
    completing_a_stage_again_changes_nothing,
    the_last_completed_stage_completes_the_job,
    a_reported_stage_without_a_lease_keeps_its_job_running,
    a_heartbeat_reports_cancellation,
    the_lease_of_a_deleted_job_is_lost,
);

fn a_heartbeat_extends_a_lease_by_its_duration(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let mut request = a_request(&[Transcription], 1);
    request.lease = LeaseDuration::new(7).unwrap();
    let lease = db.write(|tx| tx.work().claim(&request)).unwrap()[0].lease_id;
    for _ in 0..10 {
        db.clock().advance(TimeDelta::seconds(6));
        let state = heartbeat(&db, lease, &Heartbeat::default()).unwrap();
        assert_eq!(
            state,
            LeaseState {
                expires_at: db.now() + TimeDelta::seconds(7),
                cancelled: false
            }
        );
    }
    let held = run(&db, job, Transcription);
    assert_eq!(
        (held.attempt, held.lease.unwrap().expires_at),
        (1, db.now() + TimeDelta::seconds(7))
    );
}

fn a_released_stage_is_claimable_at_once_and_counts_no_attempt(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Transcription).lease_id;
    heartbeat(&db, lease, &a_heartbeat(10.0)).unwrap();
    let (after, released) = db.write(|tx| tx.work().release(lease)).unwrap();
    assert_eq!(run(&db, job, Transcription), released);
    assert_eq!(
        (released.status, released.attempt, released.lease),
        (Ready, 0, None)
    );
    assert_eq!(
        (
            released.progress.percent.get(),
            released.progress.message,
            released.worker
        ),
        (0.0, None, None)
    );
    assert_eq!(stored(&db, job), after);
    let events = db
        .read(|conn| conn.job_events().after(job, 0, 100))
        .unwrap();
    assert_eq!(events.last().map(|event| event.seq), Some(after.last_seq));

    let error = db.write(|tx| tx.work().release(lease)).unwrap_err();
    assert!(matches!(error, Error::LeaseLost { .. }), "{error}");
    let error = heartbeat(&db, lease, &a_heartbeat(20.0)).unwrap_err();
    assert!(matches!(error, Error::LeaseLost { .. }), "{error}");
    assert_eq!(claim_one(&db, Transcription).run.attempt, 1);
}

fn a_stage_with_an_expired_lease_cannot_be_released(db: TestDb) {
    a_job().create(&db);
    let lease = claim_one(&db, Transcription).lease_id;
    db.clock().advance(TimeDelta::seconds(LEASE));
    let before = db.sql().dump();
    let error = db.write(|tx| tx.work().release(lease)).unwrap_err();
    assert!(matches!(error, Error::LeaseLost { .. }), "{error}");
    assert_eq!(db.sql().dump(), before);
}

fn a_claim_from_one_job_returns_only_its_stages(db: TestDb) {
    let (first, second) = (a_job().create(&db).job_id, a_job().create(&db).job_id);
    let of_second = |stages: &[Stage]| {
        let request = a_request(stages, 10);
        db.write(|tx| tx.work().claim_from(second, &request))
            .unwrap()
    };
    let claims = of_second(Stage::WORK);
    assert_eq!(claims.len(), 3);
    assert!(
        claims
            .iter()
            .all(|claim| claim.job.job_id == second && claim.run.attempt == 1)
    );
    assert_eq!(
        statuses(&db, first),
        [Ready, Ready, Ready, Waiting, Waiting, Waiting]
    );
    assert_eq!(of_second(Stage::WORK), []);
    // Runs with expired leases are claimable again.
    db.clock().advance(TimeDelta::seconds(LEASE));
    let again = of_second(&[Transcription]);
    assert_eq!((again.len(), again[0].run.attempt), (1, 2));
    db.write(|tx| tx.jobs().delete(second)).unwrap();
    assert_eq!(of_second(Stage::WORK), []);
}

fn notes_of_a_completion_are_stored_and_logged(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let note = |level, message| StageNote::new(level, NoteText::new(message).unwrap());
    let notes = StageNotes::new(vec![
        note(NoteLevel::Warning, "3 cues \"dropped\""),
        note(NoteLevel::Info, "taken from talk.srt"),
    ])
    .unwrap();
    let complete = |stage, notes: &StageNotes| {
        let lease = claim_one(&db, stage).lease_id;
        let completed = db.write(|tx| tx.work().complete_with_notes(lease, notes));
        assert_eq!(&completed.unwrap().1.notes, notes);
        lease
    };
    let first = complete(Transcription, &notes);
    complete(LayoutAnalysis, &StageNotes::default());
    let entries = db.read(|conn| conn.processing_logs().for_job(job)).unwrap();
    let messages: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.message.as_deref())
        .collect();
    assert_eq!(messages, ["3 cues \"dropped\"; taken from talk.srt"]);
    let stored = || db.read(|conn| conn.stage_runs().notes(job)).unwrap();
    let of_transcription: Vec<_> = notes
        .clone()
        .into_iter()
        .map(|note| NoteOfStage {
            stage: Transcription,
            note,
        })
        .collect();
    assert_eq!(stored(), of_transcription);
    let results = db.read(|conn| conn.jobs().results(job)).unwrap().unwrap();
    assert_eq!(results.notes, of_transcription);

    // A repeated completion changes nothing, and a new attempt has notes of its own.
    let other = StageNotes::new(vec![note(NoteLevel::Info, "other")]).unwrap();
    db.write(|tx| tx.work().complete_with_notes(first, &other))
        .unwrap();
    assert_eq!(stored(), of_transcription);
    cancel(&db, job);
    db.write(|tx| tx.jobs().rerun(job, Transcription)).unwrap();
    assert_eq!(stored(), []);
}

fn a_completed_stage_makes_its_dependents_ready(db: TestDb) {
    let job = a_job().create(&db).job_id;
    complete_stages(&db, &[SilenceDetection, LayoutAnalysis]);
    let claimed = claim_one(&db, Transcription);
    heartbeat(&db, claimed.lease_id, &a_heartbeat(50.0)).unwrap();
    db.clock().advance(TimeDelta::seconds(9));
    let (updated, done) = complete(&db, claimed.lease_id).unwrap();
    let mut expected = claimed.run;
    expected.status = Completed;
    expected.progress.percent = Percent::DONE;
    expected.finished_at = Some(db.now());
    expected.lease.as_mut().unwrap().expires_at = done.lease.unwrap().expires_at;
    assert_eq!(done, expected);
    assert_eq!(run(&db, job, Transcription), done);
    assert_eq!(stored(&db, job), updated);
    assert_eq!(
        statuses(&db, job),
        [Completed, Completed, Completed, Ready, Waiting, Waiting]
    );
}

fn completing_a_stage_again_changes_nothing(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Transcription).lease_id;
    let first = complete(&db, lease).unwrap();
    let before = db.sql().dump();
    assert_eq!(complete(&db, lease).unwrap(), first);
    db.clock().advance(TimeDelta::seconds(2 * LEASE));
    assert_eq!(
        complete(&db, lease).unwrap(),
        first,
        "even after the lease would have expired"
    );
    assert_eq!(db.sql().dump(), before);
    complete_stages(
        &db,
        &[
            SilenceDetection,
            LayoutAnalysis,
            ContentAnalysis,
            Segmentation,
            Compilation,
        ],
    );
    let before = db.sql().dump();
    assert_eq!(complete(&db, lease).unwrap(), (stored(&db, job), first.1));
    assert_eq!(db.sql().dump(), before);
}

fn the_last_completed_stage_completes_the_job(db: TestDb) {
    let job = a_job().create(&db).job_id;
    complete_stages(
        &db,
        &[
            SilenceDetection,
            Transcription,
            LayoutAnalysis,
            ContentAnalysis,
            Segmentation,
        ],
    );
    let last = claim_one(&db, Compilation).lease_id;
    db.clock().advance(TimeDelta::seconds(9));
    let (done, _) = complete(&db, last).unwrap();
    assert_eq!(
        (done.status, done.completed_at),
        (JobStatus::Completed, Some(db.now()))
    );
    assert_eq!(progress(&db, job), (Stage::Complete, 100.0, None, None));
    assert_eq!(stored(&db, job), done);
    assert_eq!(statuses(&db, job), [Completed; 6]);
}

fn a_reported_stage_without_a_lease_keeps_its_job_running(db: TestDb) {
    let job = a_job().create(&db).job_id;
    db.write(|tx| {
        tx.jobs()
            .report_progress(job, &a_report(LayoutAnalysis, 100.0))
    })
    .unwrap();
    complete_stages(&db, &[SilenceDetection, Transcription]);
    assert_eq!(
        statuses(&db, job),
        [Completed, Completed, Running, Waiting, Waiting, Waiting]
    );
    assert_eq!(stored(&db, job).status, JobStatus::Running);
    let done = db
        .write(|tx| tx.jobs().transition(job, JobStatus::Completed))
        .unwrap();
    assert_eq!(done.status, JobStatus::Completed);
}

fn a_heartbeat_reports_cancellation(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let claims = claim(&db, Stage::WORK, 2);
    cancel(&db, job);
    let before = db.sql().dump();
    for claim in &claims {
        for _ in 0..2 {
            let state = heartbeat(&db, claim.lease_id, &a_heartbeat(50.0)).unwrap();
            assert_eq!(
                state,
                LeaseState {
                    expires_at: claim.lease_expires_at,
                    cancelled: true
                }
            );
            // Even after the lease has expired.
            db.clock().advance(TimeDelta::seconds(LEASE));
        }
    }
    assert_eq!(db.sql().dump(), before);
    assert_eq!(statuses(&db, job), [Cancelled; 6]);
}

fn the_lease_of_a_deleted_job_is_lost(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Transcription).lease_id;
    db.write(|tx| tx.jobs().delete(job)).unwrap();
    assert!(
        matches!(heartbeat(&db, lease, &a_heartbeat(1.0)), Err(Error::LeaseLost { lease_id }) if lease_id == Some(lease))
    );
    assert!(
        matches!(complete(&db, lease), Err(Error::LeaseLost { lease_id }) if lease_id == Some(lease))
    );
    let missing = db.write(|tx| tx.work().guard(job, &[Transcription], Some(lease)));
    assert!(
        matches!(missing, Err(Error::JobNotFound { .. })),
        "{missing:?}"
    );
    // Only the counts are left, which are zero, and that the job was deleted.
    let mut rows = db.sql().dump();
    rows.retain(|table, _| !table.ends_with("_counts") && table != "job_deletions");
    assert!(rows.values().all(Vec::is_empty), "{rows:?}");
}

/// PostgreSQL chooses the index by its statistics, SQLite by the form of the condition.
#[test]
fn the_job_of_a_heartbeat_is_found_by_its_id() {
    let db = TestDb::on(lectern_db::Backend::Sqlite);
    a_job().create(&db);
    let lease = claim_one(&db, Stage::Transcription).lease_id;
    let (_, statements) = lectern_tests::queries(|| heartbeat(&db, lease, &a_heartbeat(10.0)));
    let update = statements
        .iter()
        .find(|text| text.starts_with("UPDATE `jobs`"));
    let (update, _) = update.unwrap().split_once(" -- binds: ").unwrap();
    let plan = db.sql().plan(update);
    assert!(
        plan.contains("jobs USING INDEX sqlite_autoindex_jobs_1 (job_id=?)"),
        "{plan}"
    );
}
