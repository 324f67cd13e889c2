//! Row-level security of PostgreSQL behind handles of owners: statements that forget the
//! owner.

use lectern_db::diesel::sql_types::BigInt;
use lectern_db::diesel::{self, QueryableByName, RunQueryDsl};
use lectern_db::{Database, DatabaseConfig, Error, RoleName};
use lectern_domain::{Actor, JobId, OwnerName};
use lectern_tests::{Sql, TestDb, a_job, server_url, store_output};

use crate::many_jobs::{insert_jobs, last_query, plan_with};

/// Tables whose rows belong to jobs or owners.
const FENCED: &[&str] = &[
    "audit_entries",
    "clips",
    "content_segments",
    "idempotency_keys",
    "imported_jobs",
    "job_deletions",
    "job_events",
    "job_hour_counts",
    "job_status_counts",
    "jobs",
    "layout_analysis",
    "processing_logs",
    "row_sets",
    "silence_regions",
    "stage_runs",
    "transcripts",
    "upload_parts",
    "uploads",
];

/// Rows that are added by triggers, with the owner of the deleted or counted jobs.
const OF_TRIGGERS: &[&str] = &["job_deletions", "job_hour_counts", "job_status_counts"];

fn owner(name: &str) -> OwnerName {
    OwnerName::new(name).unwrap()
}

/// A job with rows in every table, and the deletion of another one.
fn rows_everywhere(db: &TestDb, owner_name: &str) -> JobId {
    let actor = Actor {
        owner: Some(owner(owner_name)),
        ..Actor::command_line("ada")
    };
    let owned = db.as_owner(owner(owner_name)).acting_as(actor);
    let deleted = a_job().create(&owned).job_id;
    owned.write(|tx| tx.jobs().delete(deleted)).unwrap();
    let job_id = a_job().create(&owned).job_id;
    store_output(&owned, job_id);
    let digest = "0".repeat(40);
    db.sql()
        .batch(&format!(
            "INSERT INTO uploads (job_id, expires_at) VALUES ('{job_id}', now());
             INSERT INTO upload_parts (job_id, part_number, etag) VALUES ('{job_id}', 1, 'e');
             INSERT INTO imported_jobs (job_id, source_digest, digest)
                 VALUES ('{job_id}', '{digest}', '{digest}');
             INSERT INTO row_sets (job_id, table_name, state, first_id, last_id)
                 VALUES ('{job_id}', 'transcripts', 'staged', 1, 2);
             INSERT INTO idempotency_keys (key, fingerprint, job_id)
                 VALUES ('{owner_name}', repeat('0', 64), '{job_id}')"
        ))
        .unwrap();
    job_id
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(db: &Database, query: &str) -> i64 {
    let count = |conn: &mut lectern_db::DbConnection| {
        let row = diesel::sql_query(query).get_result::<Count>(conn);
        row.map(|row| row.count).map_err(Error::from)
    };
    let in_snapshot = db.read(|conn| conn.diesel(count)).unwrap();
    let committed = db.read_committed(|conn| conn.diesel(count));
    let writing = db.write(|tx| tx.diesel(count));
    assert_eq!(committed.unwrap(), in_snapshot, "{query}");
    assert_eq!(writing.unwrap(), in_snapshot, "{query}");
    in_snapshot
}

/// The number of rows that a statement changes, or its error.
fn execute(db: &Database, statement: &str) -> Result<usize, String> {
    db.write(|tx| {
        tx.diesel(|conn| diesel::sql_query(statement).execute(conn))
            .map_err(Error::from)
    })
    .map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error} {}", source.unwrap_or_default())
    })
}

