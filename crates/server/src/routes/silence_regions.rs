//! Silence regions of a job.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{SilenceRegion, SilenceRegionsBody, SilenceRegionsQuery, SilenceRegionsResponse};
use lectern_db::{Reader, SetCursor, Tx};
use lectern_domain::{NewSilenceRegion, Scope, SilenceRegionFilter, Stage};

use super::set_pages::{JsonSet, fits_in_memory, respond_json};
use crate::database::caller_database::CallerDatabase;
use crate::http::extract::json_body::OutputBody;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query::Query;
use crate::http::memory_budget::MemoryBudget;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/silence-regions")
            .get(Scope::JobsRead, list)
            .on(Method::PUT, Scope::OutputsWrite, replace),
    ]
}

async fn list(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<SilenceRegionsQuery>,
) -> ApiResult {
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        conn.silence_regions().page(job_id, &query, after)
    };
    let pages = JsonSet::<SilenceRegion, _>::of_job(job_id, "regions", read);
    respond_json(&db, &memory, pages).await
}

async fn replace(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    OutputBody(new): OutputBody<SilenceRegionsBody>,
) -> ApiResult {
    let writer = db
        .one_at_a_time_for(job_id.as_uuid())
        .with_time_for_rows(new.len());
    if fits_in_memory(&new, |_| 0) {
        let replace = move |tx: &mut Tx<'_>| {
            let job = lease.check_output(tx, job_id, &[Stage::SilenceDetection])?;
            Ok(tx.silence_regions().replace_for_job(job, &new)?)
        };
        let respond = move |rows| ApiResponse::ok(&SilenceRegionsResponse::new(job_id, rows));
        return writer.write(replace, respond).await?;
    }
    let is_stored = move |conn: &mut Reader<'_>, new: &[NewSilenceRegion]| {
        let is_allowed = lease.allows_output(conn, job_id, &[Stage::SilenceDetection])?;
        Ok(is_allowed && conn.silence_regions().is_stored(job_id, new)?)
    };
    let check = move |tx: &mut Tx<'_>| lease.check_output(tx, job_id, &[Stage::SilenceDetection]);
    let show = |tx: &mut Tx<'_>, job, set, new: &[NewSilenceRegion]| {
        tx.silence_regions().show_set(job, set, new)
    };
    let store = |tx: &mut Tx<'_>, job, new: &[NewSilenceRegion]| {
        tx.silence_regions().replace_without_returning(job, new)
    };
    writer
        .store_set_in_parts(job_id, new, is_stored, check, show, store)
        .await?;
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        conn.silence_regions()
            .page(job_id, &SilenceRegionFilter::default(), after)
    };
    let pages = JsonSet::<SilenceRegion, _>::of_job(job_id, "regions", read);
    respond_json(&db, &memory, pages).await
}
