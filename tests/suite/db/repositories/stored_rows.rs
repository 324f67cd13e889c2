//! The number of rows of each job and owner, and the quota of an owner's rows.

use lectern_db::{Database, Error};
use lectern_domain::{
    ExceededQuota, JobId, JobQuota, LogStatus, OwnerName, Stage, TranscriptSource,
};
use lectern_tests::{
    TestDb, a_job, a_layout, a_log_entry, clips, content_segments, on_both_backends, segments,
    silence_regions,
};

use crate::db::support::assert_rows_counted;
use crate::db::support::worker::concurrently;

on_both_backends!(
    every_change_of_rows_is_counted,
    rows_follow_the_status_of_their_job_and_its_deletion,
    an_undone_change_is_not_counted,
    concurrent_writers_are_counted,
    rows_of_other_programs_make_no_number_negative,
    the_migration_counts_the_rows_that_exist,
    more_rows_than_the_quota_are_refused_before_anything_is_stored,
    concurrent_writers_exceed_the_quota_by_one_request_each_at_most,
);

fn job_of(db: &Database, owner: &str) -> JobId {
    a_job().create(&as_owner(db, owner)).job_id
}

fn as_owner(db: &Database, owner: &str) -> Database {
    db.as_owner(OwnerName::new(owner).unwrap())
}

/// The rows of an owner, or of all jobs for the empty name.
fn rows_of(db: &TestDb, owner: &str) -> u64 {
    let sum = format!(
        "SELECT CAST(COALESCE(sum(stored_rows), 0) AS BIGINT) FROM job_status_counts
         WHERE owner_id = '{owner}'"
    );
    db.sql().value(&sum).parse().unwrap()
}

fn every_change_of_rows_is_counted(db: TestDb) {
    let exams = job_of(&db, "exams");
    let nobodys = a_job().create(&db).job_id;
    let of_exams = |rows| {
        assert_rows_counted(&db);
        assert_eq!(rows_of(&db, "exams"), rows);
    };
    for count in [3, 5, 5, 2, 0, 1_200, 4] {
        db.write(|tx| tx.transcripts().replace_for_job(exams, &segments(count)))
            .unwrap();
        of_exams(count as u64);
    }
    for count in [2_100, 2, 6] {
        let segments = segments(count);
        let client = TranscriptSource::Client;
        db.write(|tx| {
            tx.transcripts()
                .replace_without_returning(exams, &segments, client)
        })
        .unwrap();
        of_exams(count as u64);
    }
    db.write(|tx| tx.transcripts().append(exams, &segments(2)))
        .unwrap();
    let appended = db.write(|tx| tx.transcripts().append_rows(exams, &segments(3)));
    appended.unwrap();
    of_exams(11);
    let segment = db.read(|conn| conn.transcripts().for_job(exams)).unwrap()[0].segment_id;
    db.write(|tx| tx.transcripts().delete(exams, segment))
        .unwrap();
    of_exams(10);
    db.write(|tx| {
        tx.silence_regions()
            .replace_for_job(exams, &silence_regions(4))
    })
    .unwrap();
    of_exams(14);
    for _ in 0..2 {
        db.write(|tx| tx.layout_analysis().put(exams, &a_layout()))
            .unwrap();
        of_exams(15);
    }
    db.write(|tx| {
        tx.content_segments()
            .replace_for_job(exams, &content_segments(2))
    })
    .unwrap();
    of_exams(17);
    for count in [3, 1, 2] {
        db.write(|tx| tx.clips().replace_for_job(exams, &clips(count)))
            .unwrap();
        of_exams(17 + count as u64);
    }
    let clip = db.write(|tx| tx.clips().add(exams, clips(1).remove(0), None));
    of_exams(20);
    db.write(|tx| tx.clips().delete(exams, clip.as_ref().unwrap().clip_id))
        .unwrap();
    let entry = a_log_entry(Stage::Transcription, LogStatus::Started);
    db.write(|tx| tx.processing_logs().append(exams, &entry))
        .unwrap();
    db.write(|tx| tx.processing_logs().append(nobodys, &entry))
        .unwrap();
    of_exams(20);
    assert_eq!(rows_of(&db, ""), 21);
}

fn rows_follow_the_status_of_their_job_and_its_deletion(db: TestDb) {
    let (job, other) = (job_of(&db, "exams"), job_of(&db, "exams"));
    for job in [job, other] {
        db.write(|tx| tx.transcripts().replace_for_job(job, &segments(3)))
            .unwrap();
    }
    db.write(|tx| tx.jobs().cancel(job)).unwrap();
    assert_rows_counted(&db);
    let by_status = "SELECT status, CAST(sum(stored_rows) AS BIGINT) FROM job_status_counts
         WHERE owner_id = 'exams' GROUP BY status HAVING sum(stored_rows) <> 0 ORDER BY status";
    let row = |status: &str| vec![Some(status.to_owned()), Some("3".to_owned())];
    assert_eq!(db.sql().rows(by_status), [row("cancelled"), row("queued")]);
    // A statement of another program that changes all that is counted.
    let both = "UPDATE jobs SET status = 'failed', stored_rows = stored_rows + 2, file_size = 7";
    db.sql().batch(both).unwrap();
    assert_eq!(rows_of(&db, "exams"), 10);
    db.write(|tx| tx.jobs().delete(job)).unwrap();
    assert_eq!(rows_of(&db, "exams"), 5);
    db.sql().batch("DELETE FROM jobs").unwrap();
    assert_eq!((rows_of(&db, "exams"), rows_of(&db, "")), (0, 0));
}

