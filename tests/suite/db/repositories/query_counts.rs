//! The number of queries of a call does not depend on the number of rows.

use lectern_db::{Error, Tx};
use lectern_domain::{
    Heartbeat, Job, JobFilter, JobPageRequest, JobStatus, JobUpdate, PageLimit, Stage,
};
use lectern_tests::{
    Backend, TestDb, a_job, a_report, clips, on_both_backends, queries, segments, store_output,
};

use crate::db::support::worker::{a_heartbeat, claim, claim_one, complete, heartbeat};

on_both_backends!(
    listing_a_hundred_jobs_takes_as_many_queries_as_listing_one,
    the_query_count_of_results_is_constant,
    a_job_with_its_clips_takes_at_most_two_queries,
    pictures_of_a_hundred_jobs_take_one_query,
    a_job_update_is_one_guarded_statement,
    a_report_on_a_leased_stage_increments_the_version_once,
    claiming_ten_runs_takes_as_many_queries_as_claiming_one,
    the_query_count_of_worker_calls_is_constant,
    events_of_a_hundred_jobs_take_one_query,
    claimable_stages_take_one_query,
    metrics_take_one_query,
    replacing_a_transcript_takes_at_most_eight_round_trips,
);

fn page() -> JobPageRequest {
    JobPageRequest {
        limit: PageLimit::new(100).unwrap(),
        ..JobPageRequest::default()
    }
}

