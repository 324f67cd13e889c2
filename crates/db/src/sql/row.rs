//! Converts rows to values of the domain.

use std::fmt::Display;

use diesel::pg::Pg;
use diesel::prelude::*;
use lectern_domain::{IdValue, Patch, TimeRange};
use uuid::Uuid;

use super::stored::Check;
use crate::error::Error;

/// Decodes the columns of one row. The error of an invalid column names the row.
#[derive(Clone, Copy)]
pub(crate) struct RowDecoder {
    table: &'static str,
    id: Uuid,
}

impl RowDecoder {
    pub(crate) fn new(table: &'static str, id: impl IdValue) -> Self {
        let id = id.as_uuid();
        Self { table, id }
    }

    pub(crate) fn column<C: Check>(
        self,
        column: &'static str,
        value: C,
    ) -> Result<C::Value, Error> {
        self.converted(column, value.check())
    }

    /// If the conversion of a column failed, the error names the row and the column.
    pub(crate) fn converted<T>(
        self,
        column: &'static str,
        result: Result<T, impl Display>,
    ) -> Result<T, Error> {
        result.map_err(|error| Error::Corrupt {
            table: self.table,
            column,
            id: self.id,
            reason: error.to_string(),
        })
    }

    /// Decodes the columns `start_time` and `end_time`. An error names the first of them.
    pub(crate) fn time_range(self, start: f64, end: f64) -> Result<TimeRange, Error> {
        self.converted("start_time", TimeRange::new(start, end))
    }
}

/// The columns that a row is read from, the same for both databases.
pub(crate) type Columns<Row> = <Row as Selectable<Pg>>::SelectExpression;

pub(crate) fn columns<Row: Selectable<Pg>>() -> Columns<Row> {
    Row::construct_selection()
}

/// Converts all rows of a result.
pub(crate) fn all<Row, T>(rows: Vec<Row>) -> Result<Vec<T>, Error>
where
    T: TryFrom<Row, Error = Error>,
{
    rows.into_iter().map(T::try_from).collect()
}

/// Converts the row of a result, if there is one.
pub(crate) fn one<Row, T>(row: Option<Row>) -> Result<Option<T>, Error>
where
    T: TryFrom<Row, Error = Error>,
{
    row.map(T::try_from).transpose()
}

/// Converts a patch for a diesel changeset, where the outer `None` keeps a column and
/// the inner one sets it to NULL.
pub(crate) fn nullable_change<'a, T, U>(
    patch: &'a Patch<T>,
    value: impl FnOnce(&'a T) -> U,
) -> Option<Option<U>> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(new) => Some(Some(value(new))),
    }
}
