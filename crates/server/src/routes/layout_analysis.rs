//! The layout analysis of a job.

use actix_web::http::Method;
use lectern_api::{Code, LayoutAnalysisBody, LayoutAnalysisResponse};
use lectern_domain::{Scope, Stage};

use crate::database::caller_database::CallerDatabase;
use crate::http::error::ApiError;
use crate::http::extract::json_body::OutputBody;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/layout-analysis")
            .get(Scope::JobsRead, find)
            .on(Method::PUT, Scope::OutputsWrite, put),
    ]
}

async fn find(CallerDatabase(db): CallerDatabase, JobIdPath(job_id): JobIdPath) -> ApiResult {
    db.read_committed(
        move |conn| {
            if let Some(layout) = conn.layout_analysis().find_for_job(job_id)? {
                Ok(layout)
            } else {
                ApiError::unless_found(job_id, conn.jobs().exists(job_id)?)?;
                let detail = format!("job {job_id} has no layout analysis");
                Err(ApiError::new(Code::LayoutAnalysisNotFound, detail))
            }
        },
        |layout| ApiResponse::ok(&LayoutAnalysisResponse::from(layout)),
    )
    .await?
}

async fn put(
    CallerDatabase(db): CallerDatabase,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    OutputBody(layout): OutputBody<LayoutAnalysisBody>,
) -> ApiResult {
    db.one_at_a_time_for(job_id.as_uuid())
        .write(
            move |tx| {
                let job = lease.check_output(tx, job_id, &[Stage::LayoutAnalysis])?;
                Ok(tx.layout_analysis().put(job, &layout)?)
            },
            |layout| ApiResponse::ok(&LayoutAnalysisResponse::from(layout)),
        )
        .await?
}
