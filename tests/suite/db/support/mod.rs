//! Helpers shared by several test files.

pub(crate) mod random_operations;
pub(crate) mod worker;

use lectern_db::Database;
use lectern_domain::{Job, JobId, Window};
use lectern_tests::TestDb;

/// The window `[from, to)` in seconds.
pub(crate) fn window(from: impl Into<Option<f64>>, to: impl Into<Option<f64>>) -> Window {
    Window::new(from.into(), to.into()).unwrap()
}

/// The job as it is stored now.
pub(crate) fn stored(db: &Database, job_id: JobId) -> Job {
    db.read(|conn| conn.jobs().find(job_id))
        .unwrap()
        .expect("a stored job")
}

/// An id that no row has.
pub(crate) fn unknown_id<Id: From<uuid::Uuid>>() -> Id {
    Id::from(uuid::Uuid::nil())
}

/// Checks the number of rows of each job, and their sums by owner and status. The jobs must have
/// no log entries of attempts, which are not counted.
#[track_caller]
pub(crate) fn assert_rows_counted(db: &TestDb) {
    let mut sql = db.sql();
    let tables = [
        "transcripts",
        "silence_regions",
        "layout_analysis",
        "content_segments",
        "clips",
        "processing_logs",
    ];
    let counts = tables
        .map(|table| format!("(SELECT count(*) FROM {table} WHERE {table}.job_id = jobs.job_id)"));
    let counts = counts.join(" + ");
    let counted = sql.rows("SELECT job_id, stored_rows FROM jobs ORDER BY job_id");
    let stored = format!("SELECT job_id, {counts} FROM jobs ORDER BY job_id");
    assert_eq!(counted, sql.rows(&stored));
    let sums = "SELECT owner_id, status, CAST(sum(stored_rows) AS BIGINT) FROM job_status_counts
        GROUP BY owner_id, status HAVING sum(stored_rows) <> 0 ORDER BY owner_id, status";
    let of_jobs = "SELECT owner, status, CAST(sum(stored_rows) AS BIGINT) FROM (
            SELECT '' AS owner, status, stored_rows FROM jobs
            UNION ALL SELECT owner_id, status, stored_rows FROM jobs WHERE owner_id IS NOT NULL
        ) AS counted GROUP BY owner, status HAVING sum(stored_rows) <> 0 ORDER BY owner, status";
    assert_eq!(sql.rows(sums), sql.rows(of_jobs));
}
