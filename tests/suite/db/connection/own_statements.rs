//! The caller's own diesel statements, and a table of its own.

use std::thread;

use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use lectern_db::schema::jobs;
use lectern_db::{ConstraintKind, Database, DbConnection, Doing, Error};
use lectern_domain::JobFilter;
use lectern_tests::{Backend, EmptyDb, TestDb, a_job, on_both_backends};
use orders::{MAX_OPEN_ORDERS, PlaceError};

on_both_backends!(
    an_order_and_its_job_are_made_together_or_not_at_all,
    an_order_is_read_with_its_job,
    the_example_migrates_its_own_tables_once,
    a_nested_transaction_is_a_savepoint,
    an_error_of_any_type_rolls_back,
    a_reader_cannot_write,
    a_reader_sees_one_snapshot,
    a_transaction_the_caller_ended_is_not_reported_as_committed,
    a_savepoint_left_open_is_not_committed,
    ignoring_a_failed_statement_reports_a_commit_only_if_there_is_one,
);

fn count(db: &Database) -> i64 {
    db.read(|conn| conn.jobs().count(&JobFilter::default()))
        .unwrap()
}

fn rename_jobs(conn: &mut DbConnection, name: &str) -> QueryResult<usize> {
    diesel::update(jobs::table)
        .set(jobs::filename.eq(name))
        .execute(conn)
}

fn an_order_and_its_job_are_made_together_or_not_at_all(db: EmptyDb) {
    let shop = orders::open(db.url()).unwrap();
    for _ in 0..MAX_OPEN_ORDERS {
        orders::place(&shop, "Hypatia", "algebra.mp4").unwrap();
    }
    let stored = orders::list(&shop).unwrap();
    let refused = orders::place(&shop, "Hypatia", "geometry.mp4").unwrap_err();
    assert!(matches!(refused, PlaceError::TooManyOpen(_)), "{refused:?}");
    let refused = orders::place(&shop, "", "geometry.mp4").unwrap_err();
    let PlaceError::Database(Error::Constraint {
        kind, constraint, ..
    }) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(kind, ConstraintKind::Check);
    assert_eq!(constraint.as_deref(), Some("orders_customer_not_empty"));
    assert_eq!(orders::list(&shop).unwrap(), stored);
    assert_eq!(count(&shop), MAX_OPEN_ORDERS);
}

fn an_order_is_read_with_its_job(db: EmptyDb) {
    let shop = orders::open(db.url()).unwrap();
    let job = orders::place(&shop, "Hypatia", "algebra.mp4").unwrap();
    let listed = orders::list(&shop).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].job_id.0, job.job_id);
    assert_eq!(
        (listed[0].recording.as_str(), listed[0].status.as_str()),
        ("algebra.mp4", "queued")
    );
    assert_eq!(listed[0].customer, "Hypatia");
}

fn the_example_migrates_its_own_tables_once(db: EmptyDb) {
    let shop = orders::open(db.url()).unwrap();
    orders::place(&shop, "Hypatia", "algebra.mp4").unwrap();
    let again = orders::open(db.url()).unwrap();
    assert_eq!(orders::list(&again).unwrap().len(), 1);
    assert_eq!(again.drift().unwrap(), []);
    assert!(!again.migrations().pending().unwrap());
}

fn a_nested_transaction_is_a_savepoint(db: TestDb) {
    a_job().create(&db);
    db.write(|tx| {
        tx.diesel(|conn| {
            conn.transaction(|conn| rename_jobs(conn, "kept.mp4"))?;
            let undone = conn.transaction(|conn| {
                rename_jobs(conn, "undone.mp4")?;
                Err::<(), _>(diesel::result::Error::RollbackTransaction)
            });
            assert!(undone.is_err());
            Ok::<_, Error>(())
        })?;
        tx.jobs().create(&a_job().build())
    })
    .unwrap();
    let names = db.sql().rows("SELECT filename FROM jobs ORDER BY id");
    assert_eq!(names[0], [Some("kept.mp4".to_owned())]);
    assert_eq!(names.len(), 2);
}

