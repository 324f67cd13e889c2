use chrono::TimeDelta;
use lectern_db::Error;
use lectern_domain::{
    JobFilter, JobId, JobStatus, JobUpdate, NewJob, Patch, Stage, TaskId, VideoDuration,
};
use lectern_tests::{TestDb, a_completed_job, a_job, on_both_backends, segments};
use serde_json::json;

use crate::db::support::{stored, unknown_id};

on_both_backends!(
    a_filename_is_enough_for_a_queued_job,
    a_job_can_be_created_once_under_a_given_id,
    existing_returns_the_ids_that_belong_to_jobs,
    a_pending_job_is_at_stage_uploading,
    a_stored_job_is_read_back_unchanged,
    media_times_are_stored_exactly,
    a_job_is_found_by_its_task_id,
    deleting_a_job_deletes_its_rows_and_no_others,
    a_failed_transaction_is_rolled_back,
    a_transaction_sees_its_own_writes,
    metrics_count_jobs_by_status_size_and_age,
    a_sum_of_sizes_over_the_bigint_limit_saturates,
);

/// The tables of the rows that belong to a job.
pub(super) const CHILDREN: [&str; 8] = [
    "transcripts",
    "silence_regions",
    "layout_analysis",
    "content_segments",
    "clips",
    "processing_logs",
    "stage_runs",
    "job_events",
];

pub(super) fn task(id: &str) -> TaskId {
    TaskId::new(id).unwrap()
}

fn a_filename_is_enough_for_a_queued_job(db: TestDb) {
    let job = db
        .write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?))
        .unwrap();
    assert_eq!(job.filename.as_str(), "lecture.mp4");
    assert_eq!(job.status, JobStatus::Queued);
    assert_eq!(job.content_type.as_str(), "video/mp4");
    assert_eq!(job.version, 1);
    assert_eq!((job.created_at, job.updated_at), (db.now(), db.now()));
    assert_eq!(
        (job.file_size, job.progress.clone(), job.completed_at),
        (None, None, None)
    );
    assert_eq!(stored(&db, job.job_id), job);
}

fn a_job_can_be_created_once_under_a_given_id(db: TestDb) {
    let job_id = JobId::new(db.clock());
    let make = || db.write(|tx| tx.jobs().create_as(job_id, &a_job().build()));
    let job = make().unwrap();
    assert_eq!((job.job_id, stored(&db, job_id)), (job_id, job.clone()));
    let before = db.sql().dump();
    assert!(matches!(make(), Err(Error::Constraint { .. })));
    assert_eq!(db.sql().dump(), before);
}

fn existing_returns_the_ids_that_belong_to_jobs(db: TestDb) {
    let jobs = [a_job().create(&db).job_id, a_job().create(&db).job_id];
    a_job().create(&db);
    let existing = |ids: &[JobId]| db.read(|conn| conn.jobs().existing(ids)).unwrap();
    assert_eq!(
        existing(&[jobs[0], unknown_id(), jobs[1], jobs[0]]),
        jobs.into()
    );
    assert!(existing(&[unknown_id()]).is_empty() && existing(&[]).is_empty());
    let many: Vec<_> = (0..2_000)
        .map(|_| JobId::new(db.clock()))
        .chain(jobs)
        .collect();
    assert_eq!(existing(&many), jobs.into());
}

fn a_pending_job_is_at_stage_uploading(db: TestDb) {
    let job = a_job().status(JobStatus::Pending).create(&db);
    assert_eq!(job.progress.unwrap().stage, Stage::Uploading);
}

fn a_stored_job_is_read_back_unchanged(db: TestDb) {
    let extra =
        json!({"tags": ["λ", "🎓", "a\\b%_'\""], "deep": {"a": [1, 2.5, null, true]}, "id": 7});
    let job = a_job()
        .filename("Vorlesung №1 – Entropie.mp4")
        .file_size(i64::MAX)
        .content_type("video/webm")
        .processing_config(json!({"processing_mode": "audio", "resolution": "1440p", "model": "x"}))
        .extra_metadata(extra.clone())
        .create(&db);
    let found = stored(&db, job.job_id);
    assert_eq!(found, job);
    assert_eq!(found.filename.as_str(), "Vorlesung №1 – Entropie.mp4");
    assert_eq!(found.file_size.unwrap().get(), i64::MAX);
    assert_eq!(found.extra_metadata.into_value(), extra);
    assert_eq!(
        found.processing_config.unwrap().settings().get()["model"],
        "x"
    );
}

