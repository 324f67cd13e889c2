//! Uploads of recordings: announced, then confirmed.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{Code, FieldError, UploadConfirmBody, UploadRequest, UploadResponse};
use lectern_domain::{
    FileSize, Job, JobId, JobStatus, JsonObject, NewJob, NewJobStatus, NewUpload,
};
use lectern_storage::ObjectKey;

use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::IdempotentBody;
use crate::http::extract::json_body::JsonBody;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::handle::Objects;
use crate::objects::signed_urls::SignedUrls;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/upload").on(Method::POST, create),
        Resource::at("/api/v1/upload/confirm").on(Method::POST, confirm),
    ]
}

async fn create(
    db: Data<DatabaseHandle>,
    objects: Data<Objects>,
    urls: SignedUrls,
    IdempotentBody { body: upload, key }: IdempotentBody<UploadRequest>,
) -> ApiResult {
    let size = upload.file_size.get().unsigned_abs();
    let limits = objects.limits;
    if size > limits.max_size {
        let rule = format!("must be at most {} bytes", limits.max_size);
        return Err(invalid_size(rule));
    }
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
        let response = UploadResponse::new(
            job_id,
            object_key.clone().into(),
            url.clone(),
            limits.upload_ttl,
        );
        Ok((
            job_id,
            ApiResponse::ok(&response)?
                .created()
                .with_location(job_id)?,
        ))
    };
    db.write(move |tx| key.run_once(tx, &create_job), |response| response)
        .await
}

/// A job that waits for its upload.
fn pending_job(upload: &NewUpload, key: ObjectKey) -> NewJob {
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
    db: Data<DatabaseHandle>,
    objects: Data<Objects>,
    JsonBody(job_id): JsonBody<UploadConfirmBody>,
) -> ApiResult {
    let job_id = *job_id;
    let job = find(&db, job_id).await?;
    match job.status {
        // Another upload may replace the recording after this check, but every upload to
        // the job has the announced size.
        JobStatus::Pending => check_recording(&objects, &job).await?,
        JobStatus::Queued | JobStatus::Running | JobStatus::Completed => {
            return ApiResponse::job(job);
        }
        JobStatus::Failed | JobStatus::Cancelled => {
            return Err(refuse(&job, "its upload can no longer be confirmed"));
        }
    }
    let db = db.one_at_a_time_for(job_id.as_uuid());
    let confirmed = db.write(move |tx| Ok(tx.jobs().confirm(job_id)?), ApiResponse::job);
    confirmed.await?
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
