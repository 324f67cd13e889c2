//! What the recording is about, topic by topic.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{ContentSegmentsBody, ContentSegmentsQuery, ContentSegmentsResponse};
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
        Resource::at("/api/v1/jobs/{job_id}/content-segments")
            .get(list)
            .on(Method::PUT, replace),
    ]
}

async fn list(db: Data<Db>, Id(job_id): Id, Query(wanted): Query<ContentSegmentsQuery>) -> Reply {
    db.read(
        move |conn| {
            let keyword = wanted.keyword.as_deref();
            let segments = conn.content_segments().list(job_id, keyword, wanted.top)?;
            of_job(conn, job_id, segments)
        },
        move |segments| Answer::ok(&ContentSegmentsResponse::new(job_id, segments)),
    )
    .await?
}

async fn replace(
    db: Data<Db>,
    Id(job_id): Id,
    lease: Under,
    Output(segments): Output<ContentSegmentsBody>,
) -> Reply {
    db.write(
        move |tx| {
            lease.check(tx, job_id, &[Stage::ContentAnalysis])?;
            job_found(
                job_id,
                tx.content_segments().replace_for_job(job_id, &segments)?,
            )?;
            Ok(tx.content_segments().for_job(job_id)?)
        },
        move |segments| Answer::ok(&ContentSegmentsResponse::new(job_id, segments)),
    )
    .await?
}
