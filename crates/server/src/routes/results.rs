//! What comes of a job.

use lectern_api::ResultsResponse;
use lectern_domain::JobStatus;

use super::Resource;
use crate::ApiError;
use crate::answer::{Answer, Reply};
use crate::db::Db;
use crate::path::Id;

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/results/{job_id}").get(find)]
}

async fn find(db: Db, Id(job_id): Id) -> Reply {
    db.read(
        move |conn| match conn.jobs().results(job_id)? {
            Some(results) if results.job.status == JobStatus::Completed => Ok(results),
            Some(results) => Err(ApiError::not_completed(&results.job)),
            None => Err(ApiError::no_job(job_id)),
        },
        |results| Answer::ok(&ResultsResponse::from(results)),
    )
    .await?
}
