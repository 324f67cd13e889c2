//! Content segments of a job.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{ContentSegmentsBody, ContentSegmentsQuery, ContentSegmentsResponse};
use lectern_domain::Stage;

use super::job_lookup::rows_of_job;
use crate::database::handle::DatabaseHandle;
use crate::http::extract::json_body::OutputBody;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query::Query;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/content-segments")
            .get(list)
            .on(Method::PUT, replace),
    ]
}

async fn list(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<ContentSegmentsQuery>,
) -> ApiResult {
    db.read_committed(
        move |conn| {
            let keyword = query.keyword.as_deref();
            let segments = conn.content_segments().list(job_id, keyword, query.top)?;
            rows_of_job(conn, job_id, segments)
        },
        move |segments| ApiResponse::ok(&ContentSegmentsResponse::new(job_id, segments)),
    )
    .await?
}

async fn replace(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    OutputBody(segments): OutputBody<ContentSegmentsBody>,
) -> ApiResult {
    db.queued_by(job_id.as_uuid())
        .for_rows(segments.len())
        .write(
            move |tx| {
                let job = lease.check(tx, job_id, &[Stage::ContentAnalysis])?;
                Ok(tx.content_segments().replace_for_job(job, &segments)?)
            },
            move |segments| ApiResponse::ok(&ContentSegmentsResponse::new(job_id, segments)),
        )
        .await?
}
