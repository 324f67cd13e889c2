//! Statements that are prepared once per connection.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
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
