use std::collections::HashSet;

use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::{
    Direction, FilenamePart, Job, JobCursor, JobFilter, JobId, JobOrder, JobPageRequest, JobStatus,
    JobUpdate, Page, PageLimit, Stage, Total,
};
use lectern_tests::{Backend, TestDb, a_job, a_report, on_both_backends};

use crate::many_jobs::{insert_jobs, plan_of};
use crate::pseudo_random::PseudoRandom;

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
    lists_in_every_order_page_through_all_matching_jobs,
    a_cursor_of_a_list_in_another_order_is_refused,
    a_part_of_a_filename_is_found_in_any_case,
    jobs_are_filtered_by_the_time_of_their_last_change_and_completion,
    lists_in_every_order_read_an_index,
);

pub(super) type Jobs = Page<Job, JobCursor>;

fn page(db: &Database, filter: &JobFilter, limit: i64, after: &Jobs) -> Jobs {
    let request = JobPageRequest {
        limit: PageLimit::new(limit).unwrap(),
        after: after.next,
        ..JobPageRequest::default()
    };
    db.read(|conn| conn.jobs().list(filter, request)).unwrap()
}

pub(super) fn first(db: &Database, filter: &JobFilter, limit: i64) -> Jobs {
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

pub(super) fn names(page: &Jobs) -> Vec<&str> {
    page.items.iter().map(|job| job.filename.as_str()).collect()
}

pub(super) fn any() -> JobFilter {
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
    let list = first(&db, &any(), 50);
    assert_eq!(names(&list), ["c", "b", "a"]);
    assert_eq!(list.next, None);
}

fn an_empty_list_has_no_next_page(db: TestDb) {
    let list = first(&db, &any(), 1);
    assert_eq!((list.items.len(), list.next), (0, None));
}

fn a_full_last_page_has_no_next_page(db: TestDb) {
    jobs(&db, 4);
    let one = first(&db, &any(), 2);
    let two = page(&db, &any(), 2, &one);
    assert_eq!((names(&one), names(&two)), (vec!["d", "c"], vec!["b", "a"]));
    assert_eq!(two.next, None);
}

fn pages_neither_repeat_nor_miss_jobs_during_changes(db: TestDb) {
    let made = jobs(&db, 9);
    let mut seen: Vec<JobId> = Vec::new();
    let mut last = first(&db, &any(), 2);
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
        last = page(&db, &any(), 2, &last);
    }
    let expected: Vec<JobId> = made.iter().rev().map(|job| job.job_id).collect();
    assert_eq!(seen, expected);
}

