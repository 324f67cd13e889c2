//! The text of a query and its parameters, for either database.

use chrono::{DateTime, Utc};
use diesel::backend::Backend as DieselBackend;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::serialize::ToSql;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Double, HasSqlType, Text};

use crate::sql::prepared::PreparedIf;
use crate::sql::types::{DbTime, Id, Timestamptz, Uuid};

/// A parameter of a query.
#[derive(Debug, Clone)]
pub(super) enum Bind {
    Text(String),
    Time(DateTime<Utc>),
    Id(uuid::Uuid),
    Integer(i64),
    Double(f64),
}

/// Adds a parameter; returns its placeholder, which both databases understand. The
/// placeholders must stand in the SQL in the order of the parameters: SQLite numbers them by
/// their first occurrence.
pub(super) fn bind(binds: &mut Vec<Bind>, value: Bind) -> String {
    binds.push(value);
    format!("${}", binds.len())
}

/// A query and its parameters.
#[derive(Debug, Clone)]
pub(super) struct BoundQuery {
    pub(super) sql: String,
    /// Whether each connection keeps the statement prepared.
    pub(super) is_common: bool,
    pub(super) binds: Vec<Bind>,
}

impl BoundQuery {
    /// The query for one of the databases.
    pub(super) fn statement<DB>(&self) -> PreparedIf<BoxedSqlQuery<'static, DB, SqlQuery>>
    where
        DB: DieselBackend
            + HasSqlType<Text>
            + HasSqlType<Timestamptz>
            + HasSqlType<Uuid>
            + HasSqlType<BigInt>
            + HasSqlType<Double>
            + 'static,
        String: ToSql<Text, DB>,
        DbTime: ToSql<Timestamptz, DB>,
        Id<uuid::Uuid>: ToSql<Uuid, DB>,
        i64: ToSql<BigInt, DB>,
        f64: ToSql<Double, DB>,
    {
        let query = sql_query(self.sql.clone()).into_boxed::<DB>();
        let query = self.binds.iter().fold(query, |query, bind| match bind {
            Bind::Text(text) => query.bind::<Text, _>(text.clone()),
            Bind::Time(time) => query.bind::<Timestamptz, _>(DbTime::bound(*time)),
            Bind::Id(id) => query.bind::<Uuid, _>(Id(*id)),
            Bind::Integer(number) => query.bind::<BigInt, _>(*number),
            Bind::Double(number) => query.bind::<Double, _>(*number),
        });
        PreparedIf {
            query,
            is_prepared: self.is_common,
        }
    }
}
