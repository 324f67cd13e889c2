//! Breaks every rule of the data model with raw SQL. For each rule a valid value
//! at its limit is stored, too, so that an invalid one is rejected for no other
//! reason.

use std::collections::BTreeSet;

use diesel::result::{DatabaseErrorKind as Kind, Error};
use lectern_domain::{JobFilter, JobPageRequest};
use lectern_tests::{Backend, Sql, TestDb, on_both_backends};

use super::rules::{IDS, JOB, OTHER_ID, RULES, SEGMENT, VALID_ROWS, Values};

on_both_backends!(
    a_valid_row_is_stored,
    a_row_that_breaks_a_rule_is_rejected,
    every_check_constraint_is_tested,
    lease_columns_are_all_set_or_all_null,
    a_running_stage_run_has_a_start_time,
    a_job_has_a_completion_time_if_and_only_if_it_is_completed,
    a_row_with_only_a_filename_gets_the_defaults,
    a_duration_cannot_be_inserted,
);

fn valid_row(table: &str) -> Values {
    VALID_ROWS
        .iter()
        .find(|(name, _)| *name == table)
        .unwrap()
        .1
}

/// Inserts the valid row of a table with some values replaced or added.
pub(crate) fn insert(
    sql: &mut Sql,
    table: &str,
    replaced: &[(&str, &str)],
) -> Result<usize, Error> {
    let statement = insert_statement(sql.backend(), table, replaced);
    sql.execute(&statement)
}

/// The INSERT of the valid row of a table with some values replaced or added.
pub(crate) fn insert_statement(backend: Backend, table: &str, replaced: &[(&str, &str)]) -> String {
    let mut row: Vec<(&str, &str)> = valid_row(table).to_vec();
    for (column, value) in replaced {
        row.retain(|(name, _)| name != column);
        row.push((column, value));
    }
    let columns: Vec<_> = row
        .iter()
        .map(|(column, _)| format!("\"{column}\""))
        .collect();
    let values: Vec<_> = row
        .iter()
        .map(|(_, value)| literal(backend, value))
        .collect();
    format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        values.join(", ")
    )
}

fn literal(backend: Backend, value: &str) -> String {
    let text = |function: &str| {
        let length = value.strip_prefix(function)?.strip_prefix('(')?;
        let length = length.strip_suffix(')')?.parse().ok()?;
        Some("é".repeat(length))
    };
    if let Some(text) = text("text") {
        return format!("'{text}'");
    }
    if let Some(message) = text("note") {
        return format!(r#"'[{{"level": "info", "message": "{message}"}}]'"#);
    }
    let name = match (backend, value) {
        (Backend::Postgres, "nul") => "chr(0)",
        (Backend::Sqlite, "nul") => "'a' || char(0)",
        (Backend::Postgres, "infinity" | "-infinity" | "nan") => return format!("'{value}'"),
        (Backend::Sqlite, "infinity") => "9e999",
        (Backend::Sqlite, "-infinity") => "-9e999",
        // SQLite has no NaN; arithmetic that gives NaN elsewhere gives NULL
        // there.
        (Backend::Sqlite, "nan") => "(9e999 - 9e999)",
        _ => value,
    };
    name.to_owned()
}

/// The constraint that failed, as the database names it.
pub(crate) fn violated_constraint(refused: Error) -> (Kind, String) {
    let Error::DatabaseError(kind, info) = refused else {
        panic!("{refused}")
    };
    let name = info.constraint_name().unwrap_or(info.message());
    (
        kind,
        name.trim_start_matches("CHECK constraint failed: ")
            .to_owned(),
    )
}

/// Inserts a job and a content segment of it.
pub(crate) fn insert_parents(sql: &mut Sql) {
    insert(sql, "jobs", &[("job_id", JOB)]).unwrap();
    let segment = [("segment_id", SEGMENT), ("segment_order", "1000")];
    insert(sql, "content_segments", &segment).unwrap();
}

/// Deletes the one row that is not a parent.
pub(crate) fn remove(sql: &mut Sql, table: &str) {
    let condition = match table {
        "jobs" => format!("WHERE job_id <> {JOB}"),
        "content_segments" => format!("WHERE segment_id <> {SEGMENT}"),
        // The others are of jobs that were removed here.
        "job_deletions" => format!("WHERE job_id IN ({JOB}, {OTHER_ID})"),
        _ => String::new(),
    };
    let removed = sql.execute(&format!("DELETE FROM {table} {condition}"));
    assert_eq!(removed.unwrap(), 1, "{table}");
}

/// Breaks every rule of `RULES`; returns the names of the constraints that
/// failed.
fn break_every_rule(sql: &mut Sql) -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    for (table, column, valid, invalid) in RULES {
        insert(sql, table, &[(column, valid)])
            .unwrap_or_else(|error| panic!("{table}.{column} = {valid}: {error}"));
        remove(sql, table);
        for value in *invalid {
            match insert(sql, table, &[(column, value)]) {
                Err(error) => drop(broken.insert(violated_constraint(error).1)),
                // SQLite stores NaN as NULL, which a nullable column accepts.
                Ok(_) if sql.backend() == Backend::Sqlite && *value == "nan" => remove(sql, table),
                Ok(_) => panic!("{table}.{column} = {value} was stored"),
            }
        }
    }
    broken
}

fn a_valid_row_is_stored(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    for (table, _) in VALID_ROWS {
        insert(&mut sql, table, &[]).unwrap();
    }
}

