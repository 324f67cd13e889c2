//! Column types that mean the same on both databases.
//!
//! PostgreSQL has native types for uuids, timestamps and JSON; SQLite stores
//! these values as text (36 characters; RFC 3339 in UTC with microseconds; JSON).
//! The three marker types have PostgreSQL's names, so that `schema.rs` is the
//! unchanged output of `diesel print-schema`. For each of them, this module has a Rust
//! type that is read and written on both databases. Rows that another program may have
//! written are read with `StoredTime` and `Stored` instead, which also accept invalid
//! values.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, SqlType};
use diesel::sqlite::{Sqlite, SqliteValue};
use lectern_domain::IdValue;

pub use diesel::sql_types::{Float8, Int4, Int8, Nullable, Text};

use super::time_range::{clamped, sqlite_text};
use crate::connection::{MultiBackend, MultiRawValue};

/// A UUID.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Uuid;

/// An instant in UTC, to the microsecond.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Timestamptz;

/// A JSON value.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Jsonb;

// `table!` implements `std::ops::{Add, Sub}` for columns of a type with this name. These
// implementations need diesel's traits `Add` and `Sub`.
impl diesel::sql_types::ops::Add for Timestamptz {
    type Rhs = diesel::sql_types::Interval;
    type Output = Self;
}

impl diesel::sql_types::ops::Sub for Timestamptz {
    type Rhs = diesel::sql_types::Interval;
    type Output = Self;
}

/// The Rust type of a [`struct@Uuid`] column that holds a `T`: a `JobId`, say,
/// or a plain `uuid::Uuid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Uuid)]
pub struct Id<T>(pub T);

/// A valid time in a [`Timestamptz`] column or expression: one that Lectern writes,
/// compares with or reads from the clock. Stored times are read as `StoredTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
pub struct DbTime(pub DateTime<Utc>);

impl DbTime {
    /// A time to compare with, clamped to the years 1 to 9999, which both
    /// databases can represent.
    pub fn bound(time: DateTime<Utc>) -> Self {
        Self(clamped(time))
    }
}

/// A valid JSON value in a [`Jsonb`] column.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub struct DbJson(pub serde_json::Value);

/// Implements `ToSql` and `FromSql` for [`MultiBackend`] by the implementations for the
/// backend in use.
macro_rules! on_both {
    ($($sql:ty => $rust:ty),+ $(,)?) => {$(
        impl ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }

        impl FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, $sql>()
            }
        }
    )+};
}
pub(super) use on_both;

on_both! {
    Timestamptz => DbTime,
    Jsonb => DbJson,
}

macro_rules! column_types {
    ($($sql:ty),+ $(,)?) => {$(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }
    )+};
}

column_types! { Uuid, Timestamptz, Jsonb }

impl<T: IdValue + Debug + Send + Sync + 'static> ToSql<Uuid, MultiBackend> for Id<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Uuid, self));
        Ok(IsNull::No)
    }
}

impl<T: IdValue + Debug> ToSql<Uuid, Pg> for Id<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let uuid = self.0.as_uuid();
        ToSql::<diesel::sql_types::Uuid, Pg>::to_sql(&uuid, &mut out.reborrow())
    }
}

impl<T: IdValue + Debug> ToSql<Uuid, Sqlite> for Id<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_uuid().as_hyphenated().to_string());
        Ok(IsNull::No)
    }
}

impl<T: IdValue> FromSql<Uuid, MultiBackend> for Id<T> {
    fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Uuid>()
    }
}

impl<T: IdValue> FromSql<Uuid, Pg> for Id<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let uuid: uuid::Uuid = FromSql::<diesel::sql_types::Uuid, Pg>::from_sql(value)?;
        Ok(Self(uuid.into()))
    }
}

impl<T: IdValue> FromSql<Uuid, Sqlite> for Id<T> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let uuid: uuid::Uuid = value.read_text().parse()?;
        Ok(Self(uuid.into()))
    }
}

impl ToSql<Timestamptz, Pg> for DbTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<diesel::sql_types::Timestamptz, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<Timestamptz, Pg> for DbTime {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<diesel::sql_types::Timestamptz, Pg>::from_sql(value).map(Self)
    }
}

impl ToSql<Timestamptz, Sqlite> for DbTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(sqlite_text(self.0));
        Ok(IsNull::No)
    }
}

impl FromSql<Timestamptz, Sqlite> for DbTime {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(
            DateTime::parse_from_rfc3339(value.read_text())?.to_utc(),
        ))
    }
}

impl ToSql<Jsonb, Pg> for DbJson {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<diesel::sql_types::Jsonb, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<Jsonb, Pg> for DbJson {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<diesel::sql_types::Jsonb, Pg>::from_sql(value).map(Self)
    }
}

impl ToSql<Jsonb, Sqlite> for DbJson {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<Jsonb, Sqlite> for DbJson {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_str(value.read_text())?))
    }
}
