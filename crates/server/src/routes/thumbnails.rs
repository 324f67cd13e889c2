//! Thumbnails along a recording, which a stage has stored among the objects of its job.

use actix_web::http::header::ETAG;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lectern_api::Code;
use lectern_db::Reader;
use lectern_domain::{JobId, Scope};
use lectern_formats::Format;
use lectern_storage::ObjectKey;

use super::objects::send_object;
use crate::database::caller_database::CallerDatabase;
use crate::http::error::ApiError;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::resource::Resource;
use crate::http::response::etag::{IfNoneMatch, content_etag};
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::handle::Objects;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/thumbnails").get(Scope::JobsRead, find_cues),
        Resource::at("/api/v1/jobs/{job_id}/thumbnails.jpg").get(Scope::JobsRead, find_picture),
    ]
}

/// Upper bound of the size of the WebVTT. One with 100 thumbnails has 7 KB; those of other workers
/// may have more.
const MAX_CUES_BYTES: usize = 64 << 10;

async fn find_cues(
    database: CallerDatabase,
    objects: Data<Objects>,
    JobIdPath(job_id): JobIdPath,
    known: IfNoneMatch,
) -> ApiResult {
    check_job(database, job_id).await?;
    let none = || no_thumbnails(job_id);
    let key = ObjectKey::thumbnail_cues(job_id);
    let file = objects.read(&key, MAX_CUES_BYTES).await?.ok_or_else(none)?;
    let text = std::str::from_utf8(&file).ok();
    let Some(text) = text.filter(|text| text.starts_with("WEBVTT")) else {
        log::warn!(job_id:%; "{key} is no WebVTT");
        return Err(none());
    };
    let response = ApiResponse::file(Format::Vtt, text.to_owned());
    let response = response.with_header(ETAG, &content_etag(text.as_bytes()))?;
    Ok(response.not_modified_if(&known))
}

async fn find_picture(
    request: HttpRequest,
    database: CallerDatabase,
    objects: Data<Objects>,
    JobIdPath(job_id): JobIdPath,
    known: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    check_job(database, job_id).await?;
    let key = ObjectKey::thumbnails(job_id);
    let none = || no_thumbnails(job_id);
    let info = objects.head(&key).await?.ok_or_else(none)?;
    send_object(&request, &objects, info, None, &known).await
}

async fn check_job(CallerDatabase(db): CallerDatabase, job_id: JobId) -> Result<(), ApiError> {
    let exists =
        move |conn: &mut Reader<'_>| ApiError::unless_found(job_id, conn.jobs().exists(job_id)?);
    db.read_committed(exists, |()| ()).await
}

fn no_thumbnails(job_id: JobId) -> ApiError {
    let detail = format!("job {job_id} has no thumbnails");
    ApiError::new(Code::ThumbnailsNotFound, detail)
}
