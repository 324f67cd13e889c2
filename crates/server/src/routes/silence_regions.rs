//! Where nothing happens.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{SilenceRegionsBody, SilenceRegionsQuery, SilenceRegionsResponse};
use lectern_domain::Stage;

use super::job_lookup::{job_found, of_job};
use crate::database::handle::Db;
use crate::http::extract::json_body::Output;
use crate::http::extract::lease::Under;
use crate::http::extract::path_id::Id;
use crate::http::extract::query::Query;
use crate::http::resource::Resource;
use crate::http::response::{Answer, Reply};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/silence-regions")
            .get(list)
            .on(Method::PUT, replace),
    ]
}

async fn list(db: Data<Db>, Id(job_id): Id, Query(wanted): Query<SilenceRegionsQuery>) -> Reply {
    db.read(
        move |conn| {
            let regions = conn.silence_regions().list(job_id, &wanted)?;
            of_job(conn, job_id, regions)
        },
        move |regions| Answer::ok(&SilenceRegionsResponse::new(job_id, regions)),
    )
    .await?
}

async fn replace(
    db: Data<Db>,
    Id(job_id): Id,
    lease: Under,
    Output(regions): Output<SilenceRegionsBody>,
) -> Reply {
    db.write(
        move |tx| {
            lease.check(tx, job_id, &[Stage::SilenceDetection])?;
            job_found(
                job_id,
                tx.silence_regions().replace_for_job(job_id, &regions)?,
            )?;
            Ok(tx.silence_regions().for_job(job_id)?)
        },
        move |regions| Answer::ok(&SilenceRegionsResponse::new(job_id, regions)),
    )
    .await?
}
