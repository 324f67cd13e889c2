//! Concurrent operations: no work is lost or done twice, and no deadlock is
//! reported.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use lectern_db::{Backend, Error};
use lectern_domain::Stage::{
    Compilation, ContentAnalysis, LayoutAnalysis, SilenceDetection, Transcription,
};
use lectern_domain::StageRunStatus::{Cancelled, Completed, Failed, Ready, Waiting};
use lectern_domain::{Claim, Event, JobId, JobStatus, LeaseId, Stage};
use lectern_tests::{Sql, TestDb, a_job, a_report, on_both_backends};
use serde_json::json;

use crate::db::support::random_operations::run_random_operations;
use crate::db::support::stored;
use crate::db::support::worker::{
    LEASE, a_heartbeat, cancel, claim, claim_one, claim_together, complete, concurrently,
    heartbeat, retry, run, runs, statuses, wait_until, with_one_stage,
};

on_both_backends!(
    concurrent_claims_return_each_run_once,
    jobs_stay_consistent_with_their_runs_under_random_operations,
    jobs_deleted_during_random_operations_leave_no_rows,
    of_completion_and_cancellation_one_wins,
    concurrent_completions_make_the_next_stage_ready_once,
    a_job_retried_during_claims_is_claimed_once,
    concurrent_claims_share_the_work,
    an_expired_lease_is_ended_by_one_of_many_callers,
);

/// The number of jobs with 10,000 ready runs.
const JOBS: u32 = 3_334;

/// The n-th job of [`a_long_queue`].
fn job(n: u32) -> JobId {
    format!("00000000-0000-7000-8000-{n:012x}").parse().unwrap()
}

/// Queues all jobs with two statements; the rows are those the repositories
/// would store.
fn a_long_queue(sql: &mut Sql) {
    let (uuid, array) = match sql.backend() {
        Backend::Postgres => (
            "CAST('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0') AS uuid)",
            "CAST(waits_for AS jsonb)",
        ),
        Backend::Sqlite => ("printf('00000000-0000-7000-8000-%012x', n)", "waits_for"),
    };
    let run = uuid
        .replace("8000", "9000")
        .replace(" n)", " n * 6 + k)")
        .replace("(n)", "(n * 6 + k)");
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {JOBS})"
    );
    sql.batch(&format!(
        "{numbers} INSERT INTO jobs (job_id, filename) SELECT {uuid}, 'lecture.mp4' FROM numbers;
         {numbers}, steps (k, stage, status, waits_for) AS (VALUES
             (0, 'silence_detection', 'ready', '[]'),
             (1, 'transcription', 'ready', '[]'),
             (2, 'layout_analysis', 'ready', '[]'),
             (3, 'content_analysis', 'waiting', '[\"silence_detection\", \"transcription\", \"layout_analysis\"]'),
             (4, 'segmentation', 'waiting', '[\"content_analysis\"]'),
             (5, 'compilation', 'waiting', '[\"segmentation\"]'))
         INSERT INTO stage_runs (run_id, job_id, stage, status, waits_for)
         SELECT {run}, {uuid}, stage, status, {array} FROM numbers, steps ORDER BY n, k"
    ))
    .unwrap();
}

/// Selects jobs whose events are not numbered 1, 2, 3, …
const WITH_GAPS: &str = "SELECT j.job_id FROM jobs j JOIN job_events e ON e.job_id = j.job_id
     GROUP BY j.job_id, j.last_seq
     HAVING count(*) <> j.last_seq OR min(e.seq) <> 1 OR max(e.seq) <> j.last_seq";

