//! Statements that are prepared once per connection.

use diesel::backend::Backend;
use diesel::connection::{DefaultLoadingMode, LoadConnection};
use diesel::expression::QueryMetadata;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Untyped;
use diesel::{QueryResult, RunQueryDsl};

/// A statement that the connection prepares once and caches by its SQL.
///
/// diesel does not cache statements whose text might differ each time: every
/// UPDATE, and every statement with literal SQL in it. Planning a statement can take
/// longer than running it. Wrap a statement only if it has few different texts,
/// because the cache is not bounded.
#[derive(Debug, Clone)]
pub(crate) struct Prepared<Q>(pub(crate) Q);

impl<DB, Q> QueryFragment<DB> for Prepared<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

// Without a query id, the connection caches the statement by its SQL.
impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, Conn> RunQueryDsl<Conn> for Prepared<Q> {}

impl<Q> Prepared<Q> {
    /// Executes a statement that returns no rows.
    ///
    /// diesel's `execute` passes the statement on by reference. The reference does not tell
    /// that it is safe to cache, so the statement would be prepared each time.
    pub(crate) fn execute<C>(self, conn: &mut C) -> QueryResult<()>
    where
        C: LoadConnection<DefaultLoadingMode>,
        C::Backend: QueryMetadata<Untyped>,
        Q: QueryFragment<C::Backend>,
    {
        let mut rows = conn.load(WithoutRows(self))?;
        rows.try_for_each(|row| row.map(drop))
    }
}

/// A statement that returns no rows, so its columns need no types.
struct WithoutRows<Q>(Prepared<Q>);

impl<DB, Q> QueryFragment<DB> for WithoutRows<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        self.0.is_safe_to_cache_prepared(backend)
    }
}

impl<Q> QueryId for WithoutRows<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for WithoutRows<Q> {
    type SqlType = Untyped;
}

/// A statement that is [`Prepared`] only on a condition.
#[derive(Debug, Clone)]
pub(crate) struct PreparedIf<Q> {
    pub(crate) query: Q,
    pub(crate) is_prepared: bool,
}

impl<DB, Q> QueryFragment<DB> for PreparedIf<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(self.is_prepared)
    }
}

impl<Q> QueryId for PreparedIf<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for PreparedIf<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, Conn> RunQueryDsl<Conn> for PreparedIf<Q> {}
