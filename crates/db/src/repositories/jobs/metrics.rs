//! Metrics of all jobs.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use lectern_domain::{JobMetrics, JobStatus};

use super::Jobs;
use crate::connection::{DbConnection, on_either};
use crate::dialect;
use crate::error::{Doing, Error};
use crate::sql::status_literals::UPLOADING;
use crate::sql::types::Timestamptz;

/// The counts of one status.
#[derive(QueryableByName)]
struct StatusRow {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    jobs: i64,
    /// The size of all files is `gibibytes` * 2^30 + `bytes`.
    #[diesel(sql_type = BigInt)]
    gibibytes: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    /// The jobs of any status that were created in the last 24 hours. This count and the
    /// next two are the same in every row.
    #[diesel(sql_type = BigInt)]
    last_24h: i64,
    #[diesel(sql_type = BigInt)]
    last_7d: i64,
    #[diesel(sql_type = BigInt)]
    last_30d: i64,
    /// Bytes of recordings that never arrived, because their jobs ended before. They are
    /// the same in every row, too, as are the next six counts.
    #[diesel(sql_type = BigInt)]
    missing_gibibytes: i64,
    #[diesel(sql_type = BigInt)]
    missing_bytes: i64,
    /// Bytes of recordings that a job shares with an earlier one, whose bytes are counted.
    #[diesel(sql_type = BigInt)]
    shared_gibibytes: i64,
    #[diesel(sql_type = BigInt)]
    shared_bytes: i64,
    /// Bytes that have arrived of unfinished resumable uploads.
    #[diesel(sql_type = BigInt)]
    partial_gibibytes: i64,
    #[diesel(sql_type = BigInt)]
    partial_bytes: i64,
}

