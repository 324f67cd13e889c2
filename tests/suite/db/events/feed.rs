//! The events of all jobs in one order.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

use chrono::TimeDelta;
use lectern_db::{Database, DatabaseConfig, Error};
use lectern_domain::{
    Event, EventPage, EventPosition, JobEvent, JobId, JobStatus, JobUpdate, LongText, Patch, Stage,
};
use lectern_tests::{Backend, Fixture as _, TestDb, a_job, a_report, on_both_backends, queries};

use crate::db::support::random_operations::run_random_operations;
use crate::db::support::stored;
use crate::db::support::worker::{a_request, claim};
use crate::many_jobs::{insert_jobs, plan_with};

on_both_backends!(
    a_reader_gets_every_event_of_every_job_once,
    a_reader_that_restarts_between_concurrent_writers_misses_nothing,
    a_deleted_job_leaves_its_deletion,
    a_job_that_is_created_and_deleted_again_leaves_both_deletions,
    a_position_before_pruned_events_has_expired,
    deletions_are_pruned_after_their_retention,
    a_position_of_another_database_has_expired,
    an_unreadable_event_is_left_out_and_passed,
    a_page_ends_after_a_megabyte,
    a_page_costs_the_same_among_many_events,
    the_last_position_is_after_all_events,
    the_events_of_a_claim_are_in_the_order_of_the_claim,
    the_events_of_two_claims_of_a_transaction_are_in_their_order,
);

fn page(db: &Database, after: Option<EventPosition>, limit: usize) -> Result<EventPage, Error> {
    db.read(|conn| conn.job_events().of_all_jobs(after, limit))
}

fn last_position(db: &Database) -> EventPosition {
    db.read(|conn| conn.job_events().last_position()).unwrap()
}

/// Reads pages of `limit` until there are `count` events. On PostgreSQL, a transaction of
/// another test may hold them back for a moment.
fn read(
    db: &Database,
    mut after: Option<EventPosition>,
    limit: usize,
    count: usize,
) -> (Vec<JobEvent>, Option<EventPosition>) {
    let mut events = Vec::new();
    while events.len() < count {
        let page = page(db, after, limit).unwrap();
        assert!(page.events.len() <= limit);
        after = Some(page.next);
        events.extend(page.events.into_iter().map(|(_, event)| event));
        thread::yield_now();
    }
    (events, after)
}

fn report(db: &Database, job_id: JobId, percent: f64) {
    let report = a_report(Stage::Transcription, percent);
    db.write(|tx| tx.jobs().report_progress(job_id, &report))
        .unwrap();
}

fn keys(events: &[JobEvent]) -> Vec<(JobId, i64)> {
    let keys = events.iter().map(|event| (event.job_id, event.seq));
    keys.collect()
}

/// The sequence numbers of the events of each job.
fn seqs(events: &[JobEvent]) -> BTreeMap<JobId, Vec<i64>> {
    let mut seqs = BTreeMap::<_, Vec<_>>::new();
    for event in events {
        seqs.entry(event.job_id).or_default().push(event.seq);
    }
    seqs
}

/// Jobs whose order in the queue is neither that of their ids nor its reverse.
fn a_queue(db: &Database) {
    for priority in [3, 9, 1, 12, 7, 2, 10, 5, 11, 4, 8, 6] {
        a_job().priority(priority).create(db);
    }
}

/// The jobs of the events after those of their creation, of which there are `count`.
fn jobs_of_events(db: &Database, count: usize) -> Vec<JobId> {
    let (events, _) = read(db, None, 100, 12 + count);
    let mut jobs: Vec<_> = events[12..].iter().map(|event| event.job_id).collect();
    jobs.dedup();
    jobs
}

fn the_events_of_a_claim_are_in_the_order_of_the_claim(db: TestDb) {
    a_queue(&db);
    let claimed = claim(&db, &[Stage::Transcription], 12);
    let order: Vec<_> = claimed.iter().map(|claim| claim.job.job_id).collect();
    assert_eq!(order.len(), 12);
    // One event of the stage, and one of its job.
    assert_eq!(jobs_of_events(&db, 24), order);
}

