//! Uploads of recordings: announced, then confirmed.

use actix_web::http::Method;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use lectern_api::{Code, FieldError, UploadConfirmBody, UploadRequest, UploadResponse};
use lectern_db::Reader;
use lectern_domain::{
    FileSize, Job, JobId, JobStatus, JsonObject, NewJob, NewJobStatus, NewUpload, Scope,
};
use lectern_storage::ObjectKey;

use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::auth::PriorityLimit;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::{IdempotentBody, RequestKey};
use crate::http::extract::path_ids::JobIdPath;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::append_upload::Recording;
use crate::objects::expired_uploads::MultipartUpload;
use crate::objects::handle::Objects;
use crate::objects::signed_urls::SignedUrls;
use crate::objects::upload_limits::UploadLimits;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/upload").on(Method::POST, Scope::JobsWrite, create),
        Resource::at("/api/v1/upload/confirm").on(Method::POST, Scope::JobsWrite, confirm),
        Resource::at("/api/v1/jobs/{job_id}/upload-url").on(
            Method::POST,
            Scope::JobsWrite,
            renew_url,
        ),
    ]
}

async fn create(
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    urls: SignedUrls,
    priorities: PriorityLimit,
    IdempotentBody { body: upload, key }: IdempotentBody<UploadRequest>,
) -> ApiResult {
    priorities.check("priority", upload.priority)?;
    let size = upload.file_size.get().unsigned_abs();
    let limits = objects.limits;
    check_size(&objects, size)?;
    let job_id = db.new_job_id();
    let object_key = ObjectKey::original(job_id, &upload.filename);
    let url = urls.upload(&object_key, size, limits.upload_ttl).await?;
    let space_check = objects.check_space(size).await?;
    let job = pending_job(&upload, object_key.clone());
    let create_job = move |tx: &mut lectern_db::Tx<'_>| {
        // A full disk fails only a new request: a repeated request gets the response to
        // the first request.
        space_check?;
        tx.jobs().create_as(job_id, &job)?;
        tx.uploads().keep(job_id, limits.url_lifetime())?;
        let response = UploadResponse::new(
            job_id,
            object_key.clone().into(),
            url.clone(),
            limits.upload_ttl,
        );
        Ok((
            Some(job_id),
            ApiResponse::ok(&response)?
                .created()
                .with_location(job_id)?,
        ))
    };
    let now = db.now();
    let run_once = move |tx: &mut lectern_db::Tx<'_>| {
        let mut is_repeated = true;
        let response = key.run_once(tx, |tx| {
            is_repeated = false;
            create_job(tx)
        })?;
        let outdated = if is_repeated {
            OutdatedUrl::find(tx, &response, limits, now)?
        } else {
            None
        };
        Ok((response, outdated))
    };
    let (response, outdated) = db.write(run_once, |responses| responses).await?;
    match outdated {
        None => Ok(response),
        Some(OutdatedUrl { job_id, key, size }) => {
            let url = urls.upload(&key, size, limits.upload_ttl).await?;
            let renewed = UploadResponse::new(job_id, key.into(), url, limits.upload_ttl);
            ApiResponse::ok(&renewed)?.created().with_location(job_id)
        }
    }
}

/// The upload of a stored response whose URL has expired or will soon.
struct OutdatedUrl {
    job_id: JobId,
    key: ObjectKey,
    size: u64,
}

impl OutdatedUrl {
    /// Keeps the job for as long as the URL that replaces the outdated one. `None` if the
    /// URL in `response` is still valid for at least half of its lifetime, or if the job
    /// no longer waits for its upload.
    fn find(
        tx: &mut lectern_db::Tx<'_>,
        response: &ApiResponse,
        limits: UploadLimits,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, ApiError> {
        let body: serde_json::Value =
            serde_json::from_str(&response.text()?).map_err(ApiError::internal)?;
        let job_id = body["job_id"].as_str().and_then(|id| id.parse().ok());
        let Some(job_id) = job_id else {
            return Ok(None);
        };
        let job = tx.jobs().find(job_id)?;
        let Some(job) = job.filter(|job| job.status == JobStatus::Pending) else {
            return Ok(None);
        };
        let lifetime = body["expires_in"].as_i64().unwrap_or_default();
        let age = now - job.created_at;
        let recording = Recording::of(&job).filter(|_| age.num_seconds() >= lifetime / 2);
        let Some(Recording { key, size, .. }) = recording else {
            return Ok(None);
        };
        tx.uploads().keep(job_id, limits.url_lifetime())?;
        Ok(Some(Self { job_id, key, size }))
    }
}

/// Gives a pending job a new URL for its upload.
async fn renew_url(
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    urls: SignedUrls,
    JobIdPath(job_id): JobIdPath,
    request_key: RequestKey,
) -> ApiResult {
    let limits = objects.limits;
    let repeated = db.stored_response(&request_key).await?;
    let job = find(&db, job_id).await?;
    if let Some(stored) = repeated
        && job.status != JobStatus::Pending
    {
        return ApiResponse::restore(stored);
    }
    check_waiting(&job)?;
    let no_upload = || refuse(&job, "it was not created for an upload");
    let Recording { key, size, .. } = Recording::of(&job).ok_or_else(no_upload)?;
    if key.is_forbidden_to(job_id) || key.job_id() != Some(job_id) {
        return Err(no_upload());
    }
    check_size(&objects, size)?;
    objects.check_space(size).await??;
    let url = urls.upload(&key, size, limits.upload_ttl).await?;
    let response = UploadResponse::new(job_id, key.into(), url, limits.upload_ttl);
    let keep = move |tx: &mut lectern_db::Tx<'_>| {
        let is_repeated = request_key.take(tx)?.is_some();
        tx.lock_job(job_id)?;
        let job = tx.jobs().find(job_id)?;
        check_waiting(&job.ok_or_else(|| ApiError::no_job(job_id))?)?;
        tx.uploads().keep(job_id, limits.url_lifetime())?;
        let response = ApiResponse::ok(&response)?;
        if is_repeated {
            // A resumable upload may have begun since the first request.
            return Ok((response, None));
        }
        // The new URL replaces a resumable upload.
        let multipart = MultipartUpload::find(tx, job_id)?;
        tx.uploads().delete(job_id)?;
        tx.uploads().keep(job_id, limits.url_lifetime())?;
        request_key.store(tx, Some(job_id), &response.store()?)?;
        Ok((response, multipart))
    };
    let db = db.one_at_a_time_for(job_id.as_uuid());
    let (response, multipart) = db.write(keep, |kept| kept).await?;
    if let Some(multipart) = multipart {
        objects.abort(multipart).await;
    }
    Ok(response)
}

