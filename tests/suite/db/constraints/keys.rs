//! Unique constraints and foreign keys.

use diesel::result::{DatabaseErrorKind as Kind, Error};
use lectern_tests::{TestDb, on_both_backends};

use super::checks::{insert, insert_parents, remove, violated_constraint};
use super::rules::{IDS, JOB, NEW_ID, OTHER_ID, SEGMENT, UNKNOWN_JOB, VALID_ROWS};

on_both_backends!(
    public_ids_are_unique,
    orders_are_unique_per_job,
    a_job_has_at_most_one_layout,
    a_job_has_at_most_one_run_of_each_stage,
    lease_ids_are_unique,
    event_numbers_are_unique_per_job,
    idempotency_keys_are_unique_and_case_sensitive,
    a_row_of_an_unknown_job_is_rejected,
    deleting_a_job_deletes_its_rows_and_deleting_a_segment_keeps_its_clips,
);

fn is_unique(refused: &Result<usize, Error>) -> bool {
    matches!(refused, Err(Error::DatabaseError(Kind::UniqueViolation, _)))
}

fn public_ids_are_unique(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    for (table, id) in IDS {
        let first = (*id, OTHER_ID);
        insert(&mut sql, table, &[first]).unwrap();
        // Other unique columns differ, so that the id violates its constraint.
        let second: &[(&str, &str)] = match *table {
            "content_segments" => &[first, ("segment_order", "7")],
            "clips" => &[first, ("clip_order", "7")],
            "stage_runs" => &[first, ("stage", "'compilation'"), ("lease_id", OTHER_ID)],
            "layout_analysis" => {
                insert(&mut sql, "jobs", &[]).unwrap();
                &[first, ("job_id", NEW_ID)]
            }
            _ => &[first],
        };
        assert!(is_unique(&insert(&mut sql, table, second)), "{table}");
    }
}

fn orders_are_unique_per_job(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    insert(&mut sql, "jobs", &[]).unwrap();
    for (table, id) in [("content_segments", "segment_id"), ("clips", "clip_id")] {
        insert(&mut sql, table, &[]).unwrap();
        assert!(
            is_unique(&insert(&mut sql, table, &[(id, OTHER_ID)])),
            "{table}"
        );
        insert(&mut sql, table, &[(id, OTHER_ID), ("job_id", NEW_ID)]).unwrap();
    }
}

fn a_job_has_at_most_one_layout(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    insert(&mut sql, "layout_analysis", &[]).unwrap();
    assert!(is_unique(&insert(
        &mut sql,
        "layout_analysis",
        &[("layout_id", OTHER_ID)]
    )));
}

fn a_job_has_at_most_one_run_of_each_stage(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    insert(&mut sql, "jobs", &[]).unwrap();
    insert(&mut sql, "stage_runs", &[]).unwrap();
    let another = [("run_id", OTHER_ID), ("lease_id", OTHER_ID)];
    assert!(is_unique(&insert(&mut sql, "stage_runs", &another)));
    insert(
        &mut sql,
        "stage_runs",
        &[another[0], another[1], ("job_id", NEW_ID)],
    )
    .unwrap();
}

fn lease_ids_are_unique(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    insert(&mut sql, "stage_runs", &[]).unwrap();
    let another = [("run_id", OTHER_ID), ("stage", "'compilation'")];
    assert!(is_unique(&insert(&mut sql, "stage_runs", &another)));
    insert(
        &mut sql,
        "stage_runs",
        &[another[0], another[1], ("lease_id", OTHER_ID)],
    )
    .unwrap();
}

fn event_numbers_are_unique_per_job(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    insert(&mut sql, "jobs", &[]).unwrap();
    insert(&mut sql, "job_events", &[]).unwrap();
    assert!(is_unique(&insert(
        &mut sql,
        "job_events",
        &[("type", "'stage'")]
    )));
    insert(&mut sql, "job_events", &[("seq", "2")]).unwrap();
    insert(&mut sql, "job_events", &[("job_id", NEW_ID)]).unwrap();
}

fn idempotency_keys_are_unique_and_case_sensitive(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    insert(&mut sql, "idempotency_keys", &[]).unwrap();
    assert!(is_unique(&insert(
        &mut sql,
        "idempotency_keys",
        &[("job_id", "NULL")]
    )));
    insert(&mut sql, "idempotency_keys", &[("key", "'A'")]).unwrap();
}

/// The tables whose rows belong to a job. Deletions and records of imports remain when their
/// jobs do not.
fn tables_of_jobs() -> impl Iterator<Item = &'static str> {
    let rows = VALID_ROWS.iter();
    rows.filter(|(_, row)| row.iter().any(|(column, _)| *column == "job_id"))
        .map(|(table, _)| *table)
        .filter(|table| !["jobs", "job_deletions", "imported_jobs"].contains(table))
}

fn a_row_of_an_unknown_job_is_rejected(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    for table in tables_of_jobs() {
        insert(&mut sql, table, &[]).unwrap();
        remove(&mut sql, table);
        let (kind, _) =
            violated_constraint(insert(&mut sql, table, &[("job_id", UNKNOWN_JOB)]).unwrap_err());
        assert!(
            matches!(kind, Kind::ForeignKeyViolation),
            "{table}: {kind:?}"
        );
        // A key is stored before its job.
        if table != "idempotency_keys" {
            assert!(
                insert(&mut sql, table, &[("job_id", "NULL")]).is_err(),
                "{table}"
            );
        }
    }
}

fn deleting_a_job_deletes_its_rows_and_deleting_a_segment_keeps_its_clips(db: TestDb) {
    let mut sql = db.sql();
    insert_parents(&mut sql);
    for table in tables_of_jobs() {
        insert(&mut sql, table, &[]).unwrap();
    }
    insert(
        &mut sql,
        "clips",
        &[
            ("clip_id", OTHER_ID),
            ("clip_order", "1"),
            ("content_segment_id", SEGMENT),
        ],
    )
    .unwrap();
    sql.execute(&format!(
        "DELETE FROM content_segments WHERE segment_id = {SEGMENT}"
    ))
    .unwrap();
    let left = sql.rows("SELECT CAST(content_segment_id AS TEXT) FROM clips");
    assert_eq!(left, [[None], [None]]);
    sql.execute(&format!("DELETE FROM jobs WHERE job_id = {JOB}"))
        .unwrap();
    for table in tables_of_jobs().chain(["jobs"]) {
        assert_eq!(sql.count(table), 0, "{table}");
    }
}
