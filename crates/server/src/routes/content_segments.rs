//! Content segments of a job.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{
    ContentSegment, ContentSegmentUpdateBody, ContentSegmentsBody, ContentSegmentsQuery,
    ContentSegmentsResponse,
};
use lectern_db::{Conn, Error, JobRef, Reader, SetCursor, Tx};
use lectern_domain::{self as domain, ContentSegmentId, JobId, NewContentSegment, Scope, Stage};

use super::set_pages::{JsonSet, fits_in_memory, respond_json};
use super::single_row::{self, Preconditions, SingleRow};
use crate::database::caller_database::CallerDatabase;
use crate::http::auth::RequestActor;
use crate::http::error::ApiError;
use crate::http::extract::json_body::{OutputBody, OutputPatchBody};
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::{JobIdPath, SegmentIdPath};
use crate::http::extract::query::Query;
use crate::http::memory_budget::MemoryBudget;
use crate::http::resource::Resource;
use crate::http::response::etag::{IfMatchContent, IfNoneMatch};
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/content-segments")
            .get(Scope::JobsRead, list)
            .on(Method::PUT, Scope::OutputsWrite, replace),
        Resource::at("/api/v1/content-segments/{segment_id}")
            .get(Scope::JobsRead, find_one)
            .on(Method::PATCH, Scope::JobsWrite, update_one)
            .on(Method::DELETE, Scope::JobsWrite, delete_one),
    ]
}

async fn list(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<ContentSegmentsQuery>,
) -> ApiResult {
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        conn.content_segments()
            .page(job_id, query.keyword.as_deref(), query.top, after)
    };
    let pages = JsonSet::<ContentSegment, _>::of_job(job_id, "segments", read);
    respond_json(&db, &memory, pages).await
}

async fn replace(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    OutputBody(new): OutputBody<ContentSegmentsBody>,
) -> ApiResult {
    let writer = db
        .one_at_a_time_for(job_id.as_uuid())
        .with_time_for_rows(new.len());
    if fits_in_memory(&new, unbounded_text_bytes) {
        let replace = move |tx: &mut Tx<'_>| {
            let job = lease.check_output(tx, job_id, &[Stage::ContentAnalysis])?;
            Ok(tx.content_segments().replace_for_job(job, &new)?)
        };
        let respond = move |rows| ApiResponse::ok(&ContentSegmentsResponse::new(job_id, rows));
        return writer.write(replace, respond).await?;
    }
    let is_stored = move |conn: &mut Reader<'_>, new: &[NewContentSegment]| {
        let is_allowed = lease.allows_output(conn, job_id, &[Stage::ContentAnalysis])?;
        Ok(is_allowed && conn.content_segments().is_stored(job_id, new)?)
    };
    let store = move |tx: &mut Tx<'_>, new: &[NewContentSegment]| {
        let job = lease.check_output(tx, job_id, &[Stage::ContentAnalysis])?;
        Ok(tx.content_segments().replace_without_returning(job, new)?)
    };
    writer.store_set(new, is_stored, store).await?;
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        conn.content_segments().page(job_id, None, None, after)
    };
    let pages = JsonSet::<ContentSegment, _>::of_job(job_id, "segments", read);
    respond_json(&db, &memory, pages).await
}

/// Total size, in bytes, of the description, keywords and concepts of a segment, which
/// has no upper bound.
fn unbounded_text_bytes(segment: &NewContentSegment) -> usize {
    let words = segment.keywords.iter().chain(&segment.concepts);
    let description = segment.description.as_deref().unwrap_or_default();
    words.map(|word| word.len()).sum::<usize>() + description.len()
}

async fn find_one(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    SegmentIdPath(id): SegmentIdPath<ContentSegmentId>,
    known: IfNoneMatch,
) -> ApiResult {
    single_row::find(&db, &memory, id, &known).await
}

async fn update_one(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    memory: Data<MemoryBudget>,
    SegmentIdPath(id): SegmentIdPath<ContentSegmentId>,
    lease: LeaseHeader,
    expected: IfMatchContent,
    OutputPatchBody(update): OutputPatchBody<ContentSegmentUpdateBody>,
) -> ApiResult {
    let change = move |tx: &mut Tx<'_>, job| tx.content_segments().update(job, id, &update);
    single_row::update(
        &db.acting_as(actor),
        &memory,
        id,
        Preconditions { lease, expected },
        change,
    )
    .await
}

async fn delete_one(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    SegmentIdPath(id): SegmentIdPath<ContentSegmentId>,
    lease: LeaseHeader,
    expected: IfMatchContent,
) -> ApiResult {
    single_row::delete(&db.acting_as(actor), id, Preconditions { lease, expected }).await
}

impl SingleRow for ContentSegmentId {
    type Value = domain::ContentSegment;
    type Wire = ContentSegment;

    const NOUN: &'static str = "content segment";
    const OWNERS: &'static [Stage] = &[Stage::ContentAnalysis];

    fn large_bytes(self, conn: &mut Reader<'_>) -> Result<Option<usize>, Error> {
        conn.content_segments().large_bytes(self)
    }

    fn find<Mode>(self, conn: &mut Conn<'_, Mode>) -> Result<Option<Self::Value>, Error> {
        conn.content_segments().find(self)
    }

    fn delete(self, tx: &mut Tx<'_>, job: JobRef) -> Result<(), Error> {
        tx.content_segments().delete(job, self)
    }

    fn job_of(value: &Self::Value) -> JobId {
        value.job_id
    }

    fn missing(self) -> ApiError {
        ApiError::no_segment(self)
    }
}
