//! What a handle that is limited to one owner finds and changes.

use lectern_db::{Database, Error, Reader, TranscriptSelection, Tx};
use lectern_domain::{
    ClipMediaUpdate, Event, Job, JobFilter, JobId, JobOrder, JobPageRequest, JobStatus, JobUpdate,
    JsonObject, LeaseId, LogStatus, NewJob, NewJobOfSource, OwnerName, Patch, SilenceRegionFilter,
    Stage, StageNotes, StorageKey,
};
use lectern_tests::{
    Backend, TestDb, a_job, a_layout, a_log_entry, a_report, clips, content_segments,
    on_both_backends, on_both_backends_and_with_row_security, queries, segments, silence_regions,
    store_output,
};

use crate::db::support::unknown_id;
use crate::db::support::worker::{a_heartbeat, a_request, claim, claim_one, claim_together};
use crate::many_jobs::{insert_jobs, plan_of};

on_both_backends_and_with_row_security!(
    reads_of_another_owners_job_are_those_of_an_unknown_one,
    writes_of_another_owners_job_are_refused_as_those_of_an_unknown_one,
    rows_of_another_owner_are_not_found_by_their_ids,
    lists_counts_and_metrics_are_those_of_the_owner,
    a_changed_owner_is_counted,
    batched_operations_keep_owners_apart,
    claims_take_runs_of_the_owner_only,
    expired_leases_of_other_owners_stay,
    a_job_over_a_recording_has_the_owner_of_the_recording,
    an_owners_lists_read_an_index_of_owners,
);

// With row-level security, the events of others are hidden, so a page ends at an event of the
// owner.
on_both_backends!(a_page_of_events_has_those_of_the_owner_and_passes_the_others);

fn owner(name: &str) -> OwnerName {
    OwnerName::new(name).unwrap()
}

fn owners(db: &TestDb) -> (Database, Database) {
    (db.as_owner(owner("exams")), db.as_owner(owner("library")))
}

/// The statements without their parameters.
fn texts(statements: Vec<String>) -> Vec<String> {
    let text = |statement: &String| {
        let text = statement.split_once(" -- binds: ");
        text.map_or_else(|| statement.clone(), |(text, _)| text.to_owned())
    };
    statements.iter().map(text).collect()
}

/// A job with rows in every table of outputs.
fn a_job_with_output(db: &Database) -> JobId {
    let job_id = a_job().create(db).job_id;
    store_output(db, job_id);
    let entry = a_log_entry(Stage::Transcription, LogStatus::Started);
    db.write(|tx| tx.processing_logs().append(job_id, &entry))
        .unwrap();
    job_id
}

