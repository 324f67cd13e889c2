//! Silence regions of a job.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{SilenceRegionsBody, SilenceRegionsQuery, SilenceRegionsResponse};
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
        Resource::at("/api/v1/jobs/{job_id}/silence-regions")
            .get(list)
            .on(Method::PUT, replace),
    ]
}

async fn list(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<SilenceRegionsQuery>,
) -> ApiResult {
    db.read_committed(
        move |conn| {
            let regions = conn.silence_regions().list(job_id, &query)?;
            rows_of_job(conn, job_id, regions)
        },
        move |regions| ApiResponse::ok(&SilenceRegionsResponse::new(job_id, regions)),
    )
    .await?
}

async fn replace(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    OutputBody(regions): OutputBody<SilenceRegionsBody>,
) -> ApiResult {
    db.queued_by(job_id.as_uuid())
        .for_rows(regions.len())
        .write(
            move |tx| {
                let job = lease.check(tx, job_id, &[Stage::SilenceDetection])?;
                Ok(tx.silence_regions().replace_for_job(job, &regions)?)
            },
            move |regions| ApiResponse::ok(&SilenceRegionsResponse::new(job_id, regions)),
        )
        .await?
}
