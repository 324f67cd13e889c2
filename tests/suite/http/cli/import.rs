//! `lectern import`: what it prints, what it leaves alone, and what the server answers then.

use std::fs;

use lectern_tests::{Backend, EmptyDb, Fixture as _, Lectern, TestDb, on_both_backends};
use serde_json::Value;

use super::Shell;

on_both_backends!(
    an_import_is_answered_by_the_server,
    a_dry_run_prints_the_same_and_writes_nothing,
    a_dry_run_needs_all_migrations_or_none,
    the_source_is_only_read,
    a_source_may_allow_only_reading,
    a_repeated_import_prints_what_it_takes_and_what_not,
    a_database_without_these_tables_is_an_error,
);

/// A database as SQLAlchemy models make it, with two jobs.
fn source(backend: Backend) -> EmptyDb {
    let db = EmptyDb::on(backend);
    let tables = "
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY, job_id VARCHAR(100) UNIQUE, filename VARCHAR(255),
            file_size BIGINT, content_type VARCHAR(100), original_s3_key VARCHAR(500),
            status VARCHAR(20), current_stage VARCHAR(50), created_at TIMESTAMP,
            updated_at TIMESTAMP, completed_at TIMESTAMP);
        CREATE TABLE transcripts (
            id INTEGER PRIMARY KEY, segment_id VARCHAR(100) UNIQUE,
            job_id VARCHAR(100) REFERENCES jobs (job_id), start_time DOUBLE PRECISION,
            end_time DOUBLE PRECISION, text TEXT, created_at TIMESTAMP);
        CREATE TABLE clips (
            id INTEGER PRIMARY KEY, clip_id VARCHAR(100) UNIQUE,
            job_id VARCHAR(100) REFERENCES jobs (job_id), title VARCHAR(200),
            start_time DOUBLE PRECISION, end_time DOUBLE PRECISION, s3_key VARCHAR(500),
            clip_order INTEGER, created_at TIMESTAMP);
        INSERT INTO jobs VALUES
            (1, 'job_123', 'lecture.mp4', 1000, 'video/mp4', 'uploads/lecture.mp4', 'completed',
             'complete', '2025-03-01 10:00:00', '2025-03-01 11:00:00', '2025-03-01 11:00:00'),
            (2, 'job_124', 'second.mp4', 1000, 'video/mp4', 'uploads/second.mp4', 'running',
             'ocr', '2025-03-02 10:00:00', '2025-03-02 11:00:00', NULL);
        INSERT INTO transcripts VALUES
            (1, 'seg-1', 'job_123', 0, 2.5, 'Welcome.', '2025-03-01 10:30:00'),
            (2, 'seg-2', 'job_123', 9, 1, 'Reversed.', '2025-03-01 10:30:00');
        INSERT INTO clips VALUES
            (1, 'clip-1', 'job_123', 'Graphs', 0, 2.5, 'clips/1.mp4', 0, '2025-03-01 10:50:00');";
    db.sql().batch(tables).unwrap();
    db
}

const IMPORTED: &[&str] = &[
    "changed jobs.current_stage: unknown value: mapped: 1",
    "changed jobs.status: its worker does not report here: cancelled: 1",
    "dropped transcripts: it ends before it starts: 1",
    "clips: 1 read, 1 added, 0 updated, 0 removed, 0 present, 0 not taken, 0 dropped",
    "jobs: 2 read, 2 added, 0 updated, 0 removed, 0 present, 0 not taken, 0 dropped",
    "transcripts: 2 read, 1 added, 0 updated, 0 removed, 0 present, 0 not taken, 1 dropped",
];