fn media_times_are_stored_exactly(db: TestDb) {
    let job = a_job().create(&db);
    let duration = VideoDuration::new(0.1 + 0.2).unwrap();
    let update = JobUpdate {
        video_duration: Patch::Set(duration),
        ..JobUpdate::default()
    };
    db.write(|tx| tx.jobs().update(job.job_id, &update, None))
        .unwrap();
    assert_eq!(stored(&db, job.job_id).video_duration, Some(duration));
}

fn a_job_is_found_by_its_task_id(db: TestDb) {
    let (one, other) = (a_job().create(&db), a_job().create(&db));
    db.write(|tx| tx.jobs().set_celery_task_id(one.job_id, Some(task("t-1"))))
        .unwrap();
    let find = |id: &str| {
        db.read(|conn| conn.jobs().find_by_celery_task_id(&task(id)))
            .unwrap()
    };
    assert_eq!(find("t-1").unwrap().job_id, one.job_id);
    assert_eq!(find("t-2"), None);
    db.write(|tx| tx.jobs().set_celery_task_id(one.job_id, None))
        .unwrap();
    assert_eq!(find("t-1"), None);
    assert_eq!(stored(&db, other.job_id), other);
}

fn deleting_a_job_deletes_its_rows_and_no_others(db: TestDb) {
    let (deleted, kept) = (a_completed_job(&db), a_completed_job(&db));
    let before: Vec<u64> = CHILDREN.iter().map(|table| db.sql().count(table)).collect();
    db.write(|tx| tx.jobs().delete(deleted.job_id)).unwrap();
    assert_eq!(
        db.read(|conn| conn.jobs().find(deleted.job_id)).unwrap(),
        None
    );
    let after: Vec<u64> = CHILDREN.iter().map(|table| db.sql().count(table)).collect();
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(before, after)| *before > 0 && before / 2 == *after)
    );
    assert_eq!(stored(&db, kept.job_id), kept);
    let again = db.write(|tx| tx.jobs().delete(deleted.job_id));
    assert!(matches!(again, Err(Error::JobNotFound { .. })), "{again:?}");
}

fn a_failed_transaction_is_rolled_back(db: TestDb) {
    let result = db.write(|tx| {
        let job = tx.jobs().create(&a_job().build())?;
        tx.transcripts().replace_for_job(job.job_id, &segments(3))?;
        Err::<(), _>(Error::Url("no reason".into()))
    });
    assert!(result.is_err());
    assert_eq!(
        (db.sql().count("jobs"), db.sql().count("transcripts")),
        (0, 0)
    );
}

fn a_transaction_sees_its_own_writes(db: TestDb) {
    let seen = db.write(|tx| {
        let job = tx.jobs().create(&a_job().build())?;
        tx.jobs().find(job.job_id)
    });
    assert!(seen.unwrap().is_some());
}

fn metrics_count_jobs_by_status_size_and_age(db: TestDb) {
    let metrics = || db.read(|conn| conn.jobs().metrics()).unwrap();
    assert!(
        JobStatus::ALL
            .iter()
            .all(|status| metrics().by_status[status] == 0)
    );
    assert_eq!(metrics().bytes_stored, 0);

    a_job().file_size(1_000).create(&db);
    db.clock().advance(TimeDelta::days(20));
    a_job()
        .file_size(200)
        .status(JobStatus::Completed)
        .create(&db);
    db.clock().advance(TimeDelta::days(5));
    a_job()
        .file_size(None)
        .status(JobStatus::Running)
        .create(&db);
    db.clock().advance(TimeDelta::hours(25));
    a_job().file_size(30).status(JobStatus::Running).create(&db);

    let metrics = metrics();
    let count = |status| metrics.by_status[&status];
    assert_eq!(count(JobStatus::Queued), 1);
    assert_eq!(count(JobStatus::Completed), 1);
    assert_eq!(count(JobStatus::Running), 2);
    assert_eq!(count(JobStatus::Failed), 0);
    assert_eq!(metrics.bytes_stored, 1_230);
    let ages = (
        metrics.created_last_24h,
        metrics.created_last_7d,
        metrics.created_last_30d,
    );
    assert_eq!(ages, (1, 3, 4));
}

fn a_sum_of_sizes_over_the_bigint_limit_saturates(db: TestDb) {
    a_job().file_size(i64::MAX).create(&db);
    a_job()
        .file_size(i64::MAX)
        .status(JobStatus::Running)
        .create(&db);
    a_job()
        .file_size(i64::MAX)
        .status(JobStatus::Running)
        .create(&db);
    let metrics = db.read(|conn| conn.jobs().metrics()).unwrap();
    assert_eq!(metrics.bytes_stored, i64::MAX);
    assert_eq!(
        db.read(|conn| conn.jobs().count(&JobFilter::default()))
            .unwrap(),
        3
    );
}
