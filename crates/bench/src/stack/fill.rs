//! Rows that are inserted by SQL, because a million requests would take too long.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::stack::Cluster;

/// A database of Lectern, whose server may be running.
#[derive(Debug)]
pub(crate) enum Database<'c> {
    Postgres(&'c Cluster, String),
    Sqlite(PathBuf),
}

/// The SQL of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    /// A random UUID.
    fn uuid(self) -> &'static str {
        match self {
            Self::Postgres => "gen_random_uuid()",
            Self::Sqlite => {
                "(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || \
                 substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || \
                 hex(randomblob(6))))"
            }
        }
    }

    /// The time `seconds` after the beginning of 2026, so that each row has another.
    fn time(self, seconds: &str) -> String {
        match self {
            Self::Postgres => {
                format!("TIMESTAMPTZ '2026-01-01 00:00:00Z' + {seconds} * interval '1 s'")
            }
            Self::Sqlite => format!(
                "strftime('%Y-%m-%dT%H:%M:%f000Z', '2026-01-01 00:00:00', '+' || ({seconds}) || ' seconds')"
            ),
        }
    }

    /// The statement `insert`, with a table `series (n)` of all numbers from `from` to `to`.
    fn with_series(self, from: u64, to: u64, insert: &str, select: &str) -> String {
        match self {
            Self::Postgres => format!("{insert} {select} FROM generate_series({from}, {to}) AS n;"),
            Self::Sqlite => format!(
                "WITH RECURSIVE series (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM series \
                 WHERE n < {to}) {insert} {select} FROM series;"
            ),
        }
    }

    /// The job id number `n`, an SQL expression.
    pub(crate) fn job_id(self, n: &str) -> String {
        match self {
            Self::Postgres => {
                format!("('00000000-0000-7000-8000-' || lpad({n}::text, 12, '0'))::uuid")
            }
            Self::Sqlite => format!("'00000000-0000-7000-8000-' || printf('%012d', {n})"),
        }
    }

    /// Jobs `from` to `to`, a twentieth each of them queued, running and failed, and the
    /// others completed.
    pub(crate) fn mixed_jobs(self, from: u64, to: u64) -> String {
        let choose = |queued: &str, running: &str, failed: &str, other: &str| {
            format!(
                "CASE n % 20 WHEN 0 THEN {queued} WHEN 1 THEN {running} WHEN 2 THEN {failed} ELSE {other} END"
            )
        };
        let time = self.time("n");
        self.jobs(
            from,
            to,
            &[
                (
                    "status",
                    choose("'queued'", "'running'", "'failed'", "'completed'"),
                ),
                (
                    "current_stage",
                    choose("NULL", "'transcription'", "'segmentation'", "'complete'"),
                ),
                ("created_at", time.clone()),
                ("updated_at", time.clone()),
                ("completed_at", choose("NULL", "NULL", "NULL", &time)),
            ],
        )
    }

    /// Queued jobs `from` to `to`.
    pub(crate) fn queued_jobs(self, from: u64, to: u64) -> String {
        self.jobs(from, to, &[("status", "'queued'".to_owned())])
    }

    /// Running jobs with known ids.
    pub(crate) fn numbered_jobs(self, from: u64, to: u64) -> String {
        let columns = [
            ("job_id", self.job_id("n")),
            ("status", "'running'".to_owned()),
            ("current_stage", "'transcription'".to_owned()),
        ];
        self.jobs(from, to, &columns)
    }

    fn jobs(self, from: u64, to: u64, columns: &[(&str, String)]) -> String {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
        let insert = format!(
            "INSERT INTO jobs (filename, file_size, original_s3_key, {})",
            names.join(", ")
        );
        let select = format!(
            "SELECT 'lecture-' || n || '.mp4', 734003200, 'recordings/lecture-' || n || '.mp4', {}",
            values.join(", ")
        );
        self.with_series(from, to, &insert, &select)
    }

    /// A ready run for each queued job that has none.
    pub(crate) fn ready_runs(self) -> String {
        format!(
            "INSERT INTO stage_runs (run_id, job_id, stage, status) \
             SELECT {}, job_id, 'transcription', 'ready' FROM jobs \
             WHERE status = 'queued' AND NOT EXISTS \
             (SELECT 1 FROM stage_runs WHERE stage_runs.job_id = jobs.job_id);",
            self.uuid()
        )
    }

    /// Replaces the transcript of a job, an SQL expression, by `count` segments.
    pub(crate) fn replace_segments(self, job_id: &str, count: usize) -> [String; 2] {
        let insert =
            "INSERT INTO transcripts (segment_id, job_id, start_time, end_time, text, confidence)";
        let select = format!(
            "SELECT {}, {job_id}, n * 4.0, n * 4.0 + 3.6, 'Segment ' || n || \
             ' of a lecture, as long as a sentence that somebody says in four seconds.', 0.93",
            self.uuid()
        );
        [
            format!("DELETE FROM transcripts WHERE job_id = {job_id};"),
            self.with_series(1, count as u64, insert, &select),
        ]
    }
}

impl Database<'_> {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(..) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs statements in one transaction.
    pub(crate) fn run(&self, sql: &str) -> Result<()> {
        match self {
            Self::Postgres(cluster, name) => cluster.sql(name, sql).map(drop),
            Self::Sqlite(file) => {
                let connection = rusqlite::Connection::open(file)?;
                connection.busy_timeout(Duration::from_mins(1))?;
                connection
                    .execute_batch(&format!("BEGIN IMMEDIATE; {sql} COMMIT;"))
                    .with_context(|| format!("SQLite: {sql}"))
            }
        }
    }

    /// Adds jobs until `ready` more runs are ready.
    pub(crate) fn add_ready_runs(&self, ready: u64) -> Result<()> {
        let dialect = self.dialect();
        self.run(&(dialect.queued_jobs(1, ready) + &dialect.ready_runs()))?;
        self.analyze()
    }

    /// Updates the statistics, as the databases do by themselves some time after a change.
    pub(crate) fn analyze(&self) -> Result<()> {
        match self {
            Self::Postgres(cluster, name) => {
                cluster.sql(name, "VACUUM ANALYZE")?;
                cluster.sql(name, "CHECKPOINT").map(drop)
            }
            Self::Sqlite(file) => {
                let connection = rusqlite::Connection::open(file)?;
                connection.busy_timeout(Duration::from_mins(1))?;
                connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE);")?;
                Ok(())
            }
        }
    }
}
