use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::*;
use crate::connection::{Database, Tx};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn a_database() -> Database {
    let db = Database::open("sqlite::memory:").unwrap();
    execute(
        &db,
        "CREATE TABLE numbers (number INTEGER PRIMARY KEY);
         CREATE TABLE copies (number INTEGER REFERENCES numbers)",
    );
    db
}

fn execute(db: &Database, statements: &str) {
    db.write(|tx| run(tx, statements)).unwrap();
}

fn run(tx: &mut Tx<'_>, statements: &str) -> Result<(), Error> {
    tx.raw.batch_execute(statements).doing("run a statement")
}

fn numbers(db: &Database) -> Vec<i64> {
    let rows = db.read(|conn| {
        sql_query("SELECT number FROM numbers ORDER BY number")
            .load::<Number>(conn.raw)
            .doing("list the numbers")
    });
    rows.unwrap().iter().map(|row| row.number).collect()
}

/// Stores 1 in a write that ends only when `second` has queued, so that `second` joins
/// the transaction.
fn with_second(
    db: &Database,
    second: impl FnOnce() + Send,
) -> (Result<(), Error>, thread::Result<()>) {
    let queue = db.writers().unwrap();
    thread::scope(|scope| {
        let mut second = Some(second);
        let mut other = None;
        let first = db.write(|tx| {
            run(tx, "INSERT INTO numbers VALUES (1)")?;
            other = second.take().map(|second| scope.spawn(second));
            while queue.0.lock().waiting.is_empty() {
                thread::yield_now();
            }
            Ok::<_, Error>(())
        });
        (first, other.unwrap().join())
    })
}

#[test]
fn a_second_write_joins_the_transaction_of_the_first() {
    let db = a_database();
    let (first, second) = with_second(&db, || {
        // The first number is not committed yet.
        let count = "INSERT INTO numbers SELECT 1 + count(*) FROM numbers";
        execute(&db, count);
    });
    first.unwrap();
    second.unwrap();
    assert_eq!(numbers(&db), [1, 2]);
}

#[test]
fn a_write_that_fails_leaves_the_others_in_place() {
    let db = a_database();
    let (first, second) = with_second(&db, || {
        let result = db.write(|tx| {
            run(tx, "INSERT INTO numbers VALUES (2)")?;
            run(tx, "INSERT INTO numbers VALUES (1)")
        });
        assert!(matches!(result, Err(Error::Constraint { .. })));
    });
    first.unwrap();
    second.unwrap();
    assert_eq!(numbers(&db), [1]);
    execute(&db, "INSERT INTO numbers VALUES (3)");
    assert_eq!(numbers(&db), [1, 3]);
}

#[test]
fn a_write_that_panics_leaves_the_others_in_place() {
    let db = a_database();
    let (first, second) = with_second(&db, || {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            db.write(|tx| -> Result<(), Error> {
                run(tx, "INSERT INTO numbers VALUES (2)")?;
                panic!("a bug in the closure")
            })
        }));
        assert!(panicked.is_err());
    });
    first.unwrap();
    second.unwrap();
    assert_eq!(numbers(&db), [1]);
}

#[test]
fn a_commit_that_fails_fails_for_all() {
    let db = a_database();
    let (first, second) = with_second(&db, || {
        // Checked at the commit.
        let result = db.write(|tx| {
            run(
                tx,
                "PRAGMA defer_foreign_keys = ON; INSERT INTO copies VALUES (9)",
            )
        });
        assert!(result.is_err());
    });
    assert!(first.is_err());
    second.unwrap();
    assert_eq!(numbers(&db), [0; 0]);
    execute(&db, "INSERT INTO numbers VALUES (3)");
    assert_eq!(numbers(&db), [3]);
}
