//! Operations that are executed together.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lectern_db::domain::{
    Job, JobId, JobStatus, NewJob, ProcessingConfig, ProgressReport, Stage, SystemClock,
};
use lectern_db::{Backend, ConstraintKind, Database, Error};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends};
use serde_json::json;

use crate::db::support::stored;
use crate::db::support::worker::{a_request, cancel, run, runs};

on_both_backends!(
    lookups_made_together_find_their_jobs,
    jobs_created_together_have_their_stages_and_events,
    a_creation_that_violates_a_constraint_fails_alone,
    reports_made_together_have_the_same_results_as_alone,
);

/// Operations that are submitted one after the other, without a wait.
type Calls<'c, T> = Vec<Box<dyn FnOnce(&Database, Reply<T>) + 'c>>;
type Reply<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;

/// The threads of each kind of change.
fn writers(db: &TestDb) -> usize {
    match db.backend() {
        Backend::Postgres => 2,
        Backend::Sqlite => 1,
    }
}

/// Makes the calls while all `threads` that execute them are busy with `first`, so that the
/// calls are executed together. Returns their results in order.
fn together<T: Send + 'static>(
    db: &TestDb,
    threads: usize,
    first: impl Fn(&Database, Reply<T>),
    calls: Calls<'_, T>,
) -> Vec<Result<T, Error>> {
    let statements = db.record_statements();
    let blocked = statements.block("jobs");
    let (busy, finished) = channel();
    // The next one is submitted when the one before it occupies a thread.
    for n in 1..=threads {
        let busy = busy.clone();
        first(
            db,
            Box::new(move |result| busy.send(result.is_ok()).unwrap()),
        );
        while statements.count("jobs") < n {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let replies: Vec<Receiver<_>> = calls
        .into_iter()
        .map(|call| {
            let (reply, received) = channel();
            call(
                db,
                Box::new(move |result| assert!(reply.send(result).is_ok())),
            );
            received
        })
        .collect();
    drop(blocked);
    for _ in 0..threads {
        assert!(finished.recv().unwrap());
    }
    replies
        .into_iter()
        .map(|received| received.recv().unwrap())
        .collect()
}

fn an_unknown_job() -> JobId {
    JobId::new(&SystemClock)
}

fn lookups_made_together_find_their_jobs(db: TestDb) {
    let [a, b] = [a_job(), a_job()].map(|job| job.create(&db));
    let ids = [a.job_id, b.job_id, a.job_id, an_unknown_job()];
    let find = |id: JobId| move |db: &Database, reply: Reply<_>| db.find_job_then(id, reply);
    let calls: Calls<'_, Option<Job>> = ids.iter().map(|id| Box::new(find(*id)) as _).collect();
    let found: Vec<_> = together(&db, 2, find(a.job_id), calls)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(found, [Some(a.clone()), Some(b), Some(a), None]);
}

fn create(filename: &str, pipeline: Option<&str>) -> impl Fn(&Database, Reply<Job>) + use<> {
    let mut new = NewJob::new(filename).unwrap();
    new.processing_config = pipeline
        .map(|pipeline| ProcessingConfig::try_from(json!({ "pipeline": pipeline })).unwrap());
    move |db, reply| db.create_job_then(new.clone(), reply)
}

fn jobs_created_together_have_their_stages_and_events(db: TestDb) {
    let calls: Calls<'_, Job> = vec![
        Box::new(create("a.mp4", None)),
        Box::new(create("b.mp4", Some("unknown"))),
        Box::new(create("c.mp4", None)),
    ];
    let results = together(&db, writers(&db), create("first.mp4", None), calls);
    let alone = a_job().create(&db).job_id;
    let stages = |job: JobId| -> Vec<_> {
        let runs = runs(&db, job);
        runs.iter().map(|run| (run.stage, run.status)).collect()
    };
    for (i, name) in [(0, "a.mp4"), (2, "c.mp4")] {
        let job = results[i].as_ref().unwrap();
        assert_eq!(job.filename.as_str(), name);
        assert_eq!(&stored(&db, job.job_id), job);
        assert_eq!(stages(job.job_id), stages(alone));
        let events = db.read(|conn| conn.job_events().after(job.job_id, 0, 10));
        let events = events.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].seq, job.last_seq);
    }
    assert!(matches!(&results[1], Err(Error::Invalid(_))), "{results:?}");
}

