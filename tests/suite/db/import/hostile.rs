//! Rows that break the rules of the domain: each is mapped or dropped, and noted.

use lectern_db::{Database, ImportAction, ImportError, ImportMode};
use lectern_domain::{Percent, Ratio};
use lectern_tests::{Backend, EmptyDb, Fixture as _, Sql, TestDb, on_both_backends};
use serde_json::json;

use super::source::SourceDb;
use super::{import, imported, of, results};

on_both_backends!(
    rows_without_a_job_are_dropped,
    times_that_are_no_range_drop_the_row,
    numbers_out_of_range_are_mapped,
    json_of_another_kind_is_kept_in_an_object,
    times_out_of_range_are_mapped,
    duplicate_ids_have_a_new_id,
    a_job_twice_is_imported_once,
    huge_texts_are_cut,
    nul_is_replaced,
    a_database_without_jobs_is_an_error,
    tables_may_be_missing,
);

fn rows_without_a_job_are_dropped(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("b", &[]);
    for job in ["a", "b", "c"] {
        source.segment(job, job, &[]);
        source.clip(job, job, &[]);
    }
    source.segment("none", "", &[("job_id", "NULL")]);
    source.insert("jobs", &[("id", "17"), ("filename", "'no id'")]);
    let (summary, notes) = import(&source, &db);
    let gone = "its job does not exist";
    assert_eq!(
        of(&notes, "transcripts", ImportAction::Dropped),
        [("none", "", gone), ("a", "", gone), ("c", "", gone)]
    );
    assert_eq!(
        of(&notes, "jobs", ImportAction::Dropped),
        [("17", "", "it has no id")]
    );
    let counts = summary.tables["transcripts"];
    assert_eq!((counts.read, counts.added, counts.dropped), (4, 1, 3));
    assert_eq!(results(&db, "b").clips.len(), 1);
}

fn times_that_are_no_range_drop_the_row(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("j", &[]);
    let dropped = [
        ("nan", "'NaN'", "1"),
        ("inf", "0", "'Infinity'"),
        ("null", "NULL", "1"),
        ("reversed", "3", "1"),
    ];
    for (id, start, end) in dropped {
        source.segment(id, "j", &[("start_time", start), ("end_time", end)]);
    }
    source.segment("blank", "j", &[("text", "' '")]);
    source.segment("negative", "j", &[("start_time", "-1"), ("end_time", "1")]);
    source.clip("wrong", "j", &[("duration", "-2")]);
    let (_, notes) = import(&source, &db);
    let mut ids: Vec<_> = of(&notes, "transcripts", ImportAction::Dropped)
        .into_iter()
        .map(|(id, ..)| id)
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["blank", "inf", "nan", "null", "reversed"]);
    let results = results(&db, "j");
    assert_eq!(results.transcript.len(), 1);
    assert_eq!(json!(results.transcript[0].time.start()), json!(0.0));
    assert_eq!(json!(results.clips[0].time.duration()), json!(2.0));
    assert_eq!(of(&notes, "clips", ImportAction::Changed)[0].1, "duration");
}

fn numbers_out_of_range_are_mapped(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let numbers = [
        ("file_size", "-5"),
        ("progress_percent", "'NaN'"),
        ("eta_seconds", "-1"),
        ("status", "'failed'"),
        ("completed_at", "NULL"),
        ("current_stage", "'compilation'"),
    ];
    source.job("j", &numbers);
    source.segment("s", "j", &[("confidence", "1.5")]);
    source.segment("t", "j", &[("confidence", "'NaN'"), ("start_time", "1")]);
    let (_, notes) = import(&source, &db);
    let results = results(&db, "j");
    assert_eq!(results.job.file_size, None);
    assert_eq!(
        results.job.progress.unwrap().progress.percent,
        Percent::new(0.0).unwrap()
    );
    assert_eq!(
        results.transcript[0].confidence,
        Some(Ratio::new(1.0).unwrap())
    );
    assert_eq!(results.transcript[1].confidence, None);
    assert_eq!(notes.len(), 5, "{notes:?}");
}

