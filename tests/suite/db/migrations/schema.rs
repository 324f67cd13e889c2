//! Compares the schemas of both backends with each other and with `schema.rs`.

use std::collections::BTreeMap;

use lectern_tests::{Backend, Fixture, Sql, TestDb, on_both_backends};

on_both_backends!(the_columns_of_a_new_database_match_the_compiled_schema);

/// Type and nullability by table and column. Types are those of `schema.rs`.
type Columns = BTreeMap<String, (String, bool)>;

/// Without SQLite's table `job_metadata`, which PostgreSQL has as `jobs_extra_metadata_idx`.
fn database_columns(sql: &mut Sql) -> Columns {
    let query = match sql.backend() {
        Backend::Postgres => {
            "SELECT table_name || '.' || column_name, udt_name, is_nullable = 'YES'
             FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'"
        }
        Backend::Sqlite => {
            "SELECT t.name || '.' || c.name, c.type, CASE c.\"notnull\" WHEN 0 THEN 'true' ELSE 'false' END
             FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c
             WHERE t.type = 'table' AND t.name NOT IN ('__diesel_schema_migrations', 'sqlite_sequence', 'job_metadata')"
        }
    };
    sql.rows(query)
        .into_iter()
        .map(|row| match <[_; 3]>::try_from(row).unwrap() {
            [Some(column), Some(sql_type), Some(nullable)] => {
                (column, (sql_type, nullable == "true"))
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The columns in `schema.rs`: `table (key) { column -> Type, }`, with
/// `#[sql_name = "…"]` before a column that is named like a Rust keyword.
fn compiled_columns() -> Columns {
    let mut table = String::new();
    let mut renamed = None;
    let mut columns = Columns::new();
    for line in include_str!("../../../../crates/db/src/schema.rs")
        .lines()
        .map(str::trim)
    {
        if let (Some((name, _)), true) = (line.split_once(" ("), line.ends_with('{')) {
            name.clone_into(&mut table);
        } else if let Some(name) = line.strip_prefix("#[sql_name = \"") {
            renamed = name.strip_suffix("\"]");
        } else if let Some((column, sql_type)) = line.split_once(" -> ") {
            let column = renamed.take().unwrap_or(column);
            let sql_type = sql_type.trim_end_matches(',');
            let inner = sql_type
                .strip_prefix("Nullable<")
                .and_then(|rest| rest.strip_suffix('>'));
            let found = (inner.unwrap_or(sql_type).to_lowercase(), inner.is_some());
            columns.insert(format!("{table}.{column}"), found);
        }
    }
    columns
}

/// The same columns with SQLite's types.
fn on_sqlite(columns: Columns) -> Columns {
    columns
        .into_iter()
        .map(|(column, (sql_type, nullable))| {
            let sql_type = match sql_type.as_str() {
                "int8" | "int4" => "INTEGER",
                "float8" => "REAL",
                "uuid" | "timestamptz" | "jsonb" | "text" => "TEXT",
                other => panic!("{column} is {other}, which has no equivalent on SQLite"),
            };
            (column, (sql_type.to_owned(), nullable))
        })
        .collect()
}

#[test]
fn both_backends_and_the_compiled_schema_have_the_same_columns() {
    let postgres = database_columns(&mut TestDb::on(Backend::Postgres).sql());
    let sqlite = database_columns(&mut TestDb::on(Backend::Sqlite).sql());
    assert!(postgres.len() > 110, "{} columns", postgres.len());
    assert!(postgres.contains_key("job_events.type"));
    assert_eq!(postgres, compiled_columns());
    assert_eq!(sqlite, on_sqlite(postgres));
}

#[test]
fn both_backends_have_the_same_indexes() {
    let names = |backend| {
        let query = match backend {
            // All rows would be in two indexes that only SQLite needs.
            Backend::Postgres => {
                "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE '%\\_idx'
                 UNION VALUES ('transcripts_without_set_idx'), ('silence_regions_without_set_idx') ORDER BY 1"
            }
            Backend::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE '%\\_idx' ESCAPE '\\'
                 UNION SELECT 'jobs_extra_metadata_idx' FROM sqlite_master WHERE name = 'job_metadata' ORDER BY 1"
            }
        };
        TestDb::on(backend).sql().rows(query)
    };
    assert!(names(Backend::Postgres).len() >= 15);
    assert_eq!(names(Backend::Postgres), names(Backend::Sqlite));
}

#[test]
fn both_backends_have_migrations_of_the_same_names() {
    let names = |backend| TestDb::on(backend).migrations().status().unwrap();
    assert_eq!(names(Backend::Postgres), names(Backend::Sqlite));
}

fn the_columns_of_a_new_database_match_the_compiled_schema(db: TestDb) {
    assert_eq!(db.drift().unwrap(), []);
}
