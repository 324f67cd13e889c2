//! Stored events.

use chrono::TimeDelta;
use lectern_db::Database;
use lectern_domain::Stage::{
    Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection, Transcription,
};
use lectern_domain::{Event, EventType, Heartbeat, JobEvent, JobId, JobStatus, JobUpdate, Stage};
use lectern_tests::{TestDb, a_job, a_report, on_both_backends, segments};

use crate::db::support::random_operations::run_random_operations;
use crate::db::support::worker::{
    LEASE, a_failure, a_heartbeat, cancel, claim, claim_one, complete, complete_stages, heartbeat,
    retry, run, with_one_stage,
};
use crate::db::support::{stored, unknown_id};

on_both_backends!(
    every_change_stores_an_event_with_the_new_state,
    a_write_without_visible_changes_stores_no_event,
    concurrent_changes_leave_no_gap_in_the_event_numbers,
    events_are_read_after_a_number,
    events_of_several_jobs_are_read_each_after_its_own_number,
    events_of_long_finished_jobs_are_pruned,
);

fn after(db: &Database, job: JobId, seq: i64) -> Vec<JobEvent> {
    db.read(|conn| conn.job_events().after(job, seq, 10_000))
        .unwrap()
}

/// Changes a job and checks that exactly the events of these stages and then of
/// the job are stored, with the state after the change.
fn assert_stored(db: &TestDb, job: JobId, stages: &[Stage], change: &dyn Fn()) {
    let before = stored(db, job);
    db.clock().advance(TimeDelta::seconds(1));
    change();
    let job = stored(db, job);
    assert_eq!(job.version, before.version + 1);
    let mut expected: Vec<_> = stages
        .iter()
        .map(|stage| Event::from(&run(db, job.job_id, *stage)))
        .collect();
    expected.push(Event::from(&job));
    let events = after(db, job.job_id, before.last_seq);
    let found: Vec<_> = events.iter().map(|event| event.event.clone()).collect();
    assert_eq!(found, expected);
    let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
    assert_eq!(
        seqs,
        (before.last_seq + 1..=job.last_seq).collect::<Vec<_>>()
    );
    let is_of_job_and_now = |event: &JobEvent| (event.job_id, event.at) == (job.job_id, db.now());
    assert!(events.iter().all(is_of_job_and_now));
}

fn every_change_stores_an_event_with_the_new_state(db: TestDb) {
    let job = a_job().status(JobStatus::Pending).create(&db);
    let created = JobEvent {
        job_id: job.job_id,
        seq: 1,
        event: Event::from(&job),
        at: db.now(),
    };
    assert_eq!(
        (after(&db, job.job_id, 0), job.last_seq),
        (vec![created], 1)
    );
    let job = job.job_id;
    let check = |stages: &[Stage], change: &dyn Fn()| assert_stored(&db, job, stages, change);
    let lease = |stage| claim_one(&db, stage).lease_id;
    let fail = |lease, retryable| {
        drop(
            db.write(|tx| tx.work().fail(lease, &a_failure(retryable)))
                .unwrap(),
        );
    };
    let complete = |lease| drop(complete(&db, lease).unwrap());

    check(&[], &|| {
        drop(db.write(|tx| tx.jobs().confirm(job)).unwrap());
    });
    check(&[], &|| {
        drop(
            db.write(|tx| {
                tx.jobs()
                    .report_progress(job, &a_report(LayoutAnalysis, 12.5))
            })
            .unwrap(),
        );
    });
    check(&[SilenceDetection, Transcription], &|| {
        assert_eq!(claim(&db, Stage::WORK, 10).len(), 2);
    });
    let [silence, speech] =
        [SilenceDetection, Transcription].map(|stage| run(&db, job, stage).lease.unwrap().lease_id);
    check(&[], &|| {
        assert!(
            !heartbeat(&db, silence, &a_heartbeat(50.0))
                .unwrap()
                .cancelled
        );
    });
    check(&[Transcription], &|| fail(speech, true));
    check(&[SilenceDetection], &|| complete(silence));
    check(&[], &|| drop(cancel(&db, job)));
    check(&[], &|| drop(retry(&db, job)));
    complete_stages(&db, &[Transcription]);
    let last = lease(LayoutAnalysis);
    check(&[LayoutAnalysis, ContentAnalysis], &|| complete(last));
    lease(ContentAnalysis);
    db.clock().advance(TimeDelta::seconds(LEASE));
    check(&[ContentAnalysis], &|| {
        assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 1);
    });
    let last = lease(ContentAnalysis);
    check(&[ContentAnalysis], &|| fail(last, false));
    check(&[], &|| drop(retry(&db, job)));
    complete_stages(&db, &[ContentAnalysis, Segmentation]);
    let last = lease(Compilation);
    check(&[Compilation], &|| complete(last));

    let events = after(&db, job, 0);
    let ends: Vec<_> = events
        .iter()
        .filter(|event| event.event.is_final())
        .map(|event| event.event.event_type())
        .collect();
    assert_eq!(
        ends,
        [EventType::Error, EventType::Error, EventType::Complete]
    );
    assert_eq!(
        events.last().unwrap().event.event_type(),
        EventType::Complete
    );
}

