//! Leases whose holders could not send heartbeats.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use lectern_db::{Database, Error};
use lectern_domain::ManualClock;
use lectern_domain::Stage::Transcription;
use lectern_tests::{Cluster, TestDb, a_job, on_both_backends};

use crate::db::support::worker::{
    LEASE, a_heartbeat, claim, claim_one, complete, heartbeat, run, wait_until,
};

on_both_backends!(leases_in_doubt_are_renewed_before_they_are_judged);

fn leases_in_doubt_are_renewed_before_they_are_judged(db: TestDb) {
    let job = a_job().create(&db).job_id;
    let claimed = claim_one(&db, Transcription);
    for call in 0..3 {
        db.clock().advance(TimeDelta::seconds(LEASE + 1));
        db.renew_leases_before_expiry();
        match call {
            0 => assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 0),
            1 => assert_eq!(claim(&db, &[Transcription], 1), []),
            _ => drop(heartbeat(&db, claimed.lease_id, &a_heartbeat(5.0)).unwrap()),
        }
        let lease = run(&db, job, Transcription).lease.unwrap();
        assert_eq!(lease.expires_at, db.now() + TimeDelta::seconds(LEASE));
    }
    // Only once: the next lease that expires is lost.
    db.clock().advance(TimeDelta::seconds(LEASE + 1));
    assert_eq!(db.write(|tx| tx.work().expire()).unwrap(), 1);
    assert_eq!(run(&db, job, Transcription).attempt, 1);
}

#[test]
fn an_outage_that_outlasts_a_lease_costs_no_attempt() {
    let mut cluster = Cluster::with_durable_commits();
    let clock = Arc::new(ManualClock::default());
    let db = Database::open(cluster.url()).unwrap();
    let db = db
        .with_clock(clock.clone())
        .with_checkout_timeout(Duration::from_secs(1));
    db.migrate().unwrap();
    a_job().create(&db);
    let claimed = claim_one(&db, Transcription);
    cluster.stop();
    let heartbeat = || heartbeat(&db, claimed.lease_id, &a_heartbeat(5.0));
    assert!(matches!(heartbeat(), Err(Error::Unavailable { .. })));
    clock.advance(TimeDelta::seconds(10 * LEASE));
    cluster.start_again();
    let patient = db.with_checkout_timeout(Duration::from_secs(30));
    assert_eq!(patient.write(|tx| tx.work().expire()).unwrap(), 0);
    heartbeat().unwrap();
    complete(&db, claimed.lease_id).unwrap();
}

/// No call fails: the heartbeat waits for its connection until the server is back.
#[test]
fn an_outage_that_a_heartbeat_waits_for_costs_no_attempt() {
    let mut cluster = Cluster::with_durable_commits();
    let clock = Arc::new(ManualClock::default());
    let db = Database::open(cluster.url()).unwrap();
    let db = db
        .with_clock(clock.clone())
        .with_checkout_timeout(Duration::from_secs(30));
    db.migrate().unwrap();
    a_job().create(&db);
    let lease = claim_one(&db, Transcription).lease_id;
    cluster.stop();
    clock.advance(TimeDelta::seconds(10 * LEASE));
    thread::scope(|scope| {
        let beat = scope.spawn(|| heartbeat(&db, lease, &a_heartbeat(5.0)));
        wait_until(|| db.are_leases_in_doubt());
        cluster.start_again();
        beat.join().unwrap().unwrap();
    });
    complete(&db, lease).unwrap();
}
