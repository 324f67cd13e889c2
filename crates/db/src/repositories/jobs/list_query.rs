//! The SQL of lists of jobs.
//!
//! A list has one or two sections, which follow each other: in the order of completion, the
//! jobs that are not completed follow the completed ones. The query of a section reads an
//! index in order, and stops at the end of the page. For several statuses, it reads the
//! index of each status in order, and merges what it has read.

use chrono::{DateTime, Utc};
use diesel::backend::Backend as DieselBackend;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::serialize::ToSql;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Double, HasSqlType, Text};
use lectern_domain::{
    Cursor, Direction, JobCursor, JobFilter, JobId, JobOrder, JobPageRequest, JobStatus,
    normalize_numbers,
};
use serde_json::{Number, Value};

use crate::connection::Backend;
use crate::dialect;
use crate::sql::prepared::PreparedIf;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbTime, Id, Timestamptz, Uuid};

/// The times of a row by which lists are sorted.
pub(super) struct ListedTimes {
    pub(super) created: StoredTime,
    pub(super) updated: StoredTime,
    pub(super) completed: Option<StoredTime>,
}

/// A section of a list of jobs.
#[derive(Debug, Clone)]
pub(super) struct Section {
    order: JobOrder,
    direction: Direction,
    /// The column by which the section is sorted.
    key: JobOrder,
    /// The statuses of its jobs; empty: any.
    statuses: Vec<JobStatus>,
}

impl Section {
    /// The sections of the list that begin at or after the cursor of the request.
    pub(super) fn of(filter: &JobFilter, page: JobPageRequest) -> Vec<Self> {
        let section = |key, statuses| Self {
            order: page.order,
            direction: page.direction,
            key,
            statuses,
        };
        let selected =
            |status: &JobStatus| filter.statuses.is_empty() || filter.statuses.contains(status);
        let statuses = JobStatus::ALL.iter().copied();
        match page.order {
            JobOrder::CreatedAt => vec![section(page.order, distinct(&filter.statuses))],
            JobOrder::UpdatedAt => {
                vec![section(page.order, statuses.filter(selected).collect())]
            }
            JobOrder::CompletedAt => {
                let mut sections = Vec::new();
                if selected(&JobStatus::Completed) && page.after.is_none_or(|c| !c.is_uncompleted) {
                    sections.push(section(JobOrder::CompletedAt, vec![JobStatus::Completed]));
                }
                let uncompleted: Vec<_> = statuses
                    .filter(|status| selected(status) && *status != JobStatus::Completed)
                    .collect();
                if !uncompleted.is_empty() && filter.completed_after.is_none() {
                    sections.push(section(JobOrder::CreatedAt, uncompleted));
                }
                sections
            }
        }
    }

    fn is_uncompleted(&self) -> bool {
        self.order != self.key
    }

    /// The position of a row in the section.
    pub(super) fn cursor(&self, times: &ListedTimes, job_id: JobId) -> Option<JobCursor> {
        let time = match self.key {
            JobOrder::CreatedAt => times.created,
            JobOrder::UpdatedAt => times.updated,
            JobOrder::CompletedAt => times.completed?,
        };
        let position = match self.direction {
            Direction::Ascending => time.ascending_cursor(job_id),
            Direction::Descending => time.descending_cursor(job_id),
        };
        Some(JobCursor {
            order: self.order,
            direction: self.direction,
            position: position?,
            is_uncompleted: self.is_uncompleted(),
        })
    }

    /// The cursor at which the section begins, if it is in this section.
    fn start(&self, page: JobPageRequest) -> Option<Cursor> {
        let after = page.after?;
        (after.is_uncompleted == self.is_uncompleted()).then_some(after.position)
    }

