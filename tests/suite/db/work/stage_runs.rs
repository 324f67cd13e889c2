//! How stage runs change with their job.

use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::StageRunStatus::{
    Cancelled, Completed, Failed, Ready, Running, Skipped, Waiting,
};
use lectern_domain::{
    Backoff, Job, JobId, JobStatus, JobUpdate, Percent, Pipeline, Progress, Stage, StageNotes,
    StageRun, StageRunStatus,
};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};
use serde_json::json;

use crate::db::support::worker::{
    a_failure, a_heartbeat, claim, claim_one, complete_stages, fail, heartbeat, percent, retry,
    run, runs, stages, statuses, with_pipelines,
};
use crate::db::support::{stored, unknown_id};

on_both_backends!(
    a_queued_job_gets_its_stage_runs_in_pipeline_order,
    an_unconfirmed_job_has_no_stage_runs,
    audio_mode_skips_layout_analysis,
    a_job_keeps_the_pipeline_it_names,
    an_unknown_pipeline_is_rejected_and_stores_nothing,
    open_stage_runs_follow_the_priority_of_their_job,
    a_reported_stage_run_is_running_and_not_claimable,
    a_report_of_a_stage_outside_the_pipeline_changes_only_the_job,
    a_report_never_lowers_the_percentage_of_its_run,
    a_report_does_not_revive_a_failed_attempt,
    completing_a_job_skips_its_open_stages,
    failing_or_cancelling_a_job_cancels_its_open_stages,
    setting_a_job_running_leaves_its_stages_claimable,
    a_retry_reopens_the_stages_that_were_not_completed,
);

/// The initial statuses of the default pipeline.
const INITIAL_STATUSES: [StageRunStatus; 6] = [Ready, Ready, Ready, Waiting, Waiting, Waiting];

fn transition(db: &Database, job_id: JobId, status: JobStatus) {
    let moved = db.write(|tx| tx.jobs().transition(job_id, status));
    assert_eq!(moved.unwrap().status, status);
}

fn report(db: &Database, job_id: JobId, stage: Stage, done: f64) -> Job {
    let report = a_report(stage, done);
    let job = db.write(|tx| tx.jobs().report_progress(job_id, &report));
    job.unwrap()
}

fn a_queued_job_gets_its_stage_runs_in_pipeline_order(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let made = runs(&db, job);
    assert_eq!(stages(&db, job), Stage::WORK);
    assert_eq!(statuses(&db, job), INITIAL_STATUSES);
    for (run, step) in made.iter().zip(Pipeline::default().steps()) {
        assert_eq!(run.waits_for, step.after);
    }
    let expected = StageRun {
        run_id: made[0].run_id,
        job_id: job,
        stage: Stage::SilenceDetection,
        status: Ready,
        waits_for: vec![],
        attempt: 0,
        max_attempts: 3,
        timeout: None,
        backoff: Backoff::default(),
        worker: None,
        lease: None,
        available_at: None,
        progress: Progress::new(Percent::ZERO),
        error: None,
        notes: StageNotes::default(),
        started_at: None,
        finished_at: None,
        created_at: db.now(),
    };
    assert_eq!(made[0], expected);
    assert_eq!(runs(&db, unknown_id()), []);
}

fn an_unconfirmed_job_has_no_stage_runs(db: TestDb) {
    let job = a_job().status(JobStatus::Pending).create(&db).job_id;
    assert_eq!(runs(&db, job), []);
    assert_eq!(claim(&db, Stage::WORK, 10), []);
    db.write(|tx| tx.jobs().confirm(job)).unwrap();
    assert_eq!(statuses(&db, job), INITIAL_STATUSES);
}

fn audio_mode_skips_layout_analysis(db: TestDb) {
    let job = a_job()
        .processing_config(json!({ "processing_mode": "audio" }))
        .create(&db)
        .job_id;
    assert!(!stages(&db, job).contains(&Stage::LayoutAnalysis));
    assert_eq!(
        statuses(&db, job),
        [Ready, Ready, Waiting, Waiting, Waiting]
    );
    complete_stages(&db, &[Stage::SilenceDetection, Stage::Transcription]);
    assert_eq!(
        statuses(&db, job),
        [Completed, Completed, Ready, Waiting, Waiting]
    );
}

