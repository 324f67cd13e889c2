//! Operations that are executed together.

use std::sync::mpsc::{Receiver, channel};

use chrono::TimeDelta;
use lectern_db::domain::{
    Heartbeat, Job, JobId, JobStatus, LeaseId, LeaseState, LogStatus, NewJob, Percent,
    ProcessingConfig, ProgressReport, Stage, StageNotes, StageRun, StageRunStatus, SystemClock,
};
use lectern_db::{Backend, ConstraintKind, Database, Error};
use lectern_tests::{Fixture, TestDb, a_job, a_report, on_both_backends};
use serde_json::json;

use crate::db::support::stored;
use crate::db::support::worker::{
    LEASE, a_heartbeat, a_request, cancel, run, runs, wait_until, with_one_stage,
};

on_both_backends!(
    lookups_made_together_find_their_jobs,
    jobs_created_together_have_their_stages_and_events,
    a_creation_that_violates_a_constraint_fails_alone,
    reports_made_together_have_the_same_results_as_alone,
    heartbeats_made_together_have_the_same_results_as_alone,
    stages_completed_together_are_completed_like_alone,
);

/// Operations that are submitted one after the other, without a wait.
type Calls<'c, T> = Vec<Box<dyn FnOnce(&Database, Reply<T>) + 'c>>;
type Reply<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;

/// The threads that create jobs.
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
        wait_until(|| statements.count("jobs") >= n);
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
    // Large and hardly compressible, so it is executed alone.
    let numbers: Vec<_> = (0..50_000).map(|i| i * 7919 % 100_003).collect();
    let large = a_job()
        .extra_metadata(json!({ "numbers": numbers }))
        .create(&db);
    let ids = [a.job_id, large.job_id, b.job_id, a.job_id, an_unknown_job()];
    let find = |id: JobId| move |db: &Database, reply: Reply<_>| db.find_job_then(id, reply);
    let calls: Calls<'_, Option<Job>> = ids.iter().map(|id| Box::new(find(*id)) as _).collect();
    let found: Vec<_> = together(&db, 2, find(a.job_id), calls)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        found,
        [Some(a.clone()), Some(large), Some(b), Some(a), None]
    );
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
    let numbers: Vec<_> = (0..50_000).map(|i| i * 7919 % 100_003).collect();
    let large = a_job().extra_metadata(json!({ "numbers": numbers }));
    let large = large.create(&db).job_id;
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
        Box::new(report(large, None, 10.0)),
    ];
    let results = together(&db, 1, report(other, None, 1.0), calls);
    let percent = |i: usize| {
        let job: &Job = results[i].as_ref().unwrap();
        job.progress.as_ref().unwrap().progress.percent.get()
    };
    assert!(matches!(results[1], Err(Error::JobNotFound { job_id }) if job_id == unknown));
    assert!(matches!(
        results[2],
        Err(Error::NotRunning {
            status: JobStatus::Cancelled,
            ..
        })
    ));
    assert!(matches!(
        results[4],
        Err(Error::LeaseLost { lease_id: None })
    ));
    // The leased one is the mean of six stages.
    assert_eq!((percent(0), percent(3), percent(5)), (10.0, 50.0, 10.0));
    assert_eq!((percent(6), percent(7)), (10.0, 20.0));
    events_are_numbered_without_gaps(&db, &[plain, leased, twice, large]);
    for (job, i) in [(plain, 0), (leased, 5), (twice, 7), (large, 8)] {
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
    assert_eq!(run.progress.percent, Percent::new(60.0).unwrap());
    assert_eq!(run.lease.unwrap().lease_id, lease);
}

/// Claims the transcription of a new job.
fn a_claimed_job(db: &TestDb) -> (JobId, LeaseId) {
    let job = a_job().create(db).job_id;
    (job, claim_transcription(db, job))
}

fn claim_transcription(db: &TestDb, job: JobId) -> LeaseId {
    let request = a_request(&[Stage::Transcription], 1);
    let claims = db.write(|tx| tx.work().claim_from(job, &request));
    claims.unwrap()[0].lease_id
}

