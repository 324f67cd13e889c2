//! What the closures of [`crate::Database`] get: a connection, seen as
//! repositories.

use std::marker::PhantomData;

use lectern_domain::Clock;

use super::backend::DbConnection;
use super::context::TransactionContext;

/// May only look.
#[derive(Debug)]
pub enum ReadOnly {}

/// May look and change, within a transaction.
#[derive(Debug)]
pub enum ReadWrite {}

/// A borrowed connection. [`Reader`] and [`Tx`] are the two there are; a
/// repository's changing methods exist only on the second, so a write outside
/// a transaction does not compile.
pub struct Conn<'c, Mode> {
    pub(crate) raw: &'c mut DbConnection,
    pub(crate) clock: &'c dyn Clock,
    pub(crate) context: &'c TransactionContext<'c>,
    mode: PhantomData<Mode>,
}

/// What [`crate::Database::read`] gives.
pub type Reader<'c> = Conn<'c, ReadOnly>;

/// What [`crate::Database::write`] gives: one transaction.
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
}

impl<Mode> std::fmt::Debug for Conn<'_, Mode> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn")
            .field("backend", &self.raw.backend())
            .finish_non_exhaustive()
    }
}