fn a_creation_that_violates_a_constraint_fails_alone(db: TestDb) {
    db.sql()
        .execute("CREATE UNIQUE INDEX only_one_job_per_file ON jobs (filename)")
        .unwrap();
    let names = ["a.mp4", "b.mp4", "a.mp4", "c.mp4"];
    let calls = names.iter().map(|name| Box::new(create(name, None)) as _);
    let number = std::cell::Cell::new(0);
    let first = |db: &Database, reply: Reply<Job>| {
        number.set(number.get() + 1);
        create(&format!("first-{}.mp4", number.get()), None)(db, reply);
    };
    let results = together(&db, writers(&db), first, calls.collect());
    for (result, name) in results.iter().zip(names) {
        match result {
            Ok(job) => assert_eq!(stored(&db, job.job_id).filename.as_str(), name),
            Err(error) => assert!(
                matches!(
                    error,
                    Error::Constraint {
                        kind: ConstraintKind::Unique,
                        ..
                    }
                ),
                "{error:?}"
            ),
        }
    }
    let failed: Vec<_> = results.iter().map(Result::is_err).collect();
    assert_eq!(failed, [false, false, true, false]);
}

fn reports_made_together_have_the_same_results_as_alone(db: TestDb) {
    let [plain, cancelled, late, leased, twice, other] =
        [(); 6].map(|()| a_job().create(&db).job_id);
    cancel(&db, cancelled);
    let report = |stage, percent| a_report(stage, percent);
    db.write(|tx| {
        tx.jobs()
            .report_progress(late, &report(Stage::Transcription, 50.0))
    })
    .unwrap();
    let lease = db
        .write(|tx| {
            tx.work()
                .claim_from(leased, &a_request(&[Stage::Transcription], 1))
        })
        .unwrap()[0]
        .lease_id;
    let unknown = an_unknown_job();
    let report = |job, lease, percent| {
        let report = a_report(Stage::Transcription, percent);
        move |db: &Database, reply: Reply<Job>| {
            db.report_progress_then(job, lease, ProgressReport::clone(&report), reply);
        }
    };
    let calls: Calls<'_, Job> = vec![
        Box::new(report(plain, None, 10.0)),
        Box::new(report(unknown, None, 10.0)),
        Box::new(report(cancelled, None, 10.0)),
        Box::new(report(late, None, 10.0)),
        Box::new(report(leased, None, 10.0)),
        Box::new(report(leased, Some(lease), 60.0)),
        Box::new(report(twice, None, 10.0)),
        Box::new(report(twice, None, 20.0)),
    ];
    let results = together(&db, writers(&db), report(other, None, 1.0), calls);
    let percent = |i: usize| {
        let job: &Job = results[i].as_ref().unwrap();
        job.progress.as_ref().unwrap().progress.percent.get()
    };
    assert_eq!(percent(0), 10.0);
    assert!(matches!(results[1], Err(Error::JobNotFound { job_id }) if job_id == unknown));
    assert!(matches!(
        results[2],
        Err(Error::NotRunning {
            status: JobStatus::Cancelled,
            ..
        })
    ));
    assert_eq!(percent(3), 50.0);
    assert!(matches!(
        results[4],
        Err(Error::LeaseLost { lease_id: None })
    ));
    // The mean of six stages.
    assert_eq!(percent(5), 10.0);
    assert_eq!((percent(6), percent(7)), (10.0, 20.0));
    for (job, i) in [(plain, 0), (leased, 5), (twice, 7)] {
        assert_eq!(&stored(&db, job), results[i].as_ref().unwrap());
        let events = db
            .read(|conn| conn.job_events().after(job, 0, 100))
            .unwrap();
        let numbers: Vec<_> = events.iter().map(|event| event.seq).collect();
        let last = stored(&db, job).last_seq;
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
        let run = run(&db, job, Stage::Transcription);
        assert!(run.started_at.is_some());
    }
    let run = run(&db, leased, Stage::Transcription);
    assert_eq!(run.progress.percent.get(), 60.0);
    assert_eq!(run.lease.unwrap().lease_id, lease);
}
