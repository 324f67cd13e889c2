//! From rows to the domain's types.

use lectern_domain::{
    Cursor, Invalid, JsonObject, Page, PageLimit, Patch, Ratio, Seconds, TimeRange,
};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;
use crate::sql::types::DbJson;

/// Names the row that is read, for the error of a column that does not fit.
#[derive(Clone, Copy)]
pub(crate) struct RowName {
    pub(crate) table: &'static str,
    pub(crate) id: Uuid,
}

impl RowName {
    /// The value of a column, or which column of which row does not fit.
    pub(crate) fn column<T, E: std::fmt::Display>(
        self,
        column: &'static str,
        value: Result<T, E>,
    ) -> Result<T, Error> {
        value.map_err(|error| Error::Corrupt {
            table: self.table,
            column,
            id: self.id,
            reason: error.to_string(),
        })
    }

    /// A column that may be null.
    pub(crate) fn nullable<S, T, E: std::fmt::Display>(
        self,
        column: &'static str,
        value: Option<S>,
        read: impl FnOnce(S) -> Result<T, E>,
    ) -> Result<Option<T>, Error> {
        self.column(column, value.map(read).transpose())
    }

    pub(crate) fn time(self, start: f64, end: f64) -> Result<TimeRange, Error> {
        self.column("start_time", TimeRange::new(start, end))
    }

    pub(crate) fn fraction(
        self,
        column: &'static str,
        value: Option<f64>,
    ) -> Result<Option<Ratio>, Error> {
        self.nullable(column, value, Ratio::new)
    }

    pub(crate) fn seconds(
        self,
        column: &'static str,
        value: Option<f64>,
    ) -> Result<Option<Seconds>, Error> {
        self.nullable(column, value, Seconds::new)
    }

    pub(crate) fn object(self, column: &'static str, json: DbJson) -> Result<JsonObject, Error> {
        self.column(column, JsonObject::try_from(json.0))
    }

    /// A JSON array of strings.
    pub(crate) fn strings<T>(
        self,
        column: &'static str,
        json: DbJson,
        read: impl Fn(String) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Error> {
        let Value::Array(items) = json.0 else {
            return self.column(column, Err("not an array"));
        };
        items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => self.column(column, read(text)),
                _ => self.column(column, Err("an item is not a string")),
            })
            .collect()
    }
}

/// Converts all rows of an answer.
pub(crate) fn all<Row, T>(rows: Vec<Row>) -> Result<Vec<T>, Error>
where
    T: TryFrom<Row, Error = Error>,
{
    rows.into_iter().map(T::try_from).collect()
}

/// Converts the row of an answer, if there is one.
pub(crate) fn one<Row, T>(row: Option<Row>) -> Result<Option<T>, Error>
where
    T: TryFrom<Row, Error = Error>,
{
    row.map(T::try_from).transpose()
}

/// One row more than a page holds tells whether another page follows.
pub(crate) fn one_more(limit: PageLimit) -> i64 {
    self::limit(limit.get()) + 1
}

/// Makes a page of what a query that asked for [`one_more`] found.
pub(crate) fn cut<T>(
    mut items: Vec<T>,
    limit: PageLimit,
    cursor: impl Fn(&T) -> Cursor,
) -> Page<T> {
    let more = items.len() > limit.get();
    items.truncate(limit.get());
    let next = items.last().filter(|_| more).map(cursor);
    Page { items, next }
}

/// A number of rows as SQL counts them.
pub(crate) fn limit(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Names the columns a row is read from: all but the integer key, which stays
/// where it is.
macro_rules! columns {
    ($table:ident: $($column:ident),+ $(,)?) => {
        pub(crate) type Columns = ($($crate::schema::$table::$column,)+);
        pub(crate) const COLUMNS: Columns = ($($crate::schema::$table::$column,)+);
    };
}
pub(crate) use columns;

/// The rows of a job in the order they were inserted, as domain values.
macro_rules! in_insertion_order {
    ($conn:expr, $table:ident, $row:ty, $job_id:expr) => {
        $table::table
            .filter($table::job_id.eq($crate::sql::types::DbUuid($job_id.as_uuid())))
            .order($table::id)
            .select(COLUMNS)
            .load::<$row>($conn)
            .doing("read the set that is stored")
            .and_then($crate::sql::row::all)
    };
}
pub(crate) use in_insertion_order;

/// Whether `stored` is just what `new` asks for.
pub(crate) fn same<T, N>(stored: &[T], new: &[N], is: impl Fn(&T, &N) -> bool) -> bool {
    stored.len() == new.len() && stored.iter().zip(new).all(|(stored, new)| is(stored, new))
}

/// A patch as a changeset reads it.
pub(crate) fn nullable<'a, T, U>(
    patch: &'a Patch<T>,
    value: impl FnOnce(&'a T) -> U,
) -> Option<Option<U>> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(new) => Some(Some(value(new))),
    }
}