/// Checks that a change uses one statement on jobs, an UPDATE with its guard in
/// the WHERE clause.
fn assert_single_update(db: &TestDb, change: impl FnMut(&mut Tx<'_>) -> Result<Job, Error>) {
    let (_, statements) = queries(|| db.write(change).unwrap());
    let of_jobs: Vec<_> = statements
        .iter()
        .filter(|statement| is_of_jobs(statement))
        .collect();
    assert_eq!(of_jobs.len(), 1, "{statements:#?}");
    assert!(
        of_jobs[0].starts_with("UPDATE") && of_jobs[0].contains(" WHERE "),
        "{statements:#?}"
    );
    assert!(cost(&statements) <= 4, "{statements:#?}");
}

/// The number of statements other than inserts of many rows: SQLite uses one
/// prepared statement per row.
fn cost(statements: &[String]) -> usize {
    let is_insert = |statement: &String| {
        ["INSERT INTO", "COPY"]
            .iter()
            .any(|words| statement.contains(words))
    };
    statements
        .iter()
        .filter(|statement| !is_insert(statement))
        .count()
}

/// Whether a statement uses the table jobs, with the quotes of either backend.
fn is_of_jobs(statement: &str) -> bool {
    let words = statement.split([' ', '"', '`', '.', '(', ',']);
    words.into_iter().any(|word| word == "jobs")
}

fn listing_a_hundred_jobs_takes_as_many_queries_as_listing_one(db: TestDb) {
    let list = || {
        queries(|| {
            db.read(|conn| conn.jobs().list(&JobFilter::default(), page()))
                .unwrap()
                .items
                .len()
        })
    };
    let with_clips = || {
        queries(|| {
            db.read(|conn| conn.jobs().list_with_clips(&JobFilter::default(), page()))
                .unwrap()
                .items
                .len()
        })
    };
    store_output(&db, a_job().create(&db).job_id);
    let one = (list().1.len(), with_clips().1.len());
    for _ in 1..100 {
        let job = a_job().create(&db);
        db.write(|tx| tx.clips().replace_for_job(job.job_id, &clips(2)))
            .unwrap();
    }
    let (jobs, statements) = list();
    assert_eq!((jobs, statements.len()), (100, one.0), "{statements:#?}");
    let (jobs, statements) = with_clips();
    assert_eq!((jobs, statements.len()), (100, one.1), "{statements:#?}");
    assert_eq!(one, (1, 2));
}

fn the_query_count_of_results_is_constant(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let results = || {
        queries(|| {
            db.read(|conn| conn.jobs().results(job))
                .unwrap()
                .unwrap()
                .transcript
                .len()
        })
    };
    let (_, bare) = results();
    db.write(|tx| tx.transcripts().replace_for_job(job, &segments(1_500)))
        .unwrap();
    db.write(|tx| tx.clips().replace_for_job(job, &clips(40)))
        .unwrap();
    let (segments, full) = results();
    assert_eq!((segments, full.len()), (1_500, bare.len()), "{full:#?}");
    assert!(full.len() <= 5, "{full:#?}");
}

fn a_job_with_its_clips_takes_at_most_two_queries(db: TestDb) {
    let job = a_job().create(&db).job_id;
    store_output(&db, job);
    let (_, statements) = queries(|| db.read(|conn| conn.jobs().with_clips(job)).unwrap());
    assert!(statements.len() <= 2, "{statements:#?}");
}

fn pictures_of_a_hundred_jobs_take_one_query(db: TestDb) {
    let jobs: Vec<_> = (0..100).map(|_| a_job().create(&db).job_id).collect();
    let mut new = clips(3);
    new[0].media.thumbnail_s3_key = None;
    for job in &jobs[1..] {
        db.write(|tx| tx.clips().replace_for_job(*job, &new))
            .unwrap();
    }
    let (pictures, statements) =
        queries(|| db.read(|conn| conn.clips().thumbnails_of(&jobs)).unwrap());
    assert_eq!(statements.len(), 1, "{statements:#?}");
    assert_eq!(pictures.len(), 99, "the first job has no clips");
    assert!(pictures.values().all(|key| key.as_str() == "clips/1.jpg"));
}

fn a_job_update_is_one_guarded_statement(db: TestDb) {
    let job = a_job().status(JobStatus::Pending).create(&db).job_id;
    let priority = JobUpdate {
        priority: Some(1),
        ..JobUpdate::default()
    };
    let report = a_report(Stage::Transcription, 1.0);
    assert_single_update(&db, |tx| tx.jobs().confirm(job));
    assert_single_update(&db, |tx| tx.jobs().update(job, &priority, None));
    assert_single_update(&db, |tx| tx.jobs().report_progress(job, &report));
    assert_single_update(&db, |tx| tx.jobs().cancel(job));
    assert_single_update(&db, |tx| tx.jobs().transition(job, JobStatus::Queued));
    assert_single_update(&db, |tx| tx.jobs().transition(job, JobStatus::Running));
    assert_single_update(&db, |tx| tx.jobs().transition(job, JobStatus::Completed));
}

fn a_report_on_a_leased_stage_increments_the_version_once(db: TestDb) {
    let job = a_job().create(&db).job_id;
    claim_one(&db, Stage::Transcription);
    let before = db.read(|conn| conn.jobs().find(job)).unwrap().unwrap();
    let report = a_report(Stage::Transcription, 1.0);
    let after = db
        .write(|tx| tx.jobs().report_progress(job, &report))
        .unwrap();
    assert_eq!(
        (after.version, after.last_seq),
        (before.version + 1, before.last_seq + 1)
    );
}

fn claiming_ten_runs_takes_as_many_queries_as_claiming_one(db: TestDb) {
    for _ in 0..30 {
        a_job().create(&db);
    }
    for stages in [&[Stage::Transcription][..], Stage::WORK] {
        let [one, ten] = [1, 10].map(|max| {
            let (claims, statements) = queries(|| claim(&db, stages, max));
            assert_eq!(i64::try_from(claims.len()).unwrap(), max);
            let inserts = statements.len() - cost(&statements);
            assert!(
                db.backend() == Backend::Sqlite || inserts == 1,
                "{statements:#?}"
            );
            cost(&statements)
        });
        assert_eq!(one, ten);
        // On SQLite, paused stages are looked up first.
        let lookups = usize::from(db.backend() == Backend::Sqlite);
        assert!(one <= 4 + lookups, "{one} statements");
    }
}

fn the_query_count_of_worker_calls_is_constant(db: TestDb) {
    let costs = || {
        a_job().create(&db);
        let lease = claim_one(&db, Stage::Transcription).lease_id;
        [
            queries(|| heartbeat(&db, lease, &a_heartbeat(1.0)).unwrap())
                .1
                .len(),
            queries(|| heartbeat(&db, lease, &Heartbeat::default()).unwrap())
                .1
                .len(),
            queries(|| complete(&db, lease).unwrap()).1.len(),
        ]
    };
    let alone = costs();
    for _ in 0..50 {
        a_job().create(&db);
    }
    claim(&db, Stage::WORK, 100);
    assert_eq!(costs(), alone);
    assert!(alone.iter().all(|cost| *cost <= 8), "{alone:?}");
}

fn events_of_a_hundred_jobs_take_one_query(db: TestDb) {
    let seen: Vec<_> = (0..100).map(|_| (a_job().create(&db).job_id, 0)).collect();
    let (events, statements) = queries(|| {
        db.read(|conn| conn.job_events().newer(&seen, 1_000))
            .unwrap()
    });
    assert_eq!(
        (events.len(), statements.len()),
        (100, 1),
        "{statements:#?}"
    );
}

fn claimable_stages_take_one_query(db: TestDb) {
    a_job().create(&db);
    let (stages, statements) = queries(|| {
        db.read(|conn| conn.stage_runs().claimable(Stage::WORK))
            .unwrap()
    });
    assert_eq!((stages.len(), statements.len()), (3, 1), "{statements:#?}");
}

fn metrics_take_one_query(db: TestDb) {
    let (_, statements) = queries(|| db.read(|conn| conn.jobs().metrics()).unwrap());
    assert_eq!(statements.len(), 1, "{statements:#?}");
}

/// The database calls of `PUT …/transcripts`, with and without a lease.
fn replacing_a_transcript_takes_at_most_eight_round_trips(db: TestDb) {
    const OWNERS: &[Stage] = &[Stage::Transcription];
    let job = a_job().create(&db).job_id;
    let round_trips = |count, lease| {
        let segments = segments(count);
        let (stored, statements) = queries(|| {
            db.write(|tx| {
                let job = tx.work().guard(job, OWNERS, lease)?;
                tx.transcripts().replace_for_job(job, &segments)
            })
        });
        assert_eq!(stored.unwrap().len(), count);
        // BEGIN and COMMIT are not recorded; on SQLite each row is a statement.
        match db.backend() {
            Backend::Postgres => statements.len() + 2,
            Backend::Sqlite => cost(&statements) + 1 + 2,
        }
    };
    let counts = [
        round_trips(3, None),
        round_trips(3, None),
        round_trips(4, None),
    ];
    let lease = Some(claim_one(&db, Stage::Transcription).lease_id);
    let leased = round_trips(5, lease);
    match db.backend() {
        Backend::Postgres => assert_eq!((counts, leased), ([7, 5, 8], 8)),
        // Two statements take the place of the deletion: the rows of a large set are only hidden.
        Backend::Sqlite => assert!(counts.iter().chain([&leased]).all(|count| *count <= 10)),
    }
}