fn a_job_keeps_the_pipeline_it_names(db: TestDb) {
    let subtitles = json!([
        { "stage": "transcription" },
        { "stage": "compilation", "after": ["transcription"] },
    ]);
    let db = with_pipelines(&db, json!({ "subtitles": subtitles }));
    let named = |name: &str| {
        a_job()
            .processing_config(json!({ "pipeline": name }))
            .create(&db)
            .job_id
    };
    let job = named("subtitles");
    assert_eq!(stages(&db, job), [Stage::Transcription, Stage::Compilation]);
    assert_eq!(statuses(&db, job), [Ready, Waiting]);
    assert_eq!(stages(&db, named("default")), Stage::WORK);

    // A later configuration does not affect the job.
    let db = with_pipelines(&db, json!({ "default": [{ "stage": "segmentation" }] }));
    transition(&db, job, JobStatus::Cancelled);
    transition(&db, job, JobStatus::Queued);
    assert_eq!(statuses(&db, job), [Ready, Waiting]);
    complete_stages(&db, &[Stage::Transcription]);
    assert_eq!(statuses(&db, job), [Completed, Ready]);
    assert_eq!(
        stages(&db, a_job().create(&db).job_id),
        [Stage::Segmentation]
    );
}

fn an_unknown_pipeline_is_rejected_and_stores_nothing(db: TestDb) {
    let known = with_pipelines(&db, json!({ "speech": [{ "stage": "transcription" }] }));
    let speech = a_job()
        .status(JobStatus::Pending)
        .processing_config(json!({ "pipeline": "speech" }))
        .create(&known);
    let before = db.sql().dump();
    let refused = |result: Result<(), Error>| match result {
        Err(Error::Invalid(invalid)) => {
            assert_eq!(invalid.errors()[0].field, "processing_config.pipeline");
        }
        other => panic!("{other:?}"),
    };
    for status in [JobStatus::Pending, JobStatus::Queued] {
        let new = a_job()
            .status(status)
            .processing_config(json!({ "pipeline": "music" }))
            .build();
        refused(db.write(|tx| tx.jobs().create(&new).map(drop)));
    }
    // The pipeline existed when the job was created and does not any more.
    refused(db.write(|tx| tx.jobs().confirm(speech.job_id).map(drop)));
    assert_eq!(db.sql().dump(), before);
    known.write(|tx| tx.jobs().confirm(speech.job_id)).unwrap();
    assert_eq!(stages(&db, speech.job_id), [Stage::Transcription]);
}

fn open_stage_runs_follow_the_priority_of_their_job(db: TestDb) {
    let (first, second) = (
        a_job().priority(1).create(&db).job_id,
        a_job().create(&db).job_id,
    );
    let next = || claim_one(&db, Stage::Transcription).run.job_id;
    let update = JobUpdate {
        priority: Some(2),
        ..JobUpdate::default()
    };
    let moved = db
        .write(|tx| tx.jobs().update(second, &update, None))
        .unwrap();
    assert_eq!((moved.priority, moved.status), (2, JobStatus::Queued));
    assert_eq!((next(), next()), (second, first));
    assert_eq!(stored(&db, first).priority, 1);
}

fn a_reported_stage_run_is_running_and_not_claimable(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let begun = db.now();
    // A report is accepted whether or not the dependencies are completed.
    for stage in [Stage::Transcription, Stage::Segmentation] {
        let updated = report(&db, job, stage, 10.0).progress.unwrap();
        assert_eq!(
            (updated.stage, updated.progress.percent),
            (stage, percent(10.0))
        );
        db.clock().advance(TimeDelta::seconds(5));
        report(&db, job, stage, 20.0);
        let run = run(&db, job, stage);
        let reported = a_report(stage, 20.0);
        assert_eq!(
            (run.status, run.progress.percent, run.attempt),
            (Running, reported.progress.percent, 0)
        );
        assert_eq!(
            (run.progress.message, run.progress.eta_seconds),
            (reported.progress.message, reported.progress.eta_seconds)
        );
        assert_eq!((run.lease, run.worker, run.finished_at), (None, None, None));
        assert_eq!(claim(&db, &[stage], 10), []);
    }
    assert_eq!(run(&db, job, Stage::Transcription).started_at, Some(begun));
    assert_eq!(
        statuses(&db, job),
        [Ready, Running, Ready, Waiting, Running, Waiting]
    );
}

fn a_report_of_a_stage_outside_the_pipeline_changes_only_the_job(db: TestDb) {
    let job = a_job()
        .processing_config(json!({ "processing_mode": "audio" }))
        .create(&db)
        .job_id;
    let before = runs(&db, job);
    for stage in [Stage::LayoutAnalysis, Stage::Uploading, Stage::Complete] {
        assert_eq!(report(&db, job, stage, 10.0).progress.unwrap().stage, stage);
        assert_eq!(runs(&db, job), before);
    }
}

