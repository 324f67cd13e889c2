//! The clock of leases and of all stored times.

use chrono::{DateTime, TimeDelta, Utc};
use lectern_db::{Database, Error};
use lectern_domain::{
    Actor, ApiKeyId, AppendId, AppendedBytes, ClipUpdate, Clock, Fingerprint, Heartbeat,
    IdempotencyKey, JobStatus, JobUpdate, NewApiKey, PartEtag, Role, Seconds, SecretHash, Stage,
    SystemClock,
};
use lectern_tests::{Backend, Fixture, Sql, TestDb, a_completed_job, a_job, a_report, segments};
use serde_json::Value;

use crate::db::support::worker::{
    LEASE, a_heartbeat, claim, claim_one, complete, fail, heartbeat, wait_until_blocked,
    with_one_stage,
};

/// The time of the database server.
fn server_time(sql: &mut Sql) -> DateTime<Utc> {
    let now = sql.value("SELECT to_json(clock_timestamp())");
    now.trim_matches('"').parse().unwrap()
}

/// Replaces the clock of a PostgreSQL database by one that is a day ahead.
fn install_fast_clock(sql: &mut Sql) {
    sql.batch(
        "CREATE SCHEMA ahead;
         CREATE TABLE ahead.seconds AS SELECT 86400.0 AS n;
         CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
             AS 'SELECT pg_catalog.clock_timestamp() + make_interval(secs => n::float8) FROM ahead.seconds';
         CREATE FUNCTION ahead.statement_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
             AS 'SELECT pg_catalog.statement_timestamp() + make_interval(secs => n::float8) FROM ahead.seconds';
         DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I SET search_path = ahead, pg_catalog, public', current_database());
         END $$",
    )
    .unwrap();
}

/// Advances that clock.
fn advance_clock(sql: &mut Sql, seconds: i64) {
    let moved = sql.execute(&format!("UPDATE ahead.seconds SET n = n + {seconds}"));
    assert_eq!(moved.unwrap(), 1);
}

#[test]
fn leases_on_postgresql_use_the_database_clock() {
    let test = TestDb::on(Backend::Postgres);
    install_fast_clock(&mut test.sql());
    let mut sql = test.sql();
    let db = Database::open(test.url()).unwrap();
    a_job().create(&db);

    let before = server_time(&mut sql);
    let claimed = claim_one(&db, Stage::Transcription);
    let started = claimed.lease_expires_at - TimeDelta::seconds(LEASE);
    assert!(
        before <= started && started <= server_time(&mut sql),
        "{started}"
    );
    assert!(
        started > SystemClock.now() + TimeDelta::hours(23),
        "{started}"
    );

    // By that clock half of the lease has passed when a heartbeat extends it.
    advance_clock(&mut sql, LEASE / 2);
    let lease = claimed.lease_id;
    let state = heartbeat(&db, lease, &Heartbeat::default()).unwrap();
    assert!(state.expires_at >= claimed.lease_expires_at + TimeDelta::seconds(LEASE / 2));
    assert_eq!(claim(&db, &[Stage::Transcription], 1), []);
    // A whole lease later it has expired.
    advance_clock(&mut sql, LEASE);
    let claimable = db
        .read(|conn| conn.stage_runs().claimable(Stage::WORK))
        .unwrap();
    assert!(claimable.contains(&Stage::Transcription), "{claimable:?}");
    let refused = complete(&db, lease);
    assert!(
        matches!(refused, Err(Error::LeaseLost { .. })),
        "{refused:?}"
    );
    assert_eq!(claim_one(&db, Stage::Transcription).run.attempt, 2);
    // Events use the same clock.
    let last = sql.value("SELECT to_json(max(at)) FROM job_events");
    assert!(
        last.trim_matches('"').parse::<DateTime<Utc>>().unwrap()
            > before + TimeDelta::seconds(LEASE)
    );
}

#[test]
fn leases_on_sqlite_use_the_system_clock() {
    let test = TestDb::on(Backend::Sqlite);
    let db = Database::open(test.url()).unwrap();
    a_job().create(&db);
    let before = SystemClock.now();
    let started = claim_one(&db, Stage::Transcription).lease_expires_at - TimeDelta::seconds(LEASE);
    assert!(
        before <= started && started <= SystemClock.now(),
        "{started}"
    );
}

#[test]
fn a_job_is_completed_at_the_time_of_its_change() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let test = TestDb::on(backend);
        let db = Database::open(test.url()).unwrap();
        // PostgreSQL may read its clock twice within a microsecond.
        for _ in 0..50 {
            let job = a_job().status(JobStatus::Running).create(&db).job_id;
            let completed = db.write(|tx| tx.jobs().transition(job, JobStatus::Completed));
            let completed = completed.unwrap();
            assert_eq!(
                completed.completed_at,
                Some(completed.updated_at),
                "{backend:?}"
            );

            let one_stage = with_one_stage(&db);
            let job = a_job().create(&one_stage).job_id;
            let (completed, _) =
                complete(&db, claim_one(&db, Stage::Transcription).lease_id).unwrap();
            assert_eq!(
                (completed.job_id, completed.status),
                (job, JobStatus::Completed)
            );
            assert_eq!(
                completed.completed_at,
                Some(completed.updated_at),
                "{backend:?}"
            );
        }
    }
}

