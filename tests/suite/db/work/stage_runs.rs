//! What becomes of the runs when something becomes of their job.

use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::StageRunStatus::{
    Cancelled, Completed, Failed, Ready, Running, Skipped, Waiting,
};
use lectern_domain::{
    Job, JobId, JobStatus, JobUpdate, Percent, Pipeline, Stage, StageRun, StageRunStatus,
};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};
use serde_json::json;

use crate::db::support::worker::{
    a_beat, a_failure, claim, claim_one, fail, heartbeat, percent, retry, run, runs, stages,
    statuses, with_pipelines, work_off,
};
use crate::db::support::{nobody, stored};

on_both_backends!(
    a_queued_job_gets_a_run_of_each_stage_in_the_order_of_its_pipeline,
    a_job_whose_upload_is_not_confirmed_has_no_runs_until_it_is,
    a_job_that_is_only_heard_is_not_looked_at,
    a_job_goes_through_the_pipeline_it_names_and_keeps_it,
    a_pipeline_nobody_knows_is_refused_and_nothing_is_stored,
    what_is_left_of_a_job_moves_with_its_priority,
    a_report_shows_in_the_run_of_its_stage_and_nobody_can_claim_that,
    a_report_of_a_stage_the_job_does_not_have_shows_in_the_job_alone,
    a_report_never_takes_its_run_backwards,
    a_report_gives_an_attempt_that_was_given_up_no_second_life,
    completing_a_job_skips_what_is_open,
    a_job_that_fails_or_is_called_off_takes_what_is_open_with_it,
    a_job_that_is_set_running_leaves_its_runs_to_be_claimed,
    a_retry_opens_again_what_was_not_completed,
);

/// How the runs of a job begin that goes through the default pipeline.
const BEGUN: [StageRunStatus; 6] = [Ready, Ready, Ready, Waiting, Waiting, Waiting];

fn transition(db: &Database, job_id: JobId, status: JobStatus) {
    let moved = db.write(|tx| tx.jobs().transition(job_id, status));
    assert_eq!(moved.unwrap().status, status);
}

fn report(db: &Database, job_id: JobId, stage: Stage, done: f64) -> Job {
    let report = a_report(stage, done);
    let job = db.write(|tx| tx.jobs().report_progress(job_id, &report));
    job.unwrap()
}

fn a_queued_job_gets_a_run_of_each_stage_in_the_order_of_its_pipeline(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let made = runs(&db, job);
    assert_eq!(stages(&db, job), Stage::WORK);
    assert_eq!(statuses(&db, job), BEGUN);
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
        worker: None,
        lease: None,
        available_at: None,
        percent: Percent::ZERO,
        message: None,
        eta_seconds: None,
        error: None,
        started_at: None,
        finished_at: None,
        created_at: db.now(),
    };
    assert_eq!(made[0], expected);
    assert_eq!(runs(&db, nobody()), []);
}

fn a_job_whose_upload_is_not_confirmed_has_no_runs_until_it_is(db: TestDb) {
    let job = a_job().status(JobStatus::Pending).create(&db).job_id;
    assert_eq!(runs(&db, job), []);
    assert_eq!(claim(&db, Stage::WORK, 10), []);
    db.write(|tx| tx.jobs().confirm(job)).unwrap();
    assert_eq!(statuses(&db, job), BEGUN);
}

fn a_job_that_is_only_heard_is_not_looked_at(db: TestDb) {
    let job = a_job()
        .processing_config(json!({ "processing_mode": "audio" }))
        .create(&db)
        .job_id;
    assert!(!stages(&db, job).contains(&Stage::LayoutAnalysis));
    assert_eq!(
        statuses(&db, job),
        [Ready, Ready, Waiting, Waiting, Waiting]
    );
    work_off(&db, &[Stage::SilenceDetection, Stage::Transcription]);
    assert_eq!(
        statuses(&db, job),
        [Completed, Completed, Ready, Waiting, Waiting]
    );
}

fn a_job_goes_through_the_pipeline_it_names_and_keeps_it(db: TestDb) {
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

    // Configured otherwise since; the job does not notice.
    let db = with_pipelines(&db, json!({ "default": [{ "stage": "segmentation" }] }));
    transition(&db, job, JobStatus::Cancelled);
    transition(&db, job, JobStatus::Queued);
    assert_eq!(statuses(&db, job), [Ready, Waiting]);
    work_off(&db, &[Stage::Transcription]);
    assert_eq!(statuses(&db, job), [Completed, Ready]);
    assert_eq!(
        stages(&db, a_job().create(&db).job_id),
        [Stage::Segmentation]
    );
}

