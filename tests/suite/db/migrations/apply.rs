use chrono::TimeDelta;
use lectern_domain::{
    Actor, ApiKeyId, AppendId, AppendedBytes, Fingerprint, IdempotencyKey, NewApiKey, PartEtag,
    Role, SecretHash, Stage, SystemClock,
};
use lectern_tests::{Backend, EmptyDb, Sql, TestDb, a_completed_job, a_job, on_both_backends};
use serde_json::{Value, json};

use crate::db::support::worker::claim;

on_both_backends!(
    every_migration_goes_down_and_up_on_an_empty_database,
    every_migration_goes_down_and_up_on_a_filled_database,
    several_migrations_are_reverted_newest_first,
    reverting_the_newest_migration_keeps_other_rows,
    all_migrations_of_a_new_database_are_pending,
    a_second_initialization_does_nothing,
);

const TABLES: [&str; 20] = [
    "jobs",
    "transcripts",
    "silence_regions",
    "layout_analysis",
    "content_segments",
    "clips",
    "processing_logs",
    "stage_runs",
    "job_events",
    "idempotency_keys",
    "database_identity",
    "job_status_counts",
    "job_hour_counts",
    "job_deletions",
    "event_feed",
    "uploads",
    "upload_parts",
    "imported_jobs",
    "api_keys",
    "audit_entries",
];

/// The whole schema without the table of applied migrations.
fn catalog(sql: &mut Sql) -> Vec<Vec<Option<String>>> {
    sql.rows(match sql.backend() {
        Backend::Postgres => {
            "SELECT 'column', table_name || '.' || column_name,
                    concat_ws(' ', rank() OVER (PARTITION BY table_name ORDER BY ordinal_position), data_type, is_nullable, column_default, generation_expression, identity_generation)
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'
             UNION ALL
             SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '\\_\\_%'
             UNION ALL
             SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%'
             UNION ALL
             SELECT 'other', relname, relkind::text FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_\\_%'
             UNION ALL
             SELECT 'routine', proname, NULL FROM pg_proc WHERE pronamespace = 'public'::regnamespace
             UNION ALL
             SELECT 'type', typname, typtype::text FROM pg_type
             WHERE typnamespace = 'public'::regnamespace AND typname NOT LIKE '\\_%'
             ORDER BY 1, 2, 3"
        }
        Backend::Sqlite => {
            "SELECT type, name, sql FROM sqlite_master
             WHERE tbl_name NOT LIKE '\\_\\_%' ESCAPE '\\' AND name <> 'sqlite_sequence' ORDER BY 1, 2, 3"
        }
    })
}

fn count_tables(catalog: &[Vec<Option<String>>]) -> usize {
    TABLES
        .iter()
        .filter(|table| catalog.iter().any(|row| row[1].as_deref() == Some(table)))
        .count()
}

/// Redoes and then reverts each migration, newest first; then applies all of
/// them.
/// Migrations that do nothing on PostgreSQL.
const ONLY_ON_SQLITE: [&str; 1] = ["2026-11-27-000014_check_texts_in_place"];

fn down_and_up(db: &TestDb) {
    let mut sql = db.sql();
    let complete = catalog(&mut sql);
    assert_eq!(count_tables(&complete), TABLES.len());
    let names: Vec<String> = db
        .migrations()
        .status()
        .unwrap()
        .into_iter()
        .map(|m| m.name)
        .collect();
    for name in names.iter().rev() {
        let before = catalog(&mut sql);
        assert_eq!(db.migrations().redo().unwrap().as_ref(), Some(name));
        assert_eq!(catalog(&mut sql), before, "{name} is different after redo");
        assert_eq!(
            &db.migrations().down(1).unwrap(),
            std::slice::from_ref(name)
        );
        if db.backend() == Backend::Sqlite || !ONLY_ON_SQLITE.contains(&name.as_str()) {
            assert_ne!(catalog(&mut sql), before, "{name} did nothing");
        }
        assert!(db.migrations().pending().unwrap());
    }
    assert_eq!(
        catalog(&mut sql),
        Vec::<Vec<_>>::new(),
        "something was left behind"
    );
    assert_eq!(db.migrations().down(1).unwrap(), [""; 0]);
    assert_eq!(db.migrations().redo().unwrap(), None);
    assert_eq!(db.migrations().up().unwrap(), names);
    assert_eq!(catalog(&mut sql), complete);
}

