//! What is there once, and what goes with what.

use diesel::result::{DatabaseErrorKind as Kind, Error};
use lectern_tests::{TestDb, on_both_backends};

use super::checks::{insert, parents, remove, rule};
use super::rules::{GOOD, IDS, JOB, NEW, NO_JOB, SEGMENT, TAKEN};

on_both_backends!(
    a_public_id_is_given_once,
    orders_are_unique_within_a_job_and_free_between_jobs,
    a_job_has_one_layout_at_most,
    a_job_has_one_run_of_each_stage,
    a_lease_is_given_once,
    the_number_of_an_event_is_given_once_within_a_job,
    an_idempotency_key_is_taken_once_to_the_letter,
    no_row_belongs_to_a_job_that_is_not_there,
    a_deleted_job_takes_its_rows_with_it_and_a_deleted_segment_leaves_its_clips,
);

fn is_unique(refused: &Result<usize, Error>) -> bool {
    matches!(refused, Err(Error::DatabaseError(Kind::UniqueViolation, _)))
}

fn a_public_id_is_given_once(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    for (table, id) in IDS {
        let first = (*id, TAKEN);
        insert(&mut sql, table, &[first]).unwrap();
        // What else is unique differs, so that it is the id that is refused.
        let second: &[(&str, &str)] = match *table {
            "content_segments" => &[first, ("segment_order", "7")],
            "clips" => &[first, ("clip_order", "7")],
            "stage_runs" => &[first, ("stage", "'compilation'"), ("lease_id", TAKEN)],
            "layout_analysis" => {
                insert(&mut sql, "jobs", &[]).unwrap();
                &[first, ("job_id", NEW)]
            }
            _ => &[first],
        };
        assert!(is_unique(&insert(&mut sql, table, second)), "{table}");
    }
}

fn orders_are_unique_within_a_job_and_free_between_jobs(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    insert(&mut sql, "jobs", &[]).unwrap();
    for (table, id) in [("content_segments", "segment_id"), ("clips", "clip_id")] {
        insert(&mut sql, table, &[]).unwrap();
        assert!(
            is_unique(&insert(&mut sql, table, &[(id, TAKEN)])),
            "{table}"
        );
        insert(&mut sql, table, &[(id, TAKEN), ("job_id", NEW)]).unwrap();
    }
}

fn a_job_has_one_layout_at_most(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    insert(&mut sql, "layout_analysis", &[]).unwrap();
    assert!(is_unique(&insert(
        &mut sql,
        "layout_analysis",
        &[("layout_id", TAKEN)]
    )));
}

fn a_job_has_one_run_of_each_stage(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    insert(&mut sql, "jobs", &[]).unwrap();
    insert(&mut sql, "stage_runs", &[]).unwrap();
    let another = [("run_id", TAKEN), ("lease_id", TAKEN)];
    assert!(is_unique(&insert(&mut sql, "stage_runs", &another)));
    insert(
        &mut sql,
        "stage_runs",
        &[another[0], another[1], ("job_id", NEW)],
    )
    .unwrap();
}

fn a_lease_is_given_once(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    insert(&mut sql, "stage_runs", &[]).unwrap();
    let another = [("run_id", TAKEN), ("stage", "'compilation'")];
    assert!(is_unique(&insert(&mut sql, "stage_runs", &another)));
    insert(
        &mut sql,
        "stage_runs",
        &[another[0], another[1], ("lease_id", TAKEN)],
    )
    .unwrap();
}

fn the_number_of_an_event_is_given_once_within_a_job(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    insert(&mut sql, "jobs", &[]).unwrap();
    insert(&mut sql, "job_events", &[]).unwrap();
    assert!(is_unique(&insert(
        &mut sql,
        "job_events",
        &[("type", "'stage'")]
    )));
    insert(&mut sql, "job_events", &[("seq", "2")]).unwrap();
    insert(&mut sql, "job_events", &[("job_id", NEW)]).unwrap();
}

fn an_idempotency_key_is_taken_once_to_the_letter(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    insert(&mut sql, "idempotency_keys", &[]).unwrap();
    assert!(is_unique(&insert(
        &mut sql,
        "idempotency_keys",
        &[("job_id", "NULL")]
    )));
    insert(&mut sql, "idempotency_keys", &[("key", "'A'")]).unwrap();
}

fn no_row_belongs_to_a_job_that_is_not_there(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    for (table, _) in GOOD.iter().filter(|(table, _)| *table != "jobs") {
        insert(&mut sql, table, &[]).unwrap();
        remove(&mut sql, table);
        let (kind, _) = rule(insert(&mut sql, table, &[("job_id", NO_JOB)]).unwrap_err());
        assert!(
            matches!(kind, Kind::ForeignKeyViolation),
            "{table}: {kind:?}"
        );
        // A key is taken before its job is made.
        if *table != "idempotency_keys" {
            assert!(
                insert(&mut sql, table, &[("job_id", "NULL")]).is_err(),
                "{table}"
            );
        }
    }
}

fn a_deleted_job_takes_its_rows_with_it_and_a_deleted_segment_leaves_its_clips(db: TestDb) {
    let mut sql = db.sql();
    parents(&mut sql);
    for (table, _) in GOOD.iter().filter(|(table, _)| *table != "jobs") {
        insert(&mut sql, table, &[]).unwrap();
    }
    insert(
        &mut sql,
        "clips",
        &[
            ("clip_id", TAKEN),
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
    for (table, _) in GOOD {
        assert_eq!(sql.count(table), 0, "{table}");
    }
}
