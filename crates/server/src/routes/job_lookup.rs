//! Distinguishes empty results from unknown jobs.

use lectern_db::Conn;
use lectern_domain::JobId;

use crate::http::error::ApiError;

/// Returns `rows`, or an error when there are none because the job does not
/// exist.
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

/// Returns an error unless the job was found.
pub(super) fn require_job(job_id: JobId, found: bool) -> Result<(), ApiError> {
    found.then_some(()).ok_or_else(|| ApiError::no_job(job_id))
}
