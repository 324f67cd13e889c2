use std::collections::HashSet;

use chrono::TimeDelta;
use lectern_db::Database;
use lectern_domain::{
    Job, JobFilter, JobId, JobStatus, Page, PageLimit, PageRequest, Stage, Total,
};
use lectern_tests::{Backend, TestDb, a_job, a_report, on_both_backends};

use crate::many_jobs::{insert_jobs, plan_of};

on_both_backends!(
    jobs_are_listed_newest_first,
    an_empty_list_has_no_next_page,
    a_full_last_page_has_no_next_page,
    pages_neither_repeat_nor_miss_jobs_during_changes,
    jobs_created_at_the_same_time_are_paged_one_by_one,
    jobs_are_filtered_by_status_and_stage,
    the_created_range_includes_its_start_and_excludes_its_end,
    the_created_range_may_cover_all_times,
    the_count_is_the_length_of_the_unpaged_list,
    a_bounded_count_is_exact_up_to_its_bound,
    lists_of_a_stage_read_an_index,
);

fn page(db: &Database, filter: JobFilter, limit: i64, after: &Page<Job>) -> Page<Job> {
    let request = PageRequest {
        limit: PageLimit::new(limit).unwrap(),
        after: after.next,
    };
    db.read(|conn| conn.jobs().list(&filter, request)).unwrap()
}

fn first(db: &Database, filter: JobFilter, limit: i64) -> Page<Job> {
    page(
        db,
        filter,
        limit,
        &Page {
            items: vec![],
            next: None,
        },
    )
}

fn names(page: &Page<Job>) -> Vec<&str> {
    page.items.iter().map(|job| job.filename.as_str()).collect()
}

fn any() -> JobFilter {
    JobFilter::default()
}

/// Jobs `a`, `b`, `c`, …, created one second apart.
fn jobs(db: &TestDb, n: u8) -> Vec<Job> {
    (0..n)
        .map(|i| {
            db.clock().advance(TimeDelta::seconds(1));
            a_job()
                .filename(&char::from(b'a' + i).to_string())
                .create(db)
        })
        .collect()
}

fn jobs_are_listed_newest_first(db: TestDb) {
    jobs(&db, 3);
    let list = first(&db, any(), 50);
    assert_eq!(names(&list), ["c", "b", "a"]);
    assert_eq!(list.next, None);
}

fn an_empty_list_has_no_next_page(db: TestDb) {
    let list = first(&db, any(), 1);
    assert_eq!((list.items.len(), list.next), (0, None));
}

fn a_full_last_page_has_no_next_page(db: TestDb) {
    jobs(&db, 4);
    let one = first(&db, any(), 2);
    let two = page(&db, any(), 2, &one);
    assert_eq!((names(&one), names(&two)), (vec!["d", "c"], vec!["b", "a"]));
    assert_eq!(two.next, None);
}

fn pages_neither_repeat_nor_miss_jobs_during_changes(db: TestDb) {
    let made = jobs(&db, 9);
    let mut seen: Vec<JobId> = Vec::new();
    let mut last = first(&db, any(), 2);
    loop {
        seen.extend(last.items.iter().map(|job| job.job_id));
        if last.next.is_none() {
            break;
        }
        // Newer jobs are created, and the job of the cursor is deleted.
        db.clock().advance(TimeDelta::seconds(1));
        a_job().create(&db);
        db.write(|tx| tx.jobs().delete(*seen.last().unwrap()))
            .unwrap();
        last = page(&db, any(), 2, &last);
    }
    let expected: Vec<JobId> = made.iter().rev().map(|job| job.job_id).collect();
    assert_eq!(seen, expected);
}

fn jobs_created_at_the_same_time_are_paged_one_by_one(db: TestDb) {
    let made: HashSet<JobId> = (0..7).map(|_| a_job().create(&db).job_id).collect();
    let mut seen = HashSet::new();
    let mut last = first(&db, any(), 1);
    for _ in 0..7 {
        assert!(seen.insert(last.items[0].job_id), "a job came twice");
        last = match last.next {
            Some(_) => page(&db, any(), 1, &last),
            None => break,
        };
    }
    assert_eq!(seen, made);
}

fn jobs_are_filtered_by_status_and_stage(db: TestDb) {
    let running = a_job().filename("running").create(&db);
    db.write(|tx| {
        tx.jobs()
            .report_progress(running.job_id, &a_report(Stage::Transcription, 1.0))
    })
    .unwrap();
    a_job().filename("queued").create(&db);
    a_job()
        .filename("done")
        .status(JobStatus::Completed)
        .create(&db);
    let status = |status| JobFilter {
        status: Some(status),
        ..any()
    };
    let stage = |stage| JobFilter {
        stage: Some(stage),
        ..any()
    };
    assert_eq!(
        names(&first(&db, status(JobStatus::Queued), 50)),
        ["queued"]
    );
    assert_eq!(names(&first(&db, status(JobStatus::Failed), 50)), [""; 0]);
    assert_eq!(
        names(&first(&db, stage(Stage::Transcription), 50)),
        ["running"]
    );
    let both = JobFilter {
        stage: Some(Stage::Complete),
        ..status(JobStatus::Completed)
    };
    assert_eq!(names(&first(&db, both, 50)), ["done"]);
    let neither = JobFilter {
        stage: Some(Stage::Complete),
        ..status(JobStatus::Running)
    };
    assert_eq!(names(&first(&db, neither, 50)), [""; 0]);
}