fn the_events_of_two_claims_of_a_transaction_are_in_their_order(db: TestDb) {
    a_queue(&db);
    // The first claim ends between the stages of a job.
    let request = a_request(&[Stage::Transcription, Stage::LayoutAnalysis], 7);
    let claimed: Result<_, Error> = db.write(|tx| {
        let mut claims = tx.work().claim(&request)?;
        claims.extend(tx.work().claim(&request)?);
        Ok(claims)
    });
    let mut order: Vec<_> = claimed
        .unwrap()
        .iter()
        .map(|claim| claim.job.job_id)
        .collect();
    order.dedup();
    assert_eq!(order.len(), 7);
    assert_eq!(jobs_of_events(&db, 22), order);
}

/// Without an index, PostgreSQL finds rows in the order in which they were changed last.
#[test]
fn the_events_of_expired_leases_are_in_the_order_of_the_jobs() {
    let test = TestDb::on(Backend::Postgres);
    let mut sql = test.sql();
    for scan in ["indexscan", "bitmapscan", "indexonlyscan"] {
        sql.batch(&format!(
            "DO $$ BEGIN
                 EXECUTE format('ALTER DATABASE %I SET enable_{scan} = off', current_database());
             END $$"
        ))
        .unwrap();
    }
    let db = Database::open(test.url()).unwrap();
    a_queue(&db);
    let claimed = claim(&db, &[Stage::Transcription], 12);
    let mut jobs: Vec<_> = claimed.iter().map(|claim| claim.job.job_id).collect();
    for job in &jobs {
        sql.execute(&format!(
            "UPDATE jobs SET version = version WHERE job_id = '{job}'"
        ))
        .unwrap();
    }
    jobs.sort();
    sql.execute("UPDATE stage_runs SET lease_expires_at = started_at WHERE status = 'running'")
        .unwrap();
    assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 12);
    let (events, _) = read(&db, None, 100, 60);
    let mut of_expired: Vec<_> = events[36..].iter().map(|event| event.job_id).collect();
    of_expired.dedup();
    assert_eq!(of_expired, jobs);
}

fn a_reader_gets_every_event_of_every_job_once(db: TestDb) {
    let jobs = [(); 3].map(|()| a_job().create(&db).job_id);
    for percent in 1..5 {
        for job in jobs {
            report(&db, job, f64::from(percent));
        }
    }
    let mut expected: Vec<_> = jobs.map(|job| (job, 1)).into();
    expected.extend((2..6).flat_map(|seq| jobs.map(|job| (job, seq))));
    for limit in [1, 2, 4, 100] {
        let (events, end) = read(&db, None, limit, expected.len());
        assert_eq!(keys(&events), expected, "{limit}");
        let after_the_end = page(&db, end, limit).unwrap();
        assert_eq!(
            (after_the_end.events, Some(after_the_end.next)),
            (vec![], end)
        );
        report(&db, jobs[1], 50.0 + limit as f64 / 10.0);
        let (more, _) = read(&db, end, limit, 1);
        expected.push((jobs[1], stored(&db, jobs[1]).last_seq));
        assert_eq!(keys(&more), expected[expected.len() - 1..]);
    }
    let of_one_job = db.read(|conn| conn.job_events().after(jobs[1], 0, 100));
    let (events, _) = read(&db, None, 7, expected.len());
    let in_the_feed = events.into_iter().filter(|event| event.job_id == jobs[1]);
    assert!(
        in_the_feed.eq(of_one_job.unwrap()),
        "the events are the same"
    );
}

fn a_reader_that_restarts_between_concurrent_writers_misses_nothing(db: TestDb) {
    let jobs: Vec<_> = (0..6).map(|_| a_job().create(&db).job_id).collect();
    let (done, is_done) = mpsc::channel();
    let events = thread::scope(|scope| {
        let (db, jobs) = (&db, &jobs);
        let reader = scope.spawn(move || {
            let (mut events, mut after) = (Vec::new(), None);
            let mut is_last = false;
            for limit in (1..8).cycle() {
                // Another process has nothing but the position.
                let mut config = DatabaseConfig::new(db.url()).unwrap();
                config.pool_size = 1;
                let restarted = Database::connect(&config).unwrap();
                let found = page(&restarted, after, limit).unwrap();
                after = Some(found.next);
                let none = found.events.is_empty();
                events.extend(found.events.into_iter().map(|(_, event)| event));
                let total: i64 = jobs.iter().map(|job| stored(db, *job).last_seq).sum();
                if is_last && none && i64::try_from(events.len()) == Ok(total) {
                    break;
                }
                is_last |= is_done.try_recv().is_ok();
            }
            events
        });
        run_random_operations(db, jobs);
        done.send(()).unwrap();
        reader.join().unwrap()
    });
    let found = seqs(&events);
    assert!(events.len() > 100, "{}", events.len());
    for job in jobs {
        let expected: Vec<_> = (1..=stored(&db, job).last_seq).collect();
        assert_eq!(found[&job], expected);
    }
}