fn an_error_of_any_type_rolls_back(db: TestDb) {
    #[derive(Debug)]
    struct Own;
    impl From<Error> for Own {
        fn from(_: Error) -> Self {
            Self
        }
    }
    impl From<diesel::result::Error> for Own {
        fn from(_: diesel::result::Error) -> Self {
            Self
        }
    }
    a_job().filename("before.mp4").create(&db);
    let result = db.write(|tx| {
        tx.diesel(|conn| {
            rename_jobs(conn, "after.mp4")?;
            Err::<(), _>(Own)
        })
    });
    assert!(matches!(result, Err(Own)));
    let undescribed = db.write(|tx| {
        tx.diesel(|conn| rename_jobs(conn, "after.mp4"))?;
        tx.diesel(|conn| conn.batch_execute("SELECT * FROM nowhere"))?;
        Ok::<_, Error>(())
    });
    assert!(
        matches!(undescribed, Err(Error::Query { .. })),
        "{undescribed:?}"
    );
    let described = db.read(|conn| {
        conn.diesel(|conn| conn.batch_execute("SELECT * FROM nowhere"))
            .doing("look nowhere")
    });
    assert_eq!(described.unwrap_err().to_string(), "could not look nowhere");
    let name = db.sql().value("SELECT filename FROM jobs");
    assert_eq!(name, "before.mp4");
}

fn a_reader_cannot_write(db: TestDb) {
    a_job().filename("before.mp4").create(&db);
    for statement in [
        "UPDATE jobs SET filename = 'after.mp4'",
        "DELETE FROM jobs",
        "CREATE TABLE orders (id INTEGER)",
    ] {
        let refused = db
            .read(|conn| {
                conn.diesel(|conn| conn.batch_execute(statement))
                    .doing("write")
            })
            .unwrap_err();
        let source = std::error::Error::source(&refused).unwrap();
        let driver = source.downcast_ref::<diesel::result::Error>().unwrap();
        assert!(driver.to_string().contains("read"), "{driver}");
        if db.backend() == Backend::Postgres {
            assert!(
                matches!(
                    driver,
                    diesel::result::Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _)
                ),
                "{driver:?}"
            );
        }
    }
    assert_eq!(db.sql().value("SELECT filename FROM jobs"), "before.mp4");
    // The connections can still read and write.
    a_job().create(&db);
    assert_eq!(count(&db), 2);
    assert_eq!(db.stats().in_use, 0);
}

fn a_reader_sees_one_snapshot(db: TestDb) {
    a_job().create(&db);
    let counts = db.read(|conn| {
        conn.diesel(|conn| {
            let before: i64 = jobs::table.count().get_result(conn)?;
            thread::scope(|scope| {
                scope.spawn(|| a_job().create(&db)).join().unwrap();
            });
            let after: i64 = jobs::table.count().get_result(conn)?;
            Ok::<_, Error>((before, after))
        })
    });
    assert_eq!(counts.unwrap(), (1, 1));
    assert_eq!(count(&db), 2);
}

fn a_transaction_the_caller_ended_is_not_reported_as_committed(db: TestDb) {
    for ending in ["COMMIT", "ROLLBACK"] {
        let result = db.write(|tx| {
            tx.diesel(|conn| conn.batch_execute(ending))
                .map_err(Error::from)
        });
        assert!(
            matches!(result, Err(Error::NotCommitted { .. })),
            "{result:?}"
        );
    }
    a_job().create(&db);
    assert_eq!(count(&db), 1);
}

fn a_savepoint_left_open_is_not_committed(db: TestDb) {
    let result = db.write(|tx| {
        tx.jobs().create(&a_job().build())?;
        tx.diesel(<DbConnection as TransactionManager<_>>::begin_transaction)
            .map_err(Error::from)
    });
    assert!(
        matches!(result, Err(Error::NotCommitted { .. })),
        "{result:?}"
    );
    assert_eq!(count(&db), 0);
    a_job().create(&db);
    assert_eq!(count(&db), 1);
}

/// PostgreSQL aborts a transaction at its first failed statement; SQLite only
/// undoes the statement.
fn ignoring_a_failed_statement_reports_a_commit_only_if_there_is_one(db: TestDb) {
    let result = db.write(|tx| {
        tx.jobs().create(&a_job().build())?;
        let failed = tx.diesel(|conn| rename_jobs(conn, ""));
        assert!(failed.is_err());
        Ok::<_, Error>(())
    });
    match db.backend() {
        Backend::Postgres => {
            assert!(
                matches!(result, Err(Error::NotCommitted { .. })),
                "{result:?}"
            );
            assert_eq!(count(&db), 0);
        }
        Backend::Sqlite => {
            result.unwrap();
            assert_eq!(count(&db), 1);
        }
    }
    a_job().create(&db);
}