    /// The column by which the jobs of one status are sorted.
    fn column(&self, status: Option<JobStatus>) -> &'static str {
        match self.key {
            JobOrder::CreatedAt => "created_at",
            JobOrder::UpdatedAt => updated_at(status),
            JobOrder::CompletedAt => "completed_at",
        }
    }

    /// The query of at most `limit` rows of this section.
    pub(super) fn query(
        &self,
        backend: Backend,
        columns: &str,
        filter: &JobFilter,
        page: JobPageRequest,
        limit: i64,
    ) -> ListQuery {
        let mut binds = Vec::new();
        let conditions = Conditions::of(filter, backend, &mut binds);
        let after = self.start(page).map(|Cursor { time, id }| {
            let time = bind(&mut binds, Bind::Time(time));
            (time, bind(&mut binds, Bind::Id(id)))
        });
        let limit = bind(&mut binds, Bind::Integer(limit));
        let (ahead, direction) = match self.direction {
            Direction::Ascending => (">", "ASC"),
            Direction::Descending => ("<", "DESC"),
        };
        let ordered = |columns: &str, status: Option<JobStatus>| {
            let key = self.column(status);
            let mut conditions = conditions.with_status(status);
            if self.key == JobOrder::CompletedAt {
                // As the condition of the index, which the status implies.
                conditions.push("jobs.completed_at IS NOT NULL".to_owned());
            }
            if let Some((time, id)) = &after {
                // The first condition follows from the second, but lets the database
                // start in the index at the cursor.
                conditions.push(format!("jobs.{key} {ahead}= {time}"));
                conditions.push(format!(
                    "(jobs.{key} {ahead} {time} OR jobs.job_id {ahead} {id})"
                ));
            }
            format!(
                "SELECT {columns} FROM jobs{} ORDER BY jobs.{key} {direction}, jobs.job_id {direction} \
                 LIMIT {limit}",
                where_clause(&conditions)
            )
        };
        let sql = match self.statuses.as_slice() {
            [] => ordered(columns, None),
            // Only the index of the completed jobs is sorted by their time of completion.
            [_] if self.key == JobOrder::CompletedAt => ordered(columns, None),
            [status] => ordered(columns, Some(*status)),
            statuses => {
                let of_each = statuses.iter().map(|status| {
                    let key = self.column(Some(*status));
                    let columns = format!("jobs.id, jobs.job_id, jobs.{key} AS time");
                    let rows = ordered(&columns, Some(*status));
                    format!("SELECT * FROM ({rows}) AS {status}")
                });
                let rows = of_each.collect::<Vec<_>>().join(" UNION ALL ");
                let key = self.column(None);
                // Only the rows of the page are read whole.
                format!(
                    "SELECT {columns} FROM jobs WHERE jobs.id IN (\
                         SELECT id FROM ({rows}) AS listed \
                         ORDER BY time {direction}, job_id {direction} LIMIT {limit}) \
                     ORDER BY jobs.{key} {direction}, jobs.job_id {direction}"
                )
            }
        };
        ListQuery {
            sql,
            is_common: self.is_common(filter),
            binds,
        }
    }

    /// Whether the text of the query is one of at most a few hundred, so that each connection
    /// can keep it prepared.
    fn is_common(&self, filter: &JobFilter) -> bool {
        let JobFilter {
            statuses,
            stage: _,
            filename,
            metadata,
            created_after: _,
            created_before: _,
            updated_after,
            completed_after,
        } = filter;
        self.order == JobOrder::CreatedAt
            && self.direction == Direction::Descending
            && statuses.len() <= 1
            && filename.is_none()
            && metadata.iter().next().is_none()
            && updated_after.is_none()
            && completed_after.is_none()
    }
}

/// The column with the time of the last change. It is indexed while a job is not running.
fn updated_at(status: Option<JobStatus>) -> &'static str {
    match status {
        None | Some(JobStatus::Running) => "updated_at",
        Some(_) => "settled_at",
    }
}

/// The statuses without repetitions.
pub(super) fn distinct(statuses: &[JobStatus]) -> Vec<JobStatus> {
    let all = JobStatus::ALL.iter().copied();
    all.filter(|status| statuses.contains(status)).collect()
}

