//! Compares the live tables with `schema.rs`.

use std::collections::BTreeMap;
use std::fmt;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::connection::DbConnection;
use crate::error::{Doing, Error};

/// The tables for which this program was built, as printed by diesel.
const SCHEMA: &str = include_str!("../schema.rs");

/// The difference of a column that only the live database has.
const UNKNOWN: &str = "is not known to this program";

/// One difference between the live database and `schema.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Name of the table.
    pub table: String,
    /// Name of the column; `None` when the whole table is missing.
    pub column: Option<String>,
    /// The difference, such as `is missing` or `is text instead of uuid`.
    pub difference: String,
}

impl Drift {
    /// Whether only the live database has this column.
    pub(super) fn is_unknown_column(&self) -> bool {
        self.difference == UNKNOWN
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "{}.{column} {}", self.table, self.difference),
            None => write!(f, "{} {}", self.table, self.difference),
        }
    }
}

/// A column as a database describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    sql_type: String,
    nullable: bool,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let null = if self.nullable { "null" } else { "not null" };
        write!(f, "{} {null}", self.sql_type)
    }
}

/// Columns by name, by table.
type Tables = BTreeMap<String, BTreeMap<String, Column>>;

/// All differences, by table and column.
pub(crate) fn find(conn: &mut DbConnection) -> Result<Vec<Drift>, Error> {
    let expected = expected(SCHEMA, conn);
    let live = live(conn)?;
    let mut drift = Vec::new();
    for (table, columns) in &expected {
        let mut differs = |column: Option<&String>, difference: String| {
            drift.push(Drift {
                table: table.clone(),
                column: column.cloned(),
                difference,
            });
        };
        let Some(live) = live.get(table) else {
            differs(None, "is missing".to_owned());
            continue;
        };
        for (name, column) in columns {
            match live.get(name) {
                None => differs(Some(name), "is missing".to_owned()),
                Some(found) if found != column => {
                    differs(Some(name), format!("is {found} instead of {column}"));
                }
                Some(_) => {}
            }
        }
        for name in live.keys().filter(|name| !columns.contains_key(*name)) {
            differs(Some(name), UNKNOWN.to_owned());
        }
    }
    Ok(drift)
}

/// Parses the tables in the generated file: `table (key) { column -> Type, }`.
fn expected(schema: &str, conn: &DbConnection) -> Tables {
    let mut tables = Tables::new();
    let mut table = String::new();
    let mut sql_name = None;
    for line in schema.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with('{')) {
            name.clone_into(&mut table);
        } else if let Some(name) = line.strip_prefix("#[sql_name = \"") {
            // The next column is printed with another name, because its own is a Rust
            // keyword.
            sql_name = name.strip_suffix("\"]");
        } else if let Some((name, printed)) = line.split_once(" -> ") {
            let name = sql_name.take().unwrap_or(name);
            let printed = printed.trim_end_matches(',');
            let inner = printed
                .strip_prefix("Nullable<")
                .and_then(|t| t.strip_suffix('>'));
            let column = Column {
                sql_type: native(inner.unwrap_or(printed), conn),
                nullable: inner.is_some(),
            };
            tables
                .entry(table.clone())
                .or_default()
                .insert(name.to_owned(), column);
        }
    }
    tables
}

/// The database's name for a type that `schema.rs` calls `printed`.
fn native(printed: &str, conn: &DbConnection) -> String {
    match (conn, printed) {
        // diesel capitalizes the names of PostgreSQL's types.
        (DbConnection::Postgres(_), _) => printed.to_lowercase(),
        (DbConnection::Sqlite(_), "Int8" | "Int4") => "integer".to_owned(),
        (DbConnection::Sqlite(_), "Float8") => "real".to_owned(),
        (DbConnection::Sqlite(_), _) => "text".to_owned(),
    }
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    native_type: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

fn live(conn: &mut DbConnection) -> Result<Tables, Error> {
    let catalog = match conn {
        DbConnection::Postgres(_) => {
            "SELECT table_name::text, column_name::text, udt_name::text AS native_type,
                    is_nullable = 'YES' AS nullable
             FROM information_schema.columns WHERE table_schema = current_schema()"
        }
        DbConnection::Sqlite(_) => {
            "SELECT t.name AS table_name, c.name AS column_name, lower(c.type) AS native_type,
                    c.\"notnull\" = 0 AS nullable
             FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
             WHERE t.schema = 'main' AND t.type = 'table'"
        }
    };
    let rows = diesel::sql_query(catalog)
        .load::<ColumnRow>(conn)
        .doing("read the catalog of the database")?;
    let mut tables = Tables::new();
    for row in rows {
        let column = Column {
            sql_type: row.native_type,
            nullable: row.nullable,
        };
        tables
            .entry(row.table_name)
            .or_default()
            .insert(row.column_name, column);
    }
    Ok(tables)
}
