//! Stage runs of a job.

use lectern_api::StagesResponse;
use lectern_domain::Scope;

use crate::database::caller_database::CallerDatabase;
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/jobs/{job_id}/stages").get(Scope::JobsRead, list)]
}

async fn list(CallerDatabase(db): CallerDatabase, JobIdPath(job_id): JobIdPath) -> ApiResult {
    db.read(
        move |conn| {
            let job = conn.jobs().find(job_id)?;
            let status = job.ok_or_else(|| ApiError::no_job(job_id))?.status;
            Ok((status, conn.stage_runs().for_job(job_id)?))
        },
        move |(status, runs)| ApiResponse::ok(&StagesResponse::new(job_id, status, runs)),
    )
    .await?
}
