//! Lists of the jobs whose metadata has certain values.

use lectern_domain::{
    JobFilter, JobOrder, JobPageRequest, JobStatus, JobUpdate, JsonObject, MetadataFilter,
    ObjectUpdate,
};
use lectern_tests::{Backend, TestDb, a_job, on_both_backends};
use serde_json::{Value, json};

use super::job_list::{any, first, names};
use crate::many_jobs::{insert_jobs, plan_of, plans_of};

on_both_backends!(
    jobs_are_filtered_by_their_metadata,
    large_numbers_in_metadata_are_told_apart,
    a_list_of_a_rare_value_of_metadata_reads_an_index,
    a_common_value_of_metadata_is_listed_in_order,
    the_index_of_metadata_follows_all_changes,
    the_index_of_metadata_has_the_jobs_from_before_it,
);

fn jobs_are_filtered_by_their_metadata(db: TestDb) {
    let metadata = |i: usize| {
        [
            json!({ "course": "ML 101", "year": 2026, "public": true, "room": null }),
            json!({ "course": "ml 101", "year": "2026", "public": "true", "room": "null" }),
            json!({ "course": ["ML 101"], "year": 2026.0, "public": 1 }),
            json!({ "nested": { "course": "ML 101" }, "ratio": 0.1, "large": 1e300 }),
            json!({ "a.b": "dotted", "": "empty", "quo\"te'": "q\"'\\%_", "long": i64::MAX, "big": 1e16 }),
            json!({}),
        ][i]
            .clone()
    };
    for i in 0..6 {
        let job = a_job().filename(&i.to_string()).extra_metadata(metadata(i));
        job.create(&db);
    }
    let found = |pairs: &[(&str, &str)]| {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()));
        let filter = JobFilter {
            metadata: MetadataFilter::new(pairs.collect()).unwrap(),
            ..any()
        };
        let mut found = first(&db, &filter, 100);
        found.items.reverse();
        let count = db.read(|conn| conn.jobs().count(&filter)).unwrap();
        assert_eq!(usize::try_from(count), Ok(found.items.len()));
        names(&found).concat()
    };
    for (key, value, expected) in [
        ("course", "ML 101", "0"),
        ("course", "ML", ""),
        ("course", "", ""),
        ("year", "2026", "012"),
        ("year", "2026.0", "02"),
        ("year", "2.026e3", "02"),
        ("year", "2027", ""),
        ("public", "true", "01"),
        ("public", "1", "2"),
        ("public", "false", ""),
        // White space is a part of a text.
        ("public", "true ", ""),
        ("year", " 2026", ""),
        ("year", "2026.0\n", ""),
        ("room", "null", "01"),
        ("nested", "course", ""),
        ("nested.course", "ML 101", ""),
        ("ratio", "0.10", "3"),
        ("large", "1e300", "3"),
        ("long", "9223372036854775807", "4"),
        ("big", "1e16", "4"),
        ("big", "10000000000000000", "4"),
        ("big", "10000000000000001", ""),
        ("a.b", "dotted", "4"),
        ("", "empty", "4"),
        ("quo\"te'", "q\"'\\%_", "4"),
        ("unknown", "1", ""),
        ("$", "1", ""),
    ] {
        assert_eq!(found(&[(key, value)]), expected, "{key}={value}");
    }
    assert_eq!(found(&[("course", "ML 101"), ("year", "2026")]), "0");
    assert_eq!(found(&[("course", "ML 101"), ("year", "1")]), "");
    assert_eq!(found(&[]), "012345");
}

/// SQLite reads integers beyond 64 bits with sign as floats, PostgreSQL reads all numbers as
/// decimals.
fn large_numbers_in_metadata_are_told_apart(db: TestDb) {
    // Each row has different numbers, although those of a row are the same float.
    const NUMBERS: &[&[&str]] = &[
        &[
            "9223372036854775807",
            "9223372036854775808",
            "9223372036854776000",
        ],
        &["-9223372036854775808", "-9.223372036854776e18"],
        &[
            "18446744073709551614",
            "18446744073709551615",
            "1.8446744073709552e19",
        ],
        &["9007199254740992", "9007199254740993"],
    ];
    for key in ["n", "a.b", "", "quo\"te", "back\\slash", "Σ[0]"] {
        for numbers in NUMBERS {
            for number in *numbers {
                let extra = json!({ key: serde_json::from_str::<Value>(number).unwrap() });
                a_job().filename(number).extra_metadata(extra).create(&db);
            }
        }
        for number in NUMBERS.concat() {
            let found = first(&db, &with_metadata(key, number), 100);
            assert_eq!(names(&found), [number], "{key}");
        }
    }
}

/// Jobs whose metadata has their number as `n`, and the same `term`.
fn numbered_jobs(db: &TestDb, count: usize) {
    let object = match db.backend() {
        Backend::Postgres => "jsonb_build_object('n', i, 'term', 'summer')",
        Backend::Sqlite => "json_object('n', i, 'term', 'summer')",
    };
    insert_jobs(db, count, "extra_metadata", object);
    if db.backend() == Backend::Postgres {
        db.sql().execute("VACUUM ANALYZE jobs").unwrap();
    }
}

fn with_metadata(key: &str, value: &str) -> JobFilter {
    let values = [(key.to_owned(), value.to_owned())];
    JobFilter {
        metadata: MetadataFilter::new(values.into()).unwrap(),
        ..any()
    }
}