#[test]
fn a_repository_that_forgets_the_owner_finds_and_changes_nothing_of_another_one() {
    let db = TestDb::with_row_security();
    rows_everywhere(&db, "exams");
    let library = db.as_owner(owner("library"));
    for table in FENCED {
        let query = format!("SELECT count(*) FROM {table}");
        assert!(db.sql().count(table) > 0, "{table} has no row to be found");
        assert!(count(&db, &query) > 0, "{table}: without an owner");
        assert_eq!(count(&library, &query), 0, "{table}");
        assert!(
            count(&db.as_owner(owner("exams")), &query) > 0,
            "{table}: of the owner"
        );
        let deleted = execute(&library, &format!("DELETE FROM {table}"));
        assert_eq!(deleted, Ok(0), "{table}");
        // Entries of the audit are never changed, whoever tries.
        if *table != "audit_entries" {
            let column = if OF_TRIGGERS.contains(table) || *table == "jobs" {
                "owner_id = 'library'"
            } else {
                "job_id = job_id"
            };
            let updated = execute(&library, &format!("UPDATE {table} SET {column}"));
            assert_eq!(updated, Ok(0), "{table}");
        }
    }
}

#[test]
fn rows_are_not_added_to_jobs_of_another_owner() {
    let db = TestDb::with_row_security();
    let foreign = rows_everywhere(&db, "exams");
    let own = rows_everywhere(&db, "library");
    let library = db.as_owner(owner("library"));
    for table in FENCED {
        // The row of the other owner, once more.
        let columns = db.sql().value(&format!(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
             WHERE table_name = '{table}' AND identity_generation IS DISTINCT FROM 'ALWAYS'
                 AND is_generated = 'NEVER'"
        ));
        let (of_owner, of_other) = match *table {
            "audit_entries" => ("owner = 'library'".into(), "owner = 'exams'".into()),
            "jobs" | "job_deletions" | "job_hour_counts" | "job_status_counts" => {
                ("owner_id = 'library'".into(), "owner_id = 'exams'".into())
            }
            _ => (format!("job_id = '{own}'"), format!("job_id = '{foreign}'")),
        };
        let row = db.sql().value(&format!(
            "SELECT to_jsonb({table})::text FROM {table} WHERE {of_other} LIMIT 1"
        ));
        let row = row.replace('\'', "''");
        let insert = format!(
            "INSERT INTO {table} ({columns})
             SELECT {columns} FROM jsonb_populate_record(NULL::{table}, '{row}'::jsonb)"
        );
        let refused = execute(&library, &insert).expect_err(table);
        assert!(
            refused.contains("violates row-level security"),
            "{table}: {refused}"
        );
        // Nor is a row moved to the other owner.
        if *table != "audit_entries" {
            let update = format!("UPDATE {table} SET {of_other} WHERE {of_owner}");
            let refused = execute(&library, &update).expect_err(table);
            assert!(
                refused.contains("violates row-level security"),
                "{table}: {refused}"
            );
        }
    }
}

/// A new table must be fenced, shared or hidden: `crates/db/src/migrations/row_security.rs`.
#[test]
fn every_table_with_rows_of_jobs_or_owners_is_fenced() {
    let db = TestDb::with_row_security();
    let names = |query: &str| -> Vec<String> {
        db.sql()
            .rows(query)
            .into_iter()
            .flatten()
            .flatten()
            .collect()
    };
    let fenced = names(
        "SELECT relname::text FROM pg_class WHERE relrowsecurity ORDER BY relname::text COLLATE \"C\"",
    );
    assert_eq!(fenced, FENCED);
    let others = names(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND NOT relrowsecurity
             AND relnamespace = 'public'::regnamespace ORDER BY relname::text COLLATE \"C\"",
    );
    let of_nobody = [
        "__diesel_schema_migrations",
        "api_keys",
        "database_identity",
        "event_feed",
        "stage_pauses",
    ];
    assert_eq!(others, of_nobody);
    // Keys are no business of an owner's transactions.
    let library = db.as_owner(owner("library"));
    let refused = execute(&library, "DELETE FROM api_keys").unwrap_err();
    assert!(refused.contains("permission denied"), "{refused}");
}

