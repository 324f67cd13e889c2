//! Distinguishes empty results from unknown jobs.

use lectern_domain::JobId;

use crate::http::error::ApiError;

/// Returns an error unless the job was found.
pub(super) fn require_job(job_id: JobId, found: bool) -> Result<(), ApiError> {
    found.then_some(()).ok_or_else(|| ApiError::no_job(job_id))
}
