//! Values of the domain as columns of text, numbers and JSON.

use std::fmt::Debug;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sqlite::Sqlite;
use lectern_domain::{Invalid, JsonValue, NumberValue, TextValue};
use serde_json::Value;

use diesel::sql_types::{BigInt, Double, Integer};

use super::types::{DbJson, Jsonb, Text};
use crate::connection::MultiBackend;

/// A column that holds a value of the domain, such as a `Title` in a column of
/// text.
///
/// Another program may have written an invalid value. Reading such a value succeeds and
/// keeps the error in place of the value, because an error of diesel would not name the row;
/// [`RowDecoder`](super::row::RowDecoder) returns the error with the row's id.
#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[diesel(sql_type = Double)]
#[diesel(sql_type = Integer)]
#[diesel(sql_type = BigInt)]
#[diesel(sql_type = Jsonb)]
pub(crate) struct Stored<T>(Result<T, Invalid>);

impl<T> From<T> for Stored<T> {
    fn from(value: T) -> Self {
        Self(Ok(value))
    }
}

impl<T> Stored<T> {
    /// The value that was read, unless it is invalid.
    pub(crate) fn readable(&self) -> Option<&T> {
        self.0.as_ref().ok()
    }

    /// The value to be written.
    fn valid(&self) -> Result<&T, Invalid> {
        self.0.as_ref().map_err(Clone::clone)
    }
}

/// A column that may hold an invalid value.
pub(crate) trait Check {
    type Value;

    fn check(self) -> Result<Self::Value, Invalid>;
}

impl<T> Check for Stored<T> {
    type Value = T;

    fn check(self) -> Result<T, Invalid> {
        self.0
    }
}

impl<T> Check for Option<Stored<T>> {
    type Value = Option<T>;

    fn check(self) -> Result<Option<T>, Invalid> {
        self.map(Check::check).transpose()
    }
}

impl<T, DB: Backend> FromSql<Text, DB> for Stored<T>
where
    T: TextValue,
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        String::from_sql(value).map(|text| Self(T::from_text(text)))
    }
}

impl<T, DB: Backend> ToSql<Text, DB> for Stored<T>
where
    T: TextValue + Debug,
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.valid()?.as_text().to_sql(out)
    }
}

macro_rules! numbers {
    ($($sql:ident => $number:ty),+ $(,)?) => {$(
        impl<T, DB: Backend> FromSql<$sql, DB> for Stored<T>
        where
            T: NumberValue<Number = $number>,
            $number: FromSql<$sql, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                <$number>::from_sql(value).map(|number| Self(T::from_number(number)))
            }
        }

        impl<T: NumberValue<Number = $number> + Debug> ToSql<$sql, Pg> for Stored<T> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let number = self.valid()?.to_number();
                ToSql::<$sql, Pg>::to_sql(&number, &mut out.reborrow())
            }
        }

        impl<T: NumberValue<Number = $number> + Debug> ToSql<$sql, Sqlite> for Stored<T> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.valid()?.to_number());
                Ok(IsNull::No)
            }
        }

        impl<T: NumberValue<Number = $number> + Debug + Send + Sync + 'static> ToSql<$sql, MultiBackend> for Stored<T> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value(($sql, self));
                Ok(IsNull::No)
            }
        }
    )+};
}

numbers! {
    Double => f64,
    Integer => i32,
    BigInt => i64,
}

impl<T, DB: Backend> FromSql<Jsonb, DB> for Stored<T>
where
    T: JsonValue,
    DbJson: FromSql<Jsonb, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        // The databases accept JSON that serde_json does not: numbers beyond `f64`, and
        // more than 128 levels.
        let json = DbJson::from_sql(value).map_err(|error| Invalid::new(error.to_string()));
        Ok(Self(json.and_then(|json| T::from_json(json.0))))
    }
}

impl<T: JsonValue + Debug> ToSql<Jsonb, Pg> for Stored<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let json: Value = self.valid()?.to_json();
        ToSql::<Jsonb, Pg>::to_sql(&DbJson(json), &mut out.reborrow())
    }
}

impl<T: JsonValue + Debug> ToSql<Jsonb, Sqlite> for Stored<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.valid()?.to_json().to_string());
        Ok(IsNull::No)
    }
}

impl<T: JsonValue + Debug + Send + Sync + 'static> ToSql<Jsonb, MultiBackend> for Stored<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Jsonb, self));
        Ok(IsNull::No)
    }
}