#[test]
fn a_completion_that_waited_for_another_change_is_later() {
    let test = TestDb::on(Backend::Postgres);
    let db = Database::open(test.url()).unwrap();
    let job = a_job().status(JobStatus::Running).create(&db).job_id;
    std::thread::scope(|scope| {
        let (changed, completion) = db
            .write::<_, Error>(|tx| {
                tx.lock_job(job)?;
                let completion =
                    scope.spawn(|| db.write(|tx| tx.jobs().transition(job, JobStatus::Completed)));
                wait_until_blocked(&test);
                let priority = JobUpdate {
                    priority: Some(1),
                    ..JobUpdate::default()
                };
                Ok((tx.jobs().update(job, &priority, None)?, completion))
            })
            .unwrap();
        let completed = completion.join().unwrap().unwrap();
        assert!(completed.updated_at > changed.updated_at, "{completed:?}");
        assert_eq!(completed.completed_at, Some(completed.updated_at));
    });
}

/// The earliest time in every column that holds times, by column.
fn earliest_times(sql: &mut Sql) -> Vec<(String, DateTime<Utc>)> {
    // The hours in which jobs were created are no times of a clock, and sets are stored in parts
    // on SQLite only. The replaced clock does not
    // reach the trigger that records deletions, and defaults of columns.
    let columns = sql.rows(
        "SELECT table_name || '.' || quote_ident(column_name), table_name, quote_ident(column_name)
         FROM information_schema.columns
         WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'
           AND table_name NOT LIKE '\\_\\_%' AND table_name NOT IN ('job_hour_counts', 'job_deletions', 'row_sets')
           AND (table_name, column_name) NOT IN (('uploads', 'created_at'), ('upload_parts', 'created_at'))
         ORDER BY 1",
    );
    columns
        .into_iter()
        .map(|row| {
            let [name, table, column] = <[_; 3]>::try_from(row).unwrap().map(Option::unwrap);
            // `value` panics on NULL, so every column has at least one time.
            let earliest = sql.value(&format!("SELECT to_json(min({column})) FROM {table}"));
            (name, earliest.trim_matches('"').parse().unwrap())
        })
        .collect()
}

/// Runs operations that together set every column with a time.
fn store_every_time(db: &Database) {
    let completed = a_completed_job(db);
    db.write(|tx| tx.transcripts().append(completed.job_id, &segments(1)))
        .unwrap();
    let shortened = ClipUpdate {
        start_time: Some(Seconds::new(8.0).unwrap()),
        ..ClipUpdate::default()
    };
    db.write(|tx| {
        let clip = tx.clips().for_job(completed.job_id)?.remove(0);
        tx.clips()
            .update(completed.job_id, clip.clip_id, &shortened)
    })
    .unwrap();
    // One run of another job completes, one fails and will be tried again, and
    // one is leased.
    let job = a_job().create(db).job_id;
    // An entry of the audit.
    let audited = db.acting_as(Actor::command_line("ada"));
    audited.write(|tx| tx.jobs().cancel(job)).unwrap();
    db.write(|tx| tx.jobs().retry(job)).unwrap();
    for stage in [Stage::SilenceDetection, Stage::Transcription] {
        let lease = claim_one(db, stage).lease_id;
        heartbeat(db, lease, &a_heartbeat(50.0)).unwrap();
        if stage == Stage::Transcription {
            fail(db, lease).unwrap();
        } else {
            complete(db, lease).unwrap();
        }
    }
    claim_one(db, Stage::LayoutAnalysis);
    db.write(|tx| tx.stage_pauses().pause(Stage::Compilation))
        .unwrap();
    // A job without workers is completed by its reports.
    let reported = a_job().create(db).job_id;
    db.write(|tx| {
        let report = a_report(Stage::Transcription, 10.0);
        tx.jobs().report_progress(reported, &report)?;
        tx.jobs().transition(reported, JobStatus::Completed)
    })
    .unwrap();
    let uploaded = a_job().create(db).job_id;
    db.write(|tx| {
        let (append_id, minute) = (AppendId::new(&SystemClock), TimeDelta::minutes(1));
        tx.uploads()
            .create_resumable(uploaded, None, None, minute)?;
        tx.uploads().begin_append(uploaded, append_id, 0, minute)?;
        let stored = AppendedBytes {
            received: 1,
            parts: vec![PartEtag::new("e")?],
            has_tail: true,
        };
        tx.uploads()
            .advance(uploaded, append_id, &stored, minute, minute)
    })
    .unwrap();
    db.write(|tx| {
        let key = IdempotencyKey::new("a").unwrap();
        tx.idempotency_keys().take(&key, Fingerprint([0; 32]))?;
        tx.idempotency_keys()
            .store_response(&key, Some(job), &Value::Null)
    })
    .unwrap();
    db.write(|tx| {
        let key_id = ApiKeyId::new(&SystemClock);
        let new = NewApiKey {
            expires_at: Some(DateTime::UNIX_EPOCH + TimeDelta::days(365 * 1_000)),
            ..NewApiKey::new(Role::Client)
        };
        let hash = SecretHash::of_bytes([0; 32]);
        tx.api_keys().create(key_id, &new, &hash)?;
        tx.api_keys().touch(key_id)?;
        tx.api_keys().revoke(key_id)
    })
    .unwrap();
}