fn jobs_created_at_the_same_time_are_paged_one_by_one(db: TestDb) {
    let made: HashSet<JobId> = (0..7).map(|_| a_job().create(&db).job_id).collect();
    let mut seen = HashSet::new();
    let mut last = first(&db, &any(), 1);
    for _ in 0..7 {
        assert!(seen.insert(last.items[0].job_id), "a job came twice");
        last = match last.next {
            Some(_) => page(&db, &any(), 1, &last),
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
        statuses: vec![status],
        ..any()
    };
    let stage = |stage| JobFilter {
        stage: Some(stage),
        ..any()
    };
    assert_eq!(
        names(&first(&db, &status(JobStatus::Queued), 50)),
        ["queued"]
    );
    assert_eq!(names(&first(&db, &status(JobStatus::Failed), 50)), [""; 0]);
    assert_eq!(
        names(&first(&db, &stage(Stage::Transcription), 50)),
        ["running"]
    );
    let both = JobFilter {
        stage: Some(Stage::Complete),
        ..status(JobStatus::Completed)
    };
    assert_eq!(names(&first(&db, &both, 50)), ["done"]);
    let neither = JobFilter {
        stage: Some(Stage::Complete),
        ..status(JobStatus::Running)
    };
    assert_eq!(names(&first(&db, &neither, 50)), [""; 0]);
}

fn the_created_range_includes_its_start_and_excludes_its_end(db: TestDb) {
    let made = jobs(&db, 4);
    let range = JobFilter {
        created_after: Some(made[1].created_at),
        created_before: Some(made[3].created_at),
        ..any()
    };
    assert_eq!(names(&first(&db, &range, 50)), ["c", "b"]);
    assert_eq!(db.read(|conn| conn.jobs().count(&range)).unwrap(), 2);
    let one = first(&db, &range, 1);
    assert_eq!(names(&page(&db, &range, 1, &one)), ["b"]);
}

fn the_created_range_may_cover_all_times(db: TestDb) {
    jobs(&db, 2);
    let range = JobFilter {
        created_after: Some(chrono::DateTime::<chrono::Utc>::MIN_UTC),
        created_before: Some(chrono::DateTime::<chrono::Utc>::MAX_UTC),
        ..any()
    };
    assert_eq!(names(&first(&db, &range, 50)), ["b", "a"]);
    let nothing = JobFilter {
        created_before: Some(chrono::DateTime::<chrono::Utc>::MIN_UTC),
        ..any()
    };
    assert_eq!(names(&first(&db, &nothing, 50)), [""; 0]);
}

fn the_count_is_the_length_of_the_unpaged_list(db: TestDb) {
    jobs(&db, 5);
    a_job().status(JobStatus::Failed).create(&db);
    let count = |filter: JobFilter| db.read(|conn| conn.jobs().count(&filter)).unwrap();
    assert_eq!(count(any()), 6);
    assert_eq!(
        count(JobFilter {
            statuses: vec![JobStatus::Queued],
            ..any()
        }),
        5
    );
}

fn a_bounded_count_is_exact_up_to_its_bound(db: TestDb) {
    jobs(&db, 3);
    a_job().status(JobStatus::Failed).create(&db);
    let count = |filter: &JobFilter, max| {
        let Total {
            count,
            is_lower_bound,
        } = db
            .read(|conn| conn.jobs().count_up_to(filter, max))
            .unwrap();
        (count, is_lower_bound)
    };
    assert_eq!(count(&any(), 5), (4, false));
    assert_eq!(count(&any(), 4), (4, false));
    assert_eq!(count(&any(), 3), (3, true));
    assert_eq!(count(&any(), 0), (0, true));
    assert_eq!(count(&any(), i64::MAX), (4, false));
    let queued = JobFilter {
        statuses: vec![JobStatus::Queued],
        created_after: Some(db.now() - TimeDelta::seconds(1)),
        created_before: Some(db.now() + TimeDelta::seconds(1)),
        ..any()
    };
    assert_eq!(count(&queued, 2), (2, false));
    assert_eq!(count(&queued, 1), (1, true));
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
        // With so few jobs, reading all of them costs about as much as reading an index.
        sql.execute("SET enable_seqscan = off").unwrap();
    }
    let filter = |stage, status: Option<JobStatus>| JobFilter {
        stage: Some(stage),
        statuses: status.into_iter().collect(),
        ..any()
    };
    let page = JobPageRequest::default();
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
                db.read(|conn| conn.jobs().list_summaries(&filter, page, false))
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

/// Jobs of every status, of which some have the same times.
fn jobs_of_every_status(db: &TestDb) -> Vec<Job> {
    let mut random = PseudoRandom::new(7);
    let advance = |seconds| {
        let seconds = i64::try_from(seconds).unwrap();
        db.clock().advance(TimeDelta::seconds(seconds));
    };
    let mut ids: Vec<_> = (0..40)
        .map(|i| {
            let status = JobStatus::ALL[i % JobStatus::ALL.len()];
            advance(random.below(2));
            a_job().status(status).create(db).job_id
        })
        .collect();
    // Changes in another order than that of creation.
    for _ in 0..30 {
        let job_id = ids.swap_remove(random.below(ids.len()));
        advance(random.below(2));
        let update = JobUpdate {
            priority: Some(3),
            ..JobUpdate::default()
        };
        db.write(|tx| tx.jobs().update(job_id, &update, None))
            .unwrap();
        // Refused unless the job is running.
        let _ = db.write(|tx| tx.jobs().transition(job_id, JobStatus::Completed));
    }
    first(db, &any(), 100).items
}

/// The ids of a list, read with `limit` jobs on each page.
fn list_all(db: &TestDb, filter: &JobFilter, mut page: JobPageRequest) -> Vec<JobId> {
    let mut found = Vec::new();
    loop {
        let jobs = db.read(|conn| conn.jobs().list(filter, page)).unwrap();
        let summaries = db.read(|conn| conn.jobs().list_summaries(filter, page, false));
        let summaries = summaries.unwrap();
        let ids: Vec<_> = jobs.items.iter().map(|job| job.job_id).collect();
        let listed: Vec<_> = summaries.items.iter().map(|job| job.job_id).collect();
        assert_eq!((&listed, summaries.next), (&ids, jobs.next));
        found.extend(ids);
        if jobs.next.is_none() {
            return found;
        }
        page.after = jobs.next;
    }
}

fn lists_in_every_order_page_through_all_matching_jobs(db: TestDb) {
    use JobStatus::{Cancelled, Completed, Failed, Pending, Queued, Running};
    let jobs = jobs_of_every_status(&db);
    for statuses in [
        vec![],
        vec![Completed],
        vec![Running],
        vec![Queued, Failed],
        vec![Completed, Cancelled, Completed],
        vec![Pending, Queued, Running, Completed, Failed, Cancelled],
    ] {
        let filter = JobFilter {
            statuses: statuses.clone(),
            ..any()
        };
        let is_listed = |job: &&Job| statuses.is_empty() || statuses.contains(&job.status);
        let matching: Vec<_> = jobs.iter().filter(is_listed).collect();
        let count = db.read(|conn| conn.jobs().count(&filter)).unwrap();
        assert_eq!(usize::try_from(count), Ok(matching.len()));
        let total = db.read(|conn| conn.jobs().count_up_to(&filter, 9)).unwrap();
        assert_eq!(total, Total::up_to(9, count));
        for order in JobOrder::ALL.iter().copied() {
            for direction in Direction::ALL.iter().copied() {
                let mut expected = matching.clone();
                expected.sort_by(|a, b| {
                    let time = |job: &Job| match (order, job.completed_at) {
                        (JobOrder::CreatedAt, _) | (JobOrder::CompletedAt, None) => job.created_at,
                        (JobOrder::UpdatedAt, _) => job.updated_at,
                        (JobOrder::CompletedAt, Some(time)) => time,
                    };
                    let by_time = (time(a), a.job_id).cmp(&(time(b), b.job_id));
                    let by_time = match direction {
                        Direction::Ascending => by_time,
                        Direction::Descending => by_time.reverse(),
                    };
                    let is_last = |job: &Job| {
                        order == JobOrder::CompletedAt && job.status != JobStatus::Completed
                    };
                    is_last(a).cmp(&is_last(b)).then(by_time)
                });
                let expected: Vec<_> = expected.iter().map(|job| job.job_id).collect();
                for limit in [1, 7, 100] {
                    let page = JobPageRequest {
                        limit: PageLimit::new(limit).unwrap(),
                        order,
                        direction,
                        after: None,
                    };
                    assert_eq!(
                        list_all(&db, &filter, page),
                        expected,
                        "{statuses:?} {order} {direction} {limit}"
                    );
                }
            }
        }
    }
}

fn a_cursor_of_a_list_in_another_order_is_refused(db: TestDb) {
    jobs(&db, 2);
    let next = first(&db, &any(), 1).next;
    for (order, direction) in [
        (JobOrder::UpdatedAt, Direction::Descending),
        (JobOrder::CreatedAt, Direction::Ascending),
    ] {
        let page = JobPageRequest {
            order,
            direction,
            after: next,
            ..JobPageRequest::default()
        };
        let list = db.read(|conn| conn.jobs().list(&any(), page));
        assert!(matches!(list, Err(Error::Invalid(_))));
        let list = db.read(|conn| conn.jobs().list_summaries(&any(), page, true));
        assert!(matches!(list, Err(Error::Invalid(_))));
    }
}

fn a_part_of_a_filename_is_found_in_any_case(db: TestDb) {
    let filenames = [
        "Lecture 7.MP4",
        "ΟΣΑ και ΟΣ.mp4",
        "Straße.mp4",
        "ÉCOLE d'été.mp4",
        "100%_*?[a-z]^$\\.mp4",
        "日本語の講義.mp4",
        "new\nline.mp4",
        "İstanbul.mp4",
        "kelvin.mp4",
        "\u{212a}elvin.mp4",
    ];
    for filename in filenames {
        a_job().filename(filename).create(&db);
    }
    for (part, expected) in [
        ("", &filenames[..]),
        ("LECTURE", &["Lecture 7.MP4"]),
        ("mp4", &filenames),
        ("ος", &["ΟΣΑ και ΟΣ.mp4"]),
        ("οσα", &["ΟΣΑ και ΟΣ.mp4"]),
        ("STRAßE", &["Straße.mp4"]),
        ("strasse", &[]),
        ("école D'ÉTÉ", &["ÉCOLE d'été.mp4"]),
        ("ecole", &[]),
        ("0%_*", &["100%_*?[a-z]^$\\.mp4"]),
        ("?[A-Z]^$\\.", &["100%_*?[a-z]^$\\.mp4"]),
        ("[m]", &[]),
        ("m.4", &[]),
        ("l*e", &[]),
        ("語の講", &["日本語の講義.mp4"]),
        ("w\nl", &["new\nline.mp4"]),
        ("stanbul", &["İstanbul.mp4"]),
        ("\u{212a}ELVIN", &["kelvin.mp4", "\u{212a}elvin.mp4"]),
        ("keLVin", &["kelvin.mp4", "\u{212a}elvin.mp4"]),
    ] {
        let filter = JobFilter {
            filename: Some(FilenamePart::new(part).unwrap()),
            ..any()
        };
        let mut found = first(&db, &filter, 100);
        found.items.reverse();
        assert_eq!(names(&found), expected, "{part}");
    }
}

fn jobs_are_filtered_by_the_time_of_their_last_change_and_completion(db: TestDb) {
    let created = jobs(&db, 4);
    let change = |i: usize, to: &[JobStatus]| {
        db.clock().advance(TimeDelta::seconds(10));
        for status in to {
            let job_id = created[i].job_id;
            db.write(|tx| tx.jobs().transition(job_id, *status))
                .unwrap();
        }
        db.now()
    };
    let completed = change(2, &[JobStatus::Running, JobStatus::Completed]);
    let started = change(0, &[JobStatus::Running]);
    let second = TimeDelta::seconds(1);
    let updated_after = |time| JobFilter {
        updated_after: Some(time),
        ..any()
    };
    let completed_after = |time| JobFilter {
        completed_after: Some(time),
        ..any()
    };
    let sorted = |filter: &JobFilter, order| {
        let page = JobPageRequest {
            order,
            ..JobPageRequest::default()
        };
        let page = db.read(|conn| conn.jobs().list(filter, page)).unwrap();
        let count = db.read(|conn| conn.jobs().count(filter)).unwrap();
        assert_eq!(usize::try_from(count), Ok(page.items.len()));
        names(&page).concat()
    };
    for order in JobOrder::ALL.iter().copied() {
        let list = |filter: &JobFilter| sorted(filter, order);
        let both = if order == JobOrder::UpdatedAt {
            "ac"
        } else {
            "ca"
        };
        assert_eq!(list(&updated_after(completed)), both, "{order}");
        assert_eq!(list(&updated_after(started)), "a", "{order}");
        assert_eq!(list(&updated_after(started + second)), "", "{order}");
        assert_eq!(list(&completed_after(completed)), "c", "{order}");
        assert_eq!(list(&completed_after(completed + second)), "", "{order}");
        let failed = JobFilter {
            statuses: vec![JobStatus::Failed, JobStatus::Running],
            ..updated_after(completed)
        };
        assert_eq!(list(&failed), "a", "{order}");
    }
}

fn lists_in_every_order_read_an_index(db: TestDb) {
    use JobStatus::{Completed, Failed, Queued, Running};
    insert_jobs(
        &db,
        5_000,
        "status, current_stage, completed_at",
        "CASE WHEN i % 2 = 0 THEN 'completed' ELSE 'failed' END,
         CASE WHEN i % 2 = 0 THEN 'complete' ELSE 'transcription' END,
         CASE WHEN i % 2 = 0 THEN {now} END",
    );
    let mut sql = db.sql();
    if db.backend() == Backend::Postgres {
        sql.execute("VACUUM ANALYZE jobs").unwrap();
    }
    let by_status = "jobs_status_created_at_idx";
    for (order, statuses, index) in [
        (JobOrder::CreatedAt, vec![], "jobs_created_at_idx"),
        (JobOrder::CreatedAt, vec![Completed, Failed], by_status),
        (JobOrder::CreatedAt, vec![Queued, Running], by_status),
        (JobOrder::UpdatedAt, vec![], "jobs_status_settled_at_idx"),
        (
            JobOrder::UpdatedAt,
            vec![Failed],
            "jobs_status_settled_at_idx",
        ),
        (
            JobOrder::CompletedAt,
            vec![Completed],
            "jobs_completed_at_idx",
        ),
        (JobOrder::CompletedAt, vec![], "jobs_completed_at_idx"),
        (JobOrder::CompletedAt, vec![Failed, Queued], by_status),
    ] {
        let filter = JobFilter { statuses, ..any() };
        for direction in Direction::ALL.iter().copied() {
            let page = JobPageRequest {
                order,
                direction,
                ..JobPageRequest::default()
            };
            let plan = plan_of(&mut sql, || {
                db.read(|conn| conn.jobs().list_summaries(&filter, page, true))
                    .unwrap()
            });
            // PostgreSQL also reads the index of all jobs if many of them have the status.
            let found = plan.contains(index)
                || (index == by_status && plan.contains("jobs_created_at_idx"));
            assert!(found, "{filter:?} {order}: {plan}");
        }
    }
}