fn heartbeats_made_together_have_the_same_results_as_alone(db: TestDb) {
    let [first, reports, extends, ended] = [(); 4].map(|()| a_claimed_job(&db));
    cancel(&db, ended.0);
    let unknown = LeaseId::from(an_unknown_job().as_uuid());
    let heartbeat = |lease: LeaseId, beat: Heartbeat| {
        move |db: &Database, reply: Reply<LeaseState>| db.heartbeat_then(lease, beat.clone(), reply)
    };
    db.clock().advance(TimeDelta::seconds(10));
    let calls: Calls<'_, LeaseState> = vec![
        Box::new(heartbeat(reports.1, a_heartbeat(60.0))),
        Box::new(heartbeat(unknown, a_heartbeat(60.0))),
        Box::new(heartbeat(extends.1, Heartbeat::default())),
        Box::new(heartbeat(ended.1, a_heartbeat(60.0))),
        Box::new(heartbeat(reports.1, a_heartbeat(30.0))),
    ];
    let results = together(&db, 1, heartbeat(first.1, Heartbeat::default()), calls);
    let state = |i: usize| *results[i].as_ref().unwrap();
    let expires_at = db.now() + TimeDelta::seconds(LEASE);
    for i in [0, 2, 4] {
        assert!(!state(i).cancelled);
        assert_eq!(state(i).expires_at, expires_at);
    }
    assert!(matches!(results[1], Err(Error::LeaseLost { lease_id: Some(id) }) if id == unknown));
    assert!(state(3).cancelled);
    let percent = |job| run(&db, job, Stage::Transcription).progress.percent.get();
    assert_eq!((percent(reports.0), percent(extends.0)), (60.0, 0.0));
    events_are_numbered_without_gaps(&db, &[reports.0, extends.0, ended.0]);
}

fn stages_completed_together_are_completed_like_alone(db: TestDb) {
    let [first, one, ended] = [(); 3].map(|()| a_claimed_job(&db));
    // The first three stages of one job, and the last stage of another.
    let others = db.write(|tx| {
        let request = a_request(&[Stage::SilenceDetection, Stage::LayoutAnalysis], 2);
        tx.work().claim_from(one.0, &request)
    });
    let others: Vec<_> = others.unwrap().iter().map(|claim| claim.lease_id).collect();
    let single = with_one_stage(&db);
    let last = a_job().create(&single).job_id;
    let last_lease = claim_transcription(&db, last);
    cancel(&db, ended.0);
    let complete = |lease: LeaseId| {
        move |db: &Database, reply: Reply<_>| {
            db.complete_stage_then(lease, StageNotes::default(), reply);
        }
    };
    let leases = [one.1, others[0], last_lease, ended.1, one.1, others[1]];
    let calls: Calls<'_, (Job, StageRun)> = leases
        .iter()
        .map(|lease| Box::new(complete(*lease)) as _)
        .collect();
    let results = together(&db, 1, complete(first.1), calls);
    let completed = |i: usize| results[i].as_ref().unwrap();
    for i in [0, 1, 2, 4, 5] {
        assert_eq!(completed(i).1.status, StageRunStatus::Completed);
    }
    assert_eq!(completed(2).0.status, JobStatus::Completed);
    assert!(
        matches!(results[3], Err(Error::LeaseLost { .. })),
        "{:?}",
        results[3]
    );
    assert_eq!(completed(4).0.version, completed(1).0.version);
    assert_eq!(completed(5).0, stored(&db, one.0));
    assert_eq!(
        run(&db, one.0, Stage::ContentAnalysis).status,
        StageRunStatus::Ready
    );
    events_are_numbered_without_gaps(&db, &[one.0, last, ended.0]);
    let logged = db
        .read(|conn| conn.processing_logs().for_job(one.0))
        .unwrap();
    let completions = logged
        .iter()
        .filter(|entry| entry.status == LogStatus::Completed);
    assert_eq!(completions.count(), 3);
}

fn events_are_numbered_without_gaps(db: &TestDb, jobs: &[JobId]) {
    for job in jobs {
        let events = db
            .read(|conn| conn.job_events().after(*job, 0, 100))
            .unwrap();
        let numbers: Vec<_> = events.iter().map(|event| event.seq).collect();
        let last = stored(db, *job).last_seq;
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    }
}

/// On SQLite all writers wait for each other anyway.
#[test]
fn a_report_on_a_locked_job_delays_no_other() {
    let db = TestDb::on(Backend::Postgres);
    let [locked, free] = [a_job(), a_job()].map(|job| job.create(&db).job_id);
    let (claimed, lease) = a_claimed_job(&db);
    let (sender, waits) = channel();
    let report = a_report(Stage::Transcription, 10.0);
    db.write(|tx| {
        tx.lock_job(locked)?;
        tx.lock_job(claimed)?;
        for _ in 0..10 {
            let sender = sender.clone();
            db.report_progress_then(locked, None, report.clone(), move |result| {
                sender.send(result.map(drop)).unwrap();
            });
        }
        let sender = sender.clone();
        db.heartbeat_then(lease, a_heartbeat(10.0), move |result| {
            sender.send(result.map(drop)).unwrap();
        });
        // On another thread, because this one is within a write.
        std::thread::scope(|scope| {
            let report = || db.report_progress(free, None, report.clone());
            scope.spawn(report).join().unwrap()
        })?;
        assert!(waits.try_recv().is_err());
        Ok::<_, Error>(())
    })
    .unwrap();
    for _ in 0..11 {
        waits.recv().unwrap().unwrap();
    }
    assert_eq!(stored(&db, locked).version, 11);
}
