//! `Error::Constraint` names the constraint that was violated.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use lectern_db::{ConstraintKind, Database, Doing, Error};
use lectern_tests::{Backend, TestDb, on_both_backends};

use super::checks::{insert, insert_statement, parents, remove, rule};
use super::rules::{JOB, NO_JOB, RULES, TAKEN};

on_both_backends!(
    every_check_and_every_not_null_is_named,
    a_duplicate_key_and_a_missing_parent_are_named_as_far_as_the_database_does,
);

/// The kind and the name of the constraint that refuses a row, or `None` when
/// it is another error.
fn violated(
    db: &Database,
    table: &str,
    exchanged: &[(&str, &str)],
) -> Option<(ConstraintKind, Option<String>)> {
    let statement = insert_statement(db.backend(), table, exchanged);
    let stored = db.write(|tx| {
        tx.diesel(|conn| diesel::sql_query(statement).execute(conn))
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
    parents(&mut sql);
    for (table, column, _, refused) in RULES {
        for value in *refused {
            let exchanged = [(*column, *value)];
            let Err(error) = insert(&mut sql, table, &exchanged) else {
                // SQLite stores a NaN as NULL.
                remove(&mut sql, table);
                continue;
            };
            let is_trigger = error.to_string().starts_with("CHECK constraint failed");
            let expected = match rule(error) {
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
            let found = violated(&db, table, &exchanged);
            assert_eq!(found, expected, "{table}.{column} = {value}");
        }
    }
}

fn a_duplicate_key_and_a_missing_parent_are_named_as_far_as_the_database_does(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    let unique = violated(&db, "jobs", &[("job_id", JOB)]);
    insert(&mut sql, "clips", &[]).unwrap();
    let composite = violated(&db, "clips", &[("clip_id", TAKEN)]);
    let foreign_key = violated(&db, "transcripts", &[("job_id", NO_JOB)]);
    let name = |postgres: &str, sqlite: Option<&str>| match db.backend() {
        Backend::Postgres => Some(postgres.to_owned()),
        Backend::Sqlite => sqlite.map(str::to_owned),
    };
    let constraint_of = |table: &str, kind: &str, columns: &str| {
        db.sql().rows(&format!(
            "SELECT conname::text FROM pg_constraint
             WHERE conrelid = '{table}'::regclass AND contype = '{kind}'
             AND pg_get_constraintdef(oid) LIKE '%({columns})%'"
        ))
    };
    let named = |table: &str, kind: &str, columns: &str| match db.backend() {
        Backend::Postgres => constraint_of(table, kind, columns)[0][0].clone().unwrap(),
        Backend::Sqlite => String::new(),
    };
    assert_eq!(
        unique,
        Some((
            ConstraintKind::Unique,
            name(&named("jobs", "u", "job_id"), Some("jobs.job_id"))
        ))
    );
    assert_eq!(
        composite,
        Some((
            ConstraintKind::Unique,
            name(
                &named("clips", "u", "job_id, clip_order"),
                Some("clips.job_id, clips.clip_order")
            )
        ))
    );
    assert_eq!(
        foreign_key,
        Some((
            ConstraintKind::ForeignKey,
            name(&named("transcripts", "f", "job_id"), None)
        ))
    );
}