fn the_created_range_includes_its_start_and_excludes_its_end(db: TestDb) {
    let made = jobs(&db, 4);
    let range = JobFilter {
        created_after: Some(made[1].created_at),
        created_before: Some(made[3].created_at),
        ..any()
    };
    assert_eq!(names(&first(&db, range, 50)), ["c", "b"]);
    assert_eq!(db.read(|conn| conn.jobs().count(&range)).unwrap(), 2);
    let one = first(&db, range, 1);
    assert_eq!(names(&page(&db, range, 1, &one)), ["b"]);
}

fn the_created_range_may_cover_all_times(db: TestDb) {
    jobs(&db, 2);
    let range = JobFilter {
        created_after: Some(chrono::DateTime::<chrono::Utc>::MIN_UTC),
        created_before: Some(chrono::DateTime::<chrono::Utc>::MAX_UTC),
        ..any()
    };
    assert_eq!(names(&first(&db, range, 50)), ["b", "a"]);
    let nothing = JobFilter {
        created_before: Some(chrono::DateTime::<chrono::Utc>::MIN_UTC),
        ..any()
    };
    assert_eq!(names(&first(&db, nothing, 50)), [""; 0]);
}

fn the_count_is_the_length_of_the_unpaged_list(db: TestDb) {
    jobs(&db, 5);
    a_job().status(JobStatus::Failed).create(&db);
    let count = |filter| db.read(|conn| conn.jobs().count(&filter)).unwrap();
    assert_eq!(count(any()), 6);
    assert_eq!(
        count(JobFilter {
            status: Some(JobStatus::Queued),
            ..any()
        }),
        5
    );
}

fn a_bounded_count_is_exact_up_to_its_bound(db: TestDb) {
    jobs(&db, 3);
    a_job().status(JobStatus::Failed).create(&db);
    let count = |filter, max| {
        let Total {
            count,
            is_lower_bound,
        } = db
            .read(|conn| conn.jobs().count_up_to(&filter, max))
            .unwrap();
        (count, is_lower_bound)
    };
    assert_eq!(count(any(), 5), (4, false));
    assert_eq!(count(any(), 4), (4, false));
    assert_eq!(count(any(), 3), (3, true));
    assert_eq!(count(any(), 0), (0, true));
    assert_eq!(count(any(), i64::MAX), (4, false));
    let queued = JobFilter {
        status: Some(JobStatus::Queued),
        created_after: Some(db.now() - TimeDelta::seconds(1)),
        created_before: Some(db.now() + TimeDelta::seconds(1)),
        ..any()
    };
    assert_eq!(count(queued, 2), (2, false));
    assert_eq!(count(queued, 1), (1, true));
}

fn lists_of_a_stage_read_an_index(db: TestDb) {
    // Few jobs are at this stage, and none of the many with either status.
    insert_jobs(
        &db,
        5_000,
        "status, current_stage, completed_at",
        "CASE WHEN i % 2 = 0 THEN 'completed' ELSE 'failed' END,
         CASE WHEN i % 2 = 0 THEN 'complete' WHEN i % 100 = 1 THEN 'segmentation' ELSE 'transcription' END,
         CASE WHEN i % 2 = 0 THEN {now} END",
    );
    let mut sql = db.sql();
    if db.backend() == Backend::Postgres {
        sql.execute("VACUUM ANALYZE jobs").unwrap();
    }
    let filter = |stage, status| JobFilter {
        stage: Some(stage),
        status,
        ..any()
    };
    let page = PageRequest::default();
    for (filter, index) in [
        (filter(Stage::Segmentation, None), "jobs_current_stage_"),
        (filter(Stage::Uploading, None), "jobs_current_stage_"),
        (
            filter(Stage::Transcription, Some(JobStatus::Completed)),
            "jobs_current_stage_status_idx",
        ),
        (
            filter(Stage::Complete, Some(JobStatus::Failed)),
            "jobs_current_stage_status_idx",
        ),
    ] {
        let plans = [
            plan_of(&mut sql, || {
                db.read(|conn| conn.jobs().list_summaries(&filter, page))
                    .unwrap()
            }),
            plan_of(&mut sql, || {
                db.read(|conn| conn.jobs().list(&filter, page)).unwrap()
            }),
            plan_of(&mut sql, || {
                db.read(|conn| conn.jobs().count_up_to(&filter, Total::MAX))
                    .unwrap()
            }),
        ];
        for plan in plans {
            assert!(plan.contains(index), "{filter:?}: {plan}");
        }
    }
}
