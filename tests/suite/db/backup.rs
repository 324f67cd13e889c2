//! Backups of an SQLite database.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use lectern_db::{Database, DatabaseUrl, Tx};
use lectern_domain::NewJob;
use lectern_tests::{Backend, Fixture as _, Sql, TestDb, a_completed_job, a_job};

/// A database with one job, and a directory for backups of it.
struct Backups {
    db: TestDb,
    dir: tempfile::TempDir,
}

impl Backups {
    fn new() -> Self {
        let db = TestDb::on(Backend::Sqlite);
        a_completed_job(&db);
        let dir = tempfile::tempdir().unwrap();
        Self { db, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn back_up(&self, name: &str) -> PathBuf {
        let file = self.path(name);
        self.db.backup(&file).unwrap();
        file
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

fn url_of(file: &Path) -> DatabaseUrl {
    format!("sqlite://{}", file.display()).parse().unwrap()
}

fn sql(file: &Path) -> Sql {
    Sql::connect(&url_of(file).to_string())
}

fn reason(error: &lectern_db::Error) -> String {
    let source = std::error::Error::source(error).unwrap();
    format!("{error}: {source}")
}

#[test]
fn a_backup_is_a_private_file_with_all_rows() {
    let test = Backups::new();
    let file = test.back_up("b.db");
    assert_eq!(sql(&file).dump(), test.db.sql().dump());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(test.files(), ["b.db"]);
}

#[test]
fn a_backup_is_consistent_while_others_write() {
    let test = Backups::new();
    let done = AtomicBool::new(false);
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let (first, started) = mpsc::channel();
        let (test, done) = (&test, &done);
        scope.spawn(move || {
            // Two jobs in each transaction, beside the one of the fixture.
            while !done.load(Ordering::SeqCst) {
                let new = NewJob::new("lecture.mp4").unwrap();
                let create = test.db.write(|tx| {
                    tx.jobs().create(&new)?;
                    tx.jobs().create(&new)
                });
                create.unwrap();
                let _ = first.send(());
            }
        });
        started.recv().unwrap();
        let count = |i| {
            let file = test.path(&format!("{i}.db"));
            let backup = test.db.backup(&file);
            backup.map(|()| sql(&file).count("jobs"))
        };
        let counts: Vec<_> = (0..5).map(count).collect();
        // Before anything can panic: the scope waits for its threads.
        done.store(true, Ordering::SeqCst);
        counts.into_iter().map(Result::unwrap).collect()
    });
    assert!(counts.is_sorted() && counts[0] > 1, "{counts:?}");
    assert!(counts.iter().all(|count| count % 2 == 1), "{counts:?}");
}

#[test]
fn a_backup_overwrites_no_file() {
    let test = Backups::new();
    let file = test.path("mine");
    fs::write(&file, "mine").unwrap();
    let error = test.db.backup(&file).unwrap_err();
    assert!(reason(&error).contains("the file exists"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    // What a crash left behind is replaced.
    fs::write(test.path("b.db.part"), "half").unwrap();
    test.back_up("b.db");
    assert_eq!(test.files(), ["b.db", "mine"]);
}

#[test]
fn a_postgresql_database_is_not_backed_up_by_lectern() {
    let db = TestDb::on(Backend::Postgres);
    let dir = tempfile::tempdir().unwrap();
    let error = db.backup(&dir.path().join("b.db")).unwrap_err();
    assert!(reason(&error).contains("pg_dump"), "{error}");
    let url = db.url().parse().unwrap();
    let error = Database::restore(&url, &dir.path().join("b.db")).unwrap_err();
    assert!(reason(&error).contains("pg_restore"), "{error}");
}

#[test]
fn a_restored_database_has_the_rows_of_the_backup_and_no_id() {
    let test = Backups::new();
    let id = |tx: &mut Tx<'_>| tx.database_identity().find_or_create();
    test.db.write(id).unwrap();
    let backup = test.back_up("b.db");
    let target = test.path("new/lectern.db");
    let url = url_of(&target);
    assert_eq!(Database::restore(&url, &backup).unwrap(), None);
    let mut expected = test.db.sql().dump();
    expected.insert("database_identity".to_owned(), Vec::new());
    // Its generation is another one after each restore.
    expected.remove("event_feed");
    let restored = || {
        let mut rows = sql(&target).dump();
        assert_eq!(rows.remove("event_feed").map(|rows| rows.len()), Some(1));
        rows
    };
    assert_eq!(restored(), expected);

    // The previous file is kept.
    sql(&target).batch("DELETE FROM jobs").unwrap();
    let previous = Database::restore(&url, &backup).unwrap().unwrap();
    assert_eq!(restored(), expected);
    assert_eq!(sql(&previous).count("jobs"), 0);
}

#[test]
fn a_restored_database_counts_its_jobs() {
    let test = Backups::new();
    let backup = test.back_up("b.db");
    let counts = |db: &Database| {
        let metrics = db.read(|conn| conn.jobs().metrics()).unwrap();
        (metrics.by_status, metrics.bytes_stored)
    };
    let of_backup = counts(&test.db);
    // Later than the backup.
    a_job().create(&test.db);
    let url = url_of(&test.path("new/lectern.db"));
    Database::restore(&url, &backup).unwrap();
    let restored = Database::open(&url.to_string()).unwrap();
    assert_eq!(counts(&restored), of_backup);
    let create = restored.write(|tx| tx.jobs().create(&a_job().build()));
    create.unwrap();
    assert_eq!(counts(&restored), counts(&test.db));
}

#[test]
fn a_database_in_use_is_not_replaced() {
    let test = Backups::new();
    let backup = test.back_up("b.db");
    let before = test.db.sql().dump();
    let url = test.db.url().parse().unwrap();
    let error = Database::restore(&url, &backup).unwrap_err();
    assert!(
        reason(&error).contains("another process has it open"),
        "{error}"
    );
    assert_eq!(test.db.sql().dump(), before);
    a_job().create(&test.db);
}

#[test]
fn only_an_undamaged_backup_of_lectern_is_restored() {
    let test = Backups::new();
    let backup = test.back_up("b.db");
    let target = test.back_up("lectern.db");
    let before = fs::read(&target).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let file = test.path(name);
        fs::write(&file, bytes).unwrap();
        file
    };
    let bytes = fs::read(&backup).unwrap();
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4096].fill(0xAB);
    let other = test.path("other.db");
    sql(&other).batch("CREATE TABLE t (x)").unwrap();
    for file in [
        write("text.db", &b"no database".repeat(1000)),
        write("short.db", &bytes[..middle]),
        write("damaged.db", &damaged),
        write("empty.db", b""),
        other,
        test.path("nowhere.db"),
    ] {
        let restored = Database::restore(&url_of(&target), &file);
        assert!(restored.is_err(), "{}", file.display());
        assert!(fs::read(&target).unwrap() == before, "{}", file.display());
    }
    assert!(!test.path("lectern.db.restoring").exists());
}

#[test]
fn a_damaged_database_is_replaced_with_its_log() {
    let test = Backups::new();
    let backup = test.back_up("b.db");
    let target = test.path("lectern.db");
    fs::write(&target, "damaged".repeat(1000)).unwrap();
    fs::write(test.path("lectern.db-wal"), "of the damaged one").unwrap();
    let previous = Database::restore(&url_of(&target), &backup)
        .unwrap()
        .unwrap();
    assert_eq!(sql(&target).count("jobs"), 1);
    assert!(fs::read_to_string(previous).unwrap().starts_with("damaged"));
}