impl<Mode> Jobs<'_, Mode> {
    /// Counts jobs and bytes in one query, of the owner if there is one. Its time does not depend on the number of jobs:
    /// it adds up what triggers have counted, and reads only the jobs of those three hours
    /// in which a day, a week and a month ago lie, those that ended before their recording
    /// had arrived, those over the recording of another job, and those whose recording is
    /// arriving.
    pub fn metrics(&mut self) -> Result<JobMetrics, Error> {
        let starts = [1, 7, 30].map(|days| self.0.time_ago(TimeDelta::days(days)));
        let owner = self.0.context.owner;
        // SQLite numbers parameters by their first occurrence, so they have to occur in this
        // order.
        let (of_owner, parameters) = match owner {
            Some(_) => (OfOwner::Bound("$1"), ["$2", "$3", "$4"]),
            None => (OfOwner::All, ["$1", "$2", "$3"]),
        };
        let mut created = starts.iter().zip(parameters).map(|(start, parameter)| {
            created_after(self.0.raw, &of_owner, &start.to_sql(self.0.raw, parameter))
        });
        let mut created = || created.next().unwrap_or_default();
        let [day, week, month] = [created(), created(), created()];
        let (counted, [jobs, sharer]) = (
            of_owner.counted(),
            ["jobs", "sharer"].map(|table| of_owner.jobs(table)),
        );
        let query = diesel::sql_query(format!(
            "SELECT statuses.*, created.*, missing.*, shared.*, partial.*
             FROM (SELECT status, CAST(SUM(jobs) AS BIGINT) AS jobs,
                          CAST(SUM(gibibytes) AS BIGINT) AS gibibytes,
                          CAST(SUM(bytes) AS BIGINT) AS bytes
                   FROM job_status_counts WHERE {counted} GROUP BY status) AS statuses
             CROSS JOIN (SELECT {day} AS last_24h, {week} AS last_7d, {month} AS last_30d)
                   AS created
             CROSS JOIN (SELECT {missing_gibibytes} AS missing_gibibytes, {missing_bytes} AS missing_bytes
                   FROM jobs WHERE current_stage = '{UPLOADING}' AND status IN ('failed', 'cancelled')
                     AND source_job_id IS NULL AND {jobs})
                   AS missing
             CROSS JOIN (SELECT {shared_gibibytes} AS shared_gibibytes, {shared_bytes} AS shared_bytes
                   FROM jobs AS sharer WHERE source_job_id IS NOT NULL AND {sharer}
                     AND (EXISTS (SELECT 1 FROM jobs AS owner WHERE owner.job_id = sharer.source_job_id)
                       OR EXISTS (SELECT 1 FROM jobs AS earlier
                                  WHERE earlier.source_job_id = sharer.source_job_id
                                    AND earlier.id < sharer.id)))
                   AS shared
             CROSS JOIN (SELECT {partial_gibibytes} AS partial_gibibytes, {partial_bytes} AS partial_bytes
                   FROM uploads JOIN jobs ON jobs.job_id = uploads.job_id
                   WHERE uploads.received > 0 AND jobs.status = 'pending' AND {jobs}) AS partial",
            missing_gibibytes = sum("file_size >> 30"),
            missing_bytes = sum("file_size & 1073741823"),
            shared_gibibytes = sum("sharer.file_size >> 30"),
            shared_bytes = sum("sharer.file_size & 1073741823"),
            partial_gibibytes = sum("received >> 30"),
            partial_bytes = sum("received & 1073741823"),
        ));
        let rows: Vec<StatusRow> = on_either!(self.0.raw, conn => {
            let query = query.into_boxed();
            let query = match owner {
                Some(owner) => query.bind::<Text, _>(owner.as_str()),
                None => query,
            };
            query
                .bind::<Nullable<Timestamptz>, _>(starts[0].parameter())
                .bind::<Nullable<Timestamptz>, _>(starts[1].parameter())
                .bind::<Nullable<Timestamptz>, _>(starts[2].parameter())
                .load(conn)
        })
        .doing("count jobs by status")?;

        let mut metrics = JobMetrics {
            by_status: JobStatus::ALL
                .iter()
                .map(|status| (*status, 0))
                .collect::<BTreeMap<_, _>>(),
            bytes_stored: 0,
            created_last_24h: 0,
            created_last_7d: 0,
            created_last_30d: 0,
        };
        let (mut bytes, mut correction) = (0, 0);
        for row in rows {
            // Always succeeds: a CHECK allows only the known statuses.
            if let Ok(status) = row.status.parse() {
                metrics.by_status.insert(status, row.jobs);
            }
            let size = |gibibytes, bytes| (i128::from(gibibytes) << 30) + i128::from(bytes);
            // The recording of a pending job has not arrived.
            if row.status != JobStatus::Pending.as_str() {
                bytes += size(row.gibibytes, row.bytes);
            }
            correction = size(row.partial_gibibytes, row.partial_bytes)
                - size(row.missing_gibibytes, row.missing_bytes)
                - size(row.shared_gibibytes, row.shared_bytes);
            metrics.created_last_24h = row.last_24h;
            metrics.created_last_7d = row.last_7d;
            metrics.created_last_30d = row.last_30d;
        }
        metrics.bytes_stored = i64::try_from(bytes + correction).unwrap_or(i64::MAX);
        Ok(metrics)
    }
}

/// Whose jobs are counted.
enum OfOwner {
    All,
    /// Those of the owner that is bound for this parameter.
    Bound(&'static str),
}

impl OfOwner {
    /// The condition for a table of counts, where an empty text stands for all owners.
    fn counted(&self) -> String {
        match self {
            Self::All => "owner_id = ''".to_owned(),
            Self::Bound(parameter) => format!("owner_id = {parameter}"),
        }
    }

    /// The condition for the table `jobs` or an alias of it.
    fn jobs(&self, table: &str) -> String {
        match self {
            Self::All => "TRUE".to_owned(),
            Self::Bound(parameter) => format!("{table}.owner_id = {parameter}"),
        }
    }
}

/// SQL for a sum that is not NULL.
fn sum(expression: &str) -> String {
    format!("CAST(COALESCE(SUM({expression}), 0) AS BIGINT)")
}

/// SQL for the number of jobs that were created after a time: the counts from the hour of
/// the time on, minus the jobs of that hour that were not created after the time.
fn created_after(conn: &DbConnection, of_owner: &OfOwner, time: &str) -> String {
    let hour = dialect::start_of_hour(conn, time);
    let (counted, jobs) = (of_owner.counted(), of_owner.jobs("jobs"));
    format!(
        "CAST((SELECT COALESCE(SUM(jobs), 0) FROM job_hour_counts WHERE {counted} AND hour >= {hour})
              - (SELECT COUNT(*) FROM jobs WHERE {jobs} AND created_at >= {hour} AND created_at <= {time})
              AS BIGINT)"
    )
}