fn a_pipeline_nobody_knows_is_refused_and_nothing_is_stored(db: TestDb) {
    let known = with_pipelines(&db, json!({ "speech": [{ "stage": "transcription" }] }));
    let speech = a_job()
        .status(JobStatus::Pending)
        .processing_config(json!({ "pipeline": "speech" }))
        .create(&known);
    let before = db.sql().dump();
    let refused = |result: Result<(), Error>| match result {
        Err(Error::Invalid(invalid)) => {
            assert_eq!(invalid.errors()[0].field, "processing_config.pipeline")
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
    // Known when the job was made, and no longer.
    refused(db.write(|tx| tx.jobs().confirm(speech.job_id).map(drop)));
    assert_eq!(db.sql().dump(), before);
    known.write(|tx| tx.jobs().confirm(speech.job_id)).unwrap();
    assert_eq!(stages(&db, speech.job_id), [Stage::Transcription]);
}

fn what_is_left_of_a_job_moves_with_its_priority(db: TestDb) {
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

fn a_report_shows_in_the_run_of_its_stage_and_nobody_can_claim_that(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let begun = db.now();
    // Whether what comes before it is completed or not: who reports knows.
    for stage in [Stage::Transcription, Stage::Segmentation] {
        let told = report(&db, job, stage, 10.0).progress.unwrap();
        assert_eq!((told.stage, told.percent), (stage, percent(10.0)));
        db.clock().advance(TimeDelta::seconds(5));
        report(&db, job, stage, 20.0);
        let run = run(&db, job, stage);
        let said = a_report(stage, 20.0);
        assert_eq!(
            (run.status, run.percent, run.attempt),
            (Running, said.percent, 0)
        );
        assert_eq!(
            (run.message, run.eta_seconds),
            (said.message, said.eta_seconds)
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

fn a_report_of_a_stage_the_job_does_not_have_shows_in_the_job_alone(db: TestDb) {
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

fn a_report_never_takes_its_run_backwards(db: TestDb) {
    let job = a_job().create(&db).job_id;
    report(&db, job, Stage::Transcription, 50.0);
    let before = db.sql().dump();
    report(&db, job, Stage::Transcription, 40.0);
    assert_eq!(db.sql().dump(), before);
    // Nor does another stage in between, or a lease, make a late report new.
    report(&db, job, Stage::LayoutAnalysis, 10.0);
    report(&db, job, Stage::Transcription, 40.0);
    assert_eq!(run(&db, job, Stage::Transcription).percent, percent(50.0));
    let lease = claim_one(&db, Stage::SilenceDetection).lease_id;
    heartbeat(&db, lease, &a_beat(50.0)).unwrap();
    report(&db, job, Stage::SilenceDetection, 40.0);
    assert_eq!(
        run(&db, job, Stage::SilenceDetection).percent,
        percent(50.0)
    );
}

fn a_report_gives_an_attempt_that_was_given_up_no_second_life(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let lease = claim_one(&db, Stage::Transcription).lease_id;
    fail(&db, lease).unwrap();
    report(&db, job, Stage::Transcription, 10.0);
    let reported = run(&db, job, Stage::Transcription);
    assert_eq!((reported.status, reported.lease), (Running, None));
    let beat = heartbeat(&db, lease, &a_beat(20.0));
    assert!(matches!(beat, Err(Error::LeaseLost { .. })), "{beat:?}");
    // Nobody has a lease on it that could expire.
    db.clock().advance(TimeDelta::hours(1));
    assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 0);
    assert_eq!(claim(&db, &[Stage::Transcription], 1), []);
}

fn completing_a_job_skips_what_is_open(db: TestDb) {
    let job = a_job().create(&db).job_id;
    work_off(&db, &[Stage::SilenceDetection]);
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
        (run.percent, run.eta_seconds, run.finished_at),
        (percent(40.0), None, Some(db.now()))
    );
}

fn a_job_that_fails_or_is_called_off_takes_what_is_open_with_it(db: TestDb) {
    for status in [JobStatus::Failed, JobStatus::Cancelled] {
        let job = a_job().create(&db).job_id;
        work_off(&db, &[Stage::SilenceDetection]);
        let lease = claim_one(&db, Stage::Transcription).run.lease;
        transition(&db, job, status);
        assert_eq!(
            statuses(&db, job),
            [
                Completed, Cancelled, Cancelled, Cancelled, Cancelled, Cancelled
            ]
        );
        let called_off = run(&db, job, Stage::Transcription);
        assert_eq!(
            (called_off.lease, called_off.finished_at),
            (lease, Some(db.now())),
            "its worker is to learn it"
        );
        assert_eq!(claim(&db, Stage::WORK, 10), []);
    }
}

fn a_job_that_is_set_running_leaves_its_runs_to_be_claimed(db: TestDb) {
    let job = a_job().status(JobStatus::Running).create(&db).job_id;
    assert_eq!(statuses(&db, job), BEGUN);
    assert_eq!(claim(&db, Stage::WORK, 10).len(), 3);
}

fn a_retry_opens_again_what_was_not_completed(db: TestDb) {
    let job = a_job().create(&db).job_id;
    work_off(&db, &[Stage::SilenceDetection, Stage::Transcription]);
    let done = runs(&db, job);
    let lease = claim_one(&db, Stage::LayoutAnalysis).lease_id;
    heartbeat(&db, lease, &a_beat(50.0)).unwrap();
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
    assert_eq!(again[..2], done[..2], "what is completed stays as it is");
    assert_eq!(again[2..], done[2..], "as if nobody had been on them");

    // Where everything before is completed, what failed is ready, not waiting.
    work_off(&db, &[Stage::LayoutAnalysis]);
    let lease = claim_one(&db, Stage::ContentAnalysis).lease_id;
    db.write(|tx| tx.work().fail(lease, &a_failure(false)))
        .unwrap();
    retry(&db, job);
    assert_eq!(
        statuses(&db, job),
        [Completed, Completed, Completed, Ready, Waiting, Waiting]
    );
}
