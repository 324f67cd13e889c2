use chrono::TimeDelta;
use lectern_db::Error;
use lectern_domain::{JobStatus, Percent, Progress, ProgressReport, Stage};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};

use crate::db::support::stored;

on_both_backends!(
    the_first_report_sets_a_queued_job_running,
    a_report_without_a_message_clears_the_previous_message,
    a_report_of_a_lower_percentage_changes_nothing,
    a_report_on_a_job_that_is_not_active_is_rejected,
    concurrent_reports_never_decrease_progress,
);

fn the_first_report_sets_a_queued_job_running(db: TestDb) {
    let job = a_job().create(&db);
    db.clock().advance(TimeDelta::seconds(3));
    let report = a_report(Stage::Transcription, 12.5);
    let after = db
        .write(|tx| tx.jobs().report_progress(job.job_id, &report))
        .unwrap();
    assert_eq!((after.status, after.version), (JobStatus::Running, 2));
    assert_eq!(after.updated_at, db.now());
    let progress = after.progress.clone().unwrap();
    assert_eq!(
        (progress.stage, progress.progress),
        (report.stage, report.progress)
    );
    assert_eq!(stored(&db, job.job_id), after);
}

fn a_report_without_a_message_clears_the_previous_message(db: TestDb) {
    let job = a_job().create(&db);
    let report = |report| {
        db.write(|tx| tx.jobs().report_progress(job.job_id, &report))
            .unwrap()
    };
    report(a_report(Stage::Transcription, 10.0));
    let bare = ProgressReport {
        progress: Progress::new(Percent::new(20.0).unwrap()),
        ..a_report(Stage::Transcription, 20.0)
    };
    let progress = report(bare).progress.unwrap();
    assert_eq!((&progress.message, progress.eta_seconds), (&None, None));
}

fn a_report_of_a_lower_percentage_changes_nothing(db: TestDb) {
    let job = a_job().create(&db);
    let report = |stage, percent| {
        db.clock().advance(TimeDelta::seconds(1));
        db.write(|tx| {
            tx.jobs()
                .report_progress(job.job_id, &a_report(stage, percent))
        })
        .unwrap()
    };
    let half = report(Stage::Transcription, 50.0);
    assert_eq!(report(Stage::Transcription, 49.9), half);
    assert_eq!(report(Stage::Transcription, 0.0), half);
    assert_eq!(report(Stage::Transcription, 50.0).version, half.version + 1);
    let next = report(Stage::ContentAnalysis, 0.0);
    assert_eq!(next.progress.unwrap().progress.percent, Percent::ZERO);
}

fn a_report_on_a_job_that_is_not_active_is_rejected(db: TestDb) {
    for status in [
        JobStatus::Pending,
        JobStatus::Completed,
        JobStatus::Failed,
        JobStatus::Cancelled,
    ] {
        let job = a_job().status(status).create(&db);
        let report = a_report(Stage::Transcription, 99.0);
        let refused = db.write(|tx| tx.jobs().report_progress(job.job_id, &report));
        assert!(
            matches!(refused, Err(Error::NotRunning { job_id, status: was }) if (job_id, was) == (job.job_id, status)),
            "{status}: {refused:?}"
        );
        assert_eq!(stored(&db, job.job_id), job);
    }
}

fn concurrent_reports_never_decrease_progress(db: TestDb) {
    let job = a_job().create(&db);
    let (db, job_id) = (&*db, job.job_id);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                let mut seen = 0.0;
                for step in 0..10 {
                    let percent = f64::from(step * 10 + worker);
                    let report = a_report(Stage::Transcription, percent);
                    let after = db
                        .write(|tx| tx.jobs().report_progress(job_id, &report))
                        .unwrap();
                    let shown = after.progress.unwrap().percent.get();
                    assert!(
                        shown >= seen && shown >= percent,
                        "{shown} after {seen}, reporting {percent}"
                    );
                    seen = shown;
                }
            });
        }
    });
    let after = stored(db, job_id);
    assert_eq!(
        after.progress.unwrap().progress.percent,
        Percent::new(93.0).unwrap()
    );
    assert!((2..=41).contains(&after.version));
}