fn check_waiting(job: &Job) -> Result<(), ApiError> {
    match job.status {
        JobStatus::Pending => Ok(()),
        _ => Err(refuse(job, "it does not wait for an upload")),
    }
}

/// Checks that a recording may be uploaded in one request.
fn check_size(objects: &Objects, size: u64) -> Result<(), ApiError> {
    let max_size = objects.limits.max_size;
    if size > max_size {
        return Err(invalid_size(format!("must be at most {max_size} bytes")));
    }
    match objects.storage.max_put_size() {
        Some(max_size) if size > max_size => Err(invalid_size(format!(
            "must be at most {max_size} bytes for an upload in one request; use tus at \
             /api/v1/uploads/tus for a larger recording"
        ))),
        _ => Ok(()),
    }
}

/// A job that waits for its upload.
pub(super) fn pending_job(upload: &NewUpload, key: ObjectKey) -> NewJob {
    NewJob {
        filename: upload.filename.clone(),
        file_size: Some(upload.file_size),
        content_type: upload.content_type.clone(),
        original_s3_key: Some(key.into()),
        source_job_id: None,
        status: NewJobStatus::Pending,
        processing_config: upload.processing_config.clone(),
        priority: upload.priority,
        extra_metadata: JsonObject::default(),
    }
}

async fn confirm(
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    IdempotentBody { body: job_id, key }: IdempotentBody<UploadConfirmBody>,
) -> ApiResult {
    if let Some(stored) = db.stored_response(&key).await? {
        return ApiResponse::restore(stored);
    }
    let job_id = *job_id;
    let job = find(&db, job_id).await?;
    match job.status {
        // Another upload may replace the recording after this check, but every upload to
        // the job has the announced size.
        JobStatus::Pending => {
            check_complete(&db, &job).await?;
            check_recording(&objects, &job).await?;
        }
        // Confirming it again changes nothing.
        JobStatus::Queued | JobStatus::Running | JobStatus::Completed if key.is_none() => {
            return ApiResponse::job(job);
        }
        JobStatus::Queued | JobStatus::Running | JobStatus::Completed => {}
        JobStatus::Failed | JobStatus::Cancelled => {
            return Err(refuse(&job, "its upload can no longer be confirmed"));
        }
    }
    let db = db.one_at_a_time_for(job_id.as_uuid());
    let confirm = move |tx: &mut lectern_db::Tx<'_>| Ok((Some(job_id), tx.jobs().confirm(job_id)?));
    db.write_once(key, confirm, ApiResponse::job).await
}

/// Checks that a resumable upload, if the job has one, has received all bytes: its file may
/// have bytes that are not known to be on disk.
async fn check_complete(db: &DatabaseHandle, job: &Job) -> Result<(), ApiError> {
    let job_id = job.job_id;
    let find = move |conn: &mut Reader<'_>| Ok(conn.uploads().find(job_id)?);
    let upload = db.read_committed(find, |upload| upload).await?;
    let size = job.file_size.map_or(0, |size| size.get().unsigned_abs());
    match upload {
        Some(upload) if upload.received < size => {
            Err(refuse(job, "its resumable upload is not complete"))
        }
        _ => Ok(()),
    }
}

/// Checks that the recording exists and has the announced size.
async fn check_recording(objects: &Objects, job: &Job) -> Result<(), ApiError> {
    let key = job.original_s3_key.clone().map(ObjectKey::try_from);
    let found = match key {
        Some(Ok(key)) => objects.head(&key).await?,
        None | Some(Err(_)) => None,
    };
    let found = found.ok_or_else(|| refuse(job, "its recording has not been uploaded"))?;
    match job.file_size.map(FileSize::get) {
        Some(announced) if announced.unsigned_abs() != found.size => {
            let uploaded = found.size;
            Err(invalid_size(format!(
                "is {announced}, but {uploaded} bytes were uploaded"
            )))
        }
        _ => Ok(()),
    }
}

async fn find(db: &DatabaseHandle, job_id: JobId) -> Result<Job, ApiError> {
    let found = db.read_committed(
        move |conn| Ok(conn.jobs().find(job_id)?),
        move |job| job.ok_or_else(|| ApiError::no_job(job_id)),
    );
    found.await?
}

fn refuse(job: &Job, why: &str) -> ApiError {
    let detail = format!("job {} is {}, and {why}", job.job_id, job.status);
    ApiError::new(Code::IllegalTransition, detail)
}

fn invalid_size(rule: String) -> ApiError {
    let error = FieldError::new("file_size", rule);
    ApiError::fields(Code::ValidationFailed, error)
}