fn a_list_of_a_rare_value_of_metadata_reads_an_index(db: TestDb) {
    numbered_jobs(&db, 5_000);
    let mut sql = db.sql();
    let rare = JobFilter {
        statuses: vec![JobStatus::Queued, JobStatus::Failed],
        ..with_metadata("n", "77")
    };
    for filter in [with_metadata("n", "77"), with_metadata("n", "0"), rare] {
        for order in JobOrder::ALL.iter().copied() {
            let page = JobPageRequest {
                order,
                ..JobPageRequest::default()
            };
            let plans = plans_of(&mut sql, || {
                db.read(|conn| conn.jobs().list_summaries(&filter, page, true))
                    .unwrap()
            });
            let (of_metadata, of_ids) = match db.backend() {
                Backend::Postgres => ("jobs_extra_metadata_idx", "jobs_pkey"),
                Backend::Sqlite => (
                    "SEARCH job_metadata USING PRIMARY KEY (key=? AND value=?)",
                    "SEARCH jobs USING INTEGER PRIMARY KEY",
                ),
            };
            let what = format!("{filter:?} {order}: {plans:#?}");
            assert!(plans[0].contains(of_metadata), "{what}");
            // PostgreSQL reads nothing if there is no candidate, and the index of another order
            // if that is empty.
            let last = plans.last().unwrap();
            let is_fast = last.contains(of_ids) || last.contains("One-Time Filter: false");
            assert!(is_fast, "{what}");
            for plan in &plans {
                assert!(
                    !plan.contains("Seq Scan") && !plan.contains("SCAN jobs"),
                    "{what}"
                );
            }
        }
    }
}

fn a_common_value_of_metadata_is_listed_in_order(db: TestDb) {
    numbered_jobs(&db, 2_500);
    let filter = with_metadata("term", "summer");
    let plan = plan_of(&mut db.sql(), || first(&db, &filter, 10));
    assert!(plan.contains("jobs_created_at_idx"), "{plan}");
    assert!(
        !plan.contains("Sort") && !plan.contains("TEMP B-TREE"),
        "{plan}"
    );
    let count = |filter| db.read(|conn| conn.jobs().count(filter)).unwrap();
    assert_eq!(count(&filter), 2_500);
    // The second value is the rarer one.
    let both = [("n", "2499"), ("term", "summer")];
    let both = both.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let both = JobFilter {
        metadata: MetadataFilter::new(both.into()).unwrap(),
        ..any()
    };
    assert_eq!(count(&both), 1);
}

fn the_index_of_metadata_follows_all_changes(db: TestDb) {
    let long = "x".repeat(150);
    let [first_long, other_long] = ["a", "b"].map(|end| format!("{long}{end}"));
    let create = |filename: &str, metadata| {
        let job = a_job().filename(filename).extra_metadata(metadata);
        job.create(&db).job_id
    };
    let a = create("a", json!({ "k": first_long, "n": 1, "o": { "k": "v" } }));
    let b = create("b", json!({ "k": other_long, "n": 1.5, "public": true }));
    let c = create("c", json!({}));
    let found = |key: &str, value: &str| {
        let mut found = first(&db, &with_metadata(key, value), 10);
        found.items.reverse();
        names(&found).concat()
    };
    assert_eq!(found("k", &first_long), "a");
    assert_eq!(found("k", &other_long), "b");
    assert_eq!(found("k", &long[..100]), "");

    let change = |job_id, metadata| {
        let update = JobUpdate {
            extra_metadata: Some(ObjectUpdate::Replace(
                JsonObject::try_from(metadata).unwrap(),
            )),
            ..JobUpdate::default()
        };
        db.write(|tx| tx.jobs().update(job_id, &update, None))
            .unwrap();
    };
    change(a, json!({ "k": other_long }));
    change(c, json!({ "k": "v" }));
    assert_eq!(found("k", &first_long), "");
    assert_eq!(found("k", &other_long), "ab");
    assert_eq!(found("n", "1"), "");
    assert_eq!(found("k", "v"), "c");
    change(c, json!({}));
    assert_eq!(found("k", "v"), "");
    db.sql()
        .execute(
            "UPDATE jobs SET extra_metadata = '{\"by\": \"another program\"}' WHERE filename = 'c'",
        )
        .unwrap();
    assert_eq!(found("by", "another program"), "c");
    if db.backend() == Backend::Sqlite {
        assert_eq!(db.sql().count("job_metadata"), 5);
    }
    for job_id in [a, b, c] {
        db.write(|tx| tx.jobs().delete(job_id)).unwrap();
    }
    if db.backend() == Backend::Sqlite {
        assert_eq!(db.sql().count("job_metadata"), 0);
    }
}

fn the_index_of_metadata_has_the_jobs_from_before_it(db: TestDb) {
    let long = "y".repeat(101);
    let metadata = json!({ "k": "v", "n": 1.5, "yes": true, "none": null, "long": long, "o": {} });
    a_job().filename("a").extra_metadata(metadata).create(&db);
    while !db.migrations().down(1).unwrap()[0].ends_with("_index_metadata") {}
    db.migrations().up().unwrap();
    let pairs = [
        ("k", "v"),
        ("n", "1.5"),
        ("yes", "true"),
        ("none", "null"),
        ("long", &long),
    ];
    for (key, value) in pairs {
        assert_eq!(
            names(&first(&db, &with_metadata(key, value), 10)),
            ["a"],
            "{key}"
        );
    }
    if db.backend() == Backend::Sqlite {
        assert_eq!(db.sql().count("job_metadata"), 5);
    }
}
