//! The condition that limits a query to the jobs of one owner, to what belongs to them, and to the
//! rows that are there for readers.
//!
//! Every query of a repository that names a job, or a row of a job, has this condition. A
//! job of another owner is then not found, by the same statement as a job that does not exist.
//! Rows of a set that is being stored in parts, or that another one has replaced, are not found
//! either; see `repositories/replace_set/parts.rs`.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType, Text};

use crate::connection::Backend as Database;
use crate::connection::context::TransactionContext;

/// The condition that a row of `table` belongs to a job of the owner, or is such a job, and is
/// there for readers; without an owner, that only the latter holds.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    table: &'static str,
    owner: Option<String>,
    has_sets: bool,
}

/// The condition that a row of `table` is there for readers.
pub(crate) fn shown(database: Database, table: &'static str) -> Owned {
    Owned {
        table,
        owner: None,
        has_sets: has_sets(database, table),
    }
}

/// Whether sets of this table are stored in parts.
pub(crate) fn has_sets(database: Database, table: &str) -> bool {
    database == Database::Sqlite && matches!(table, "transcripts" | "silence_regions")
}

impl TransactionContext<'_> {
    /// The condition for `table`, which is `jobs` or has a column `job_id`.
    pub(crate) fn owned(&self, table: &'static str) -> Owned {
        Owned {
            table,
            owner: self.owner.map(|owner| owner.as_str().to_owned()),
            has_sets: has_sets(self.backend, table),
        }
    }
}

/// Usually no set is hidden. The database finds that out once, and then reads no row for it that
/// the statement does not need anyway.
pub(crate) fn shown_sql(table: &str) -> String {
    format!(
        "(NOT EXISTS (SELECT 1 FROM row_sets WHERE state <> 'shown') \
         OR {table}.set_number IS NULL \
         OR {table}.set_number NOT IN (SELECT set_number FROM row_sets WHERE state <> 'shown'))"
    )
}

/// SQL for the condition, with `parameter` in place of the owner.
pub(crate) fn owned_sql(table: &str, parameter: &str) -> String {
    let (before, after) = around_owner(table);
    format!("{before}{parameter}{after}")
}

fn around_owner(table: &str) -> (String, &'static str) {
    if table == "jobs" {
        ("jobs.owner_id = ".to_owned(), "")
    } else {
        let owned = format!(
            "EXISTS (SELECT 1 FROM jobs AS owned WHERE owned.job_id = {table}.job_id \
             AND owned.owner_id = "
        );
        (owned, ")")
    }
}

impl<DB> QueryFragment<DB> for Owned
where
    DB: Backend + HasSqlType<Text>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let Some(owner) = &self.owner else {
            pass.push_sql(&if self.has_sets {
                shown_sql(self.table)
            } else {
                "TRUE".to_owned()
            });
            return Ok(());
        };
        if self.has_sets {
            pass.push_sql(&shown_sql(self.table));
            pass.push_sql(" AND ");
        }
        let (before, after) = around_owner(self.table);
        pass.push_sql(&before);
        pass.push_bind_param::<Text, String>(owner)?;
        pass.push_sql(after);
        Ok(())
    }
}

// The text depends on the table, on the database and on whether there is an owner.
impl QueryId for Owned {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Expression for Owned {
    type SqlType = Bool;
}

impl<Group> ValidGrouping<Group> for Owned {
    type IsAggregate = is_aggregate::Never;
}

impl<Source: ?Sized> AppearsOnTable<Source> for Owned {}
