//! The results of a completed job.

use std::collections::HashMap;

use actix_web::web::{self, Data};
use lectern_api::ResultsResponse;
use lectern_domain::{JobResults, JobStatus, StorageKey};

use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::handle::Objects;
use crate::objects::signed_urls::SignedUrls;

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/results/{job_id}").get(find)]
}

async fn find(
    db: Data<DatabaseHandle>,
    objects: Data<Objects>,
    urls: SignedUrls,
    JobIdPath(job_id): JobIdPath,
) -> ApiResult {
    let found = db.read(
        move |conn| match conn.jobs().results(job_id)? {
            Some(results) if results.job.status == JobStatus::Completed => Ok(results),
            Some(results) => Err(ApiError::not_completed(&results.job)),
            None => Err(ApiError::no_job(job_id)),
        },
        |results| results,
    );
    let results = found.await?;
    let ttl = objects.limits.download_ttl;
    let mut urls_by_key = HashMap::new();
    for key in keys(&results) {
        if let Some(url) = urls.download(job_id, key, ttl).await {
            urls_by_key.insert(key.clone(), url);
        }
    }
    let url_of = move |key: &StorageKey| urls_by_key.get(key).cloned();
    web::block(move || ApiResponse::ok(&ResultsResponse::with_urls(results, url_of))).await?
}

/// The storage keys of the job and its clips.
fn keys(results: &JobResults) -> impl Iterator<Item = &StorageKey> {
    let clips = results
        .clips
        .iter()
        .flat_map(|clip| clip.media.storage_keys());
    results.job.storage_keys().chain(clips)
}
