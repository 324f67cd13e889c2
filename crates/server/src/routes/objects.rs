//! Objects on local disk, at URLs that this server has signed. Signed URLs of a bucket
//! point to the S3-compatible service instead.

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, ETAG};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use lectern_api::{Code, FieldError};
use lectern_domain::{Access, DownloadName, JobId};
use lectern_storage::{OBJECTS_PATH, ObjectInfo, ObjectKey, SignatureError, Signer};

use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::request::mount;
use crate::http::resource::Resource;
use crate::http::response::etag::IfNoneMatch;
use crate::http::response::range;
use crate::objects::handle::Objects;
use crate::objects::store_recording::{self, UploadPurpose, check_pending, check_running};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at_prefix("/api/v1/objects/{key}")
            .get(Access::Public, download)
            .on(Method::PUT, Access::Public, upload),
    ]
}

/// HEAD sends the metadata, GET the whole object or a requested range.
async fn download(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    known: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let now = db.now();
    let (key, name) = verify_url(&request, &objects, |signer, key, query| {
        signer.verify_get(key, query, now)
    })?;
    let info = objects.storage.head(&key).await?;
    let info = info.ok_or_else(ApiError::no_object)?;
    send_object(&request, &objects, info, name.as_ref(), &known).await
}

/// Sends an object that exists: its metadata, or the whole or a part of it. Browsers save it under
/// `name`, or under the last part of its key.
pub(super) async fn send_object(
    request: &HttpRequest,
    objects: &Objects,
    info: ObjectInfo,
    name: Option<&DownloadName>,
    known: &IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    if info.etag.as_ref().is_some_and(|etag| known.matches(etag)) {
        return Ok(range::not_modified(&info));
    }
    if request.method() == Method::HEAD {
        return Ok(range::send_head(&info, name));
    }
    let part = range::requested_range(request, &info);
    let is_part = part.is_some();
    let object = objects.storage.get(&info.key, part).await?;
    Ok(range::send(object, is_part, name))
}

/// Uploads the recording of a pending job, or a file that a worker has made. A recording cannot
/// be replaced after its upload was confirmed.
async fn upload(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let now = db.now();
    let (key, size) = verify_url(&request, &objects, |signer, key, query| {
        match signer.verify_put(key, query, now) {
            // Only a client that had the URL learns this.
            Err(SignatureError::Expired) => Ok(None),
            size => size.map(Some),
        }
    })?;
    let size = size.ok_or_else(expired_url)?;
    let job_id = key.job_id().ok_or_else(ApiError::no_object)?;
    check_length(&request, size)?;
    let purpose = load_and_check(&db, &key, job_id).await?;
    let upload = objects.begin_upload(&key, size).await?;
    let object = objects.receive(upload, size, body).await?;
    // A separate task, so that a complete upload is stored even if the client disconnects.
    let stored = actix_web::rt::spawn(async move {
        match purpose {
            UploadPurpose::Recording => store_recording::store(&db, job_id, object).await,
            UploadPurpose::WorkerFile => {
                store_recording::store_worker_file(&db, job_id, object).await
            }
        }
    });
    stored.await.map_err(ApiError::internal)??;
    let info = objects.storage.head(&key).await?;
    let mut response = HttpResponse::Ok();
    if let Some(etag) = info.and_then(|info| info.etag) {
        response.insert_header((ETAG, etag));
    }
    Ok(response.finish())
}

fn expired_url() -> ApiError {
    let detail = "this URL has expired; POST /api/v1/jobs/{job_id}/upload-url returns a new one";
    ApiError::new(Code::UploadExpired, detail)
}

/// Verifies the signed URL; returns the object's key and the result of `verify`.
fn verify_url<T>(
    request: &HttpRequest,
    objects: &Objects,
    verify: impl FnOnce(&Signer, &ObjectKey, &str) -> Result<T, SignatureError>,
) -> Result<(ObjectKey, T), ApiError> {
    let signer = objects.storage.signer().ok_or_else(ApiError::no_object)?;
    // The signature covers the path as the client sent it, without the mount point. The
    // path from the router is unsuitable, because the router decodes some of the escapes.
    let path = &request.uri().path()[mount::prefix(request).len()..];
    let key = path.strip_prefix(OBJECTS_PATH);
    let key = key.and_then(|key| ObjectKey::from_url_path(key).ok());
    let key = key.ok_or_else(ApiError::no_object)?;
    let verified = verify(signer, &key, request.query_string()).map_err(|error| {
        log::debug!("{key}: {error}");
        ApiError::no_object()
    })?;
    Ok((key, verified))
}

/// Compares Content-Length, if present, with the signed size before the body is
/// read.
fn check_length(request: &HttpRequest, size: u64) -> Result<(), ApiError> {
    let content_length = request.headers().get(CONTENT_LENGTH);
    let content_length =
        content_length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match content_length {
        Some(length) if length > size => {
            let detail = format!("exactly {size} bytes were announced");
            Err(ApiError::new(Code::BodyTooLarge, detail))
        }
        Some(length) if length < size => {
            let error = FieldError::new("Content-Length", format!("must be {size}"));
            Err(ApiError::fields(Code::ValidationFailed, error))
        }
        _ => Ok(()),
    }
}

async fn load_and_check(
    db: &DatabaseHandle,
    key: &ObjectKey,
    job_id: JobId,
) -> Result<UploadPurpose, ApiError> {
    let find = move |conn: &mut lectern_db::Reader<'_>| Ok(conn.jobs().find(job_id)?);
    let job = db.read_committed(find, |job| job).await?;
    let job = job.ok_or_else(ApiError::no_object)?;
    let purpose = UploadPurpose::of(key, &job);
    match purpose {
        UploadPurpose::Recording => check_pending(job_id, Some(&job))?,
        UploadPurpose::WorkerFile => check_running(job_id, Some(&job))?,
    }
    Ok(purpose)
}