/// The query of the number of jobs that match a filter and have this status, of which it
/// counts at most `limit`.
pub(super) fn count_query(
    backend: Backend,
    filter: &JobFilter,
    status: Option<JobStatus>,
    limit: i64,
) -> ListQuery {
    let mut binds = Vec::new();
    let conditions = Conditions::of(filter, backend, &mut binds).with_status(status);
    // In the order of the list, so that the database reads the same index.
    let sql = format!(
        "SELECT COUNT(*) AS count FROM (SELECT 1 AS one FROM jobs{} \
         ORDER BY jobs.created_at DESC, jobs.job_id DESC LIMIT {limit}) AS counted",
        where_clause(&conditions)
    );
    ListQuery {
        sql,
        is_common: false,
        binds,
    }
}

fn where_clause(conditions: &[String]) -> String {
    match conditions {
        [] => String::new(),
        conditions => format!(" WHERE {}", conditions.join(" AND ")),
    }
}

/// The conditions of a filter, except for the status.
struct Conditions {
    sql: Vec<String>,
    /// The parameter of `updated_after`.
    updated_after: Option<String>,
}

impl Conditions {
    fn of(filter: &JobFilter, backend: Backend, binds: &mut Vec<Bind>) -> Self {
        let mut sql = Vec::new();
        let time = |time: Option<DateTime<Utc>>, binds: &mut Vec<Bind>| {
            time.map(|time| bind(binds, Bind::Time(time)))
        };
        // SQLite numbers parameters by their first occurrence, so the parameters have to
        // occur in the order in which they are bound.
        let updated_after = time(filter.updated_after, binds);
        if let Some(stage) = filter.stage {
            sql.push(format!("jobs.current_stage = '{stage}'"));
        }
        for (value, comparison) in [
            (filter.created_after, "jobs.created_at >="),
            (filter.created_before, "jobs.created_at <"),
            (filter.completed_after, "jobs.completed_at >="),
        ] {
            sql.extend(time(value, binds).map(|time| format!("{comparison} {time}")));
        }
        if let Some(part) = filter.filename.as_ref().filter(|part| !part.is_empty()) {
            let pattern = dialect::any_case_pattern(backend, part);
            let pattern = bind(binds, Bind::Text(pattern));
            sql.push(dialect::matches_pattern(backend, "jobs.filename", &pattern));
        }
        for (key, value) in filter.metadata.iter() {
            sql.push(has_metadata(backend, key, value, binds));
        }
        Self { sql, updated_after }
    }

    fn with_status(&self, status: Option<JobStatus>) -> Vec<String> {
        let status_is = status.map(|status| format!("jobs.status = '{status}'"));
        let updated_after = self.updated_after.as_ref();
        let updated = updated_after.map(|time| format!("jobs.{} >= {time}", updated_at(status)));
        let own = self.sql.iter().cloned();
        status_is.into_iter().chain(updated).chain(own).collect()
    }
}

/// The condition that the `extra_metadata` of a job has a value that is `text`, or is
/// spelled so.
fn has_metadata(backend: Backend, key: &str, text: &str, binds: &mut Vec<Bind>) -> String {
    let scalar = serde_json::from_str(text)
        .ok()
        .filter(|value: &Value| value.is_number() || value.is_boolean() || value.is_null())
        .map(|mut value| {
            normalize_numbers(&mut value);
            value
        });
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
    let float = number.as_f64().unwrap_or_default();
    let is_large = float.abs() >= NO_INTEGER;
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
    let number = match number.as_i64() {
        Some(integer) => bind(binds, Bind::Integer(integer)),
        None => bind(binds, Bind::Double(float)),
    };
    format!("entry.type IN ({types}) AND entry.value = {number}")
}

/// A parameter of a query.
#[derive(Debug, Clone)]
enum Bind {
    Text(String),
    Time(DateTime<Utc>),
    Id(uuid::Uuid),
    Integer(i64),
    Double(f64),
}

/// Adds a parameter; returns its placeholder, which both databases understand. The
/// placeholders must stand in the SQL in the order of the parameters: SQLite numbers them by
/// their first occurrence.
fn bind(binds: &mut Vec<Bind>, value: Bind) -> String {
    binds.push(value);
    format!("${}", binds.len())
}

/// A query and its parameters.
#[derive(Debug, Clone)]
pub(super) struct ListQuery {
    sql: String,
    /// Whether the statement is prepared.
    is_common: bool,
    binds: Vec<Bind>,
}

impl ListQuery {
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
