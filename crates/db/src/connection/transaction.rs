//! The connection that a closure of [`crate::Database`] receives. The methods of the
//! connection return the repositories.

use std::marker::PhantomData;

use lectern_domain::Clock;

use super::context::TransactionContext;
use super::db_connection::DbConnection;
use crate::error::Error;

/// Mode of a connection that only reads.
#[derive(Debug)]
pub enum ReadOnly {}

/// Mode of a connection that reads and writes, within a transaction.
#[derive(Debug)]
pub enum ReadWrite {}

/// A borrowed connection: a [`Reader`] or a [`Tx`]. A repository has its mutating
/// methods only on a [`Tx`], so that a write outside a transaction does not compile.
pub struct Conn<'c, Mode> {
    pub(crate) raw: &'c mut DbConnection,
    pub(crate) clock: &'c dyn Clock,
    pub(crate) context: &'c TransactionContext<'c>,
    mode: PhantomData<Mode>,
}

/// The argument of a closure of [`crate::Database::read`].
pub type Reader<'c> = Conn<'c, ReadOnly>;

/// The argument of a closure of [`crate::Database::write`]: one transaction.
pub type Tx<'c> = Conn<'c, ReadWrite>;

impl<'c, Mode> Conn<'c, Mode> {
    pub(crate) fn new(raw: &'c mut DbConnection, context: &'c TransactionContext<'c>) -> Self {
        Self {
            raw,
            clock: context.clock,
            context,
            mode: PhantomData,
        }
    }

    pub(crate) fn reborrow(&mut self) -> Conn<'_, Mode> {
        Conn::new(self.raw, self.context)
    }

    /// See [`TransactionContext::readable_rows`].
    pub(crate) fn readable<Row, T>(&self, rows: Vec<Row>) -> Result<Vec<T>, Error>
    where
        T: TryFrom<Row, Error = Error>,
    {
        self.context.readable_rows(rows)
    }
}

impl<Mode> std::fmt::Debug for Conn<'_, Mode> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn")
            .field("backend", &self.raw.backend())
            .finish_non_exhaustive()
    }
}
