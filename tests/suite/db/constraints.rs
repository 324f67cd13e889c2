//! Every rule of the data model, broken with raw SQL. A rule is a column, a
//! value that is just good enough and one that is not, so that each row of the
//! table below is able to fail.

use std::collections::BTreeSet;

use diesel::result::{DatabaseErrorKind as Kind, Error};
use lectern_domain::{JobFilter, PageRequest};
use lectern_tests::{Backend, Sql, TestDb, on_both_backends};

use super::rules::{GOOD, IDS, JOB, NEW, NO_JOB, RULES, SEGMENT, TAKEN, Values};

fn good(table: &str) -> Values {
    GOOD.iter().find(|(name, _)| *name == table).unwrap().1
}

/// An INSERT of the good row with some values exchanged or added.
fn insert(sql: &mut Sql, table: &str, exchanged: &[(&str, &str)]) -> Result<usize, Error> {
    let mut row: Vec<(&str, &str)> = good(table).to_vec();
    for (column, value) in exchanged {
        row.retain(|(name, _)| name != column);
        row.push((column, value));
    }
    let columns: Vec<_> = row
        .iter()
        .map(|(column, _)| format!("\"{column}\""))
        .collect();
    let values: Vec<_> = row
        .iter()
        .map(|(_, value)| literal(sql.backend(), value))
        .collect();
    sql.execute(&format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        values.join(", ")
    ))
}

fn literal(backend: Backend, value: &str) -> String {
    if let Some(length) = value
        .strip_prefix("text(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return format!("'{}'", "é".repeat(length.parse().unwrap()));
    }
    let name = match (backend, value) {
        (Backend::Postgres, "infinity" | "-infinity" | "nan") => return format!("'{value}'"),
        (Backend::Sqlite, "infinity") => "9e999",
        (Backend::Sqlite, "-infinity") => "-9e999",
        // What arithmetic on SQLite calls "not a number".
        (Backend::Sqlite, "nan") => "(9e999 - 9e999)",
        _ => value,
    };
    name.to_owned()
}

/// The rule that refused, as its database names it.
fn rule(refused: Error) -> (Kind, String) {
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

/// A job, and a content segment of it.
fn parents(sql: &mut Sql) {
    insert(sql, "jobs", &[("job_id", JOB)]).unwrap();
    let segment = [("segment_id", SEGMENT), ("segment_order", "1000")];
    insert(sql, "content_segments", &segment).unwrap();
}

fn remove(sql: &mut Sql, table: &str) {
    let (id, value) = good(table)
        .iter()
        .find(|(column, _)| IDS.contains(&(table, column)))
        .unwrap();
    assert_eq!(
        sql.execute(&format!("DELETE FROM {table} WHERE {id} = {value}"))
            .unwrap(),
        1
    );
}

/// Breaks every rule of `RULES`; answers the names of those that refused.
fn break_every_rule(sql: &mut Sql) -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    for (table, column, kept, refused) in RULES {
        insert(sql, table, &[(column, kept)])
            .unwrap_or_else(|error| panic!("{table}.{column} = {kept}: {error}"));
        remove(sql, table);
        for value in *refused {
            match insert(sql, table, &[(column, value)]) {
                Err(error) => drop(broken.insert(rule(error).1)),
                // SQLite stores a NaN as NULL, which is what a column that may be null is for.
                Ok(_) if sql.backend() == Backend::Sqlite && *value == "nan" => remove(sql, table),
                Ok(_) => panic!("{table}.{column} = {value} was stored"),
            }
        }
    }
    broken
}

fn is_unique(refused: &Result<usize, Error>) -> bool {
    matches!(refused, Err(Error::DatabaseError(Kind::UniqueViolation, _)))
}

