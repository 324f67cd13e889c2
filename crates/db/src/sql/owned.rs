//! The condition that limits a query to the jobs of one owner, and to what belongs to them.
//!
//! Every query of a repository that names a job, or a row of a job, has this condition. A
//! job of another owner is then not found, by the same statement as a job that does not exist.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType, Text};

use crate::connection::context::TransactionContext;

/// The condition that a row of `table` belongs to a job of the owner, or is such a job; without
/// an owner, it holds for every row.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    table: &'static str,
    owner: Option<String>,
}

impl TransactionContext<'_> {
    /// The condition for `table`, which is `jobs` or has a column `job_id`.
    pub(crate) fn owned(&self, table: &'static str) -> Owned {
        Owned {
            table,
            owner: self.owner.map(|owner| owner.as_str().to_owned()),
        }
    }
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
            pass.push_sql("TRUE");
            return Ok(());
        };
        let (before, after) = around_owner(self.table);
        pass.push_sql(&before);
        pass.push_bind_param::<Text, String>(owner)?;
        pass.push_sql(after);
        Ok(())
    }
}

// The text depends on the table and on whether there is an owner.
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
