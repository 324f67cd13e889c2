use lectern_tests::{Backend, EmptyDb, TestDb, on_both_backends};

on_both_backends!(
    a_missing_column_is_reported,
    an_unknown_column_is_reported,
    a_column_of_another_type_is_reported_with_both_types,
    a_column_that_became_nullable_is_reported,
    a_renamed_column_is_reported_as_missing_and_unknown,
    columns_are_compared_by_their_database_names,
    a_missing_table_is_reported,
    every_table_of_an_empty_database_is_reported_as_missing,
    tables_of_other_programs_are_ignored,
);

/// The drift after these statements.
fn drift(db: &TestDb, statements: &str) -> Vec<String> {
    db.sql().batch(statements).unwrap();
    db.drift()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// SQLite has no ALTER COLUMN; this changes the stored definition and makes
/// other connections read it again.
fn rewrite(from: &str, to: &str) -> String {
    format!(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_master SET sql = replace(sql, '{from}', '{to}') WHERE name = 'jobs';
         PRAGMA schema_version = 4711"
    )
}

fn a_missing_column_is_reported(db: TestDb) {
    let found = drift(
        &db,
        "ALTER TABLE layout_analysis DROP COLUMN sample_frame_time",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("layout_analysis.sample_frame_time is missing"),
        "{found:?}"
    );
}

fn an_unknown_column_is_reported(db: TestDb) {
    let found = drift(&db, "ALTER TABLE jobs ADD COLUMN colour INTEGER");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("jobs.colour "), "{found:?}");
}

fn a_column_of_another_type_is_reported_with_both_types(db: TestDb) {
    let found = drift(
        &db,
        &match db.backend() {
            Backend::Postgres => {
                "ALTER TABLE jobs ALTER COLUMN error_message TYPE integer USING NULL".to_owned()
            }
            Backend::Sqlite => rewrite("error_message TEXT", "error_message INTEGER"),
        },
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("jobs.error_message is int"),
        "{found:?}"
    );
    assert!(found[0].contains("text"), "{found:?}");
}

fn a_column_that_became_nullable_is_reported(db: TestDb) {
    let found = drift(
        &db,
        &match db.backend() {
            Backend::Postgres => "ALTER TABLE jobs ALTER COLUMN status DROP NOT NULL".to_owned(),
            Backend::Sqlite => rewrite("status TEXT NOT NULL", "status TEXT"),
        },
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("jobs.status is text null"),
        "{found:?}"
    );
}

fn a_renamed_column_is_reported_as_missing_and_unknown(db: TestDb) {
    let found = drift(&db, "ALTER TABLE clips RENAME COLUMN title TO headline");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .any(|drift| drift.starts_with("clips.title is missing")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|drift| drift.starts_with("clips.headline ")),
        "{found:?}"
    );
}

fn columns_are_compared_by_their_database_names(db: TestDb) {
    let found = drift(&db, "ALTER TABLE job_events RENAME COLUMN type TO type_");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .any(|drift| drift.starts_with("job_events.type is missing")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|drift| drift.starts_with("job_events.type_ ")),
        "{found:?}"
    );
}

fn a_missing_table_is_reported(db: TestDb) {
    assert_eq!(
        drift(&db, "DROP TABLE processing_logs"),
        ["processing_logs is missing"]
    );
}

fn every_table_of_an_empty_database_is_reported_as_missing(db: EmptyDb) {
    assert_eq!(db.drift().unwrap().len(), 22);
}

fn tables_of_other_programs_are_ignored(db: TestDb) {
    assert_eq!(drift(&db, "CREATE TABLE bookkeeping (id INTEGER)"), [""; 0]);
}
