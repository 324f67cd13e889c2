//! The condition that the metadata of a job has certain values.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use lectern_domain::{MetadataFilter, normalize_numbers};
use serde_json::{Number, Value};

use super::bound_query::{Bind, BoundQuery, bind};
use crate::connection::{Backend, DbConnection, on_either};
use crate::error::{Doing, Error};

/// More jobs than these are found faster in the order of the list.
const MAX_CANDIDATES: usize = 1_000;

#[derive(QueryableByName)]
struct CandidateRow {
    #[diesel(sql_type = BigInt)]
    job: i64,
}

/// The values of `jobs.id` that a job that matches the filter may have, if they are few.
///
/// They are counted because PostgreSQL guesses: it has no statistics of objects of more than a
/// kilobyte.
pub(super) fn candidates(
    conn: &mut DbConnection,
    filter: &MetadataFilter,
) -> Result<Option<Vec<i64>>, Error> {
    let queries = match conn {
        DbConnection::Postgres(_) if filter.iter().next().is_none() => Vec::new(),
        DbConnection::Postgres(_) => vec![candidates_on_postgres(filter)],
        DbConnection::Sqlite(_) => filter
            .iter()
            .map(|(key, text)| candidates_on_sqlite(key, text))
            .collect(),
    };
    let mut fewest: Option<Vec<i64>> = None;
    for query in queries {
        let rows: Vec<CandidateRow> =
            on_either!(conn, conn => query.statement().load::<CandidateRow>(conn))
                .doing("find jobs by their metadata")?;
        let is_fewest = fewest.as_ref().is_none_or(|ids| rows.len() < ids.len());
        if rows.len() <= MAX_CANDIDATES && is_fewest {
            fewest = Some(rows.into_iter().map(|row| row.job).collect());
        }
    }
    Ok(fewest)
}

/// The query of the jobs that match the filter, at most one more than [`MAX_CANDIDATES`].
fn candidates_on_postgres(filter: &MetadataFilter) -> BoundQuery {
    let mut binds = Vec::new();
    let conditions: Vec<_> = filter
        .iter()
        .map(|(key, text)| has_metadata(Backend::Postgres, key, text, &mut binds))
        .collect();
    let conditions = conditions.join(" AND ");
    let limit = MAX_CANDIDATES + 1;
    BoundQuery {
        // The first condition is that of the index. Lists leave it out, so that they do not
        // use the index for a value that many jobs have.
        sql: format!(
            "SELECT jobs.id AS job FROM jobs \
             WHERE jobs.extra_metadata <> '{{}}' AND {conditions} LIMIT {limit}"
        ),
        is_common: false,
        binds,
    }
}

/// The query of the jobs that may have a value, at most one more than [`MAX_CANDIDATES`].
fn candidates_on_sqlite(key: &str, text: &str) -> BoundQuery {
    let mut binds = Vec::new();
    let key = bind(&mut binds, Bind::Text(key.to_owned()));
    // The table has long texts cut, and `true`, `false` and `null` as texts.
    let cut: String = text.chars().take(100).collect();
    let mut values = bind(&mut binds, Bind::Text(cut));
    if let Some(Value::Number(number)) = scalar(text) {
        values = format!("{values}, {}", bind(&mut binds, number_of(&number)));
    }
    let limit = MAX_CANDIDATES + 1;
    BoundQuery {
        sql: format!(
            "SELECT job FROM job_metadata WHERE key = {key} AND value IN ({values}) LIMIT {limit}"
        ),
        is_common: false,
        binds,
    }
}

/// The number, `true`, `false` or `null` that a text spells. A parser of JSON would ignore
/// white space around them.
fn scalar(text: &str) -> Option<Value> {
    if text.trim() != text {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let mut scalar =
        Some(value).filter(|value| value.is_number() || value.is_boolean() || value.is_null())?;
    normalize_numbers(&mut scalar);
    Some(scalar)
}

fn number_of(number: &Number) -> Bind {
    match number.as_i64() {
        Some(integer) => Bind::Integer(integer),
        None => Bind::Double(number.as_f64().unwrap_or_default()),
    }
}

/// The condition that the `extra_metadata` of a job has a value that is `text`, or is
/// spelled so.
pub(super) fn has_metadata(
    backend: Backend,
    key: &str,
    text: &str,
    binds: &mut Vec<Bind>,
) -> String {
    let scalar = scalar(text);
    match backend {
        Backend::Postgres => {
            let values = [Some(Value::from(text)), scalar].into_iter().flatten();
            let conditions: Vec<_> = values
                .map(|value| {
                    let object = serde_json::json!({ key: value }).to_string();
                    let object = bind(binds, Bind::Text(object));
                    format!("jobs.extra_metadata @> {object}::jsonb")
                })
                .collect();
            format!("({})", conditions.join(" OR "))
        }
        Backend::Sqlite => {
            let key = bind(binds, Bind::Text(key.to_owned()));
            let text = bind(binds, Bind::Text(text.to_owned()));
            let mut condition = format!("entry.type = 'text' AND entry.value = {text}");
            if let Some(scalar) = scalar {
                let is_scalar = match &scalar {
                    Value::Number(number) => is_number_on_sqlite(number, binds),
                    literal => format!("entry.type = '{literal}'"),
                };
                condition = format!("{condition} OR {is_scalar}");
            }
            format!(
                "EXISTS (SELECT 1 FROM json_each(jobs.extra_metadata) AS entry \
                 WHERE entry.key = {key} AND ({condition}))"
            )
        }
    }
}

/// The condition that an `entry` of `json_each` is this number, which is
/// [normalized](normalize_numbers).
fn is_number_on_sqlite(number: &Number, binds: &mut Vec<Bind>) -> String {
    /// 2^63: from here on, SQLite reads integers as floats, which several of them share.
    const NO_INTEGER: f64 = 9_223_372_036_854_775_808.0;
    let is_large = number.as_f64().unwrap_or_default().abs() >= NO_INTEGER;
    if is_large && !number.is_f64() {
        let digits = bind(binds, Bind::Text(number.to_string()));
        return format!(
            "entry.type = 'integer' AND jobs.extra_metadata -> entry.fullkey = {digits}"
        );
    }
    let types = if is_large {
        "'real'"
    } else {
        "'integer', 'real'"
    };
    let number = bind(binds, number_of(number));
    format!("entry.type IN ({types}) AND entry.value = {number}")
}
