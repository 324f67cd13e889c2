//! Clips of a job.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{ClipsBody, ClipsQuery, ClipsResponse};
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
        Resource::at("/api/v1/jobs/{job_id}/clips")
            .get(list)
            .on(Method::PUT, replace),
    ]
}

async fn list(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<ClipsQuery>,
) -> ApiResult {
    db.read_committed(
        move |conn| {
            let clips = conn.clips().list(job_id, query.top)?;
            rows_of_job(conn, job_id, clips)
        },
        move |clips| ApiResponse::ok(&ClipsResponse::new(job_id, clips)),
    )
    .await?
}

async fn replace(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    OutputBody(clips): OutputBody<ClipsBody>,
) -> ApiResult {
    db.queued_by(job_id.as_uuid())
        .for_rows(clips.len())
        .write(
            move |tx| {
                let job = lease.check(tx, job_id, &[Stage::Segmentation, Stage::Compilation])?;
                Ok(tx.clips().replace_for_job(job, &clips)?)
            },
            move |clips| ApiResponse::ok(&ClipsResponse::new(job_id, clips)),
        )
        .await?
}