fn reads_of_another_owners_job_are_those_of_an_unknown_one(db: TestDb) {
    type Read<'r> = &'r dyn Fn(&mut Reader<'_>, JobId) -> Result<String, Error>;

    let (exams, library) = owners(&db);
    let foreign = a_job_with_output(&exams);
    // Some results name the job.
    let show = |value: &dyn std::fmt::Debug| format!("{value:?}");
    let reads: &[Read<'_>] = &[
        &|conn, id| Ok(show(&conn.jobs().find(id)?)),
        &|conn, id| Ok(show(&conn.jobs().exists(id)?)),
        &|conn, id| Ok(show(&conn.jobs().with_clips(id)?)),
        &|conn, id| Ok(show(&conn.jobs().results(id)?)),
        &|conn, id| Ok(show(&conn.layout_analysis().find_for_job(id)?)),
        &|conn, id| Ok(show(&conn.transcripts().for_job(id)?)),
        &|conn, id| Ok(show(&conn.transcripts().count(id)?)),
        &|conn, id| {
            Ok(show(
                &conn
                    .transcripts()
                    .page(id, &TranscriptSelection::default(), None)?
                    .items,
            ))
        },
        &|conn, id| Ok(show(&conn.silence_regions().for_job(id)?)),
        &|conn, id| {
            Ok(show(
                &conn
                    .silence_regions()
                    .page(id, &SilenceRegionFilter::default(), None)?
                    .items,
            ))
        },
        &|conn, id| Ok(show(&conn.content_segments().for_job(id)?)),
        &|conn, id| {
            Ok(show(
                &conn.content_segments().page(id, None, None, None)?.items,
            ))
        },
        &|conn, id| Ok(show(&conn.clips().for_job(id)?)),
        &|conn, id| Ok(show(&conn.clips().count(id)?)),
        &|conn, id| Ok(show(&conn.clips().page(id, None, None)?.items)),
        &|conn, id| Ok(show(&conn.clips().for_jobs(&[id])?)),
        &|conn, id| Ok(show(&conn.processing_logs().for_job(id)?)),
        &|conn, id| Ok(show(&conn.processing_logs().count(id)?)),
        &|conn, id| Ok(show(&conn.processing_logs().errors(id)?)),
        &|conn, id| Ok(show(&conn.stage_runs().for_job(id)?)),
        &|conn, id| Ok(show(&conn.stage_runs().notes(id)?)),
        &|conn, id| Ok(show(&conn.job_events().after(id, 0, 10)?)),
        &|conn, id| Ok(show(&conn.job_events().newer(&[(id, 0)], 10)?)),
        &|conn, id| Ok(show(&conn.uploads().find(id)?)),
        &|conn, id| Ok(show(&conn.uploads().parts(id)?)),
    ];
    let unknown: JobId = unknown_id();
    let mut told_apart = 0;
    for (i, read) in reads.iter().enumerate() {
        let of = |db: &Database, id| {
            let (result, statements) = queries(|| db.read(|conn| read(conn, id)).unwrap());
            (result, texts(statements))
        };
        let (own, _) = of(&exams, foreign);
        let (found, statements) = of(&library, foreign);
        let (expected, expected_statements) = of(&library, unknown);
        assert_eq!(found, expected, "read {i}");
        assert_eq!(statements, expected_statements, "read {i}");
        assert!(!statements.is_empty(), "read {i}");
        told_apart += usize::from(own != found);
        assert_eq!(of(&db, foreign).0, own, "read {i}");
    }
    // The job has no failed entry, no notes and no upload.
    assert_eq!(told_apart, reads.len() - 4);
}

fn writes_of_another_owners_job_are_refused_as_those_of_an_unknown_one(db: TestDb) {
    type Write<'w> = &'w dyn Fn(&mut Tx<'_>, JobId) -> Result<(), Error>;

    let (exams, library) = owners(&db);
    let foreign = a_job_with_output(&exams);
    let before = exams.find_job(foreign).unwrap();
    let update = JobUpdate {
        priority: Some(9),
        ..JobUpdate::default()
    };
    let report = a_report(Stage::Transcription, 5.0);
    let entry = a_log_entry(Stage::Transcription, LogStatus::Started);
    let lifetime = chrono::TimeDelta::hours(1);
    let writes: &[Write<'_>] = &[
        &|tx, id| tx.jobs().update(id, &update, None).map(drop),
        &|tx, id| tx.jobs().transition(id, JobStatus::Running).map(drop),
        &|tx, id| tx.jobs().confirm(id).map(drop),
        &|tx, id| tx.jobs().cancel(id).map(drop),
        &|tx, id| tx.jobs().retry(id).map(drop),
        &|tx, id| tx.jobs().rerun(id, Stage::Transcription).map(drop),
        &|tx, id| tx.jobs().report_progress(id, &report).map(drop),
        &|tx, id| tx.jobs().set_celery_task_id(id, None).map(drop),
        &|tx, id| tx.jobs().delete(id).map(drop),
        &|tx, id| tx.lock_job(id).map(drop),
        &|tx, id| tx.work().guard(id, &[], None).map(drop),
        &|tx, id| tx.transcripts().replace_for_job(id, &segments(1)).map(drop),
        &|tx, id| tx.transcripts().append(id, &segments(1)).map(drop),
        &|tx, id| {
            tx.silence_regions()
                .replace_for_job(id, &silence_regions(1))
                .map(drop)
        },
        &|tx, id| {
            tx.content_segments()
                .replace_for_job(id, &content_segments(1))
                .map(drop)
        },
        &|tx, id| tx.clips().replace_for_job(id, &clips(1)).map(drop),
        &|tx, id| tx.layout_analysis().put(id, &a_layout()).map(drop),
        &|tx, id| tx.processing_logs().append(id, &entry).map(drop),
        &|tx, id| tx.uploads().keep(id, lifetime),
        &|tx, id| tx.uploads().create_resumable(id, None, None, lifetime),
    ];
    let unknown: JobId = unknown_id();
    for (i, write) in writes.iter().enumerate() {
        let statements_of = |id: JobId| {
            let (refused, statements) = queries(|| library.write(|tx| write(tx, id)));
            assert!(
                matches!(refused, Err(Error::JobNotFound { job_id }) if job_id == id),
                "write {i}: {refused:?}"
            );
            texts(statements)
        };
        assert_eq!(statements_of(foreign), statements_of(unknown), "write {i}");
    }
    assert_eq!(
        library.write(|tx| tx.uploads().clear(foreign)).unwrap(),
        None
    );
    library.write(|tx| tx.uploads().delete(foreign)).unwrap();
    assert_eq!(exams.find_job(foreign).unwrap(), before);
}

fn rows_of_another_owner_are_not_found_by_their_ids(db: TestDb) {
    let (exams, library) = owners(&db);
    let job_id = a_job_with_output(&exams);
    let (clip, segment, topic) = exams
        .read(|conn| {
            let clip = conn.clips().for_job(job_id)?[0].clip_id;
            let segment = conn.transcripts().for_job(job_id)?[0].segment_id;
            let topic = conn.content_segments().for_job(job_id)?[0].segment_id;
            Ok::<_, Error>((clip, segment, topic))
        })
        .unwrap();
    let found = |db: &Database| {
        db.read(|conn| {
            Ok::<_, Error>([
                conn.clips().find(clip)?.is_some(),
                conn.clips().large_bytes(clip)?.is_some(),
                conn.transcripts().find(segment)?.is_some(),
                conn.transcripts().large_bytes(segment)?.is_some(),
                conn.content_segments().find(topic)?.is_some(),
            ])
        })
        .unwrap()
    };
    assert_eq!(found(&exams), [true; 5]);
    assert_eq!(found(&db), [true; 5]);
    assert_eq!(found(&library), [false; 5]);

    // Nor through a job of one's own.
    let own = a_job().create(&library).job_id;
    let refused = library.write(|tx| tx.clips().delete(own, clip));
    assert!(matches!(refused, Err(Error::ClipNotFound { .. })));
    let media = ClipMediaUpdate {
        s3_key: Patch::Clear,
        ..ClipMediaUpdate::default()
    };
    let refused = library.write(|tx| tx.clips().set_media_keys(clip, &media));
    assert!(matches!(refused, Err(Error::ClipNotFound { .. })));
    assert_eq!(found(&exams), [true; 5]);
}

fn lists_counts_and_metrics_are_those_of_the_owner(db: TestDb) {
    let (exams, library) = owners(&db);
    let of_exams: Vec<_> = (0..3)
        .map(|i| a_job().file_size(1 << 40).priority(i).create(&exams))
        .collect();
    let of_library = a_job().file_size(5).create(&library);
    let of_nobody = a_job().create(&db);
    assert_eq!(of_exams[0].owner_id, Some(owner("exams")));
    assert_eq!(of_library.owner_id, Some(owner("library")));
    assert_eq!(of_nobody.owner_id, None);
    exams
        .write(|tx| tx.jobs().cancel(of_exams[1].job_id))
        .unwrap();
    exams
        .write(|tx| tx.jobs().delete(of_exams[2].job_id))
        .unwrap();
    let seen = |db: &Database, filter: &JobFilter| {
        db.read(|conn| {
            let mut ids = Vec::new();
            for order in [
                JobOrder::CreatedAt,
                JobOrder::UpdatedAt,
                JobOrder::CompletedAt,
            ] {
                let page = JobPageRequest {
                    order,
                    ..JobPageRequest::default()
                };
                let jobs = conn.jobs().list(filter, page)?.items;
                let mut listed: Vec<_> = jobs.iter().map(|job| job.job_id).collect();
                listed.sort();
                let summaries = conn.jobs().list_summaries(filter, page, false)?.items;
                let mut summarized: Vec<_> = summaries.iter().map(|job| job.job_id).collect();
                summarized.sort();
                assert_eq!(listed, summarized);
                ids.push(listed);
            }
            assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
            let listed = ids.swap_remove(0);
            assert_eq!(
                conn.jobs().count(filter)?,
                i64::try_from(listed.len()).unwrap()
            );
            Ok::<_, Error>(listed)
        })
        .unwrap()
    };
    let sorted = |jobs: &[&Job]| {
        let mut ids: Vec<_> = jobs.iter().map(|job| job.job_id).collect();
        ids.sort();
        ids
    };
    let any = JobFilter::default();
    assert_eq!(seen(&exams, &any), sorted(&[&of_exams[0], &of_exams[1]]));
    assert_eq!(seen(&library, &any), sorted(&[&of_library]));
    assert_eq!(seen(&db, &any).len(), 4);
    let queued = JobFilter {
        statuses: vec![JobStatus::Queued, JobStatus::Failed],
        ..JobFilter::default()
    };
    assert_eq!(seen(&exams, &queued), sorted(&[&of_exams[0]]));

    let metrics = |db: &Database| db.read(|conn| conn.jobs().metrics()).unwrap();
    let of = metrics(&exams);
    assert_eq!(of.by_status[&JobStatus::Queued], 1);
    assert_eq!(of.by_status[&JobStatus::Cancelled], 1);
    assert_eq!((of.bytes_stored, of.created_last_24h), (2 << 40, 2));
    let of = metrics(&library);
    assert_eq!(of.by_status[&JobStatus::Queued], 1);
    assert_eq!((of.bytes_stored, of.created_last_30d), (5, 1));
    assert_eq!(metrics(&db).created_last_7d, 4);
    assert_eq!(metrics(&db.as_owner(owner("nobody"))).created_last_7d, 0);
}

fn a_changed_owner_is_counted(db: TestDb) {
    let job_id = a_job().file_size(7).create(&db).job_id;
    let (exams, _) = owners(&db);
    let counted = || {
        let metrics = exams.read(|conn| conn.jobs().metrics()).unwrap();
        let queued = metrics.by_status[&JobStatus::Queued];
        (queued, metrics.bytes_stored, metrics.created_last_7d)
    };
    assert_eq!(counted(), (0, 0, 0));
    let change = format!("UPDATE jobs SET owner_id = 'exams' WHERE job_id = '{job_id}'");
    db.sql().execute(&change).unwrap();
    assert_eq!(counted(), (1, 7, 1));
    let all = db.read(|conn| conn.jobs().metrics()).unwrap();
    assert_eq!(
        (all.by_status[&JobStatus::Queued], all.created_last_7d),
        (1, 1)
    );
    db.sql().execute("UPDATE jobs SET owner_id = NULL").unwrap();
    assert_eq!(counted(), (0, 0, 0));
}

fn batched_operations_keep_owners_apart(db: TestDb) {
    let (exams, library) = owners(&db);
    let create = |db: &Database| db.create_job(a_job().build()).unwrap();
    let (own, other, nobodys) = (create(&exams), create(&library), create(&db));
    assert_eq!(own.owner_id, Some(owner("exams")));
    assert_eq!(other.owner_id, Some(owner("library")));
    assert_eq!(nobodys.owner_id, None);
    // Concurrent lookups and reports of several owners share the batches.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(exams.find_job(other.job_id).unwrap(), None);
                    assert_eq!(exams.find_job(nobodys.job_id).unwrap(), None);
                    let found = library.find_job(other.job_id).unwrap();
                    assert_eq!(found.unwrap().job_id, other.job_id);
                    let report = a_report(Stage::Transcription, 1.0);
                    let refused = library.report_progress(own.job_id, None, report.clone());
                    assert!(matches!(refused, Err(Error::JobNotFound { .. })));
                    exams.report_progress(own.job_id, None, report).unwrap();
                }
            });
        }
    });
    let unchanged = db.find_job(other.job_id).unwrap().unwrap();
    assert_eq!(unchanged.version, other.version);
}