#[test]
fn the_next_transaction_of_a_connection_has_neither_role_nor_owner() {
    let db = TestDb::with_row_security();
    rows_everywhere(&db, "exams");
    let library = db.as_owner(owner("library"));
    let jobs = "SELECT count(*) FROM jobs";
    let state = "SELECT (current_user = session_user
                         AND COALESCE(current_setting('lectern.owner', true), '') = '')::int::bigint AS count";
    let owners_transactions: [&dyn Fn(); 4] = [
        &|| assert_eq!(count(&library, jobs), 0),
        &|| assert!(execute(&library, "SELECT 1 / 0").is_err()),
        &|| {
            let refused = library.write(|_| Err::<(), _>(Error::IdempotencyMismatch));
            assert!(refused.is_err());
        },
        &|| {
            let panics = || {
                let _: Result<(), Error> = library.read_committed(|_| panic!("on purpose"));
            };
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        },
    ];
    for owners_transaction in owners_transactions {
        owners_transaction();
        assert_eq!(count(&db, state), 1);
        assert_eq!(count(&db, jobs), 1);
    }
}

#[test]
fn reverted_migrations_end_the_rights_of_the_role_until_it_is_limited_again() {
    let db = TestDb::with_row_security();
    rows_everywhere(&db, "exams");
    let library = db.as_owner(owner("library"));
    let jobs = "SELECT count(*) FROM jobs";
    db.migrations().redo().unwrap();
    let refused = execute(&library, jobs).unwrap_err();
    assert!(refused.contains("permission denied"), "{refused}");
    db.enable_row_security().unwrap();
    assert_eq!(count(&library, jobs), 0);
    // Also those that remove the column of owners.
    db.before_migration("add_owners_to_jobs", |_| {});
    db.enable_row_security().unwrap();
    assert_eq!(count(&library, jobs), 0);
}

/// A database that belongs to a role which is no superuser, and its address.
struct OfOrdinaryRole {
    url: String,
    names: [String; 2],
}

impl OfOrdinaryRole {
    /// `rights` are those of `CREATE ROLE`.
    fn new(name: &str, rights: &str) -> Self {
        let name = format!("lectern_{name}_{}", std::process::id());
        let mut sql = Sql::connect(server_url());
        sql.batch(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'ordinary' {rights}"
        ))
        .unwrap();
        sql.batch(&format!("CREATE DATABASE {name} OWNER {name}"))
            .unwrap();
        let (_, after) = server_url().split_once('@').unwrap();
        let host = after.split('/').next().unwrap();
        Self {
            url: format!("postgres://{name}:ordinary@{host}/{name}"),
            names: [name.clone(), format!("{name}_owners")],
        }
    }

    /// The role that owners' transactions take.
    fn owner_role(&self) -> &str {
        &self.names[1]
    }

    fn open(&self) -> Database {
        Database::connect(&DatabaseConfig {
            owner_role: Some(RoleName::new(self.owner_role()).unwrap()),
            ..DatabaseConfig::new(&self.url).unwrap()
        })
        .unwrap()
    }
}