/// A transaction gets its number at its first write. One that commits late has a lower
/// number than events that were committed before it.
#[test]
fn a_transaction_that_commits_late_holds_back_later_events() {
    let db = TestDb::on(Backend::Postgres);
    let start = Some(last_position(&db));
    let (written, is_written) = mpsc::channel();
    let (proceed, may_proceed) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let db = &db;
        let late = scope.spawn(move || {
            db.write(|tx| {
                let job = tx.jobs().create(&a_job().build())?;
                written.send(()).unwrap();
                may_proceed.recv().unwrap();
                // A second event of the same transaction.
                let report = a_report(Stage::Transcription, 5.0);
                tx.jobs().report_progress(job.job_id, &report)?;
                Ok::<_, Error>(job.job_id)
            })
            .unwrap()
        });
        is_written.recv().unwrap();
        let early: Vec<_> = (0..5).map(|_| a_job().create(db).job_id).collect();
        assert_eq!(page(db, start, 100).unwrap().events, [], "held back");
        assert_eq!(Some(page(db, start, 100).unwrap().next), start);
        proceed.send(()).unwrap();
        let late = late.join().unwrap();
        let (events, _) = read(db, start, 2, 7);
        let mut expected = vec![(late, 1), (late, 2)];
        expected.extend(early.into_iter().map(|job| (job, 1)));
        assert_eq!(keys(&events), expected);
    });
}

#[test]
fn a_transaction_that_is_rolled_back_only_delays_later_events() {
    let db = TestDb::on(Backend::Postgres);
    let start = Some(last_position(&db));
    let (written, is_written) = mpsc::channel();
    let (proceed, may_proceed) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let db = &db;
        let failing = scope.spawn(move || {
            db.write(|tx| {
                tx.jobs().create(&a_job().build())?;
                written.send(()).unwrap();
                may_proceed.recv().unwrap();
                Err::<(), _>(Error::IdempotencyMismatch)
            })
        });
        is_written.recv().unwrap();
        let job = a_job().create(db).job_id;
        assert_eq!(page(db, start, 100).unwrap().events, []);
        proceed.send(()).unwrap();
        failing.join().unwrap().unwrap_err();
        assert_eq!(keys(&read(db, start, 100, 1).0), [(job, 1)]);
    });
}

/// The late transaction has the lower number, but its event of the shared job comes second.
#[test]
fn events_of_one_job_stay_in_order_when_a_transaction_waited_for_the_job() {
    let db = TestDb::on(Backend::Postgres);
    let shared = a_job().create(&db).job_id;
    let (_, start) = read(&db, None, 10, 1);
    let (written, is_written) = mpsc::channel();
    let (proceed, may_proceed) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let db = &db;
        let late = scope.spawn(move || {
            db.write(|tx| {
                let other = tx.jobs().create(&a_job().build())?;
                written.send(()).unwrap();
                may_proceed.recv().unwrap();
                let report = a_report(Stage::Transcription, 50.0);
                tx.jobs().report_progress(shared, &report)?;
                tx.jobs().cancel(shared)?;
                Ok::<_, Error>(other.job_id)
            })
            .unwrap()
        });
        is_written.recv().unwrap();
        report(db, shared, 10.0);
        report(db, shared, 20.0);
        proceed.send(()).unwrap();
        let other = late.join().unwrap();
        let last = stored(db, shared).last_seq;
        let count = usize::try_from(last).unwrap();
        let (events, _) = read(db, start, 1, count);
        let seqs = seqs(&events);
        assert_eq!(seqs[&shared], (2..=last).collect::<Vec<_>>());
        assert_eq!(seqs[&other], [1]);
    });
}

