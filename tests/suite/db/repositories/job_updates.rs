//! Updates of jobs and their version.

use chrono::TimeDelta;
use lectern_db::{Error, Tx};
use lectern_domain::{
    Filename, Job, JobStatus, JobUpdate, JsonObject, LongText, Patch, Stage, TranscriptSource,
    VideoDuration,
};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends, store_output};
use serde_json::json;

use super::jobs::task;
use crate::db::support::stored;

on_both_backends!(
    an_update_changes_only_the_given_fields,
    clearing_a_field_makes_it_null,
    an_update_of_another_version_is_rejected_and_changes_nothing,
    of_two_updates_of_one_version_one_succeeds,
    every_change_increments_the_version,
    storing_stage_output_leaves_the_job_row_unchanged,
);

fn an_update_changes_only_the_given_fields(db: TestDb) {
    let job = a_job()
        .extra_metadata(json!({"course": "physics"}))
        .create(&db);
    db.clock().advance(TimeDelta::seconds(5));
    let update = JobUpdate {
        filename: Some(Filename::new("renamed.mp4").unwrap()),
        video_duration: Patch::Set(VideoDuration::new(5400.5).unwrap()),
        video_metadata: Some(
            JsonObject::try_from(json!({"codec": "h264"}))
                .unwrap()
                .into(),
        ),
        ..JobUpdate::default()
    };
    let changed = db
        .write(|tx| tx.jobs().update(job.job_id, &update, None))
        .unwrap();
    let mut expected = job;
    expected.filename = Filename::new("renamed.mp4").unwrap();
    expected.video_duration = Some(VideoDuration::new(5400.5).unwrap());
    expected.video_metadata = JsonObject::try_from(json!({"codec": "h264"})).unwrap();
    expected.version = 2;
    expected.updated_at = db.now();
    assert_eq!(changed, expected);
    assert_eq!(stored(&db, expected.job_id), expected);
}

fn clearing_a_field_makes_it_null(db: TestDb) {
    let job = a_job().create(&db);
    let update = |tx: &mut Tx<'_>, update: &JobUpdate| tx.jobs().update(job.job_id, update, None);
    let set = JobUpdate {
        error_message: Patch::Set(LongText::new("disk full").unwrap()),
        video_duration: Patch::Set(VideoDuration::new(1.0).unwrap()),
        celery_task_id: Patch::Set(task("t")),
        ..JobUpdate::default()
    };
    let changed = db.write(|tx| update(tx, &set)).unwrap();
    assert_eq!(changed.error_message.unwrap().as_str(), "disk full");
    let clear = JobUpdate {
        error_message: Patch::Clear,
        video_duration: Patch::Clear,
        celery_task_id: Patch::Clear,
        ..JobUpdate::default()
    };
    let changed = db.write(|tx| update(tx, &clear)).unwrap();
    assert_eq!(
        (
            changed.error_message,
            changed.video_duration,
            changed.celery_task_id
        ),
        (None, None, None)
    );
}

fn an_update_of_another_version_is_rejected_and_changes_nothing(db: TestDb) {
    let job = a_job().create(&db);
    let update = JobUpdate {
        filename: Some(Filename::new("b.mp4").unwrap()),
        ..JobUpdate::default()
    };
    let change = |version| db.write(|tx| tx.jobs().update(job.job_id, &update, Some(version)));
    let changed = change(1).unwrap();
    assert_eq!(changed.version, 2);
    for stale in [1, 3, 0, -1, i64::MAX] {
        assert!(
            matches!(change(stale), Err(Error::VersionMismatch { .. })),
            "{stale}"
        );
    }
    assert_eq!(stored(&db, job.job_id), changed);
}

fn of_two_updates_of_one_version_one_succeeds(db: TestDb) {
    let job = a_job().create(&db);
    let update = JobUpdate {
        filename: Some(Filename::new("b.mp4").unwrap()),
        ..JobUpdate::default()
    };
    let wins: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    db.write(|tx| tx.jobs().update(job.job_id, &update, Some(1)))
                        .is_ok()
                })
            })
            .collect();
        tries
            .into_iter()
            .map(|attempt| usize::from(attempt.join().unwrap()))
            .sum()
    });
    assert_eq!(wins, 1);
    assert_eq!(stored(&db, job.job_id).version, 2);
}

fn every_change_increments_the_version(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    let rename = JobUpdate {
        filename: Some(Filename::new("b.mp4").unwrap()),
        ..JobUpdate::default()
    };
    let versions = db.write(|tx| {
        let mut jobs = tx.jobs();
        let mut versions = vec![jobs.update(job_id, &rename, None)?.version];
        jobs.set_celery_task_id(job_id, Some(task("t")))?;
        versions.push(jobs.find(job_id)?.unwrap().version);
        versions.push(
            jobs.report_progress(job_id, &a_report(Stage::Transcription, 1.0))?
                .version,
        );
        versions.push(jobs.transition(job_id, JobStatus::Failed)?.version);
        Ok::<_, Error>(versions)
    });
    assert_eq!(versions.unwrap(), [2, 3, 4, 5]);
}

fn storing_stage_output_leaves_the_job_row_unchanged(db: TestDb) {
    let job = a_job().create(&db);
    db.clock().advance(TimeDelta::seconds(5));
    store_output(&db, job.job_id);
    // Only the source of the transcript is a field of the job, and so a new version of it.
    let expected = Job {
        transcript_source: Some(TranscriptSource::Client),
        version: job.version + 1,
        ..job
    };
    assert_eq!(stored(&db, expected.job_id), expected);
    store_output(&db, expected.job_id);
    assert_eq!(stored(&db, expected.job_id), expected);
}