fn concurrent_claims_return_each_run_once(db: TestDb) {
    let mut sql = db.sql();
    a_long_queue(&mut sql);
    assert_eq!(runs(&db, job(JOBS)).len(), 6);
    let (leases, claimed) = (Mutex::new(Vec::<LeaseId>::new()), AtomicBool::new(false));
    let claims: Vec<Claim> = std::thread::scope(|scope| {
        // Concurrent reports and heartbeats on the same jobs.
        for i in 0..2 {
            let (db, claimed, leases) = (&db, &claimed, &leases);
            scope.spawn(move || {
                for n in (1..=JOBS).cycle().step_by(7) {
                    let report = a_report(Compilation, f64::from(i + 1));
                    db.write(|tx| tx.jobs().report_progress(job(n), &report))
                        .unwrap();
                    if claimed.load(Ordering::SeqCst) {
                        break;
                    }
                }
            });
            scope.spawn(move || {
                for n in (0..usize::MAX).step_by(5) {
                    let lease = leases.lock().unwrap().iter().rev().nth(n % 100).copied();
                    if let Some(lease) = lease {
                        heartbeat(db, lease, &a_heartbeat(f64::from(i))).unwrap();
                    }
                    if claimed.load(Ordering::SeqCst) {
                        break;
                    }
                }
            });
        }
        let claims = concurrently(32, |i| {
            let (stages, max) = match i % 4 {
                0 => (Stage::WORK, 100),
                1 => (Stage::WORK, 10),
                2 => (&Stage::WORK[i % 3..][..1], 50),
                _ => (&[LayoutAnalysis, SilenceDetection, Transcription][..], 1),
            };
            let mut mine = Vec::new();
            // An empty claim does not mean that all work is done: concurrent
            // claims may lock the same runs.
            while !db
                .read(|conn| conn.stage_runs().claimable(stages))
                .unwrap()
                .is_empty()
            {
                let claims = if i < 16 {
                    claim_together(&db, stages, max)
                } else {
                    claim(&db, stages, max)
                };
                leases
                    .lock()
                    .unwrap()
                    .extend(claims.iter().map(|claim| claim.lease_id));
                mine.extend(claims);
            }
            mine
        });
        claimed.store(true, Ordering::SeqCst);
        claims.into_iter().flatten().collect()
    });
    let run_ids: HashSet<_> = claims.iter().map(|claim| claim.run.run_id).collect();
    assert_eq!(
        (run_ids.len(), claims.len()),
        (3 * JOBS as usize, 3 * JOBS as usize)
    );
    assert!(claims.iter().all(|claim| claim.run.attempt == 1));
    let left = "SELECT count(*) FROM stage_runs WHERE status = 'ready' OR (attempt = 0) <> (lease_id IS NULL)";
    assert_eq!(sql.value(left), "0");
    assert_eq!(sql.rows(WITH_GAPS), Vec::<Vec<_>>::new());
}

fn jobs_stay_consistent_with_their_runs_under_random_operations(db: TestDb) {
    let jobs: Vec<_> = (0..6).map(|_| a_job().create(&db).job_id).collect();
    run_random_operations(&db, &jobs);
    assert_eq!(db.sql().rows(WITH_GAPS), Vec::<Vec<_>>::new());
    for job in jobs {
        let (job, runs) = (stored(&db, job), runs(&db, job));
        assert!(!runs.iter().any(|run| run.can_start(&runs)), "{runs:#?}");
        let open = runs.iter().filter(|run| run.status.is_open()).count();
        assert_eq!(open == 0, job.status.is_finished(), "{job:#?}: {runs:#?}");
        let failed = runs.iter().any(|run| run.status == Failed);
        assert_eq!(
            failed,
            job.status == JobStatus::Failed,
            "{job:#?}: {runs:#?}"
        );
        let done = runs.iter().all(|run| run.status == Completed);
        assert_eq!(
            done,
            job.status == JobStatus::Completed,
            "{job:#?}: {runs:#?}"
        );
    }
}

fn jobs_deleted_during_random_operations_leave_no_rows(db: TestDb) {
    let jobs: Vec<_> = (0..6).map(|_| a_job().create(&db).job_id).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| run_random_operations(&db, &jobs));
        scope.spawn(|| {
            for job in &jobs[..3] {
                // The job has some events by then.
                wait_until(|| stored(&db, *job).last_seq >= 5);
                db.write(|tx| tx.jobs().delete(*job)).unwrap();
            }
        });
    });
    assert_eq!(
        db.read(|conn| conn.jobs().existing(&jobs)).unwrap(),
        jobs[3..].iter().copied().collect()
    );
    for table in ["stage_runs", "job_events", "processing_logs", "transcripts"] {
        let of_jobs =
            format!("SELECT count(*) FROM {table} WHERE job_id IN (SELECT job_id FROM jobs)");
        assert_eq!(
            db.sql().value(&of_jobs),
            db.sql().count(table).to_string(),
            "{table}"
        );
    }
    assert_eq!(db.sql().rows(WITH_GAPS), Vec::<Vec<_>>::new());
}

