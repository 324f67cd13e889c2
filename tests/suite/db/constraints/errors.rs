//! `Error::Constraint` names the constraint that was violated.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use lectern_db::{ConstraintKind, Database, Doing, Error};
use lectern_tests::{Backend, TestDb, on_both_backends};

use super::checks::{insert, insert_parents, insert_statement, remove, violated_constraint};
use super::rules::{JOB, OTHER_ID, RULES, UNKNOWN_JOB};

on_both_backends!(
    every_check_and_every_not_null_is_named,
    a_duplicate_key_and_a_missing_parent_are_named_if_the_database_names_them,
);

/// The kind and the name of the constraint in the error for a row, or `None` if
/// the error is not about a constraint.
fn reported_violation(
    db: &Database,
    table: &str,
    replaced: &[(&str, &str)],
) -> Option<(ConstraintKind, Option<String>)> {
    let statement = insert_statement(db.backend(), table, replaced);
    let stored = db.write(|tx| {
        tx.diesel(|conn| diesel::sql_query(statement.as_str()).execute(conn))
            .doing("break a rule")
    });
    let error = stored.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
    match error {
        Error::Constraint {
            kind, constraint, ..
        } => Some((kind, constraint)),
        _ => None,
    }
}

fn every_check_and_every_not_null_is_named(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    for (table, column, _, invalid) in RULES {
        for value in *invalid {
            let replaced = [(*column, *value)];
            let Err(error) = insert(&mut sql, table, &replaced) else {
                // SQLite stores a NaN as NULL.
                remove(&mut sql, table);
                continue;
            };
            let is_trigger = error.to_string().starts_with("CHECK constraint failed");
            let expected = match violated_constraint(error) {
                (DatabaseErrorKind::CheckViolation, name) => {
                    Some((ConstraintKind::Check, Some(name)))
                }
                (DatabaseErrorKind::NotNullViolation, _) => {
                    Some((ConstraintKind::NotNull, Some(format!("{table}.{column}"))))
                }
                (DatabaseErrorKind::ForeignKeyViolation, _) => continue,
                (_, name) if is_trigger => Some((ConstraintKind::Check, Some(name))),
                _ => None,
            };
            let found = reported_violation(&db, table, &replaced);
            assert_eq!(found, expected, "{table}.{column} = {value}");
        }
    }
}

fn a_duplicate_key_and_a_missing_parent_are_named_if_the_database_names_them(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    let unique = reported_violation(&db, "jobs", &[("job_id", JOB)]);
    insert(&mut sql, "clips", &[]).unwrap();
    let composite = reported_violation(&db, "clips", &[("clip_id", OTHER_ID)]);
    let foreign_key = reported_violation(&db, "transcripts", &[("job_id", UNKNOWN_JOB)]);
    // PostgreSQL generates names, SQLite reports the columns or nothing.
    let expected = |table: &str, kind: &str, columns: &str, on_sqlite: Option<&str>| {
        let query = format!(
            "SELECT conname::text FROM pg_constraint
             WHERE conrelid = '{table}'::regclass AND contype = '{kind}'
             AND pg_get_constraintdef(oid) LIKE '%({columns})%'"
        );
        match db.backend() {
            Backend::Postgres => db.sql().rows(&query)[0][0].clone(),
            Backend::Sqlite => on_sqlite.map(str::to_owned),
        }
    };
    assert_eq!(
        unique,
        Some((
            ConstraintKind::Unique,
            expected("jobs", "u", "job_id", Some("jobs.job_id"))
        ))
    );
    assert_eq!(
        composite,
        Some((
            ConstraintKind::Unique,
            expected(
                "clips",
                "u",
                "job_id, clip_order",
                Some("clips.job_id, clips.clip_order")
            )
        ))
    );
    assert_eq!(
        foreign_key,
        Some((
            ConstraintKind::ForeignKey,
            expected("transcripts", "f", "job_id", None)
        ))
    );
}