fn every_migration_goes_down_and_up_on_an_empty_database(db: EmptyDb) {
    assert_eq!(catalog(&mut db.sql()), Vec::<Vec<_>>::new());
    db.init().unwrap();
    down_and_up(&db);
}

fn every_migration_goes_down_and_up_on_a_filled_database(db: TestDb) {
    let fill = || {
        a_completed_job(&db);
        let metadata = json!({ "a": 1 });
        let job = a_job().priority(1).extra_metadata(metadata);
        let job = job.create(&db).job_id;
        claim(&db, Stage::WORK, 2);
        let key = IdempotencyKey::new("a").unwrap();
        let audited = db.acting_as(Actor::command_line("a"));
        audited
            .write(|tx| {
                assert_eq!(
                    tx.idempotency_keys().take(&key, Fingerprint([0; 32]))?,
                    None
                );
                tx.idempotency_keys()
                    .store_response(&key, Some(job), &Value::Null)?;
                let deleted = tx.jobs().create(&a_job().build())?;
                tx.jobs().delete(deleted.job_id)?;
                tx.database_identity().find_or_create()?;
                let (append_id, minute) = (AppendId::new(&SystemClock), TimeDelta::minutes(1));
                let hash = SecretHash::of_bytes([0; 32]);
                let key_id = ApiKeyId::new(&SystemClock);
                tx.api_keys()
                    .create(key_id, &NewApiKey::new(Role::Client), &hash)?;
                tx.uploads().create_resumable(job, None, None, minute)?;
                tx.uploads().begin_append(job, append_id, 0, minute)?;
                let stored = AppendedBytes {
                    received: 1,
                    parts: vec![PartEtag::new("e")?],
                    has_tail: true,
                };
                tx.uploads()
                    .advance(job, append_id, &stored, minute, minute)
            })
            .unwrap();
        db.sql()
            .execute("INSERT INTO event_feed (id) VALUES (1)")
            .unwrap();
        db.sql()
            .execute(
                "INSERT INTO stage_pauses (stage) VALUES ('compilation') ON CONFLICT DO NOTHING",
            )
            .unwrap();
        db.sql()
            .execute(&format!(
                "INSERT INTO row_sets (job_id, table_name, state, first_id, last_id)
                 VALUES ('{job}', 'transcripts', 'staged', 1, 2)"
            ))
            .unwrap();
        let digest = "0".repeat(40);
        db.sql()
            .execute(&format!(
                "INSERT INTO imported_jobs (job_id, source_digest, digest) VALUES ('{job}', '{digest}', '{digest}')"
            ))
            .unwrap();
    };
    fill();
    assert!(db.sql().dump().values().all(|rows| !rows.is_empty()));
    down_and_up(&db);
    fill();
}

fn several_migrations_are_reverted_newest_first(db: TestDb) {
    a_completed_job(&db);
    let names: Vec<String> = db
        .migrations()
        .status()
        .unwrap()
        .into_iter()
        .map(|m| m.name)
        .collect();
    let newest: Vec<String> = names.iter().rev().take(3).cloned().collect();
    assert_eq!(db.migrations().down(3).unwrap(), newest);
    let applied: Vec<bool> = db
        .migrations()
        .status()
        .unwrap()
        .iter()
        .map(lectern_db::MigrationStatus::is_applied)
        .collect();
    let expected: Vec<bool> = (0..names.len()).map(|i| i + 3 < names.len()).collect();
    assert_eq!(applied, expected);
    assert_eq!(
        db.migrations().down(usize::MAX).unwrap().len(),
        names.len() - 3
    );
}

fn reverting_the_newest_migration_keeps_other_rows(db: TestDb) {
    a_completed_job(&db);
    db.migrations().down(1).unwrap();
    assert_eq!((db.sql().count("jobs"), db.sql().count("clips")), (1, 3));
}

fn all_migrations_of_a_new_database_are_pending(db: EmptyDb) {
    assert!(db.migrations().pending().unwrap());
    let status = db.migrations().status().unwrap();
    assert!(status.len() >= TABLES.len() && status.iter().all(|migration| !migration.is_applied()));
    let applied = db.init().unwrap();
    assert!(status.iter().map(|migration| &migration.name).eq(&applied));
    assert!(!db.migrations().pending().unwrap());
}

fn a_second_initialization_does_nothing(db: TestDb) {
    let before = catalog(&mut db.sql());
    a_completed_job(&db);
    assert_eq!(db.init().unwrap(), [""; 0]);
    assert_eq!(catalog(&mut db.sql()), before);
    assert_eq!(db.sql().count("jobs"), 1);
}