fn claims_take_runs_of_the_owner_only(db: TestDb) {
    let (exams, library) = owners(&db);
    let stages = [Stage::SilenceDetection, Stage::Transcription];
    let urgent = a_job().priority(9).create(&exams).job_id;
    let own = a_job().create(&library).job_id;
    for claim in [claim, claim_together] {
        let claims = claim(&library, &stages[..1], 5);
        let jobs: Vec<_> = claims.iter().map(|claim| claim.job.job_id).collect();
        assert!(jobs.iter().all(|job_id| *job_id == own), "{jobs:?}");
    }
    let claims = claim(&library, &stages, 5);
    assert!(claims.iter().all(|claim| claim.job.job_id == own));
    assert_eq!(
        library
            .read(|conn| conn.stage_runs().claimable(&stages))
            .unwrap(),
        []
    );
    let request = a_request(&stages, 5);
    let of_urgent = library.write(|tx| tx.work().claim_from(urgent, &request));
    assert_eq!(of_urgent.unwrap(), []);

    // A lease of another owner is unknown.
    let lease = claim_one(&exams, Stage::SilenceDetection)
        .run
        .lease
        .unwrap();
    let is_lost = |result: Result<(), Error>, lease: LeaseId| {
        assert!(
            matches!(result, Err(Error::LeaseLost { lease_id: Some(id) }) if id == lease),
            "{result:?}"
        );
    };
    let beat = a_heartbeat(5.0);
    let unknown: LeaseId = unknown_id();
    for lease in [lease.lease_id, unknown] {
        is_lost(library.heartbeat(lease, beat.clone()).map(drop), lease);
        let notes = StageNotes::default();
        is_lost(library.complete_stage(lease, notes).map(drop), lease);
        is_lost(
            library.write(|tx| tx.work().release(lease)).map(drop),
            lease,
        );
        assert!(
            !library
                .read(|conn| conn.stage_runs().has_lease(lease))
                .unwrap()
        );
    }
    exams.heartbeat(lease.lease_id, beat).unwrap();
    // Without an owner, all can be claimed.
    let rest = claim(&db, &stages, 5);
    assert!(rest.iter().any(|claim| claim.job.job_id == urgent));
}