fn a_deleted_job_leaves_its_deletion(db: TestDb) {
    let jobs = [(); 4].map(|()| a_job().create(&db).job_id);
    let (_, after_creation) = read(&db, None, 100, 4);
    report(&db, jobs[0], 10.0);
    report(&db, jobs[1], 10.0);
    db.write(|tx| tx.jobs().delete(jobs[0])).unwrap();
    report(&db, jobs[1], 20.0);
    // Another program deletes several at once.
    let two = format!(
        "DELETE FROM jobs WHERE job_id IN ('{}', '{}')",
        jobs[2], jobs[3]
    );
    assert_eq!(db.sql().execute(&two), Ok(2));
    let (events, end) = read(&db, after_creation, 2, 5);
    let seqs = seqs(&events);
    assert_eq!(seqs[&jobs[1]], [2, 3]);
    assert_eq!(
        (&seqs[&jobs[0]], &seqs[&jobs[2]], &seqs[&jobs[3]]),
        (&vec![3], &vec![2], &vec![2])
    );
    let deleted = events.iter().filter(|event| event.event == Event::Deleted);
    assert_eq!(deleted.count(), 3);
    assert_eq!(
        keys(&events)[..3],
        [(jobs[1], 2), (jobs[0], 3), (jobs[1], 3)]
    );
    assert_eq!(page(&db, end, 2).unwrap().events, []);
    // A reader that begins now gets no event of the deleted jobs from before.
    let (all, _) = read(&db, None, 100, 6);
    assert_eq!(keys(&all)[0], (jobs[1], 1));
    assert_eq!(all[1..], events);
}

fn a_job_that_is_created_and_deleted_again_leaves_both_deletions(db: TestDb) {
    let job_id = a_job().create(&db).job_id;
    for _ in 0..2 {
        db.write(|tx| tx.jobs().delete(job_id)).unwrap();
        db.write(|tx| tx.jobs().create_as(job_id, &a_job().build()))
            .unwrap();
    }
    let (events, _) = read(&db, None, 100, 3);
    assert_eq!(keys(&events), [(job_id, 2), (job_id, 2), (job_id, 1)]);
    assert_eq!(events[1].event, Event::Deleted);
}

fn a_position_before_pruned_events_has_expired(db: TestDb) {
    let running = a_job().status(JobStatus::Running).create(&db);
    let start = Some(last_position(&db));
    let old = a_job().status(JobStatus::Completed).create(&db);
    let old_events = usize::try_from(old.last_seq).unwrap();
    let before = usize::try_from(running.last_seq).unwrap();
    let (_, in_between) = read(&db, None, 1, before + 1);
    let (_, end) = read(&db, None, 100, before + old_events);
    db.clock().advance(TimeDelta::days(31));
    let prune = || db.write(|tx| tx.job_events().prune(TimeDelta::days(30)));
    assert_eq!(prune().unwrap(), old_events);
    for expired in [start, in_between] {
        let refused = page(&db, expired, 100);
        assert!(
            matches!(refused, Err(Error::PositionExpired)),
            "{refused:?}"
        );
    }
    assert_eq!(page(&db, end, 100).unwrap().events, []);
    // Earlier events of jobs that are not finished are incomplete as well.
    let from_the_beginning = page(&db, None, 100).unwrap();
    assert_eq!(
        (from_the_beginning.events, Some(from_the_beginning.next)),
        (vec![], end)
    );
    report(&db, running.job_id, 99.0);
    for after in [None, end] {
        let (events, _) = read(&db, after, 100, 1);
        assert_eq!(keys(&events), [(running.job_id, running.last_seq + 1)]);
    }
    // Nothing new to delete: the positions stay valid.
    assert_eq!(prune().unwrap(), 0);
    assert_eq!(page(&db, end, 100).unwrap().events.len(), 1);
}

