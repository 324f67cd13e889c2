use chrono::TimeDelta;
use lectern_db::{Database, Error, Tx};
use lectern_domain::{Fingerprint, IdempotencyKey, JobId};
use lectern_tests::{TestDb, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::db::support::worker::{concurrently, wait_until_blocked};

on_both_backends!(
    a_repeated_request_is_executed_once_and_answered_the_same,
    a_key_of_another_request_is_rejected,
    keys_are_compared_exactly,
    a_key_expires_after_a_day,
    expired_keys_are_deleted_and_their_jobs_stay,
    a_failed_request_frees_its_key,
    a_request_that_waits_for_a_failed_one_is_executed,
    deleting_a_job_deletes_its_key,
    concurrent_requests_with_one_key_create_one_job,
    of_two_different_requests_with_one_key_one_is_executed,
);

/// The fingerprints of two requests.
const REQUEST: Fingerprint = Fingerprint([7; 32]);
const OTHER_REQUEST: Fingerprint = Fingerprint([8; 32]);

fn key(key: &str) -> IdempotencyKey {
    IdempotencyKey::new(key).unwrap()
}

/// Creates a job unless the key has a stored response; returns the response.
fn create_job(
    tx: &mut Tx<'_>,
    key: &IdempotencyKey,
    fingerprint: Fingerprint,
) -> Result<Value, Error> {
    if let Some(answer) = tx.idempotency_keys().take(key, fingerprint)? {
        return Ok(answer);
    }
    let job = tx.jobs().create(&a_job().build())?;
    let answer = json!({ "status": 201, "body": { "job_id": job.job_id } });
    tx.idempotency_keys()
        .store_response(key, Some(job.job_id), &answer)?;
    Ok(answer)
}

fn request(db: &Database, key: &IdempotencyKey, fingerprint: Fingerprint) -> Result<Value, Error> {
    db.write(|tx| create_job(tx, key, fingerprint))
}

fn job_of(answer: &Value) -> JobId {
    answer["body"]["job_id"].as_str().unwrap().parse().unwrap()
}

fn a_repeated_request_is_executed_once_and_answered_the_same(db: TestDb) {
    let key = key("a");
    let first = request(&db, &key, REQUEST).unwrap();
    db.clock().advance(TimeDelta::hours(1));
    let before = db.sql().dump();
    assert_eq!(request(&db, &key, REQUEST).unwrap(), first);
    assert_eq!(db.sql().dump(), before);
    assert_eq!(db.sql().count("jobs"), 1);
}

fn a_key_of_another_request_is_rejected(db: TestDb) {
    let key = key("a");
    let first = request(&db, &key, REQUEST).unwrap();
    let before = db.sql().dump();
    let refused = request(&db, &key, OTHER_REQUEST);
    assert!(
        matches!(refused, Err(Error::IdempotencyMismatch)),
        "{refused:?}"
    );
    assert_eq!(db.sql().dump(), before);
    assert_eq!(request(&db, &key, REQUEST).unwrap(), first);
}

fn keys_are_compared_exactly(db: TestDb) {
    let longest = "~".repeat(IdempotencyKey::MAX);
    for (jobs, name) in (1..).zip(["a", "A", "a!", "%", "_", "*", &longest]) {
        request(&db, &key(name), REQUEST).unwrap();
        assert_eq!(db.sql().count("jobs"), jobs, "{name}");
    }
}

fn a_key_expires_after_a_day(db: TestDb) {
    let key = key("a");
    let first = request(&db, &key, REQUEST).unwrap();
    db.clock()
        .advance(TimeDelta::hours(24) - TimeDelta::microseconds(1));
    assert_eq!(db.write(|tx| tx.idempotency_keys().prune()).unwrap(), 0);
    assert_eq!(request(&db, &key, REQUEST).unwrap(), first);
    assert!(request(&db, &key, OTHER_REQUEST).is_err());
    db.clock().advance(TimeDelta::microseconds(1));
    let second = request(&db, &key, OTHER_REQUEST).unwrap();
    assert_ne!(job_of(&second), job_of(&first));
    assert_eq!(
        (db.sql().count("jobs"), db.sql().count("idempotency_keys")),
        (2, 1)
    );
}

fn expired_keys_are_deleted_and_their_jobs_stay(db: TestDb) {
    request(&db, &key("a"), REQUEST).unwrap();
    request(&db, &key("b"), REQUEST).unwrap();
    db.clock().advance(TimeDelta::hours(24));
    request(&db, &key("c"), REQUEST).unwrap();
    assert_eq!(db.write(|tx| tx.idempotency_keys().prune()).unwrap(), 2);
    assert_eq!(
        (db.sql().count("jobs"), db.sql().count("idempotency_keys")),
        (3, 1)
    );
    assert_eq!(db.write(|tx| tx.idempotency_keys().prune()).unwrap(), 0);
}

fn a_failed_request_frees_its_key(db: TestDb) {
    let key = key("a");
    let failed = db.write(|tx| {
        create_job(tx, &key, REQUEST)?;
        Err::<(), _>(Error::Url("no reason".into()))
    });
    assert!(failed.is_err());
    assert_eq!(db.sql().count("idempotency_keys"), 0);
    request(&db, &key, OTHER_REQUEST).unwrap();
    assert_eq!(db.sql().count("jobs"), 1);
}

fn a_request_that_waits_for_a_failed_one_is_executed(db: TestDb) {
    let key = key("a");
    std::thread::scope(|scope| {
        let mut waiting = None;
        let failed = db.write(|tx| {
            create_job(tx, &key, REQUEST)?;
            waiting = Some(scope.spawn(|| request(&db, &key, OTHER_REQUEST)));
            wait_until_blocked(&db);
            Err::<(), _>(Error::Url("no reason".into()))
        });
        assert!(failed.is_err());
        waiting.unwrap().join().unwrap().unwrap();
    });
    assert_eq!(db.sql().count("jobs"), 1);
}

fn deleting_a_job_deletes_its_key(db: TestDb) {
    let (key, other) = (key("a"), key("b"));
    let first = request(&db, &key, REQUEST).unwrap();
    let kept = request(&db, &other, REQUEST).unwrap();
    db.write(|tx| tx.jobs().delete(job_of(&first))).unwrap();
    assert_eq!(db.sql().count("idempotency_keys"), 1);
    assert_ne!(request(&db, &key, OTHER_REQUEST).unwrap(), first);
    assert_eq!(request(&db, &other, REQUEST).unwrap(), kept);
}

fn concurrent_requests_with_one_key_create_one_job(db: TestDb) {
    let key = key("a");
    let answers = concurrently(100, |_| request(&db, &key, REQUEST).unwrap());
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(
        (db.sql().count("jobs"), db.sql().count("idempotency_keys")),
        (1, 1)
    );
    assert!(
        db.read(|conn| conn.jobs().exists(job_of(&answers[0])))
            .unwrap()
    );
}

fn of_two_different_requests_with_one_key_one_is_executed(db: TestDb) {
    let key = key("a");
    let answers = concurrently(20, |i| request(&db, &key, [REQUEST, OTHER_REQUEST][i % 2]));
    let done = answers
        .iter()
        .filter_map(|answer| answer.as_ref().ok())
        .collect::<Vec<_>>();
    assert_eq!(done.len(), 10);
    assert!(done.iter().all(|answer| *answer == done[0]));
    let refused = |answer: &&Result<_, _>| matches!(answer, Err(Error::IdempotencyMismatch));
    assert_eq!(answers.iter().filter(refused).count(), 10);
    assert_eq!(db.sql().count("jobs"), 1);
}