fn an_undone_change_is_not_counted(db: TestDb) {
    let job = job_of(&db, "exams");
    let undone = db.write(|tx| {
        tx.transcripts().replace_for_job(job, &segments(3))?;
        Err::<(), _>(Error::Url("undone".into()))
    });
    assert!(undone.is_err());
    assert_rows_counted(&db);
    assert_eq!(rows_of(&db, "exams"), 0);
}

fn concurrent_writers_are_counted(db: TestDb) {
    let jobs: Vec<_> = (0..4).map(|_| job_of(&db, "exams")).collect();
    concurrently(8, |thread| {
        let job = jobs[thread % jobs.len()];
        for i in 1..25 {
            if i % 3 == 0 {
                db.write(|tx| tx.transcripts().append(job, &segments(thread + 1)))
                    .map(drop)
            } else {
                db.write(|tx| tx.transcripts().replace_for_job(job, &segments(i)))
                    .map(drop)
            }
            .unwrap();
        }
    });
    assert_rows_counted(&db);
}

fn rows_of_other_programs_make_no_number_negative(db: TestDb) {
    let job = job_of(&db, "exams");
    db.write(|tx| tx.transcripts().replace_for_job(job, &segments(3)))
        .unwrap();
    db.sql().batch("UPDATE jobs SET stored_rows = 0").unwrap();
    db.write(|tx| tx.transcripts().replace_for_job(job, &[]))
        .unwrap();
    assert_rows_counted(&db);
    assert_eq!(rows_of(&db, "exams"), 0);
}

fn the_migration_counts_the_rows_that_exist(db: TestDb) {
    let (exams, nobodys) = (job_of(&db, "exams"), a_job().create(&db).job_id);
    job_of(&db, "library");
    for job in [exams, nobodys] {
        db.write(|tx| {
            tx.transcripts().replace_for_job(job, &segments(5))?;
            tx.clips().replace_for_job(job, &clips(2))?;
            tx.layout_analysis().put(job, &a_layout())?;
            let entry = a_log_entry(Stage::Transcription, LogStatus::Started);
            tx.processing_logs().append(job, &entry).map(drop)
        })
        .unwrap();
    }
    db.before_migration("count_rows", |_| {});
    assert_rows_counted(&db);
    assert_eq!((rows_of(&db, "exams"), rows_of(&db, "")), (9, 18));
    // The triggers count on.
    db.write(|tx| tx.jobs().delete(exams)).unwrap();
    assert_eq!((rows_of(&db, "exams"), rows_of(&db, "")), (0, 9));
}

fn with_row_quota(db: &Database, max: u64) -> Database {
    let quota = JobQuota {
        stored_rows: Some(max),
        ..JobQuota::default()
    };
    db.clone().with_job_quota(quota)
}

fn more_rows_than_the_quota_are_refused_before_anything_is_stored(db: TestDb) {
    let (exams, other) = (job_of(&db, "exams"), job_of(&db, "exams"));
    let (library, nobodys) = (job_of(&db, "library"), a_job().create(&db).job_id);
    let limited = with_row_quota(&db, 10);
    let replace = |job, count| {
        let replaced = limited.write(|tx| {
            let replaced = tx.transcripts().replace_for_job(job, &segments(count));
            // The transaction goes on: what is refused must not have changed anything before.
            Ok::<_, Error>(replaced.map(|segments| segments.len()))
        });
        replaced.unwrap()
    };
    let is_refused = |result: Result<usize, Error>| {
        let exceeded = ExceededQuota::StoredRows(10);
        matches!(result, Err(Error::QuotaExceeded(error)) if error == exceeded)
    };
    assert_eq!(replace(exams, 7).unwrap(), 7);
    let before = db.sql().dump();
    assert!(is_refused(replace(other, 4)));
    assert!(is_refused(replace(exams, 11)));
    let refused = limited.write(|tx| tx.clips().replace_for_job(exams, &clips(4)));
    assert!(is_refused(refused.map(|clips| clips.len())));
    assert_eq!(db.sql().dump(), before);
    // Other owners and jobs without one have quotas of their own, also for callers without an
    // owner, and for the owner's own handle.
    assert_eq!(replace(library, 10).unwrap(), 10);
    assert_eq!(replace(nobodys, 10).unwrap(), 10);
    assert!(is_refused(replace(nobodys, 11)));
    let own = as_owner(&limited, "exams").write(|tx| {
        let stored = tx.transcripts().replace_for_job(other, &segments(4))?;
        Ok::<_, Error>(stored.len())
    });
    assert!(is_refused(own));
    // A set of no more rows than it replaces is never refused.
    let lower = with_row_quota(&db, 3);
    for (skipped, count) in [(1, 7), (0, 6)] {
        let fewer = segments(skipped + count).split_off(skipped);
        lower
            .write(|tx| tx.transcripts().replace_for_job(exams, &fewer))
            .unwrap();
    }
    // A deletion makes room at once.
    assert_eq!(replace(other, 4).unwrap(), 4);
    assert!(is_refused(replace(other, 5)));
    db.write(|tx| tx.jobs().delete(exams)).unwrap();
    assert_eq!(replace(other, 10).unwrap(), 10);
    assert_rows_counted(&db);
}

fn concurrent_writers_exceed_the_quota_by_one_request_each_at_most(db: TestDb) {
    const WRITERS: usize = 6;
    let jobs: Vec<_> = (0..WRITERS).map(|_| job_of(&db, "exams")).collect();
    let limited = with_row_quota(&db, 50);
    concurrently(WRITERS, |thread| {
        for _ in 0..30 {
            let appended = limited.write(|tx| tx.transcripts().append(jobs[thread], &segments(3)));
            assert!(matches!(appended, Ok(_) | Err(Error::QuotaExceeded(_))));
        }
    });
    assert_rows_counted(&db);
    let rows = rows_of(&db, "exams");
    assert!((48..=50 + 3 * WRITERS as u64).contains(&rows), "{rows}");
}