fn expired_leases_of_other_owners_stay(db: TestDb) {
    let (exams, library) = owners(&db);
    let own = a_job().create(&exams).job_id;
    a_job().create(&library);
    claim_one(&exams, Stage::SilenceDetection);
    claim_one(&library, Stage::SilenceDetection);
    db.clock().advance(chrono::TimeDelta::hours(1));
    assert_eq!(exams.write(|tx| tx.work().expire()).unwrap(), 1);
    assert!(!exams.read(|conn| conn.stage_runs().any_expired()).unwrap());
    assert!(
        library
            .read(|conn| conn.stage_runs().any_expired())
            .unwrap()
    );
    assert_eq!(claim_one(&exams, Stage::SilenceDetection).job.job_id, own);
    assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 1);
}

fn a_page_of_events_has_those_of_the_owner_and_passes_the_others(db: TestDb) {
    let (exams, library) = owners(&db);
    let own = a_job().create(&exams).job_id;
    for _ in 0..20 {
        let other = a_job().create(&library).job_id;
        library.write(|tx| tx.jobs().delete(other)).unwrap();
    }
    exams.write(|tx| tx.jobs().cancel(own)).unwrap();
    exams.write(|tx| tx.jobs().delete(own)).unwrap();
    let last = a_job().create(&exams).job_id;
    a_job().create(&library);
    let end = loop {
        // On PostgreSQL, a transaction of another test may hold events back for a moment.
        let position = db.read(|conn| conn.job_events().last_position()).unwrap();
        let page = db
            .read(|conn| conn.job_events().of_all_jobs(None, 1000))
            .unwrap();
        let after = db.read(|conn| conn.job_events().last_position()).unwrap();
        // Events may have become visible between the queries.
        if page.events.len() == 23 && after == position {
            assert_eq!(page.next, position);
            break position;
        }
        std::thread::yield_now();
    };
    let mut after = None;
    let mut events = Vec::new();
    loop {
        let read = |conn: &mut Reader<'_>| conn.job_events().of_all_jobs(after, 1);
        let page = exams.read(read).unwrap();
        events.extend(page.events.into_iter().map(|(_, event)| event));
        if after == Some(page.next) {
            break;
        }
        after = Some(page.next);
    }
    assert_eq!(after, Some(end));
    let jobs: Vec<_> = events.iter().map(|event| event.job_id).collect();
    assert_eq!(jobs, [own, last]);
    assert_eq!(events[0].event, Event::Deleted);
}

