//! The progress of leased stages and of their job.

use chrono::TimeDelta;
use lectern_db::Database;
use lectern_domain::Stage::{LayoutAnalysis, SilenceDetection, Transcription};
use lectern_domain::{Heartbeat, JobId, JobStatus, NonNegativeInt, ProgressMessage, Stage};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};

use crate::db::support::stored;
use crate::db::support::worker::{
    a_heartbeat, cancel, claim_one, complete, complete_stages, heartbeat, percent, retry, run,
};

on_both_backends!(
    an_empty_heartbeat_only_extends_the_lease,
    a_heartbeat_keeps_omitted_fields_and_never_lowers_the_percentage,
    job_progress_is_the_mean_of_its_stages,
    a_claim_sets_job_progress_to_the_mean_of_its_stages,
    percentages_are_stored_in_hundredths,
    a_report_on_a_leased_stage_updates_the_stage_run,
);

/// The fields of a job's progress.
pub(super) fn progress(db: &Database, job: JobId) -> (Stage, f64, Option<String>, Option<i32>) {
    let progress = stored(db, job).progress.unwrap();
    let message = progress.message.clone().map(ProgressMessage::into_string);
    let eta = progress.eta_seconds.map(NonNegativeInt::get);
    (progress.stage, progress.percent.get(), message, eta)
}

fn message_and_eta(percent: f64) -> (Option<String>, Option<i32>) {
    (Some(format!("at {percent}")), Some(90))
}

fn an_empty_heartbeat_only_extends_the_lease(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Transcription).lease_id;
    heartbeat(&db, lease, &a_heartbeat(10.0)).unwrap();
    let (before, mut expected) = (db.sql().dump(), run(&db, job, Transcription));
    db.clock().advance(TimeDelta::seconds(5));
    let state = heartbeat(&db, lease, &Heartbeat::default()).unwrap();
    let mut after = db.sql().dump();
    after.insert("stage_runs".into(), before["stage_runs"].clone());
    assert_eq!(after, before);
    expected.lease.as_mut().unwrap().expires_at = state.expires_at;
    assert_eq!(run(&db, job, Transcription), expected);
}

fn a_heartbeat_keeps_omitted_fields_and_never_lowers_the_percentage(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Transcription).lease_id;
    let updated = |beat: &Heartbeat| {
        heartbeat(&db, lease, beat).unwrap();
        let run = run(&db, job, Transcription);
        (
            run.progress.percent.get(),
            run.progress.message.map(ProgressMessage::into_string),
            run.progress.eta_seconds.map(NonNegativeInt::get),
        )
    };
    let (message, eta) = message_and_eta(50.0);
    assert_eq!(updated(&a_heartbeat(50.0)), (50.0, message.clone(), eta));
    let percent_only = |done| Heartbeat {
        percent: Some(percent(done)),
        ..Heartbeat::default()
    };
    assert_eq!(updated(&percent_only(40.0)), (50.0, message.clone(), eta));
    assert_eq!(updated(&percent_only(60.0)), (60.0, message, eta));
    let (message, eta) = message_and_eta(0.0);
    assert_eq!(updated(&a_heartbeat(0.0)), (60.0, message, eta));
}

fn job_progress_is_the_mean_of_its_stages(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let (transcription, layout) = (
        claim_one(&db, Transcription).lease_id,
        claim_one(&db, LayoutAnalysis).lease_id,
    );
    heartbeat(&db, layout, &a_heartbeat(30.0)).unwrap();
    assert_eq!(
        progress(&db, job),
        (Transcription, 5.0, None, None),
        "the stage is the first running one"
    );
    heartbeat(&db, transcription, &a_heartbeat(60.0)).unwrap();
    let (message, eta) = message_and_eta(60.0);
    assert_eq!(progress(&db, job), (Transcription, 15.0, message, eta));
    complete(&db, transcription).unwrap();
    let (message, eta) = message_and_eta(30.0);
    assert_eq!(progress(&db, job), (LayoutAnalysis, 21.67, message, eta));
    complete(&db, layout).unwrap();
    assert_eq!(
        progress(&db, job),
        (SilenceDetection, 33.33, None, None),
        "without a running stage it is the first open one"
    );
    assert_eq!(stored(&db, job).status, JobStatus::Running);
}

fn a_claim_sets_job_progress_to_the_mean_of_its_stages(db: TestDb) {
    // With a report before the claim.
    let job = a_job().create(&db).job_id;
    db.write(|tx| {
        tx.jobs()
            .report_progress(job, &a_report(LayoutAnalysis, 60.0))
    })
    .unwrap();
    let claimed = claim_one(&db, Transcription).job;
    assert_eq!(claimed.progress.unwrap().percent, percent(10.0));
    cancel(&db, job);
    // After a retry with completed stages.
    let job = a_job().create(&db).job_id;
    complete_stages(&db, &[SilenceDetection, Transcription]);
    cancel(&db, job);
    retry(&db, job);
    let claimed = claim_one(&db, LayoutAnalysis).job;
    assert_eq!(claimed.progress.unwrap().percent, percent(33.33));
    let stored = db.sql().value("SELECT max(progress_percent) FROM jobs");
    assert_eq!(stored.parse(), Ok(33.33));
}

/// Percentages that floats cannot represent, and means halfway between two hundredths.
fn percentages_are_stored_in_hundredths(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let (transcription, layout) = (
        claim_one(&db, Transcription).lease_id,
        claim_one(&db, LayoutAnalysis).lease_id,
    );
    for (first, second, mean) in [
        (0.07, 0.02, 0.02),
        (0.29 * 100.0, 1.0 / 3.0, 4.89),
        (57.000_000_000_000_01, 33.333_333_333_333_336, 15.06),
        (57.01, 33.44, 15.08),
        (99.999, 100.0, 33.33),
    ] {
        heartbeat(&db, transcription, &a_heartbeat(first)).unwrap();
        heartbeat(&db, layout, &a_heartbeat(second)).unwrap();
        let shown = stored(&db, job).progress.unwrap().percent.get();
        assert_eq!(shown.to_string(), mean.to_string(), "{first} and {second}");
        let values = db.sql().rows(
            "SELECT progress_percent FROM jobs
             UNION ALL SELECT percent FROM stage_runs WHERE percent > 0",
        );
        for value in values.into_iter().flatten().flatten() {
            let digits = value.split_once('.').map_or(0, |(_, digits)| digits.len());
            assert!(digits <= 2, "{value}");
        }
    }
}

fn a_report_on_a_leased_stage_updates_the_stage_run(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Transcription);
    let report = a_report(Transcription, 60.0);
    let updated = db
        .write(|tx| tx.jobs().report_progress(job, &report))
        .unwrap();
    assert_eq!(updated, stored(&db, job));
    let shown = updated.progress.unwrap();
    assert_eq!(
        (shown.stage, shown.progress.percent, shown.progress.message),
        (Transcription, percent(10.0), report.progress.message)
    );
    let run = run(&db, job, Transcription);
    assert_eq!(
        (run.progress.percent, run.lease),
        (percent(60.0), lease.run.lease)
    );
    // A report is compared with its own stage, not with the mean.
    let other = claim_one(&db, SilenceDetection);
    assert!(other.job.progress.unwrap().percent > percent(1.0));
    let updated = db
        .write(|tx| {
            tx.jobs()
                .report_progress(job, &a_report(SilenceDetection, 1.0))
        })
        .unwrap();
    assert_eq!(updated.progress.unwrap().percent, percent(61.0 / 6.0));
}
