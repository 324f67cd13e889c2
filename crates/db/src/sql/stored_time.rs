//! Times that were read from a column, which another program may have written.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::BigInt;
use diesel::sqlite::{Sqlite, SqliteValue};
use lectern_domain::{Cursor, IdValue, Invalid};
use uuid::Uuid;

use super::stored::Check;
use super::time_range::{FIRST, LAST, is_representable, sqlite_text, start_of};
use super::types::{DbTime, Timestamptz, on_both};
use crate::connection::{MultiBackend, MultiRawValue};

/// The value of a [`Timestamptz`] column.
///
/// Another program may have written a value that is not a time of the years 1 to 9999:
/// `infinity` on PostgreSQL, 31 November on SQLite. As with
/// [`Stored`](super::stored::Stored), reading such a value succeeds, and decoding the row
/// returns the error.
#[derive(Debug, Clone, Copy, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
pub(crate) struct StoredTime(Result<DateTime<Utc>, NotATime>);

/// The position at which the database sorts a value that is not a time. `before` and
/// `after` are a microsecond apart, and only values that are no times are sorted between
/// them.
#[derive(Debug, Clone, Copy)]
struct NotATime {
    /// `None` if the value is sorted before all times.
    before: Option<DateTime<Utc>>,
    /// `None` if the value is sorted after all times.
    after: Option<DateTime<Utc>>,
}

impl NotATime {
    /// `is_before` returns whether the database sorts a time before the value: true for
    /// all times up to some time, and false for all later times.
    fn find(is_before: impl Fn(DateTime<Utc>) -> bool) -> Self {
        let at = |micros| *FIRST + TimeDelta::microseconds(micros);
        let (mut low, mut high) = (0, (*LAST - *FIRST).num_microseconds().unwrap_or(0) + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(at(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Self {
            before: (low > 0).then(|| at(low - 1)),
            after: Some(at(low)).filter(|time| time <= &LAST),
        }
    }
}

impl StoredTime {
    /// The cursor of a row with this time in a list whose newest rows come first. `None`
    /// if no readable row can follow.
    pub(crate) fn descending_cursor(self, id: impl IdValue) -> Option<Cursor> {
        match self.0 {
            Ok(time) => Some(Cursor {
                time,
                id: id.as_uuid(),
            }),
            Err(position) => position.before.map(|time| Cursor {
                time,
                id: Uuid::max(),
            }),
        }
    }

    /// As [`StoredTime::descending_cursor`], in a list whose oldest rows come first.
    pub(crate) fn ascending_cursor(self, id: impl IdValue) -> Option<Cursor> {
        match self.0 {
            Ok(time) => Some(Cursor {
                time,
                id: id.as_uuid(),
            }),
            Err(position) => position.after.map(|time| Cursor {
                time,
                id: Uuid::nil(),
            }),
        }
    }
}

impl From<DateTime<Utc>> for StoredTime {
    fn from(time: DateTime<Utc>) -> Self {
        Self(Ok(time))
    }
}

impl Check for StoredTime {
    type Value = DateTime<Utc>;

    fn check(self) -> Result<DateTime<Utc>, Invalid> {
        self.0
            .map_err(|_| Invalid::new("must be a time in the years 1 to 9999"))
    }
}

impl Check for Option<StoredTime> {
    type Value = Option<DateTime<Utc>>;

    fn check(self) -> Result<Option<DateTime<Utc>>, Invalid> {
        self.map(Check::check).transpose()
    }
}

on_both! { Timestamptz => StoredTime }

impl FromSql<Timestamptz, Pg> for StoredTime {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        // Microseconds from the start of the year 2000; the infinities are the extremes.
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        let since = |time: DateTime<Utc>| (time - start_of(2000)).num_microseconds().unwrap_or(0);
        if (since(*FIRST)..=since(*LAST)).contains(&micros) {
            let time = start_of(2000) + TimeDelta::microseconds(micros);
            return Ok(Self(Ok(time)));
        }
        Ok(Self(Err(NotATime::find(|time| since(time) < micros))))
    }
}

impl FromSql<Timestamptz, Sqlite> for StoredTime {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        let time = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
        Ok(Self(time.ok().filter(is_representable).ok_or_else(|| {
            NotATime::find(|time| sqlite_text(time).as_str() < text)
        })))
    }
}

impl ToSql<Timestamptz, Pg> for StoredTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let time = DbTime(self.check()?);
        ToSql::<Timestamptz, Pg>::to_sql(&time, &mut out.reborrow())
    }
}

impl ToSql<Timestamptz, Sqlite> for StoredTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(sqlite_text(self.check()?));
        Ok(IsNull::No)
    }
}