#[test]
fn every_stored_time_on_postgresql_is_the_servers() {
    let test = TestDb::on(Backend::Postgres);
    install_fast_clock(&mut test.sql());
    let mut sql = test.sql();
    let db = Database::open(test.url()).unwrap();
    let before = server_time(&mut sql);
    store_every_time(&db);
    let times = earliest_times(&mut sql);
    assert!(times.len() >= 17, "{} columns", times.len());
    for (column, time) in times {
        assert!(
            time >= before,
            "{column} is {time}, and the server's {before}"
        );
    }
}

/// Whether old events were deleted, and the number of deleted idempotency keys.
fn prune(db: &Database) -> (bool, usize) {
    db.write(|tx| {
        let events = tx.job_events().prune(TimeDelta::days(30))?;
        Ok::<_, Error>((events > 0, tx.idempotency_keys().prune()?))
    })
    .unwrap()
}

/// To a process that opens the database now, its clock looks years ahead.
#[test]
fn rows_on_sqlite_do_not_age_while_the_database_is_not_open() {
    let test = TestDb::on(Backend::Sqlite);
    store_every_time(&Database::open(test.url()).unwrap());
    test.sql()
        .batch(
            "UPDATE jobs SET created_at = '2020-01-01T00:00:00.000000Z',
                 updated_at = '2020-01-01T00:00:00.000000Z';
             UPDATE jobs SET completed_at = updated_at WHERE completed_at IS NOT NULL;
             UPDATE idempotency_keys SET created_at = '2020-01-01T00:00:00.000000Z';",
        )
        .unwrap();
    let db = Database::open(test.url()).unwrap();
    let take = |db: &Database, fingerprint| {
        db.write(|tx| {
            let key = IdempotencyKey::new("a").unwrap();
            tx.idempotency_keys()
                .take(&key, Fingerprint([fingerprint; 32]))
        })
    };
    assert_eq!(prune(&db), (false, 0));
    assert!(take(&db, 0).unwrap().is_some());
    assert!(matches!(take(&db, 1), Err(Error::IdempotencyMismatch)));
    // A job of today shows the next process that those rows are old.
    a_job().create(&db);
    assert_eq!(prune(&db), (false, 0));
    assert_eq!(prune(&Database::open(test.url()).unwrap()), (true, 1));
}

#[test]
fn a_stored_time_that_is_none_does_not_keep_keys_from_being_taken() {
    let test = TestDb::on(Backend::Sqlite);
    let db = Database::open(test.url()).unwrap();
    let job_id = a_job().create(&db).job_id;
    // It has the form that the database checks.
    let update = format!(
        "UPDATE jobs SET created_at = '2026-11-31T00:00:00.000000Z' WHERE job_id = '{job_id}'"
    );
    assert_eq!(test.sql().execute(&update).unwrap(), 1);
    let taken = db.write(|tx| {
        let key = IdempotencyKey::new("a").unwrap();
        tx.idempotency_keys().take(&key, Fingerprint([0; 32]))
    });
    assert_eq!(taken.unwrap(), None);
    assert_eq!(prune(&db), (false, 0));
}

#[test]
fn old_rows_on_postgresql_are_pruned_by_the_servers_clock() {
    let test = TestDb::on(Backend::Postgres);
    install_fast_clock(&mut test.sql());
    let mut sql = test.sql();
    let db = Database::open(test.url()).unwrap();
    store_every_time(&db);
    let prune = || prune(&db);
    let last_day = || {
        db.read(|conn| conn.jobs().metrics())
            .unwrap()
            .created_last_24h
    };
    assert_eq!((prune(), last_day()), ((false, 0), 4));
    advance_clock(&mut sql, 25 * 3_600);
    assert_eq!((prune(), last_day()), ((false, 1), 0));
    advance_clock(&mut sql, 30 * 86_400);
    assert_eq!(prune(), (true, 0));
}
