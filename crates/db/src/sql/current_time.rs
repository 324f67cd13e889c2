//! The current time as an SQL expression.
//!
//! Every time that is stored comes from one clock: the database server's on
//! PostgreSQL, the machine's on SQLite, or the `Clock` a caller gave to
//! `Database`. Reading the server's clock inside the statement costs no round
//! trip.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::expression::{AppearsOnTable, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Nullable;
use diesel::sqlite::Sqlite;

use crate::connection::{Conn, DbConnection};
use crate::sql::types::{DbTime, Timestamptz};

/// A `Timestamptz` expression: the current time, or a time before or after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CurrentTime {
    /// The time to bind; `None` leaves it to the server.
    bound: Option<DbTime>,
    /// The function that the server calls if no time is bound.
    function: &'static str,
    /// Subtracted from the current time; negative for a later time.
    minus: TimeDelta,
}

impl<Mode> Conn<'_, Mode> {
    /// The time of a row that is inserted, the same in all of its columns.
    pub(crate) fn insert_time(&self) -> CurrentTime {
        self.current_time("statement_timestamp()", TimeDelta::zero())
    }

    /// The time of a row that is updated. An `UPDATE` that has waited for another
    /// transaction evaluates the time again after the wait, so that the times of a row's
    /// versions never decrease.
    pub(crate) fn update_time(&self) -> CurrentTime {
        self.current_time("clock_timestamp()", TimeDelta::zero())
    }

    /// A time to compare with, at most a thousand years ago.
    pub(crate) fn time_ago(&self, ago: TimeDelta) -> CurrentTime {
        // Both databases can represent a time a thousand years ago, and no row is older.
        let ago = ago.min(TimeDelta::days(365_000));
        self.current_time("statement_timestamp()", ago)
    }

    /// The time of a row that is updated, plus `delay`, which is at most a thousand years.
    pub(crate) fn time_after(&self, delay: TimeDelta) -> CurrentTime {
        self.current_time("clock_timestamp()", -delay.min(TimeDelta::days(365_000)))
    }

    fn current_time(&self, function: &'static str, minus: TimeDelta) -> CurrentTime {
        let is_bound = self.context.has_custom_clock || matches!(self.raw, DbConnection::Sqlite(_));
        CurrentTime {
            bound: is_bound.then(|| DbTime(self.clock.now() - minus)),
            function,
            minus,
        }
    }
}

impl CurrentTime {
    /// The same expression with `now` instead of the current time.
    pub(crate) fn relative_to(self, now: DateTime<Utc>) -> Self {
        Self {
            bound: Some(DbTime(now - self.minus)),
            ..self
        }
    }

    /// The SQL of the time by the clock of the PostgreSQL server.
    fn server_time(&self) -> String {
        match self.minus.num_seconds() {
            0 => self.function.to_owned(),
            seconds => format!("{} - INTERVAL '{seconds} seconds'", self.function),
        }
    }

    /// The SQL of the expression for a statement written by hand. The statement must bind
    /// [`CurrentTime::parameter`] to the placeholder `parameter`, such as `$1`.
    ///
    /// A `CASE` rather than a `COALESCE`: PostgreSQL does not take the latter for leakproof, so
    /// under row-level security it would not use an index to compare a column with it.
    pub(crate) fn to_sql(self, conn: &DbConnection, parameter: &str) -> String {
        match conn {
            DbConnection::Postgres(_) => {
                let server = self.server_time();
                format!("CASE WHEN {parameter} IS NULL THEN {server} ELSE {parameter} END")
            }
            DbConnection::Sqlite(_) => parameter.to_owned(),
        }
    }

    pub(crate) fn parameter(self) -> Option<DbTime> {
        self.bound
    }
}

impl Expression for CurrentTime {
    type SqlType = Timestamptz;
}

impl ValidGrouping<()> for CurrentTime {
    type IsAggregate = diesel::expression::is_aggregate::Never;
}

impl<From> AppearsOnTable<From> for CurrentTime {}
impl<From> SelectableExpression<From> for CurrentTime {}

// Its SQL depends on its value, so the connection caches the statement by its SQL.
impl QueryId for CurrentTime {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for CurrentTime {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // The parameter is NULL for the clock of the server. The text is the same for the clock of
        // the caller, so both share a prepared statement.
        pass.push_sql("COALESCE(");
        pass.push_bind_param::<Nullable<Timestamptz>, _>(&self.bound)?;
        pass.push_sql(&format!(", {})", self.server_time()));
        Ok(())
    }
}

impl QueryFragment<Sqlite> for CurrentTime {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_bind_param::<Nullable<Timestamptz>, _>(&self.bound)
    }
}
