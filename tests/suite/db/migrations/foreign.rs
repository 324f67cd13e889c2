//! Migrations of another program in the same database.

use std::fs;

use diesel_migrations::FileBasedMigrations;
use lectern_db::{Database, Error, MigrationState};
use lectern_tests::{Backend, EmptyDb, TestDb, on_both_backends};
use tempfile::TempDir;

on_both_backends!(
    foreign_migrations_are_skipped_regardless_of_version,
    a_foreign_table_and_its_reference_are_no_drift,
    a_table_referenced_by_a_foreign_table_is_not_dropped,
    a_database_of_a_newer_lectern_is_not_reverted,
    reading_the_status_of_an_empty_database_creates_no_table,
);

/// The migrations of another program, on disk.
struct Foreign(TempDir);

impl Foreign {
    /// A migration that creates one table.
    fn table(version: &str, name: &str, columns: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let migration = dir.path().join(format!("{version}_create_{name}"));
        fs::create_dir(&migration).unwrap();
        let up = format!("CREATE TABLE {name} ({columns});");
        fs::write(migration.join("up.sql"), up).unwrap();
        fs::write(migration.join("down.sql"), format!("DROP TABLE {name};")).unwrap();
        Self(dir)
    }

    fn apply(&self, db: &Database) -> Vec<String> {
        let source = || FileBasedMigrations::from_path(self.0.path()).unwrap();
        db.migrations().up_own(source(), source()).unwrap()
    }
}

/// A foreign table that references Lectern's jobs.
fn orders(db: &Database) -> Foreign {
    let columns = match db.backend() {
        Backend::Postgres => "id BIGINT, job_id UUID NOT NULL REFERENCES jobs (job_id)",
        Backend::Sqlite => "id INTEGER, job_id TEXT NOT NULL REFERENCES jobs (job_id)",
    };
    Foreign::table("2999-01-01-000000", "orders", columns)
}

fn names(db: &Database, state: MigrationState) -> Vec<String> {
    let status = db.migrations().status().unwrap();
    let wanted = status.into_iter().filter(|found| found.state == state);
    wanted.map(|found| found.name).collect()
}

fn foreign_migrations_are_skipped_regardless_of_version(db: EmptyDb) {
    let migrations = db.migrations();
    let ours = names(&db, MigrationState::Pending);
    // Before ours, in version and in time.
    let before = Foreign::table("2000-01-01-000000", "before_ours", "id INTEGER");
    assert_eq!(before.apply(&db), ["2000-01-01-000000_create_before_ours"]);
    assert_eq!(names(&db, MigrationState::Pending), ours);
    assert_eq!(db.migrate().unwrap(), ours);

    // Between ours, applied while the newest of ours is not.
    let newest = ours.last().unwrap();
    assert_eq!(&migrations.down(1).unwrap(), std::slice::from_ref(newest));
    let (version, _) = ours[4].split_once('_').unwrap();
    let between = Foreign::table(&format!("{version}5"), "between_ours", "id INTEGER");
    between.apply(&db);
    let after = Foreign::table("2999-01-01-000000", "after_ours", "id INTEGER");
    after.apply(&db);
    assert!(migrations.pending().unwrap());
    assert_eq!(migrations.up().unwrap(), std::slice::from_ref(newest));

    let foreign = names(&db, MigrationState::Foreign);
    let between = format!("{}5", version.replace('-', ""));
    assert_eq!(foreign, ["20000101000000", &between, "29990101000000"]);
    let status = migrations.status().unwrap();
    assert_eq!(status.first().unwrap().name, foreign[0]);
    assert_eq!(status[6].name, foreign[1], "sorted by version");
    assert_eq!(status.last().unwrap().name, foreign[2]);
    assert_eq!(names(&db, MigrationState::Applied), ours);
    assert!(!migrations.pending().unwrap());

    assert_eq!(migrations.redo().unwrap().as_ref(), Some(newest));
    let reverted = migrations.down(usize::MAX).unwrap();
    assert!(reverted.iter().eq(ours.iter().rev()), "{reverted:?}");
    assert_eq!(migrations.redo().unwrap(), None);
    assert_eq!(names(&db, MigrationState::Foreign), foreign);
    for table in ["before_ours", "between_ours", "after_ours"] {
        assert_eq!(db.sql().count(table), 0);
    }
    assert_eq!(migrations.up().unwrap(), ours);
    assert_eq!(after.apply(&db), [""; 0]);
}

fn a_foreign_table_and_its_reference_are_no_drift(db: TestDb) {
    orders(&db).apply(&db);
    assert_eq!(db.drift().unwrap(), []);
    db.migrations().redo().unwrap();
}

fn a_table_referenced_by_a_foreign_table_is_not_dropped(db: TestDb) {
    orders(&db).apply(&db);
    let job = lectern_tests::a_job().create(&db);
    let order = format!("INSERT INTO orders VALUES (1, '{}')", job.job_id);
    db.sql().execute(&order).unwrap();
    let applied = names(&db, MigrationState::Applied);
    let refused = db.migrations().down(usize::MAX).unwrap_err();
    assert!(matches!(refused, Error::Migration(_)), "{refused:?}");
    assert_eq!(names(&db, MigrationState::Applied), applied);
    assert_eq!((db.sql().count("orders"), db.sql().count("jobs")), (1, 1));
}

fn a_database_of_a_newer_lectern_is_not_reverted(db: TestDb) {
    db.sql()
        .batch(
            "ALTER TABLE jobs ADD COLUMN colour TEXT;
             INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')",
        )
        .unwrap();
    let applied = names(&db, MigrationState::Applied);
    for refused in [
        db.migrations().down(1).map(drop),
        db.migrations().redo().map(drop),
    ] {
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("jobs.colour"), "{refused}");
        assert!(refused.contains("newer Lectern"), "{refused}");
    }
    assert_eq!(names(&db, MigrationState::Applied), applied);
    assert_eq!(db.migrate().unwrap(), [""; 0]);
}

fn reading_the_status_of_an_empty_database_creates_no_table(db: EmptyDb) {
    db.migrations().status().unwrap();
    let tables = db.sql().rows(match db.backend() {
        Backend::Postgres => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        Backend::Sqlite => "SELECT name FROM sqlite_master",
    });
    assert_eq!(tables, Vec::<Vec<_>>::new());
}