on_both_backends! {
    fn a_row_that_keeps_every_rule_is_stored(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        for (table, _) in GOOD {
            insert(&mut sql, table, &[]).unwrap();
        }
    }

    fn a_row_that_breaks_a_rule_is_refused(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        break_every_rule(&mut sql);
        for (table, _) in GOOD {
            let left = u64::from(["jobs", "content_segments"].contains(table));
            assert_eq!(sql.count(table), left, "{table}");
        }
    }

    fn there_is_no_check_that_no_test_breaks(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        let mut broken = break_every_rule(&mut sql);
        let completed = insert(&mut sql, "jobs", &[("status", "'completed'")]);
        broken.insert(rule(completed.unwrap_err()).1);
        // SQLite keeps ids and times as text, so it checks what they look like.
        for (table, id) in IDS {
            broken.extend(insert(&mut sql, table, &[(id, "'00000000'")]).map_err(|error| rule(error).1).err());
            let created = insert(&mut sql, table, &[("created_at", "'not a time'")]);
            broken.insert(rule(created.unwrap_err()).1);
        }
        let completed = [("status", "'completed'"), ("completed_at", "'not a time'")];
        broken.insert(rule(insert(&mut sql, "jobs", &completed).unwrap_err()).1);

        let unbroken: Vec<_> = checks(&mut sql).into_iter().filter(|name| !broken.contains(name)).collect();
        assert_eq!(unbroken, [""; 0]);
    }

    fn a_public_id_is_given_once(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        for (table, id) in IDS {
            let first = [(*id, TAKEN)];
            insert(&mut sql, table, &first).unwrap();
            let order = match *table {
                "content_segments" => ("segment_order", "7"),
                "clips" => ("clip_order", "7"),
                "layout_analysis" => {
                    insert(&mut sql, "jobs", &[]).unwrap();
                    ("job_id", NEW)
                }
                _ => first[0],
            };
            assert!(is_unique(&insert(&mut sql, table, &[first[0], order])), "{table}");
        }
    }

    fn orders_are_unique_within_a_job_and_free_between_jobs(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        insert(&mut sql, "jobs", &[]).unwrap();
        for (table, id) in [("content_segments", "segment_id"), ("clips", "clip_id")] {
            insert(&mut sql, table, &[]).unwrap();
            assert!(is_unique(&insert(&mut sql, table, &[(id, TAKEN)])), "{table}");
            insert(&mut sql, table, &[(id, TAKEN), ("job_id", NEW)]).unwrap();
        }
    }

    fn a_job_has_one_layout_at_most(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        insert(&mut sql, "layout_analysis", &[]).unwrap();
        assert!(is_unique(&insert(&mut sql, "layout_analysis", &[("layout_id", TAKEN)])));
    }

    fn no_row_belongs_to_a_job_that_is_not_there(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        for (table, _) in GOOD.iter().filter(|(table, _)| *table != "jobs") {
            insert(&mut sql, table, &[]).unwrap();
            remove(&mut sql, table);
            let (kind, _) = rule(insert(&mut sql, table, &[("job_id", NO_JOB)]).unwrap_err());
            assert!(matches!(kind, Kind::ForeignKeyViolation), "{table}: {kind:?}");
            assert!(insert(&mut sql, table, &[("job_id", "NULL")]).is_err(), "{table}");
        }
    }

    fn a_deleted_job_takes_its_rows_with_it_and_a_deleted_segment_leaves_its_clips(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        for (table, _) in GOOD.iter().filter(|(table, _)| *table != "jobs") {
            insert(&mut sql, table, &[]).unwrap();
        }
        insert(&mut sql, "clips", &[("clip_id", TAKEN), ("clip_order", "1"), ("content_segment_id", SEGMENT)]).unwrap();
        sql.execute(&format!("DELETE FROM content_segments WHERE segment_id = {SEGMENT}")).unwrap();
        let left = sql.rows("SELECT CAST(content_segment_id AS TEXT) FROM clips");
        assert_eq!(left, [[None], [None]]);
        sql.execute(&format!("DELETE FROM jobs WHERE job_id = {JOB}")).unwrap();
        for (table, _) in GOOD {
            assert_eq!(sql.count(table), 0, "{table}");
        }
    }

    fn a_job_is_completed_if_and_only_if_it_has_a_time_of_completion(db: TestDb) {
        let mut sql = db.sql();
        let time = ("completed_at", "'2026-01-01T00:00:00.000000Z'");
        insert(&mut sql, "jobs", &[("status", "'completed'"), time]).unwrap();
        remove(&mut sql, "jobs");
        assert!(insert(&mut sql, "jobs", &[("status", "'completed'")]).is_err());
        assert!(insert(&mut sql, "jobs", &[("status", "'running'"), time]).is_err());
    }

    fn a_filename_alone_makes_a_row_and_the_database_fills_in_the_rest(db: TestDb) {
        let mut sql = db.sql();
        sql.execute("INSERT INTO jobs (filename) VALUES ('lecture.mp4')").unwrap();
        let row = sql.rows(
            "SELECT content_type, status, CAST(progress_percent AS INTEGER), version, video_metadata, extra_metadata FROM jobs",
        );
        let row: Vec<_> = row[0].iter().map(|value| value.as_deref().unwrap()).collect();
        assert_eq!(row, ["video/mp4", "queued", "0", "1", "{}", "{}"]);
        let jobs = db.read(|conn| conn.jobs().list(&JobFilter::default(), PageRequest::default()));
        assert_eq!(jobs.unwrap().items[0].filename.as_str(), "lecture.mp4");
    }

    fn a_duration_cannot_be_written(db: TestDb) {
        let mut sql = db.sql();
        parents(&mut sql);
        for table in ["silence_regions", "content_segments", "clips"] {
            assert!(insert(&mut sql, table, &[("duration", "1")]).is_err(), "{table}");
            insert(&mut sql, table, &[]).unwrap();
            assert_eq!(sql.value(&format!("SELECT CAST(duration AS INTEGER) FROM {table} WHERE end_time = 2 LIMIT 1")), "1");
        }
    }
}

/// The names of all CHECKs, as the database has them. SQLite's triggers name
/// theirs in the message.
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
        .filter_map(|three| match three {
            ["CONSTRAINT", name, "CHECK"] => Some(name.to_string()),
            [_, "failed:", name] => Some(name.trim_end_matches("');").to_owned()),
            _ => None,
        })
        .collect()
}