fn a_report_never_lowers_the_percentage_of_its_run(db: TestDb) {
    let job = a_job().create(&db).job_id;
    report(&db, job, Stage::Transcription, 50.0);
    let before = db.sql().dump();
    report(&db, job, Stage::Transcription, 40.0);
    assert_eq!(db.sql().dump(), before);
    // A lower percentage is still ignored after a report of another stage or a
    // claim.
    report(&db, job, Stage::LayoutAnalysis, 10.0);
    report(&db, job, Stage::Transcription, 40.0);
    assert_eq!(
        run(&db, job, Stage::Transcription).progress.percent,
        percent(50.0)
    );
    let lease = claim_one(&db, Stage::SilenceDetection).lease_id;
    heartbeat(&db, lease, &a_heartbeat(50.0)).unwrap();
    report(&db, job, Stage::SilenceDetection, 40.0);
    assert_eq!(
        run(&db, job, Stage::SilenceDetection).progress.percent,
        percent(50.0)
    );
}

fn a_report_does_not_revive_a_failed_attempt(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Stage::Transcription).lease_id;
    fail(&db, lease).unwrap();
    report(&db, job, Stage::Transcription, 10.0);
    let reported = run(&db, job, Stage::Transcription);
    assert_eq!((reported.status, reported.lease), (Running, None));
    let beat = heartbeat(&db, lease, &a_heartbeat(20.0));
    assert!(matches!(beat, Err(Error::LeaseLost { .. })), "{beat:?}");
    // The run has no lease that could expire.
    db.clock().advance(TimeDelta::hours(1));
    assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 0);
    assert_eq!(claim(&db, &[Stage::Transcription], 1), []);
}

fn completing_a_job_skips_its_open_stages(db: TestDb) {
    let job = a_job().create(&db).job_id;
    complete_stages(&db, &[Stage::SilenceDetection]);
    claim_one(&db, Stage::Transcription);
    report(&db, job, Stage::LayoutAnalysis, 40.0);
    db.clock().advance(TimeDelta::seconds(5));
    transition(&db, job, JobStatus::Completed);
    assert_eq!(
        statuses(&db, job),
        [Completed, Skipped, Skipped, Skipped, Skipped, Skipped]
    );
    let run = run(&db, job, Stage::LayoutAnalysis);
    assert_eq!(
        (
            run.progress.percent,
            run.progress.eta_seconds,
            run.finished_at
        ),
        (percent(40.0), None, Some(db.now()))
    );
}

fn failing_or_cancelling_a_job_cancels_its_open_stages(db: TestDb) {
    for status in [JobStatus::Failed, JobStatus::Cancelled] {
        let job = a_job().create(&db).job_id;
        complete_stages(&db, &[Stage::SilenceDetection]);
        let lease = claim_one(&db, Stage::Transcription).run.lease;
        transition(&db, job, status);
        assert_eq!(
            statuses(&db, job),
            [
                Completed, Cancelled, Cancelled, Cancelled, Cancelled, Cancelled
            ]
        );
        let cancelled = run(&db, job, Stage::Transcription);
        assert_eq!(
            (cancelled.lease, cancelled.finished_at),
            (lease, Some(db.now())),
            "the lease stays, so that the worker is notified"
        );
        assert_eq!(claim(&db, Stage::WORK, 10), []);
    }
}

fn setting_a_job_running_leaves_its_stages_claimable(db: TestDb) {
    let job = a_job().status(JobStatus::Running).create(&db).job_id;
    assert_eq!(statuses(&db, job), INITIAL_STATUSES);
    assert_eq!(claim(&db, Stage::WORK, 10).len(), 3);
}

fn a_retry_reopens_the_stages_that_were_not_completed(db: TestDb) {
    let job = a_job().create(&db).job_id;
    complete_stages(&db, &[Stage::SilenceDetection, Stage::Transcription]);
    let done = runs(&db, job);
    let lease = claim_one(&db, Stage::LayoutAnalysis).lease_id;
    heartbeat(&db, lease, &a_heartbeat(50.0)).unwrap();
    db.write(|tx| tx.work().fail(lease, &a_failure(false)))
        .unwrap();
    assert_eq!(
        statuses(&db, job),
        [
            Completed, Completed, Failed, Cancelled, Cancelled, Cancelled
        ]
    );

    let retried = retry(&db, job);
    assert_eq!(
        (retried.status, retried.progress, retried.error_message),
        (JobStatus::Queued, None, None)
    );
    let again = runs(&db, job);
    assert_eq!(
        statuses(&db, job),
        [Completed, Completed, Ready, Waiting, Waiting, Waiting]
    );
    assert_eq!(again[..2], done[..2], "completed stages do not change");
    assert_eq!(again[2..], done[2..], "the others are as before any claim");

    // With all dependencies completed, a failed stage becomes ready, not
    // waiting.
    complete_stages(&db, &[Stage::LayoutAnalysis]);
    let lease = claim_one(&db, Stage::ContentAnalysis).lease_id;
    db.write(|tx| tx.work().fail(lease, &a_failure(false)))
        .unwrap();
    retry(&db, job);
    assert_eq!(
        statuses(&db, job),
        [Completed, Completed, Completed, Ready, Waiting, Waiting]
    );
}
