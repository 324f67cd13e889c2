//! The SQL of lists of jobs.
//!
//! A list has one or two sections, which follow each other: in the order of completion, the
//! jobs that are not completed follow the completed ones. The query of a section reads an
//! index in order, and stops at the end of the page. For several statuses, it reads the
//! index of each status in order, and merges what it has read.

use chrono::{DateTime, Utc};
use lectern_domain::{
    Cursor, Direction, JobCursor, JobFilter, JobId, JobOrder, JobPageRequest, JobStatus, OwnerName,
};

use super::bound_query::{Bind, BoundQuery, bind};
use super::metadata_filter::{candidates, has_metadata};
use crate::connection::{Backend, DbConnection};
use crate::dialect;
use crate::error::Error;
use crate::sql::owned::owned_sql;
use crate::sql::stored_time::StoredTime;

/// The jobs of a list, in any order.
#[derive(Debug)]
pub(super) struct Selection<'f> {
    backend: Backend,
    /// The owner of the jobs; `None`: any.
    owner: Option<&'f OwnerName>,
    filter: &'f JobFilter,
    /// The values of `jobs.id` among which those of the jobs are, if they are known.
    candidates: Option<Vec<i64>>,
}

impl<'f> Selection<'f> {
    /// The jobs that match a filter. May look for candidates in an index.
    pub(super) fn of(
        conn: &mut DbConnection,
        owner: Option<&'f OwnerName>,
        filter: &'f JobFilter,
    ) -> Result<Self, Error> {
        Ok(Self {
            backend: conn.backend(),
            owner,
            filter,
            candidates: candidates(conn, &filter.metadata)?,
        })
    }

    /// The table. With candidates, SQLite would prefer the index of the order to the ids.
    fn table(&self) -> &'static str {
        match (self.backend, &self.candidates) {
            (Backend::Sqlite, Some(_)) => "jobs NOT INDEXED",
            _ => "jobs",
        }
    }
}

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
        selection: &Selection<'_>,
        columns: &str,
        page: JobPageRequest,
        limit: i64,
    ) -> BoundQuery {
        let mut binds = Vec::new();
        let conditions = Conditions::of(selection, &mut binds);
        let table = selection.table();
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
                "SELECT {columns} FROM {table}{} ORDER BY jobs.{key} {direction}, jobs.job_id {direction} \
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
        BoundQuery {
            sql,
            is_common: self.is_common(selection.filter),
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
    selection: &Selection<'_>,
    status: Option<JobStatus>,
    limit: i64,
) -> BoundQuery {
    let mut binds = Vec::new();
    let conditions = Conditions::of(selection, &mut binds).with_status(status);
    let table = selection.table();
    // In the order of the list, so that the database reads the same index.
    let sql = format!(
        "SELECT COUNT(*) AS count FROM (SELECT 1 AS one FROM {table}{} \
         ORDER BY jobs.created_at DESC, jobs.job_id DESC LIMIT {limit}) AS counted",
        where_clause(&conditions)
    );
    BoundQuery {
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
    /// That the jobs have the owner, if there is one.
    owner: Option<String>,
    sql: Vec<String>,
    /// The parameter of `updated_after`.
    updated_after: Option<String>,
}

impl Conditions {
    fn of(selection: &Selection<'_>, binds: &mut Vec<Bind>) -> Self {
        let Selection {
            backend,
            owner,
            filter,
            candidates,
        } = selection;
        let owner = owner.map(|owner| {
            let parameter = bind(binds, Bind::Text(owner.as_str().to_owned()));
            owned_sql("jobs", &parameter)
        });
        let mut sql = Vec::new();
        if let Some(ids) = candidates {
            // With NULL, which no id is, the list may be empty and SQLite reads no row.
            let ids = ids.iter().map(ToString::to_string);
            let ids: Vec<_> = ids.chain(["NULL".to_owned()]).collect();
            sql.push(format!("jobs.id IN ({})", ids.join(", ")));
        }
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
            let bind = |pattern| bind(binds, Bind::Text(pattern));
            sql.push(dialect::contains_in_any_case(
                *backend,
                "jobs.filename",
                part,
                bind,
            ));
        }
        for (key, value) in filter.metadata.iter() {
            sql.push(has_metadata(*backend, key, value, binds));
        }
        Self {
            owner,
            sql,
            updated_after,
        }
    }

    fn with_status(&self, status: Option<JobStatus>) -> Vec<String> {
        let owner_is = self.owner.iter().cloned();
        let status_is = status.map(|status| format!("jobs.status = '{status}'"));
        let updated_after = self.updated_after.as_ref();
        let updated = updated_after.map(|time| format!("jobs.{} >= {time}", updated_at(status)));
        let own = self.sql.iter().cloned();
        owner_is
            .chain(status_is)
            .chain(updated)
            .chain(own)
            .collect()
    }
}