fn json_of_another_kind_is_kept_in_an_object(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let deep = format!("'{}1{}'", r#"{"a":"#.repeat(70), "}".repeat(70));
    for (id, json) in [
        ("list", "'[1, 2]'"),
        ("null", "'null'"),
        ("number", r#"'{"a": 1e400}'"#),
        ("legacy", r#"'{"legacy_id": 7}'"#),
        ("deep", deep.as_str()),
    ] {
        source.job(id, &[("extra_metadata", json)]);
    }
    import(&source, &db);
    let metadata = |id| imported(&db, id).extra_metadata.get().clone();
    assert_eq!(metadata("list")["legacy_value"], serde_json::json!([1, 2]));
    assert_eq!(metadata("null").len(), 1);
    assert_eq!(metadata("number")["legacy_value"], r#"{"a": 1e400}"#);
    assert_eq!(metadata("legacy")["legacy_legacy_id"], 7);
    assert_eq!(metadata("deep").len(), 1);
}

fn times_out_of_range_are_mapped(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("infinity", &[("created_at", "'infinity'")]);
    source.job("far", &[("created_at", "'20000-01-01 00:00:00'")]);
    source.job("before", &[("created_at", "'0044-03-15 00:00:00 BC'")]);
    let none = [
        ("created_at", "NULL"),
        ("updated_at", "NULL"),
        ("completed_at", "NULL"),
    ];
    source.job("none", &none);
    let (_, notes) = import(&source, &db);
    for id in ["infinity", "far", "before"] {
        let job = imported(&db, id);
        assert_eq!(job.created_at, job.updated_at, "{id}");
        assert!(
            notes
                .iter()
                .any(|note| note.id == id && note.column == Some("created_at"))
        );
    }
    assert_eq!(imported(&db, "none").created_at, db.now());
}

fn duplicate_ids_have_a_new_id(db: TestDb) {
    let source = SourceDb::on(db.backend());
    for job in ["a", "b"] {
        source.job(job, &[]);
        source.segment("same", job, &[]);
        source.segment("same", job, &[("start_time", "1")]);
        source.insert(
            "content_segments",
            &[
                ("segment_id", "'same'"),
                ("job_id", &format!("'{job}'")),
                ("start_time", "0"),
                ("end_time", "1"),
                ("topic", "'t'"),
                ("segment_order", "0"),
            ],
        );
        source.clip("same", job, &[("content_segment_id", "'same'")]);
    }
    let (_, notes) = import(&source, &db);
    let changed = of(&notes, "transcripts", ImportAction::Changed);
    assert_eq!(changed.len(), 3, "{notes:?}");
    for job in ["a", "b"] {
        let results = results(&db, job);
        assert_eq!(results.transcript.len(), 2);
        let job_id = results.job.job_id;
        let segments = db
            .read(|conn| conn.content_segments().for_job(job_id))
            .unwrap();
        assert_eq!(
            results.clips[0].content_segment_id,
            Some(segments[0].segment_id)
        );
    }
    let (summary, _) = import(&source, &db);
    assert_eq!(summary.tables["transcripts"].added, 0);
}

fn a_job_twice_is_imported_once(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("a", &[("id", "1"), ("filename", "'first'")]);
    source.job("a", &[("id", "2"), ("filename", "'second'")]);
    source.segment("s", "a", &[]);
    let (_, notes) = import(&source, &db);
    assert_eq!(imported(&db, "a").filename.as_str(), "first");
    assert_eq!(results(&db, "a").transcript.len(), 1);
    assert_eq!(
        of(&notes, "jobs", ImportAction::Dropped),
        [("a", "", "another job has this id")]
    );
}

fn huge_texts_are_cut(db: TestDb) {
    let source = SourceDb::on(db.backend());
    let huge = match db.backend() {
        Backend::Postgres => "repeat('x', 3000000)",
        Backend::Sqlite => "replace(hex(zeroblob(1500000)), '0', 'x')",
    };
    source.job("j", &[("error_message", huge)]);
    source.segment("s", "j", &[("text", huge)]);
    let (_, notes) = import(&source, &db);
    assert_eq!(results(&db, "j").transcript[0].text.len(), 1_000_000);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes
            .iter()
            .all(|note| note.value.as_ref().unwrap().len() <= 100)
    );
}

fn nul_is_replaced(db: TestDb) {
    let source = SourceDb::on(db.backend());
    source.job("j", &[("extra_metadata", r#"'{"a\u0000": ["b\u0000"]}'"#)]);
    if db.backend() == Backend::Sqlite {
        source.clip("c", "j", &[("title", "'a' || char(0) || 'b'")]);
        source.clip(
            "d",
            "j",
            &[("title", "CAST(x'61ff62' AS TEXT)"), ("clip_order", "1")],
        );
    }
    import(&source, &db);
    let results = results(&db, "j");
    assert_eq!(
        results.job.extra_metadata.get()["a\u{fffd}"][0],
        "b\u{fffd}"
    );
    for clip in &results.clips {
        assert_eq!(clip.title.as_str(), "a\u{fffd}b");
    }
}

fn a_database_without_jobs_is_an_error(db: TestDb) {
    let source = EmptyDb::on(db.backend());
    let import = |url: &str, target: &Database| {
        target.import(&url.parse().unwrap(), ImportMode::Store, |_| Ok(()))
    };
    assert!(matches!(
        import(source.url(), &db),
        Err(ImportError::NoJobs)
    ));
    let missing = import("sqlite:////nowhere/at/all.db", &db);
    assert!(
        matches!(missing, Err(ImportError::Source { .. })),
        "{missing:?}"
    );
}

fn tables_may_be_missing(db: TestDb) {
    let source = EmptyDb::on(db.backend());
    let mut sql: Sql = source.sql();
    sql.batch("CREATE TABLE jobs (job_id VARCHAR(10)); INSERT INTO jobs VALUES ('j')")
        .unwrap();
    let summary = db.import(
        &source.url().parse().unwrap(),
        ImportMode::Store,
        |_| Ok(()),
    );
    assert_eq!(summary.unwrap().tables["jobs"].added, 1);
    assert_eq!(imported(&db, "j").filename.as_str(), "recording");
}