fn a_row_that_breaks_a_rule_is_rejected(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    break_every_rule(&mut sql);
    // Deletions remain of the jobs that were removed.
    let tables = VALID_ROWS.iter().map(|(table, _)| table);
    for table in tables.filter(|table| **table != "job_deletions") {
        let left = u64::from(["jobs", "content_segments"].contains(table));
        assert_eq!(sql.count(table), left, "{table}");
    }
}

fn every_check_constraint_is_tested(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    let mut broken = break_every_rule(&mut sql);
    let completed = insert(&mut sql, "jobs", &[("status", "'completed'")]);
    broken.insert(violated_constraint(completed.unwrap_err()).1);
    // SQLite stores ids and times as text and checks their format.
    for (table, id) in IDS {
        broken.extend(
            insert(&mut sql, table, &[(id, "'00000000'")])
                .map_err(|error| violated_constraint(error).1)
                .err(),
        );
        let created = insert(&mut sql, table, &[("created_at", "'not a time'")]);
        broken.insert(violated_constraint(created.unwrap_err()).1);
    }
    let completed = [("status", "'completed'"), ("completed_at", "'not a time'")];
    broken.insert(violated_constraint(insert(&mut sql, "jobs", &completed).unwrap_err()).1);

    let unbroken: Vec<_> = checks(&mut sql)
        .into_iter()
        .filter(|name| !broken.contains(name))
        .collect();
    assert_eq!(unbroken, [""; 0]);
}

fn lease_columns_are_all_set_or_all_null(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    let columns = ["lease_id", "lease_expires_at", "lease_seconds"];
    // Every non-empty subset of the columns, as a bit mask.
    for absent in 1..8 {
        let without: Vec<_> = (0..3)
            .filter(|i| absent & (1 << i) != 0)
            .map(|i| (columns[i], "NULL"))
            .collect();
        let stored = insert(&mut sql, "stage_runs", &without);
        if without.len() == columns.len() {
            stored.unwrap();
        } else {
            assert_eq!(
                violated_constraint(stored.unwrap_err()).1,
                "stage_runs_lease_whole",
                "{without:?}"
            );
        }
    }
}

fn a_running_stage_run_has_a_start_time(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    for status in [
        "waiting",
        "ready",
        "completed",
        "failed",
        "cancelled",
        "skipped",
    ] {
        insert(
            &mut sql,
            "stage_runs",
            &[("status", &format!("'{status}'")), ("started_at", "NULL")],
        )
        .unwrap();
        remove(&mut sql, "stage_runs");
    }
    let refused = insert(&mut sql, "stage_runs", &[("started_at", "NULL")]);
    assert_eq!(
        violated_constraint(refused.unwrap_err()).1,
        "stage_runs_running_started"
    );
}

fn a_job_has_a_completion_time_if_and_only_if_it_is_completed(db: TestDb) {
    let mut sql = db.sql();
    let time = ("completed_at", "'2026-01-01T00:00:00.000000Z'");
    insert(&mut sql, "jobs", &[("status", "'completed'"), time]).unwrap();
    remove(&mut sql, "jobs");
    assert!(insert(&mut sql, "jobs", &[("status", "'completed'")]).is_err());
    assert!(insert(&mut sql, "jobs", &[("status", "'running'"), time]).is_err());
}

fn a_row_with_only_a_filename_gets_the_defaults(db: TestDb) {
    let mut sql = db.sql();
    sql.execute("INSERT INTO jobs (filename) VALUES ('lecture.mp4')")
        .unwrap();
    let row = sql.rows(
        "SELECT content_type, status, CAST(progress_percent AS INTEGER), version, priority, last_seq, video_metadata, extra_metadata FROM jobs",
    );
    let row: Vec<_> = row[0]
        .iter()
        .map(|value| value.as_deref().unwrap())
        .collect();
    assert_eq!(row, ["video/mp4", "queued", "0", "1", "0", "0", "{}", "{}"]);
    let jobs = db.read(|conn| {
        conn.jobs()
            .list(&JobFilter::default(), JobPageRequest::default())
    });
    assert_eq!(jobs.unwrap().items[0].filename.as_str(), "lecture.mp4");
}

fn a_duration_cannot_be_inserted(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    for table in ["silence_regions", "content_segments", "clips"] {
        assert!(
            insert(&mut sql, table, &[("duration", "1")]).is_err(),
            "{table}"
        );
        insert(&mut sql, table, &[]).unwrap();
        assert_eq!(
            sql.value(&format!(
                "SELECT CAST(duration AS INTEGER) FROM {table} WHERE end_time = 2 LIMIT 1"
            )),
            "1"
        );
    }
}

/// The names of all CHECK constraints. On SQLite a trigger names its constraint
/// in the error message.
fn checks(sql: &mut Sql) -> Vec<String> {
    let query = match sql.backend() {
        Backend::Postgres => {
            "SELECT conname::text FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        }
        Backend::Sqlite => {
            "SELECT sql FROM sqlite_master WHERE type IN ('table', 'trigger') AND sql LIKE '%CHECK%'"
        }
    };
    let texts: Vec<String> = sql.rows(query).into_iter().flatten().flatten().collect();
    match sql.backend() {
        Backend::Postgres => texts,
        Backend::Sqlite => texts.iter().flat_map(|text| checks_of(text)).collect(),
    }
}

fn checks_of(definition: &str) -> Vec<String> {
    let words: Vec<&str> = definition.split_whitespace().collect();
    words
        .windows(3)
        .filter_map(|words| match words {
            ["CONSTRAINT", name, "CHECK"] => Some(name.to_string()),
            [_, "failed:", name] => name.split('\'').next().map(str::to_owned),
            _ => None,
        })
        .collect()
}
