//! Reads and writes of jobs that do not exist.

use lectern_db::{Error, Tx};
use lectern_domain::{JobId, JobStatus, JobUpdate, LogStatus, Stage};
use lectern_tests::{
    TestDb, a_layout, a_log_entry, a_report, clips, content_segments, on_both_backends, segments,
    silence_regions,
};

use super::jobs::CHILDREN;
use crate::db::support::unknown_id;

on_both_backends!(
    lookups_of_a_missing_job_find_nothing,
    writes_of_a_missing_job_are_rejected,
);

fn lookups_of_a_missing_job_find_nothing(db: TestDb) {
    let unknown: JobId = unknown_id();
    db.read(|conn| {
        assert_eq!(conn.jobs().find(unknown)?, None);
        assert!(!conn.jobs().exists(unknown)?);
        assert_eq!(conn.jobs().with_clips(unknown)?, None);
        assert_eq!(conn.jobs().results(unknown)?, None);
        assert_eq!(conn.layout_analysis().find_for_job(unknown)?, None);
        assert_eq!(conn.transcripts().for_job(unknown)?, []);
        assert_eq!(conn.transcripts().count(unknown)?, 0);
        assert_eq!(conn.silence_regions().for_job(unknown)?, []);
        assert_eq!(conn.content_segments().for_job(unknown)?, []);
        assert_eq!(conn.clips().for_job(unknown)?, []);
        assert_eq!(conn.processing_logs().for_job(unknown)?, []);
        Ok::<_, Error>(())
    })
    .unwrap();
}

fn writes_of_a_missing_job_are_rejected(db: TestDb) {
    type Write<'m> = &'m dyn Fn(&mut Tx<'_>) -> Result<(), Error>;

    let unknown: JobId = unknown_id();
    let update = JobUpdate::default();
    let report = a_report(Stage::Transcription, 5.0);
    let entry = a_log_entry(Stage::Transcription, LogStatus::Started);
    let writes: &[Write<'_>] = &[
        &|tx| tx.jobs().update(unknown, &update, None).map(drop),
        &|tx| tx.jobs().update(unknown, &update, Some(1)).map(drop),
        &|tx| tx.jobs().transition(unknown, JobStatus::Running).map(drop),
        &|tx| tx.jobs().confirm(unknown).map(drop),
        &|tx| tx.jobs().cancel(unknown).map(drop),
        &|tx| tx.jobs().retry(unknown).map(drop),
        &|tx| tx.jobs().report_progress(unknown, &report).map(drop),
        &|tx| tx.jobs().set_celery_task_id(unknown, None).map(drop),
        &|tx| tx.jobs().delete(unknown).map(drop),
        &|tx| tx.lock_job(unknown).map(drop),
        &|tx| tx.work().guard(unknown, &[], None).map(drop),
        &|tx| {
            tx.transcripts()
                .replace_for_job(unknown, &segments(1))
                .map(drop)
        },
        &|tx| tx.transcripts().replace_for_job(unknown, &[]).map(drop),
        &|tx| tx.transcripts().append(unknown, &segments(1)).map(drop),
        &|tx| tx.transcripts().append(unknown, &[]).map(drop),
        &|tx| {
            let regions = silence_regions(1);
            tx.silence_regions()
                .replace_for_job(unknown, &regions)
                .map(drop)
        },
        &|tx| {
            let segments = content_segments(1);
            tx.content_segments()
                .replace_for_job(unknown, &segments)
                .map(drop)
        },
        &|tx| tx.clips().replace_for_job(unknown, &clips(1)).map(drop),
        &|tx| tx.layout_analysis().put(unknown, &a_layout()).map(drop),
        &|tx| tx.processing_logs().append(unknown, &entry).map(drop),
    ];
    db.write(|tx| {
        for (i, write) in writes.iter().enumerate() {
            let refused = write(tx);
            assert!(
                matches!(refused, Err(Error::JobNotFound { job_id }) if job_id == unknown),
                "write {i}: {refused:?}"
            );
        }
        Ok::<_, Error>(())
    })
    .unwrap();
    for table in CHILDREN.iter().chain(&["jobs"]) {
        assert_eq!(db.sql().count(table), 0, "{table}");
    }
}
