//! Refuses requests about what does not exist before their body is invited.

use std::convert::identity;

use actix_web::http::header::EXPECT;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use lectern_db::{Error as DbError, Reader};
use lectern_domain::{ContentSegmentId, TranscriptSegmentId};

use crate::database::caller_database::CallerDatabase;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::IDEMPOTENCY_KEY;
use crate::http::extract::lease_header::LeaseIdPath;
use crate::http::extract::path_ids::{ClipIdPath, JobIdPath, SegmentIdPath};

/// Checks a request that waits for `100 Continue`: fails if it names a job, a clip, a segment
/// or a lease that does not exist. Handlers find that out after they have received the body,
/// in the transaction that stores it.
pub(crate) fn check_before_body(
    request: &HttpRequest,
) -> Option<LocalBoxFuture<'_, Result<(), ApiError>>> {
    let is_waiting = request.headers().contains_key(EXPECT);
    is_waiting.then(|| check_exists(request).boxed_local())
}

async fn check_exists(request: &HttpRequest) -> Result<(), ApiError> {
    let names = |parameter| request.match_info().get(parameter).is_some();
    if names("job_id") {
        let JobIdPath(id) = JobIdPath::extract(request).await?;
        let exists = move |conn: &mut Reader<'_>| Ok(conn.jobs().exists(id)?);
        return check(request, exists, move || ApiError::no_job(id)).await;
    }
    if names("clip_id") {
        let ClipIdPath(id) = ClipIdPath::extract(request).await?;
        let exists = move |conn: &mut Reader<'_>| Ok(conn.clips().find(id)?.is_some());
        return check(request, exists, move || ApiError::no_clip(id)).await;
    }
    if names("segment_id") && request.path().contains("/transcripts/") {
        let SegmentIdPath(id) = SegmentIdPath::<TranscriptSegmentId>::extract(request).await?;
        let exists = move |conn: &mut Reader<'_>| Ok(conn.transcripts().find(id)?.is_some());
        return check(request, exists, move || ApiError::no_segment(id)).await;
    }
    if names("segment_id") {
        let SegmentIdPath(id) = SegmentIdPath::<ContentSegmentId>::extract(request).await?;
        let exists = move |conn: &mut Reader<'_>| Ok(conn.content_segments().find(id)?.is_some());
        return check(request, exists, move || ApiError::no_segment(id)).await;
    }
    // A repeated request gets its first response, even if that ended the lease.
    if names("lease_id") && !request.headers().contains_key(IDEMPOTENCY_KEY) {
        let LeaseIdPath(id) = LeaseIdPath::extract(request).await?;
        let exists = move |conn: &mut Reader<'_>| Ok(conn.stage_runs().has_lease(id)?);
        let lease_lost = move || DbError::LeaseLost { lease_id: Some(id) }.into();
        return check(request, exists, lease_lost).await;
    }
    Ok(())
}

async fn check(
    request: &HttpRequest,
    exists: impl Fn(&mut Reader<'_>) -> Result<bool, ApiError> + Send + 'static,
    not_found: impl FnOnce() -> ApiError,
) -> Result<(), ApiError> {
    let CallerDatabase(database) = CallerDatabase::of(request)?;
    if database.read_committed(exists, identity).await? {
        Ok(())
    } else {
        Err(not_found())
    }
}
