//! Raw SQL on a separate connection.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::deserialize::{self, FromSql};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{Array, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use lectern_db::Backend;

/// A separate connection for statements the repositories do not offer: breaking
/// a constraint, reading a catalog, killing a connection.
///
/// Foreign keys are enforced, as on every connection of Lectern.
#[expect(
    missing_debug_implementations,
    reason = "diesel's connections have none"
)]
pub struct Sql(Driver);

enum Driver {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Sql {
    /// Connects to the database of `url`.
    ///
    /// # Panics
    ///
    /// If it cannot be reached.
    pub fn connect(url: &str) -> Self {
        Self(match url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut connection = SqliteConnection::establish(path).expect("an SQLite file");
                connection
                    .batch_execute("PRAGMA busy_timeout = 30000; PRAGMA foreign_keys = ON")
                    .expect("pragmas");
                Driver::Sqlite(connection)
            }
            None => Driver::Postgres(PgConnection::establish(url).expect("a PostgreSQL server")),
        })
    }

    /// Which database this is.
    pub fn backend(&self) -> Backend {
        match self.0 {
            Driver::Postgres(_) => Backend::Postgres,
            Driver::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// Runs one statement; returns the number of affected rows.
    pub fn execute(&mut self, statement: &str) -> QueryResult<usize> {
        let statement = diesel::sql_query(statement);
        match &mut self.0 {
            Driver::Postgres(connection) => statement.execute(connection),
            Driver::Sqlite(connection) => statement.execute(connection),
        }
    }

    /// Runs statements separated by semicolons.
    pub fn batch(&mut self, statements: &str) -> QueryResult<()> {
        match &mut self.0 {
            Driver::Postgres(connection) => connection.batch_execute(statements),
            Driver::Sqlite(connection) => connection.batch_execute(statements),
        }
    }

    /// The rows of a query, each value as text, NULL as `None`.
    ///
    /// # Panics
    ///
    /// If the query fails.
    pub fn rows(&mut self, query: &str) -> Vec<Vec<Option<String>>> {
        let rows: QueryResult<Vec<TextRow>> = match &mut self.0 {
            // The driver requests binary values, so the query converts them to
            // text.
            Driver::Postgres(connection) => diesel::sql_query(format!(
                "WITH q AS ({query}) SELECT ARRAY(SELECT value FROM json_each_text(row_to_json(q))) \
                 AS texts FROM q"
            ))
            .load(connection),
            Driver::Sqlite(connection) => diesel::sql_query(query).load(connection),
        };
        match rows {
            Ok(rows) => rows.into_iter().map(|row| row.0).collect(),
            Err(error) => panic!("{error}: {query}"),
        }
    }

    /// The plan of a query, as the database prints it. On SQLite its parameters need no
    /// values.
    ///
    /// # Panics
    ///
    /// If the query is invalid.
    pub fn plan(&mut self, query: &str) -> String {
        let lines = match &mut self.0 {
            Driver::Postgres(connection) => diesel::sql_query(format!("EXPLAIN {query}"))
                .load::<PlanRow>(connection)
                .map(|rows| rows.into_iter().map(|row| row.0).collect()),
            Driver::Sqlite(_) => Ok(self
                .rows(&format!("EXPLAIN QUERY PLAN {query}"))
                .into_iter()
                .filter_map(|row| row.into_iter().next_back().flatten())
                .collect::<Vec<_>>()),
        };
        lines.expect("a plan").join("\n")
    }

    /// The single value of a query.
    ///
    /// # Panics
    ///
    /// If there is not exactly one row with one value, or the value is NULL.
    pub fn value(&mut self, query: &str) -> String {
        let rows = self.rows(query);
        match rows.as_slice() {
            [row] => match row.as_slice() {
                [Some(value)] => value.clone(),
                other => panic!("one value expected, not {other:?}: {query}"),
            },
            other => panic!("one row expected, not {}: {query}", other.len()),
        }
    }

    /// Terminates all other connections to this PostgreSQL database, as a restart
    /// of the server does; returns how many there were.
    pub fn terminate_other_connections(&mut self) -> usize {
        let terminated = self.rows(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        terminated.len()
    }

    /// How many rows a table holds.
    pub fn count(&mut self, table: &str) -> u64 {
        self.value(&format!("SELECT count(*) FROM {table}"))
            .parse()
            .expect("a count")
    }

    /// All rows by table, to check that nothing changed.
    pub fn dump(&mut self) -> BTreeMap<String, Vec<Vec<Option<String>>>> {
        let tables = match self.backend() {
            Backend::Postgres => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
            }
            Backend::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'"
            }
        };
        let tables = self.rows(tables).into_iter().flatten().flatten();
        let ours: Vec<_> = tables.filter(|table| !table.starts_with("__")).collect();
        ours.into_iter()
            .map(|table| {
                let rows = self.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2"));
                (table, rows)
            })
            .collect()
    }
}

/// A line of PostgreSQL's `EXPLAIN`.
struct PlanRow(String);

impl QueryableByName<diesel::pg::Pg> for PlanRow {
    fn build<'a>(row: &impl NamedRow<'a, diesel::pg::Pg>) -> deserialize::Result<Self> {
        NamedRow::get::<Text, _>(row, "QUERY PLAN").map(Self)
    }
}

/// A row of any query, as text.
struct TextRow(Vec<Option<String>>);

impl QueryableByName<Sqlite> for TextRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        (0..row.field_count())
            .map(|i| {
                let field = Row::get(row, i).ok_or("fewer fields than the row announced")?;
                FromSql::<Nullable<Text>, Sqlite>::from_nullable_sql(field.value())
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl QueryableByName<diesel::pg::Pg> for TextRow {
    fn build<'a>(row: &impl NamedRow<'a, diesel::pg::Pg>) -> deserialize::Result<Self> {
        NamedRow::get::<Array<Nullable<Text>>, _>(row, "texts").map(Self)
    }
}