fn a_write_without_visible_changes_stores_no_event(db: TestDb) {
    let job = a_job().create(&db);
    let lease = claim_one(&db, Transcription).lease_id;
    let before = stored(&db, job.job_id);
    heartbeat(&db, lease, &Heartbeat::default()).unwrap();
    let update = JobUpdate {
        priority: Some(3),
        ..JobUpdate::default()
    };
    db.write(|tx| tx.jobs().update(job.job_id, &update, None))
        .unwrap();
    db.write(|tx| tx.transcripts().replace_for_job(job.job_id, &segments(3)))
        .unwrap();
    db.write(|tx| tx.jobs().confirm(job.job_id)).unwrap();
    assert_eq!(stored(&db, job.job_id).last_seq, before.last_seq);
    assert_eq!(after(&db, job.job_id, before.last_seq), []);
}

fn concurrent_changes_leave_no_gap_in_the_event_numbers(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let seen = run_random_operations(&db, &[job]);
    let (events, now) = (after(&db, job, 0), stored(&db, job));
    let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=now.last_seq).collect::<Vec<_>>());
    assert!(now.last_seq > 30, "{}", now.last_seq);
    for job in seen.concat().iter().chain([&now]) {
        let last = usize::try_from(job.last_seq).unwrap() - 1;
        assert_eq!(
            events[last].event,
            Event::from(job),
            "the last event holds the state of the job"
        );
    }
    assert!(
        seen.iter()
            .all(|of_thread| of_thread.iter().map(|job| job.version).is_sorted())
    );
}

fn events_are_read_after_a_number(db: TestDb) {
    let job = a_job().create(&db);
    for percent in 1..10 {
        db.write(|tx| {
            tx.jobs()
                .report_progress(job.job_id, &a_report(Compilation, f64::from(percent)))
        })
        .unwrap();
    }
    let read = |seq, limit| -> Vec<i64> {
        let events = db
            .read(|conn| conn.job_events().after(job.job_id, seq, limit))
            .unwrap();
        events.iter().map(|event| event.seq).collect()
    };
    assert_eq!(read(0, 100), (1..=10).collect::<Vec<_>>());
    assert_eq!(read(7, 100), [8, 9, 10]);
    assert_eq!(read(3, 2), [4, 5]);
    assert_eq!(
        (read(10, 100), read(i64::MAX, 100), read(0, 0)),
        (vec![], vec![], vec![])
    );
    assert_eq!(read(i64::MIN, 1), [1]);
    assert_eq!(after(&db, unknown_id(), 0), []);
}

fn events_of_several_jobs_are_read_each_after_its_own_number(db: TestDb) {
    let mut jobs: Vec<_> = (0..4).map(|_| a_job().create(&db).job_id).collect();
    for job in &jobs {
        for percent in 1..5 {
            db.write(|tx| {
                tx.jobs()
                    .report_progress(*job, &a_report(Compilation, f64::from(percent)))
            })
            .unwrap();
        }
    }
    jobs.reverse();
    let newer = |seen: &[(JobId, i64)], limit| -> Vec<(JobId, i64)> {
        let events = db
            .read(|conn| conn.job_events().newer(seen, limit))
            .unwrap();
        events
            .iter()
            .map(|event| (event.job_id, event.seq))
            .collect()
    };
    let seen = [(jobs[0], 3), (jobs[1], 5), (jobs[2], 0), (unknown_id(), 0)];
    let all = newer(&seen, 100);
    let mut expected: Vec<_> = (4..6)
        .map(|seq| (jobs[0], seq))
        .chain((1..6).map(|seq| (jobs[2], seq)))
        .collect();
    expected.sort();
    assert_eq!(all, expected);
    assert_eq!(newer(&seen, 3), expected[..3]);
    assert_eq!(newer(&[], 100), []);
    let limited = db
        .read(|conn| conn.job_events().newer(&[(jobs[2], 2)], 1))
        .unwrap();
    assert_eq!(limited, after(&db, jobs[2], 2)[..1]);
}

fn events_of_long_finished_jobs_are_pruned(db: TestDb) {
    let one_stage = with_one_stage(&db);
    let make = |status: JobStatus| a_job().status(status).create(&one_stage);
    let old: Vec<_> = JobStatus::ALL.iter().map(|status| make(*status)).collect();
    db.clock().advance(TimeDelta::days(30));
    let new: Vec<_> = JobStatus::ALL.iter().map(|status| make(*status)).collect();
    // Finished long ago, but retried since.
    let retried = retry(&db, old[4].job_id);
    let events = |db: &TestDb| db.sql().count("job_events");
    let of_finished: u64 = [&old[3], &old[5]]
        .iter()
        .map(|job| u64::try_from(job.last_seq).unwrap())
        .sum();
    let before = events(&db);
    db.clock().advance(TimeDelta::seconds(1));
    let prune = || {
        let pruned = db.write(|tx| tx.job_events().prune(TimeDelta::seconds(1)));
        u64::try_from(pruned.unwrap()).unwrap()
    };
    assert_eq!(
        (old[3].status, old[5].status),
        (JobStatus::Completed, JobStatus::Cancelled)
    );
    assert_eq!(prune(), of_finished);
    assert_eq!(events(&db), before - of_finished);
    assert_eq!(prune(), 0);
    for job in old
        .iter()
        .chain(&new)
        .filter(|job| ![old[3].job_id, old[5].job_id].contains(&job.job_id))
    {
        assert_eq!(
            i64::try_from(after(&db, job.job_id, 0).len()).unwrap(),
            stored(&db, job.job_id).last_seq
        );
    }
    // Numbering continues.
    assert_eq!(stored(&db, old[3].job_id), old[3]);
    assert_eq!(stored(&db, old[4].job_id), retried);
    let again = retry(&db, old[5].job_id);
    assert_eq!(
        after(&db, again.job_id, 0)
            .iter()
            .map(|event| event.seq)
            .collect::<Vec<_>>(),
        [again.last_seq]
    );
}
