//! Metrics of all jobs.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use lectern_domain::{JobMetrics, JobStatus};

use super::Jobs;
use crate::dialect;
use crate::error::{Doing, Error};
use crate::sql::types::Timestamptz;

#[derive(QueryableByName)]
struct StatusRow {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    jobs: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    last_24h: i64,
    #[diesel(sql_type = BigInt)]
    last_7d: i64,
    #[diesel(sql_type = BigInt)]
    last_30d: i64,
}

impl<Mode> Jobs<'_, Mode> {
    /// Counts jobs and bytes in one query.
    pub fn metrics(&mut self) -> Result<JobMetrics, Error> {
        let starts = [1, 7, 30].map(|days| self.0.time_ago(TimeDelta::days(days)));
        let [day, week, month] = [(starts[0], "$1"), (starts[1], "$2"), (starts[2], "$3")]
            .map(|(start, parameter)| start.to_sql(self.0.raw, parameter));
        let bytes = dialect::sum_of_file_sizes(self.0.raw);
        // Each parameter occurs once, in this order: SQLite numbers parameters in the
        // order of their first occurrence.
        let rows = diesel::sql_query(format!(
            "SELECT status, COUNT(*) AS jobs, {bytes} AS bytes,
                    COUNT(*) FILTER (WHERE created_at > {day}) AS last_24h,
                    COUNT(*) FILTER (WHERE created_at > {week}) AS last_7d,
                    COUNT(*) FILTER (WHERE created_at > {month}) AS last_30d
             FROM jobs GROUP BY status"
        ))
        .bind::<Nullable<Timestamptz>, _>(starts[0].parameter())
        .bind::<Nullable<Timestamptz>, _>(starts[1].parameter())
        .bind::<Nullable<Timestamptz>, _>(starts[2].parameter())
        .load::<StatusRow>(self.0.raw)
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
        for row in rows {
            // Always succeeds: a CHECK allows only the known statuses.
            if let Ok(status) = row.status.parse() {
                metrics.by_status.insert(status, row.jobs);
            }
            metrics.bytes_stored = metrics.bytes_stored.saturating_add(row.bytes);
            metrics.created_last_24h += row.last_24h;
            metrics.created_last_7d += row.last_7d;
            metrics.created_last_30d += row.last_30d;
        }
        Ok(metrics)
    }
}
