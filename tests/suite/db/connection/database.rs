//! Connections return to the pool after errors and panics, and lost ones are
//! replaced.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::time::Duration;

use diesel::RunQueryDsl as _;
use lectern_db::{Database, DatabaseConfig, Durability, Error};
use lectern_domain::JobFilter;
use lectern_tests::{Backend, Fixture, TestDb, a_job, on_both_backends};

on_both_backends!(
    a_connection_returns_to_the_pool_after_an_error,
    a_panic_rolls_back_and_returns_the_connection,
    waiting_too_long_for_a_connection_is_a_timeout_error,
    the_pool_reports_its_connections,
    reads_run_during_a_write,
    concurrent_writes_all_commit,
);

/// The same database through a pool of `size` connections.
fn pool_of(db: &TestDb, size: u32) -> Database {
    let config = DatabaseConfig {
        pool_size: size,
        max_overflow: 0,
        ..DatabaseConfig::new(db.url()).unwrap()
    };
    Database::connect(&config).unwrap()
}

fn count(db: &Database) -> Result<i64, Error> {
    db.read(|conn| conn.jobs().count(&JobFilter::default()))
}

/// Uses `n` connections of the pool at the same time, so that all are open.
fn open(db: &Database, n: usize) {
    let barrier = Barrier::new(n);
    std::thread::scope(|scope| {
        for _ in 0..n {
            scope.spawn(|| {
                db.read(|conn| {
                    barrier.wait();
                    conn.jobs().count(&JobFilter::default())
                })
                .unwrap()
            });
        }
    });
}

/// Terminates the connections of the pool.
fn terminate_connections(db: &TestDb) {
    assert!(db.sql().terminate_other_connections() > 0, "no connections");
}

fn a_connection_returns_to_the_pool_after_an_error(db: TestDb) {
    let one = pool_of(&db, 1);
    for _ in 0..3 {
        assert!(one.read(|_| Err::<(), _>(Error::Url("no".into()))).is_err());
        assert!(
            one.write(|_| Err::<(), _>(Error::Url("no".into())))
                .is_err()
        );
    }
    assert_eq!(count(&one).unwrap(), 0);
    assert_eq!(one.stats().in_use, 0);
}

fn a_panic_rolls_back_and_returns_the_connection(db: TestDb) {
    let one = pool_of(&db, 1);
    for _ in 0..3 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            one.write(|tx| -> Result<(), Error> {
                tx.jobs().create(&a_job().build())?;
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            one.read(|_| -> Result<(), Error> { panic!("on purpose") })
        }));
        assert!(panicked.is_err());
    }
    assert_eq!(count(&one).unwrap(), 0);
    a_job().create(&one);
    assert_eq!(count(&one).unwrap(), 1);
    assert_eq!(one.stats().in_use, 0);
}

fn waiting_too_long_for_a_connection_is_a_timeout_error(db: TestDb) {
    let one = pool_of(&db, 1);
    let inner =
        one.read(|_| Ok::<_, Error>(count(&one.with_checkout_timeout(Duration::from_millis(1)))));
    assert!(matches!(inner.unwrap(), Err(Error::Unavailable { .. })));
    assert_eq!(count(&one).unwrap(), 0);
}

fn the_pool_reports_its_connections(db: TestDb) {
    let two = pool_of(&db, 2);
    let used = two.read(|_| Ok::<_, Error>(two.stats())).unwrap();
    assert_eq!(used.in_use, 1, "{used:?}");
    assert!(
        used.in_use + used.idle == used.connections && used.connections <= used.max,
        "{used:?}"
    );
    let after = two.stats();
    assert_eq!(
        (after.in_use, after.idle),
        (0, after.connections),
        "{after:?}"
    );
}

fn reads_run_during_a_write(db: TestDb) {
    a_job().create(&db);
    db.write(|tx| {
        tx.jobs().create(&a_job().build())?;
        assert_eq!(count(&db)?, 1, "uncommitted rows are not visible");
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(count(&db).unwrap(), 2);
}

fn concurrent_writes_all_commit(db: TestDb) {
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| a_job().create(&db));
        }
    });
    assert_eq!(count(&db).unwrap(), 20);
}

#[test]
fn the_first_read_after_a_connection_loss_succeeds() {
    let db = TestDb::on(Backend::Postgres);
    open(&db, 5);
    terminate_connections(&db);
    assert_eq!(count(&db).unwrap(), 0);
}

#[test]
fn the_first_write_after_a_connection_loss_succeeds() {
    let db = TestDb::on(Backend::Postgres);
    open(&db, 5);
    terminate_connections(&db);
    a_job().create(&db);
    assert_eq!(count(&db).unwrap(), 1);
}

#[test]
fn every_lost_connection_is_replaced() {
    let db = TestDb::on(Backend::Postgres);
    for _ in 0..3 {
        open(&db, 5);
        terminate_connections(&db);
        std::thread::scope(|scope| {
            for i in 0..10 {
                let db = &db;
                scope.spawn(move || match i % 2 {
                    0 => drop(count(db).unwrap()),
                    _ => drop(a_job().create(db)),
                });
            }
        });
    }
    assert_eq!(count(&db).unwrap(), 15);
}

#[test]
fn a_write_that_loses_its_connection_fails_and_stores_nothing() {
    let db = TestDb::on(Backend::Postgres);
    let result = db.write(|tx| {
        tx.jobs().create(&a_job().build())?;
        terminate_connections(&db);
        tx.jobs().create(&a_job().build())
    });
    assert!(
        matches!(result, Err(Error::Unavailable { .. })),
        "{result:?}"
    );
    assert_eq!(count(&db).unwrap(), 0);
}

#[test]
fn commits_on_sqlite_wait_for_the_disk_unless_configured_otherwise() {
    let test = TestDb::on(Backend::Sqlite);
    let synchronous = |db: &Database| -> i32 {
        db.write(|tx| {
            tx.diesel(|conn| {
                let pragma = diesel::dsl::sql::<diesel::sql_types::Integer>(
                    "(SELECT synchronous FROM pragma_synchronous)",
                );
                diesel::select(pragma).get_result(conn)
            })
            .map_err(Error::from)
        })
        .unwrap()
    };
    assert_eq!(synchronous(&test), 2);
    let config = DatabaseConfig {
        durability: Durability::Relaxed,
        ..DatabaseConfig::new(test.url()).unwrap()
    };
    assert_eq!(synchronous(&Database::connect(&config).unwrap()), 1);
}
