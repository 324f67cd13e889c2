//! What a call costs does not depend on how much there is.

use lectern_db::{Error, Tx};
use lectern_domain::{
    Heartbeat, Job, JobFilter, JobStatus, JobUpdate, PageLimit, PageRequest, Stage,
};
use lectern_tests::{
    Backend, TestDb, a_job, a_report, clips, fill, on_both_backends, queries, segments,
};

use crate::db::support::worker::{a_beat, claim, claim_one, complete, heartbeat};

on_both_backends!(
    a_list_of_a_hundred_jobs_costs_what_a_list_of_one_costs,
    results_cost_the_same_however_long_the_lecture,
    a_job_with_its_clips_costs_at_most_two_statements,
    a_change_of_a_job_is_one_guarded_statement,
    a_report_on_a_stage_that_is_leased_counts_as_one_change,
    claiming_ten_runs_costs_what_claiming_one_costs,
    what_a_worker_says_costs_the_same_however_many_are_at_work,
    new_events_of_a_hundred_jobs_are_one_query,
    whether_there_is_work_is_one_query_for_all_stages,
    metrics_are_one_query,
);

fn page() -> PageRequest {
    PageRequest {
        limit: PageLimit::new(100).unwrap(),
        after: None,
    }
}

/// Makes a change that touches the jobs with one statement, which is an UPDATE
/// that carries its guard.
fn is_one_change(db: &TestDb, change: impl FnOnce(&mut Tx<'_>) -> Result<Job, Error>) {
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

/// How many statements these are; inserting many rows counts as none, because
/// SQLite takes them one by one, with a statement that is prepared once.
fn cost(statements: &[String]) -> usize {
    let is_insert = |statement: &String| {
        ["INSERT INTO", "COPY"]
            .iter()
            .any(|words| statement.contains(words))
    };
    statements.iter().filter(|one| !is_insert(one)).count()
}

/// Whether a statement reads or writes jobs, in whichever quotes.
fn is_of_jobs(statement: &str) -> bool {
    let words = statement.split([' ', '"', '`', '.', '(', ',']);
    words.into_iter().any(|word| word == "jobs")
}

fn a_list_of_a_hundred_jobs_costs_what_a_list_of_one_costs(db: TestDb) {
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
    fill(&db, a_job().create(&db).job_id);
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

fn results_cost_the_same_however_long_the_lecture(db: TestDb) {
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
    assert!(full.len() <= 4, "{full:#?}");
}

fn a_job_with_its_clips_costs_at_most_two_statements(db: TestDb) {
    let job = a_job().create(&db).job_id;
    fill(&db, job);
    let (_, statements) = queries(|| db.read(|conn| conn.jobs().with_clips(job)).unwrap());
    assert!(statements.len() <= 2, "{statements:#?}");
}

fn a_change_of_a_job_is_one_guarded_statement(db: TestDb) {
    let job = a_job().status(JobStatus::Pending).create(&db).job_id;
    let priority = JobUpdate {
        priority: Some(1),
        ..JobUpdate::default()
    };
    let report = a_report(Stage::Transcription, 1.0);
    is_one_change(&db, |tx| tx.jobs().confirm(job));
    is_one_change(&db, |tx| tx.jobs().update(job, &priority, None));
    is_one_change(&db, |tx| tx.jobs().report_progress(job, &report));
    is_one_change(&db, |tx| tx.jobs().cancel(job));
    is_one_change(&db, |tx| tx.jobs().transition(job, JobStatus::Queued));
    is_one_change(&db, |tx| tx.jobs().transition(job, JobStatus::Running));
    is_one_change(&db, |tx| tx.jobs().transition(job, JobStatus::Completed));
}

fn a_report_on_a_stage_that_is_leased_counts_as_one_change(db: TestDb) {
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

fn claiming_ten_runs_costs_what_claiming_one_costs(db: TestDb) {
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
        assert!(one <= 4, "{one} statements");
    }
}

fn what_a_worker_says_costs_the_same_however_many_are_at_work(db: TestDb) {
    let costs = || {
        a_job().create(&db);
        let lease = claim_one(&db, Stage::Transcription).lease_id;
        [
            queries(|| heartbeat(&db, lease, &a_beat(1.0)).unwrap())
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

fn new_events_of_a_hundred_jobs_are_one_query(db: TestDb) {
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

fn whether_there_is_work_is_one_query_for_all_stages(db: TestDb) {
    a_job().create(&db);
    let (stages, statements) = queries(|| {
        db.read(|conn| conn.stage_runs().claimable(Stage::WORK))
            .unwrap()
    });
    assert_eq!((stages.len(), statements.len()), (3, 1), "{statements:#?}");
}

fn metrics_are_one_query(db: TestDb) {
    let (_, statements) = queries(|| db.read(|conn| conn.jobs().metrics()).unwrap());
    assert_eq!(statements.len(), 1, "{statements:#?}");
}