fn deletions_are_pruned_after_their_retention(db: TestDb) {
    let start = Some(last_position(&db));
    let job_id = a_job().create(&db).job_id;
    db.write(|tx| tx.jobs().delete(job_id)).unwrap();
    let (_, end) = read(&db, start, 100, 1);
    let prune = || {
        db.write(|tx| tx.job_events().prune(TimeDelta::days(30)))
            .unwrap()
    };
    assert_eq!(prune(), 0);
    assert_eq!(page(&db, start, 100).unwrap().events.len(), 1);
    // The database's own clock set the time.
    let at = (db.now() - TimeDelta::days(31)).format("%Y-%m-%dT%H:%M:%S%.6fZ");
    let aged = format!("UPDATE job_deletions SET at = '{at}'");
    assert_eq!(db.sql().execute(&aged), Ok(1));
    assert_eq!(prune(), 0, "a deletion is no event");
    assert_eq!(db.sql().count("job_deletions"), 0);
    assert!(matches!(page(&db, start, 100), Err(Error::PositionExpired)));
    assert_eq!(page(&db, end, 100).unwrap().events, []);
}

fn a_position_of_another_database_has_expired(db: TestDb) {
    a_job().create(&db);
    let (_, position) = read(&db, None, 100, 1);
    let position = position.unwrap();
    let others = [
        EventPosition {
            generation: position.generation + 1,
            ..position
        },
        EventPosition {
            transaction_id: i64::MAX,
            ..position
        },
        EventPosition {
            transaction_id: i64::MIN,
            ..position
        },
    ];
    for other in others {
        let refused = page(&db, Some(other), 100);
        assert!(
            matches!(refused, Err(Error::PositionExpired)),
            "{other:?}: {refused:?}"
        );
    }
    assert_eq!(page(&db, Some(position), 100).unwrap().next, position);
}

/// A dump of a cluster with higher transaction numbers was restored.
#[test]
fn events_that_were_restored_in_another_cluster_are_numbered_again() {
    let db = TestDb::on(Backend::Postgres);
    let jobs = [(); 3].map(|()| a_job().create(&db).job_id);
    for job in jobs {
        report(&db, job, 10.0);
    }
    db.write(|tx| tx.jobs().delete(jobs[1])).unwrap();
    let (before, old) = read(&db, None, 100, 5);
    let mut sql = db.sql();
    for table in ["job_events", "job_deletions"] {
        let restore = format!("UPDATE {table} SET transaction_id = transaction_id + 1000000000000");
        assert_ne!(sql.execute(&restore), Ok(0));
    }
    report(&db, jobs[0], 20.0);
    assert_eq!(db.migrate().unwrap(), [""; 0]);
    let refused = page(&db, old, 100);
    assert!(
        matches!(refused, Err(Error::PositionExpired)),
        "{refused:?}"
    );
    let (after, end) = read(&db, None, 2, 6);
    assert_eq!(after[..5], before);
    assert_eq!(keys(&after)[5], (jobs[0], 3));
    // Done once: the new positions stay valid.
    assert_eq!(db.migrate().unwrap(), [""; 0]);
    report(&db, jobs[2], 20.0);
    assert_eq!(keys(&read(&db, end, 2, 1).0), [(jobs[2], 3)]);
}

#[test]
fn a_position_from_before_a_restored_backup_has_expired() {
    let db = TestDb::on(Backend::Sqlite);
    a_job().create(&db);
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("backup.db");
    db.backup(&backup).unwrap();
    a_job().create(&db);
    let (_, old) = read(&db, None, 100, 2);
    for name in ["once.db", "twice.db"] {
        let url = format!("sqlite://{}", dir.path().join(name).display());
        Database::restore(&url.parse().unwrap(), &backup).unwrap();
        let restored = Database::open(&url).unwrap();
        // The new event has the number of the one that was lost.
        a_job().create(&restored);
        assert!(matches!(
            page(&restored, old, 100),
            Err(Error::PositionExpired)
        ));
        assert_eq!(read(&restored, None, 100, 2).0.len(), 2);
    }
}

fn an_unreadable_event_is_left_out_and_passed(db: TestDb) {
    let jobs = [(); 3].map(|()| a_job().create(&db).job_id);
    read(&db, None, 100, 3);
    let damage = format!(
        "UPDATE job_events SET data = '{{\"n\": 1}}' WHERE job_id = '{}'",
        jobs[1]
    );
    assert_eq!(db.sql().execute(&damage), Ok(1));
    let (events, _) = read(&db, None, 1, 2);
    assert_eq!(keys(&events), [(jobs[0], 1), (jobs[2], 1)]);
    assert!(db.unreadable_rows() > 0);
}

