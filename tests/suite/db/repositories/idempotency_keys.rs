use chrono::TimeDelta;
use lectern_db::{Database, Error, Tx};
use lectern_domain::{Fingerprint, IdempotencyKey, JobId};
use lectern_tests::{TestDb, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::db::support::worker::{at_once, until_somebody_waits};

on_both_backends!(
    what_is_asked_for_twice_is_done_once_and_answered_the_same,
    a_key_that_was_used_for_another_request_is_refused,
    keys_differ_in_every_letter,
    a_key_is_kept_for_a_day,
    old_keys_are_forgotten_and_their_jobs_stay,
    a_request_that_came_to_nothing_leaves_its_key_free,
    who_waits_for_a_request_that_comes_to_nothing_does_it_instead,
    a_key_goes_with_its_job,
    a_hundred_with_one_key_make_one_job_and_get_one_answer,
    of_many_with_one_key_and_two_requests_one_is_done,
);

/// One request and another.
const THIS: Fingerprint = Fingerprint([7; 32]);
const THAT: Fingerprint = Fingerprint([8; 32]);

fn key(key: &str) -> IdempotencyKey {
    IdempotencyKey::new(key).unwrap()
}

/// Makes a job unless it was made before under this key; answers the answer.
fn make(tx: &mut Tx<'_>, key: &IdempotencyKey, request: Fingerprint) -> Result<Value, Error> {
    if let Some(answer) = tx.idempotency_keys().take(key, request)? {
        return Ok(answer);
    }
    let job = tx.jobs().create(&a_job().build())?;
    let answer = json!({ "status": 201, "body": { "job_id": job.job_id } });
    tx.idempotency_keys().answer(key, job.job_id, &answer)?;
    Ok(answer)
}

fn asked(db: &Database, key: &IdempotencyKey, request: Fingerprint) -> Result<Value, Error> {
    db.write(|tx| make(tx, key, request))
}

fn job_of(answer: &Value) -> JobId {
    answer["body"]["job_id"].as_str().unwrap().parse().unwrap()
}

fn what_is_asked_for_twice_is_done_once_and_answered_the_same(db: TestDb) {
    let key = key("a");
    let first = asked(&db, &key, THIS).unwrap();
    db.clock().advance(TimeDelta::hours(1));
    let before = db.sql().dump();
    assert_eq!(asked(&db, &key, THIS).unwrap(), first);
    assert_eq!(db.sql().dump(), before);
    assert_eq!(db.sql().count("jobs"), 1);
}

fn a_key_that_was_used_for_another_request_is_refused(db: TestDb) {
    let key = key("a");
    let first = asked(&db, &key, THIS).unwrap();
    let before = db.sql().dump();
    let refused = asked(&db, &key, THAT);
    assert!(
        matches!(refused, Err(Error::IdempotencyMismatch)),
        "{refused:?}"
    );
    assert_eq!(db.sql().dump(), before);
    assert_eq!(asked(&db, &key, THIS).unwrap(), first);
}

fn keys_differ_in_every_letter(db: TestDb) {
    let longest = "~".repeat(IdempotencyKey::MAX);
    for (jobs, name) in (1..).zip(["a", "A", "a!", "%", "_", "*", &longest]) {
        asked(&db, &key(name), THIS).unwrap();
        assert_eq!(db.sql().count("jobs"), jobs, "{name}");
    }
}

fn a_key_is_kept_for_a_day(db: TestDb) {
    let key = key("a");
    let first = asked(&db, &key, THIS).unwrap();
    db.clock()
        .advance(TimeDelta::hours(24) - TimeDelta::microseconds(1));
    assert_eq!(db.write(|tx| tx.idempotency_keys().prune()).unwrap(), 0);
    assert_eq!(asked(&db, &key, THIS).unwrap(), first);
    assert!(asked(&db, &key, THAT).is_err());
    db.clock().advance(TimeDelta::microseconds(1));
    let second = asked(&db, &key, THAT).unwrap();
    assert_ne!(job_of(&second), job_of(&first));
    assert_eq!(
        (db.sql().count("jobs"), db.sql().count("idempotency_keys")),
        (2, 1)
    );
}

fn old_keys_are_forgotten_and_their_jobs_stay(db: TestDb) {
    asked(&db, &key("a"), THIS).unwrap();
    asked(&db, &key("b"), THIS).unwrap();
    db.clock().advance(TimeDelta::hours(24));
    asked(&db, &key("c"), THIS).unwrap();
    assert_eq!(db.write(|tx| tx.idempotency_keys().prune()).unwrap(), 2);
    assert_eq!(
        (db.sql().count("jobs"), db.sql().count("idempotency_keys")),
        (3, 1)
    );
    assert_eq!(db.write(|tx| tx.idempotency_keys().prune()).unwrap(), 0);
}

fn a_request_that_came_to_nothing_leaves_its_key_free(db: TestDb) {
    let key = key("a");
    let failed = db.write(|tx| {
        make(tx, &key, THIS)?;
        Err::<(), _>(Error::Url("no reason".into()))
    });
    assert!(failed.is_err());
    assert_eq!(db.sql().count("idempotency_keys"), 0);
    asked(&db, &key, THAT).unwrap();
    assert_eq!(db.sql().count("jobs"), 1);
}

fn who_waits_for_a_request_that_comes_to_nothing_does_it_instead(db: TestDb) {
    let key = key("a");
    std::thread::scope(|scope| {
        let mut waits = None;
        let failed = db.write(|tx| {
            make(tx, &key, THIS)?;
            waits = Some(scope.spawn(|| asked(&db, &key, THAT)));
            until_somebody_waits(&db);
            Err::<(), _>(Error::Url("no reason".into()))
        });
        assert!(failed.is_err());
        waits.unwrap().join().unwrap().unwrap();
    });
    assert_eq!(db.sql().count("jobs"), 1);
}

fn a_key_goes_with_its_job(db: TestDb) {
    let (key, other) = (key("a"), key("b"));
    let first = asked(&db, &key, THIS).unwrap();
    let kept = asked(&db, &other, THIS).unwrap();
    db.write(|tx| tx.jobs().delete(job_of(&first))).unwrap();
    assert_eq!(db.sql().count("idempotency_keys"), 1);
    assert_ne!(asked(&db, &key, THAT).unwrap(), first);
    assert_eq!(asked(&db, &other, THIS).unwrap(), kept);
}

fn a_hundred_with_one_key_make_one_job_and_get_one_answer(db: TestDb) {
    let key = key("a");
    let answers = at_once(100, |_| asked(&db, &key, THIS).unwrap());
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

fn of_many_with_one_key_and_two_requests_one_is_done(db: TestDb) {
    let key = key("a");
    let answers = at_once(20, |i| asked(&db, &key, [THIS, THAT][i % 2]));
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
