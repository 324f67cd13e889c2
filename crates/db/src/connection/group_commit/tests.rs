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

/// Runs a long write, and others which queue meanwhile in this order; returns the numbers of
/// these in the order of their transactions.
fn order_of(others: &[(i64, Length)]) -> Vec<i64> {
    let db = a_database();
    let queue = db.writers().unwrap();
    let order = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let first = db.for_long_writes().write(|_| {
            for (i, (number, length)) in others.iter().enumerate() {
                let (db, order) = (&db, &order);
                scope.spawn(move || {
                    let db = match length {
                        Length::Short => db.clone(),
                        Length::Long => db.for_long_writes(),
                    };
                    db.write(|_| {
                        order.lock().push(*number);
                        Ok::<_, Error>(())
                    })
                });
                let is_queued = || {
                    let state = queue.0.lock();
                    state.waiting.len() + state.waiting_long.len() > i
                };
                while !is_queued() {
                    thread::yield_now();
                }
            }
            Ok::<_, Error>(())
        });
        first.unwrap();
    });
    order.into_inner()
}

#[test]
fn short_writes_wait_for_at_most_one_long_one() {
    let (short, long) = (Length::Short, Length::Long);
    let order = order_of(&[(1, long), (2, long), (3, short), (4, long), (5, short)]);
    let place = |number| order.iter().position(|of| *of == number).unwrap();
    assert_eq!(place(3), 0, "{order:?}");
    // It joins the transaction of the first one, unless a long one has begun meanwhile.
    assert!(place(5) < place(2), "{order:?}");
    assert!(place(1) < place(2) && place(2) < place(4), "{order:?}");
}

#[test]
fn all_short_writes_that_wait_when_a_long_one_ends_come_before_the_next() {
    let queue = WriterQueue::default();
    let wait = Duration::ZERO;
    assert!(matches!(queue.turn(Length::Long, wait), Ok(Turn::Begin)));
    let waiters: [_; 5] = std::array::from_fn(|_| Arc::new(Waiter::default()));
    let [first, second, later, long, next_long] = &waiters;
    {
        let mut state = queue.0.lock();
        state.waiting.extend([first, second].map(Arc::clone));
        state.waiting_long.extend([long, next_long].map(Arc::clone));
    }
    let end_turn = || {
        assert!(queue.pass_on(None).is_none());
        waiters
            .iter()
            .position(|waiter| waiter.turn.lock().take().is_some())
    };
    assert_eq!(end_turn(), Some(0));
    queue.0.lock().waiting.push_back(Arc::clone(later));
    // Not in one transaction with the first one, which may have been full.
    assert_eq!(end_turn(), Some(1));
    // The later one arrived after the end of the long write.
    assert_eq!(end_turn(), Some(3));
    assert_eq!(end_turn(), Some(2));
    assert_eq!(end_turn(), Some(4));
    assert_eq!(end_turn(), None);
    assert!(matches!(queue.turn(Length::Short, wait), Ok(Turn::Begin)));
}