fn an_import_is_answered_by_the_server(db: TestDb) {
    let shell = Shell::new();
    let source = source(db.backend());
    let done = shell.run_on(db.url(), &["import", "--from", source.url()]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.out.lines().collect::<Vec<_>>(), IMPORTED);
    let notes: Vec<_> = done.err.lines().collect();
    assert_eq!(
        notes,
        [
            r#"dropped transcripts of "seg-2" of job "job_123": it ends before it starts"#,
            r#"changed jobs.status of "job_124": its worker does not report here: cancelled ("running")"#,
            r#"changed jobs.current_stage of "job_124": unknown value: mapped ("ocr")"#,
        ]
    );

    let server = Lectern::serve(db.url());
    let found = server
        .get("/api/v1/jobs?metadata.legacy_id=job_123&include=metadata")
        .expect(200)
        .json();
    let jobs = found["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0]["filename"], "lecture.mp4");
    assert_eq!(jobs[0]["status"], "completed");
    assert_eq!(jobs[0]["extra_metadata"]["legacy_id"], "job_123");
    let job_id = jobs[0]["job_id"].as_str().unwrap();
    let results = server
        .get(&format!("/api/v1/results/{job_id}"))
        .expect(200)
        .json();
    assert_eq!(results["transcript"][0]["text"], "Welcome.");
    assert_eq!(results["clips"][0]["title"], "Graphs");
    let other = server
        .get("/api/v1/jobs?metadata.legacy_id=job_124&include=metadata")
        .expect(200)
        .json();
    assert_eq!(other["jobs"][0]["status"], "cancelled");
    assert_eq!(other["jobs"][0]["extra_metadata"]["legacy_stage"], "ocr");
    let none = server
        .get("/api/v1/jobs?metadata.legacy_id=job_12")
        .expect(200)
        .json();
    assert_eq!(none["jobs"], Value::Array(vec![]));
}

fn a_dry_run_prints_the_same_and_writes_nothing(db: TestDb) {
    let shell = Shell::new();
    let source = source(db.backend());
    let before = db.sql().dump();
    let arguments = ["import", "--from", source.url(), "--dry-run"];
    let planned = shell.run_on(db.url(), &arguments);
    assert_eq!(planned.code, Some(0), "{planned:?}");
    assert_eq!(db.sql().dump(), before);
    let done = shell.run_on(db.url(), &arguments[..3]);
    assert_eq!(planned.err, done.err);
    assert_eq!(planned.out.replace("would be ", ""), done.out);
    assert!(planned.out.contains("jobs: 2 read, 2 would be added"));

    // Nor does it make a database.
    let elsewhere = Shell::new();
    let planned = elsewhere.run(&arguments);
    assert_eq!(planned.code, Some(0), "{planned:?}");
    assert_eq!(planned.err, done.err);
    assert_eq!(elsewhere.files(), [""; 0]);
}

fn a_dry_run_needs_all_migrations_or_none(db: TestDb) {
    let shell = Shell::new();
    let source = source(db.backend());
    let arguments = ["import", "--from", source.url(), "--dry-run"];
    db.migrations().down(1).unwrap();
    let failed = shell.run_on(db.url(), &arguments);
    assert_eq!(
        failed.error_line(),
        "lectern: migrations are pending; `lectern migrate up` applies them"
    );
    let empty = EmptyDb::on(db.backend());
    let planned = shell.run_on(empty.url(), &arguments);
    assert!(planned.out.contains("jobs: 2 read, 2 would be added"));
    assert!(empty.migrations().pending().unwrap());
}

fn the_source_is_only_read(db: TestDb) {
    let shell = Shell::new();
    let source = source(db.backend());
    let rows = source.sql().dump();
    let files = || match db.backend() {
        Backend::Postgres => Vec::new(),
        Backend::Sqlite => {
            let path = source.url().strip_prefix("sqlite://").unwrap();
            vec![fs::read(path).unwrap()]
        }
    };
    let before = files();
    for _ in 0..2 {
        let done = shell.run_on(db.url(), &["import", "--from", source.url()]);
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    assert_eq!(source.sql().dump(), rows);
    assert_eq!(files(), before);
}

fn a_source_may_allow_only_reading(db: TestDb) {
    let shell = Shell::new();
    let source = source(db.backend());
    let report = shell.dir().join("report.jsonl");
    let arguments = |url| {
        let report = report.to_str().unwrap();
        ["import", "--from", url, "--report", report]
    };
    let url = match db.backend() {
        Backend::Postgres => {
            // A role that may only select. It ends with the database.
            let role = format!("reader_{}", std::process::id());
            let grants = format!(
                "CREATE ROLE {role} LOGIN PASSWORD 'a';
                 GRANT SELECT ON jobs, transcripts, clips TO {role};"
            );
            source.sql().batch(&grants).unwrap();
            let (_, host) = source.url().rsplit_once('@').unwrap();
            format!("postgresql+psycopg2://{role}:a@{host}")
        }
        Backend::Sqlite => {
            let path = source.url().strip_prefix("sqlite://").unwrap();
            let mut permissions = fs::metadata(path).unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(path, permissions).unwrap();
            format!("sqlite:///{path}")
        }
    };
    let done = shell.run_on(db.url(), &arguments(&url));
    if db.backend() == Backend::Postgres {
        let role = format!("reader_{}", std::process::id());
        source
            .sql()
            .batch(&format!("DROP OWNED BY {role}; DROP ROLE {role};"))
            .unwrap();
    }
    assert_eq!(done.lines(), IMPORTED);
    let report = fs::read_to_string(report).unwrap();
    let notes: Vec<Value> = report
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(notes.len(), 3);
    assert_eq!(
        notes[1],
        serde_json::json!({
            "table": "jobs",
            "id": "job_124",
            "job_id": "job_124",
            "column": "status",
            "action": "changed",
            "reason": "its worker does not report here: cancelled",
            "value": "running",
        })
    );
}

fn a_repeated_import_prints_what_it_takes_and_what_not(db: TestDb) {
    let shell = Shell::new();
    let source = source(db.backend());
    let import = ["import", "--from", source.url()];
    assert_eq!(shell.run_on(db.url(), &import).code, Some(0));
    let server = Lectern::serve(db.url());
    let job = |old_id: &str| {
        let path = format!("/api/v1/jobs?metadata.legacy_id={old_id}");
        server.get(&path).expect(200).json()["jobs"][0].clone()
    };
    let id = |job: Value| job["job_id"].as_str().unwrap().to_owned();
    let changed = id(job("job_124"));
    server
        .request("POST", &format!("/api/v1/jobs/{changed}/retry"))
        .send()
        .expect(200);
    let more = "
        INSERT INTO jobs VALUES
            (3, 'job_125', 'third.mp4', 1000, 'video/mp4', 'uploads/third.mp4', 'failed',
             NULL, '2025-03-03 10:00:00', '2025-03-03 11:00:00', NULL);
        UPDATE jobs SET status = 'completed', completed_at = updated_at WHERE job_id = 'job_124';
        INSERT INTO clips VALUES
            (2, 'clip-2', 'job_123', 'Trees', 3, 4, 'clips/2.mp4', 1, '2025-03-03 10:50:00'),
            (3, 'clip-3', 'job_124', 'Sets', 3, 4, 'clips/3.mp4', 0, '2025-03-03 10:50:00');";
    source.sql().batch(more).unwrap();

    let dry_run = shell.run_on(db.url(), &[&import[..], &["--dry-run"]].concat());
    let done = shell.run_on(db.url(), &import);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(dry_run.err, done.err);
    assert_eq!(dry_run.out.replace("would be ", ""), done.out);
    for line in [
        "clips: 3 read, 1 added, 0 updated, 0 removed, 1 present, 1 not taken, 0 dropped",
        "jobs: 3 read, 1 added, 0 updated, 0 removed, 1 present, 1 not taken, 0 dropped",
    ] {
        assert!(done.out.lines().any(|printed| printed == line), "{done:?}");
    }
    for line in [
        r#"added clips of "clip-2" of job "job_123": new in the source since the last import"#,
        r#"not taken jobs of "job_124": the job was imported before, and changed here since"#,
        r#"not taken clips of "clip-3" of job "job_124": the job was imported before, and changed here since"#,
    ] {
        assert!(done.err.lines().any(|printed| printed == line), "{done:?}");
    }
    assert_eq!(job("job_124")["status"], "queued");
    assert_eq!(job("job_125")["status"], "failed");
    let clips = format!("/api/v1/jobs/{}/clips", id(job("job_123")));
    assert_eq!(server.get(&clips).expect(200).json()["total"], 2);
}

fn a_database_without_these_tables_is_an_error(db: TestDb) {
    let shell = Shell::new();
    let other = EmptyDb::on(db.backend());
    other
        .sql()
        .batch("CREATE TABLE bookkeeping (id INTEGER)")
        .unwrap();
    let before = db.sql().dump();
    for dry_run in [&[][..], &["--dry-run"]] {
        let arguments = [&["import", "--from", other.url()][..], dry_run].concat();
        let failed = shell.run_on(db.url(), &arguments);
        assert_eq!(
            failed.error_line(),
            "lectern: the source has no table `jobs` with a column `job_id`"
        );
        assert_eq!(failed.out, "");
    }
    assert_eq!(db.sql().dump(), before);
}

#[test]
fn wrong_addresses_are_errors() {
    let shell = Shell::new();
    let target = shell.dir().join("target.db");
    let url = format!("sqlite://{}", target.display());
    shell.write(
        "notes.txt",
        "no database, but long enough to be read as a page of one\n",
    );
    for (from, expected) in [
        ("mysql://db/app", "lectern: --from: "),
        ("app.db", "lectern: --from: "),
        (
            "sqlite:///missing.db",
            "lectern: --from: there is no file missing.db",
        ),
        (
            "sqlite:///notes.txt",
            "lectern: could not list the columns of the source: file is not a database",
        ),
        (
            "postgresql://127.0.0.1:1/app",
            "lectern: could not open the database of the source: ",
        ),
    ] {
        for dry_run in [&["--dry-run"][..], &[]] {
            let arguments = [&["import", "--from", from][..], dry_run].concat();
            let failed = shell.run_on(&url, &arguments);
            assert!(failed.error_line().starts_with(expected), "{failed:?}");
        }
    }
    // Nothing is made, neither here nor there.
    assert_eq!(shell.files(), ["notes.txt"]);
    let failed = shell.run_on(&url, &["import"]);
    assert!(failed.usage_error().contains("--from"), "{failed:?}");
}

#[test]
fn a_password_is_in_no_error() {
    let shell = Shell::new();
    let failed = shell.run(&["import", "--from", "postgresql://me:geheim@127.0.0.1:1/app"]);
    assert_eq!(failed.code, Some(1));
    assert!(!failed.err.contains("geheim"), "{failed:?}");
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let shell = Shell::new();
    let source = source(Backend::Sqlite);
    let arguments = [
        "import",
        "--from",
        source.url(),
        "--report",
        "missing/report.jsonl",
    ];
    let failed = shell.run(&arguments);
    assert_eq!(shell.files(), [""; 0]);
    assert!(
        failed
            .error_line()
            .starts_with("lectern: cannot create the report missing/report.jsonl"),
        "{failed:?}"
    );
}
