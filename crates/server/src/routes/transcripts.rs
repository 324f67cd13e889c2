//! The transcript of a job.

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use lectern_api::{TranscriptQuery, TranscriptResponse};
use lectern_domain::Stage;
use lectern_formats::Cue;

use super::job_lookup::rows_of_job;
use crate::database::handle::DatabaseHandle;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query::Query;
use crate::http::extract::transcript_body::{TranscriptAccept, TranscriptBody, VARY};
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/transcripts")
            .get(list)
            .on(Method::PUT, replace)
            .on(Method::POST, append),
    ]
}

async fn list(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    accept: TranscriptAccept,
    Query(query): Query<TranscriptQuery>,
) -> ApiResult {
    let file_format = accept.file_format(query.format);
    let response = db.read_committed(
        move |conn| {
            let segments = conn
                .transcripts()
                .list(job_id, query.window, query.q.as_deref())?;
            rows_of_job(conn, job_id, segments)
        },
        move |segments| match file_format {
            Some(format) => {
                let cues: Vec<_> = segments.into_iter().map(Cue::from).collect();
                Ok(ApiResponse::file(format, format.write(&cues)))
            }
            None => ApiResponse::ok(&TranscriptResponse::new(job_id, segments)),
        },
    );
    response.await??.with_header(header::VARY, VARY)
}

async fn replace(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    TranscriptBody(segments): TranscriptBody,
) -> ApiResult {
    db.queued_by(job_id.as_uuid())
        .for_rows(segments.len())
        .write(
            move |tx| {
                let job = lease.check(tx, job_id, &[Stage::Transcription])?;
                Ok(tx.transcripts().replace_for_job(job, &segments)?)
            },
            move |segments| ApiResponse::ok(&TranscriptResponse::new(job_id, segments)),
        )
        .await?
}

async fn append(
    db: Data<DatabaseHandle>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    TranscriptBody(segments): TranscriptBody,
) -> ApiResult {
    db.queued_by(job_id.as_uuid())
        .for_rows(segments.len())
        .write(
            move |tx| {
                let job = lease.check(tx, job_id, &[Stage::Transcription])?;
                Ok(tx.transcripts().append(job, &segments)?)
            },
            move |segments| {
                Ok(ApiResponse::ok(&TranscriptResponse::new(job_id, segments))?.created())
            },
        )
        .await?
}
