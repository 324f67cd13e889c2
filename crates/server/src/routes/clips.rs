//! What is cut out of a recording.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{ClipsBody, ClipsQuery, ClipsResponse};
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
        Resource::at("/api/v1/jobs/{job_id}/clips")
            .get(list)
            .on(Method::PUT, replace),
    ]
}

async fn list(db: Data<Db>, Id(job_id): Id, Query(wanted): Query<ClipsQuery>) -> Reply {
    db.read(
        move |conn| {
            let clips = conn.clips().list(job_id, wanted.top)?;
            of_job(conn, job_id, clips)
        },
        move |clips| Answer::ok(&ClipsResponse::new(job_id, clips)),
    )
    .await?
}

async fn replace(
    db: Data<Db>,
    Id(job_id): Id,
    lease: Under,
    Output(clips): Output<ClipsBody>,
) -> Reply {
    db.write(
        move |tx| {
            lease.check(tx, job_id, &[Stage::Segmentation, Stage::Compilation])?;
            job_found(job_id, tx.clips().replace_for_job(job_id, &clips)?)?;
            Ok(tx.clips().for_job(job_id)?)
        },
        move |clips| Answer::ok(&ClipsResponse::new(job_id, clips)),
    )
    .await?
}