fn of_completion_and_cancellation_one_wins(db: TestDb) {
    let one_stage_db = with_one_stage(&db);
    for _ in 0..20 {
        let job = a_job().create(&one_stage_db).job_id;
        let lease = claim_one(&db, Transcription).lease_id;
        let results = concurrently(2, |i| match i {
            0 => complete(&db, lease).map(|(job, _)| job),
            _ => db.write(|tx| tx.jobs().cancel(job)),
        });
        let (after, stage) = (stored(&db, job), run(&db, job, Transcription));
        match results.as_slice() {
            [
                Ok(completed),
                Err(Error::IllegalTransition {
                    from: JobStatus::Completed,
                    ..
                }),
            ] => {
                assert_eq!(
                    (&after, after.status, stage.status),
                    (completed, JobStatus::Completed, Completed)
                );
            }
            [Err(Error::LeaseLost { .. }), Ok(cancelled)] => {
                assert_eq!(
                    (&after, after.status, stage.status),
                    (cancelled, JobStatus::Cancelled, Cancelled)
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(db.sql().rows(WITH_GAPS), Vec::<Vec<_>>::new());
}

fn concurrent_completions_make_the_next_stage_ready_once(db: TestDb) {
    for _ in 0..10 {
        let job = a_job().create(&db).job_id;
        let claims = claim(&db, Stage::WORK, 3);
        concurrently(3, |i| complete(&db, claims[i].lease_id).unwrap());
        assert_eq!(
            statuses(&db, job),
            [Completed, Completed, Completed, Ready, Waiting, Waiting]
        );
        let events = db
            .read(|conn| conn.job_events().after(job, 0, 100))
            .unwrap();
        let ready_events = events
            .iter()
            .filter(|event| matches!(&event.event, Event::Stage(state) if state.stage == ContentAnalysis))
            .count();
        assert_eq!(ready_events, 1);
        assert_eq!(claim(&db, Stage::WORK, 10).len(), 1);
    }
}

fn a_job_retried_during_claims_is_claimed_once(db: TestDb) {
    for _ in 0..10 {
        let job = a_job()
            .processing_config(json!({ "processing_mode": "audio" }))
            .create(&db)
            .job_id;
        claim_one(&db, SilenceDetection);
        cancel(&db, job);
        let claims: Vec<Claim> = concurrently(6, |i| match i {
            0 => {
                retry(&db, job);
                Vec::new()
            }
            _ => claim(&db, Stage::WORK, 1),
        })
        .concat();
        let rest = claim(&db, Stage::WORK, 10);
        let mut stages: Vec<_> = claims
            .iter()
            .chain(&rest)
            .map(|claim| claim.run.stage)
            .collect();
        stages.sort();
        assert_eq!(stages, [SilenceDetection, Transcription]);
        assert!(
            claims
                .iter()
                .chain(&rest)
                .all(|claim| claim.run.attempt == 1)
        );
        cancel(&db, job);
    }
}

fn concurrent_claims_share_the_work(db: TestDb) {
    for round in 1..=10 {
        for _ in 0..5 {
            a_job().create(&db);
        }
        // 10 of the 15 runs are of these two stages.
        let wanted = [SilenceDetection, Transcription];
        let claims: Vec<Vec<Claim>> = concurrently(16, |i| match i {
            0 => claim_together(&db, &[LayoutAnalysis], 5),
            _ => claim_together(&db, &wanted, [1, 2, 3][i % 3]),
        });
        assert!(
            claims[0]
                .iter()
                .all(|claim| claim.run.stage == LayoutAnalysis)
        );
        for (i, claims) in claims.iter().enumerate().skip(1) {
            assert!(claims.len() <= 1 + i % 3, "{} for {i}", claims.len());
            assert!(claims.iter().all(|claim| wanted.contains(&claim.run.stage)));
            // Each claim has its own lease.
            let leases: HashSet<_> = claims.iter().map(|claim| claim.lease_id).collect();
            assert_eq!(leases.len(), claims.len());
        }
        // A claim that finds other work does not wait for a locked job.
        let mut claims = claims.concat();
        claims.extend(claim(&db, Stage::WORK, 100));
        let run_ids: HashSet<_> = claims.iter().map(|claim| claim.run.run_id).collect();
        assert_eq!((run_ids.len(), claims.len()), (15, 15), "round {round}");
    }
    assert_eq!(db.sql().rows(WITH_GAPS), Vec::<Vec<_>>::new());
}

fn an_expired_lease_is_ended_by_one_of_many_callers(db: TestDb) {
    for _ in 0..10 {
        a_job().create(&db);
    }
    assert_eq!(claim(&db, Stage::WORK, 100).len(), 30);
    for attempt in 2..4 {
        db.clock().advance(TimeDelta::seconds(LEASE));
        let claims = concurrently(8, |i| match i % 4 {
            0 => {
                db.write(|tx| tx.work().expire()).unwrap();
                Vec::new()
            }
            _ => claim(&db, Stage::WORK, 4),
        });
        let mut claims = claims.concat();
        claims.extend(claim(&db, Stage::WORK, 100));
        let run_ids: HashSet<_> = claims.iter().map(|claim| claim.run.run_id).collect();
        assert_eq!((run_ids.len(), claims.len()), (30, 30));
        assert!(claims.iter().all(|claim| claim.run.attempt == attempt));
    }
    assert_eq!(
        db.sql()
            .value("SELECT count(*) FROM processing_logs WHERE status = 'failed'"),
        "60"
    );
}
