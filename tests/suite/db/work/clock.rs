//! The clock of leases.

use chrono::{DateTime, TimeDelta, Utc};
use lectern_db::{Database, Error};
use lectern_domain::{Clock, Heartbeat, Stage, SystemClock};
use lectern_tests::{Backend, Fixture, Sql, TestDb, a_job};

use crate::db::support::worker::{LEASE, claim, claim_one, complete, heartbeat};

/// The time of the database server.
fn server_time(sql: &mut Sql) -> DateTime<Utc> {
    let now = sql.value("SELECT to_json(clock_timestamp())");
    now.trim_matches('"').parse().unwrap()
}

/// Replaces the clock of a PostgreSQL database by one that is ahead.
fn install_fast_clock(sql: &mut Sql) {
    sql.batch(
        "CREATE SCHEMA ahead;
         CREATE TABLE ahead.seconds AS SELECT 86400.0 AS n;
         CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
             AS 'SELECT pg_catalog.clock_timestamp() + make_interval(secs => n::float8) FROM ahead.seconds';
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
    let claim_of_a_minute = claim_one(&db, Stage::Transcription);
    let begun = claim_of_a_minute.lease_expires_at - TimeDelta::seconds(LEASE);
    assert!(before <= begun && begun <= server_time(&mut sql), "{begun}");
    assert!(begun > SystemClock.now() + TimeDelta::hours(23), "{begun}");

    // Half a lease later by that clock, it is extended.
    advance_clock(&mut sql, LEASE / 2);
    let lease = claim_of_a_minute.lease_id;
    let state = heartbeat(&db, lease, &Heartbeat::default()).unwrap();
    assert!(state.expires_at >= claim_of_a_minute.lease_expires_at + TimeDelta::seconds(LEASE / 2));
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
    // Its events have the same time.
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
    let begun = claim_one(&db, Stage::Transcription).lease_expires_at - TimeDelta::seconds(LEASE);
    assert!(before <= begun && begun <= SystemClock.now(), "{begun}");
}
