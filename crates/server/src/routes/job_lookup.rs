//! Answers for jobs that do not exist.

use lectern_db::Conn;
use lectern_domain::JobId;

use crate::http::error::ApiError;

/// `rows` of a job. None at all may mean that there is no such job.
pub(super) fn rows_of_job<T, Mode>(
    conn: &mut Conn<'_, Mode>,
    job_id: JobId,
    rows: Vec<T>,
) -> Result<Vec<T>, ApiError> {
    if rows.is_empty() {
        require_job(job_id, conn.jobs().exists(job_id)?)?;
    }
    Ok(rows)
}

/// Makes an error of a mutation that found no job.
pub(super) fn require_job(job_id: JobId, found: bool) -> Result<(), ApiError> {
    found.then_some(()).ok_or_else(|| ApiError::no_job(job_id))
}
