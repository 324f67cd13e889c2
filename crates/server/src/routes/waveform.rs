//! The waveform of a recording, which a stage has stored among the objects of its job.

use actix_web::web::Data;
use lectern_api::{Code, Waveform};
use lectern_db::Reader;
use lectern_domain::Scope;
use lectern_storage::ObjectKey;

use crate::database::caller_database::CallerDatabase;
use crate::http::error::ApiError;
use crate::http::extract::json_body;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::memory_budget::MemoryBudget;
use crate::http::resource::Resource;
use crate::http::response::etag::IfNoneMatch;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::handle::Objects;

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/jobs/{job_id}/waveform").get(Scope::JobsRead, find)]
}

/// Upper bound of the size of a waveform. One with 8,000 points has at most 80 KB; those of
/// other workers may have more points.
const MAX_BYTES: usize = 1 << 20;
/// Bytes of memory that reading a waveform takes per byte of the file: for the file, its numbers
/// and the response.
const MEMORY_PER_FILE_BYTE: usize = 3;

async fn find(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    objects: Data<Objects>,
    JobIdPath(job_id): JobIdPath,
    known: IfNoneMatch,
) -> ApiResult {
    let exists =
        move |conn: &mut Reader<'_>| ApiError::unless_found(job_id, conn.jobs().exists(job_id)?);
    db.read_committed(exists, |()| ()).await?;
    let none = move || {
        let detail = format!("job {job_id} has no waveform");
        ApiError::new(Code::WaveformNotFound, detail)
    };
    let key = ObjectKey::waveform(job_id);
    let info = objects.head(&key).await?.ok_or_else(none)?;
    let size = usize::try_from(info.size).unwrap_or(usize::MAX);
    let permit = memory
        .for_response(MEMORY_PER_FILE_BYTE * size.min(MAX_BYTES))
        .await?;
    let file = objects.read(&key, MAX_BYTES).await?.ok_or_else(none)?;
    let respond = move |file: &[u8]| {
        let Some(waveform) = Waveform::read(file) else {
            log::warn!(job_id:%; "{key} is no waveform");
            return Err(none());
        };
        let response = ApiResponse::with_content_etag(&waveform)?;
        Ok(response.not_modified_if(&known).with_permit(permit))
    };
    json_body::inline_or_blocking(file, respond).await
}