impl Drop for OfOrdinaryRole {
    fn drop(&mut self) {
        let mut sql = Sql::connect(server_url());
        let [name, owners] = &self.names;
        let _ = sql.batch(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        let _ = sql.batch(&format!("DROP ROLE IF EXISTS {owners}"));
        let _ = sql.batch(&format!("DROP ROLE IF EXISTS {name}"));
    }
}

#[test]
fn a_role_that_may_create_roles_needs_no_preparation() {
    let ordinary = OfOrdinaryRole::new("creator", "CREATEROLE");
    let db = ordinary.open();
    db.migrate().unwrap();
    db.enable_row_security().unwrap();
    // At the next start everything is there.
    db.enable_row_security().unwrap();
    let exams = db.as_owner(owner("exams"));
    let job_id = a_job().create(&exams).job_id;
    store_output(&exams, job_id);
    let library = db.as_owner(owner("library"));
    assert_eq!(count(&library, "SELECT count(*) FROM clips"), 0);
    assert_eq!(count(&exams, "SELECT count(*) FROM clips"), 3);
    // Handles without an owner copy rows, which row-level security excludes.
    store_output(&db, a_job().create(&db).job_id);
    exams.write(|tx| tx.jobs().delete(job_id)).unwrap();
    assert_eq!(count(&db, "SELECT count(*) FROM clips"), 3);
}

#[test]
fn a_role_that_is_missing_or_not_limited_is_refused_with_what_to_do() {
    let ordinary = OfOrdinaryRole::new("ordinary", "");
    let owners = ordinary.owner_role();
    let mut admin = Sql::connect(server_url());
    let db = ordinary.open();
    db.migrate().unwrap();
    let refusal = || db.enable_row_security().unwrap_err().to_string();
    assert!(refusal().contains("CREATE ROLE"), "{}", refusal());

    admin
        .batch(&format!("CREATE ROLE {owners} NOLOGIN"))
        .unwrap();
    assert!(refusal().contains("GRANT"), "{}", refusal());

    admin
        .batch(&format!(
            "GRANT {owners} TO {}; ALTER ROLE {owners} BYPASSRLS",
            ordinary.names[0]
        ))
        .unwrap();
    assert!(refusal().contains("BYPASSRLS"), "{}", refusal());

    admin
        .batch(&format!("ALTER ROLE {owners} NOBYPASSRLS"))
        .unwrap();
    db.enable_row_security().unwrap();
}

#[test]
fn a_transaction_of_an_owner_fails_without_the_role_and_leaves_the_pool_usable() {
    let db = TestDb::with_row_security();
    let config = DatabaseConfig {
        owner_role: Some(RoleName::new("lectern_no_such_role").unwrap()),
        pool_size: 1,
        max_overflow: 0,
        ..DatabaseConfig::new(db.url()).unwrap()
    };
    let unprepared = Database::connect(&config).unwrap();
    let library = unprepared.as_owner(owner("library"));
    for _ in 0..3 {
        assert!(library.read(|conn| conn.jobs().exists(unknown())).is_err());
        assert!(
            library
                .read_committed(|conn| conn.jobs().exists(unknown()))
                .is_err()
        );
        assert!(library.write(|tx| tx.jobs().exists(unknown())).is_err());
        assert_eq!(count(&unprepared, "SELECT count(*) FROM jobs"), 0);
    }
}

fn unknown() -> JobId {
    crate::db::support::unknown_id()
}

#[test]
fn an_owner_cannot_end_the_statement_that_names_it() {
    let db = TestDb::with_row_security();
    let hostile = db.as_owner(owner(r"x\'; RESET ROLE; SELECT 'x"));
    a_job().create(&db.as_owner(owner("exams")));
    assert_eq!(count(&hostile, "SELECT count(*) FROM jobs"), 0);
    a_job().create(&hostile);
    assert_eq!(count(&hostile, "SELECT count(*) FROM jobs"), 1);
}

#[test]
fn the_metrics_of_an_owner_read_the_times_in_an_index() {
    let db = TestDb::with_row_security();
    insert_jobs(&db, 5_000, "status, owner_id", "'queued', 'library'");
    let library = db.as_owner(owner("library"));
    let (query, _) = last_query(|| library.read(|conn| conn.jobs().metrics()).unwrap());
    let mut sql = db.sql();
    sql.batch(
        "ANALYZE; BEGIN; SET LOCAL ROLE lectern_test_owners; SET LOCAL lectern.owner = 'library'",
    )
    .unwrap();
    // Without times of its own, a query has those of the server's clock.
    let mut values = vec!["NULL::timestamptz".to_owned(); 4];
    values[0] = "'library'".to_owned();
    let plan = plan_with(&mut sql, &query, &values);
    let of_created = |kind: &str| {
        let lines = plan.lines().filter(|line| line.contains(kind));
        lines.filter(|line| line.contains("created_at >=")).count()
    };
    assert_eq!(of_created("Index Cond:"), 3, "{plan}");
    assert_eq!(of_created("Filter:"), 0, "{plan}");
}