fn a_job_over_a_recording_has_the_owner_of_the_recording(db: TestDb) {
    let (exams, library) = owners(&db);
    let key = StorageKey::new("recordings/lecture.mp4").unwrap();
    let new = NewJob {
        original_s3_key: Some(key.clone()),
        ..a_job().build()
    };
    let source = exams.create_job(new).unwrap().job_id;
    let copy = NewJobOfSource {
        source_job_id: source,
        filename: None,
        processing_config: None,
        priority: 0,
        extra_metadata: JsonObject::default(),
    };
    let refused = library.write(|tx| tx.jobs().create_from_source(&copy));
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    for db in [&exams, &*db] {
        let created = db.write(|tx| tx.jobs().create_from_source(&copy)).unwrap();
        assert_eq!(created.owner_id, Some(owner("exams")));
    }
    // The recording is kept for the copies.
    let unneeded = exams.write(|tx| tx.jobs().delete(source)).unwrap();
    assert_eq!(unneeded.of_jobs, [source]);
    assert_eq!(unneeded.except.as_deref(), Some(key.as_str()));
}

fn an_owners_lists_read_an_index_of_owners(db: TestDb) {
    let owner_of_i = match db.backend() {
        Backend::Postgres => "'owner-' || (i % 100)::text",
        Backend::Sqlite => "'owner-' || (i % 100)",
    };
    insert_jobs(
        &db,
        5_000,
        "status, owner_id",
        &format!("'queued', {owner_of_i}"),
    );
    let mut sql = db.sql();
    sql.batch("ANALYZE").unwrap();
    let one = db.as_owner(owner("owner-7"));
    let of_statuses = |statuses: &[JobStatus]| JobFilter {
        statuses: statuses.to_vec(),
        ..JobFilter::default()
    };
    let plans = [
        (JobOrder::CreatedAt, of_statuses(&[])),
        (JobOrder::CreatedAt, of_statuses(&[JobStatus::Queued])),
        (JobOrder::UpdatedAt, of_statuses(&[JobStatus::Queued])),
    ]
    .map(|(order, filter)| {
        let page = JobPageRequest {
            order,
            ..JobPageRequest::default()
        };
        plan_of(&mut sql, || {
            one.read(|conn| conn.jobs().list(&filter, page)).unwrap()
        })
    });
    let count = plan_of(&mut sql, || {
        one.read(|conn| conn.jobs().count(&JobFilter::default()))
            .unwrap()
    });
    for plan in plans.iter().chain([&count]) {
        assert!(plan.contains("jobs_owner_"), "{plan}");
    }
}