fn a_page_ends_after_a_megabyte(db: TestDb) {
    let jobs: Vec<_> = (0..3)
        .map(|_| a_job().status(JobStatus::Running).create(&db).job_id)
        .collect();
    let start = {
        let total: i64 = jobs.iter().map(|job| stored(&db, *job).last_seq).sum();
        read(&db, None, 100, usize::try_from(total).unwrap()).1
    };
    let doomed = a_job().create(&db).job_id;
    for job in &jobs {
        let failed = JobUpdate {
            status: Some(JobStatus::Failed),
            error_message: Patch::Set(LongText::new("x".repeat(1 << 20)).unwrap()),
            ..JobUpdate::default()
        };
        db.write(|tx| tx.jobs().update(*job, &failed, None))
            .unwrap();
    }
    db.write(|tx| tx.jobs().delete(doomed)).unwrap();
    let (mut after, mut found) = (start, Vec::new());
    while found.len() < 4 {
        let page = page(&db, after, 100).unwrap();
        let large = page
            .events
            .iter()
            .filter(|(_, event)| event.event != Event::Deleted);
        assert!(large.count() <= 1);
        after = Some(page.next);
        found.extend(page.events.into_iter().map(|(_, event)| event.job_id));
    }
    let expected: Vec<_> = jobs.iter().copied().chain([doomed]).collect();
    assert_eq!(found, expected);
}

fn a_page_costs_the_same_among_many_events(db: TestDb) {
    insert_jobs(
        &db,
        2_000,
        "job_id, last_seq",
        match db.backend() {
            Backend::Postgres => "lpad(i::text, 32, '0')::uuid, 10",
            Backend::Sqlite => "printf('00000000-0000-0000-0000-%012d', i), 10",
        },
    );
    let mut sql = db.sql();
    let filled = sql.execute(
        "INSERT INTO job_events (job_id, seq, type, data)
         SELECT job_id, n.seq, 'progress', '{\"status\": \"queued\", \"progress\": null, \"error_message\": null}'
         FROM jobs, (WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 10)
                     SELECT seq FROM n) AS n ORDER BY n.seq",
    );
    assert_eq!(filled, Ok(20_000));
    sql.execute("DELETE FROM jobs WHERE CAST(job_id AS TEXT) LIKE '%7'")
        .unwrap();
    if db.backend() == Backend::Postgres {
        sql.batch("VACUUM ANALYZE job_events").unwrap();
        sql.batch("VACUUM ANALYZE job_deletions").unwrap();
    }
    let (_, middle) = read(&db, None, 5_000, 5_000);
    let (found, statements) = queries(|| page(&db, middle, 100).unwrap());
    assert_eq!(found.events.len(), 100);
    let (_, of_the_last) = queries(|| last_position(&db));
    let statements: Vec<_> = statements.iter().chain(&of_the_last).collect();
    assert_eq!(statements.len(), 5, "{statements:#?}");
    let of_events = statements
        .into_iter()
        .filter(|statement| statement.contains("FROM job_events"));
    let plans: Vec<_> = of_events
        .map(|statement| {
            let (query, binds) = statement.split_once(" -- binds: ").unwrap();
            let binds: Vec<serde_json::Value> = serde_json::from_str(binds).unwrap();
            let values: Vec<_> = binds.iter().map(ToString::to_string).collect();
            plan_with(&mut sql, query, &values)
        })
        .collect();
    assert_eq!(plans.len(), 2);
    let index = match db.backend() {
        Backend::Postgres => "job_events_transaction_id_id_key on job_events",
        Backend::Sqlite => "SEARCH job_events USING INTEGER PRIMARY KEY",
    };
    for plan in plans {
        assert!(plan.contains(index), "{plan}");
        for slow in ["Seq Scan on job_events", "SCAN job_events", "TEMP B-TREE"] {
            assert!(!plan.contains(slow), "{plan}");
        }
    }
}

fn the_last_position_is_after_all_events(db: TestDb) {
    let before = last_position(&db);
    let jobs = [(); 2].map(|()| a_job().create(&db).job_id);
    let (_, end) = read(&db, Some(before), 100, 2);
    assert_eq!(Some(last_position(&db)), end);
    db.write(|tx| tx.jobs().delete(jobs[1])).unwrap();
    let (_, end) = read(&db, end, 100, 1);
    assert_eq!(Some(last_position(&db)), end);
}
