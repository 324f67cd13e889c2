//! Uploads that resume, in the protocol tus 1.0.0
//! (<https://tus.io/protocols/resumable-upload>), with the extensions creation,
//! creation-with-upload, expiration, checksum and termination.
//!
//! An upload has the id of its job. The job is pending until all bytes have arrived.

use std::time::SystemTime;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, HeaderName, HeaderValue, HttpDate, LOCATION,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError as _};
use futures_util::StreamExt as _;
use lectern_api::{
    Code, FieldError, TUS_CHECKSUM_ALGORITHMS, TUS_EXTENSIONS, TUS_VERSION, TusChecksum, TusUpload,
    parse_size,
};
use lectern_db::{Reader, Tx};
use lectern_domain::{Access, Job, JobId, ResumableUpload, Scope};
use lectern_storage::ObjectKey;

use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::auth::PriorityLimit;
use crate::http::auth::RequestActor;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::RequestKey;
use crate::http::extract::receive_body::{is_identity, media_type};
use crate::http::request::mount;
use crate::http::resource::Resource;
use crate::objects::append_upload::{
    self, Body, Checksum, Recording, check_not_expired, finish, is_confirmed, no_upload, too_large,
    wrong_offset,
};
use crate::objects::expired_uploads::MultipartUpload;
use crate::objects::handle::Objects;
use crate::objects::store_recording::check_pending;
use crate::routes::uploads::pending_job;

const PATH: &str = "/api/v1/uploads/tus";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSIONS: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const X_HTTP_METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// The type of a body with bytes of an upload.
const OFFSET_OCTET_STREAM: &str = "application/offset+octet-stream";

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/uploads/tus")
            .on(Method::OPTIONS, Access::Public, options)
            .on(Method::POST, Scope::JobsWrite, create),
        Resource::at("/api/v1/uploads/tus/{upload_id}")
            .on(Method::OPTIONS, Access::Public, options)
            .on(Method::HEAD, Scope::JobsWrite, head)
            .on(Method::PATCH, Scope::JobsWrite, patch)
            .on(Method::DELETE, Scope::JobsWrite, delete)
            .on(Method::POST, Scope::JobsWrite, method_override),
    ]
}

async fn options(objects: Data<Objects>) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((TUS_RESUMABLE, TUS_VERSION))
        .insert_header((TUS_VERSIONS, TUS_VERSION))
        .insert_header((TUS_EXTENSION, TUS_EXTENSIONS))
        .insert_header((TUS_CHECKSUM_ALGORITHM, TUS_CHECKSUM_ALGORITHMS))
        .insert_header((TUS_MAX_SIZE, max_size(&objects)))
        .finish()
}

async fn create(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    payload: web::Payload,
) -> HttpResponse {
    respond(create_upload(&request, &db, &objects, payload).await)
}

async fn head(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
) -> HttpResponse {
    respond(find_upload(&request, &db, &objects).await)
}

async fn patch(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    payload: web::Payload,
) -> HttpResponse {
    respond(append(&request, &db, &objects, payload).await)
}

async fn delete(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
) -> HttpResponse {
    respond(terminate(&request, &db, &objects).await)
}

/// A request of a client that cannot send PATCH or DELETE.
async fn method_override(
    request: HttpRequest,
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    payload: web::Payload,
) -> HttpResponse {
    respond(match header(&request, &X_HTTP_METHOD_OVERRIDE) {
        Some("PATCH") => append(&request, &db, &objects, payload).await,
        Some("DELETE") => terminate(&request, &db, &objects).await,
        Some("HEAD") => find_upload(&request, &db, &objects).await,
        _ => Err(ApiError::method_not_allowed(
            "OPTIONS, HEAD, PATCH, DELETE".to_owned(),
        )),
    })
}

async fn create_upload(
    request: &HttpRequest,
    db: &Data<DatabaseHandle>,
    objects: &Data<Objects>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    check_version(request)?;
    let key = RequestKey::of_headers(request, &[&UPLOAD_LENGTH, &UPLOAD_METADATA])?;
    if let Some(created) = db.stored_response(&key).await? {
        let job_id = serde_json::from_value(created).map_err(ApiError::internal)?;
        let (_, upload) = load(db, job_id).await?;
        return Ok(created_upload(request, objects, job_id, &upload));
    }
    let length = header(request, &UPLOAD_LENGTH);
    let new = TusUpload::parse(length, header(request, &UPLOAD_METADATA))?;
    PriorityLimit::of(request).check(TusUpload::PRIORITY_FIELD, new.upload.priority)?;
    let size = new.upload.file_size.get().unsigned_abs();
    let max_size = max_size(objects);
    if size > max_size {
        let detail = format!("a recording may have at most {max_size} bytes");
        return Err(ApiError::new(Code::BodyTooLarge, detail));
    }
    let body = first_part(request, payload, size).await?;
    objects.check_space(size).await??;
    let recording = {
        let job_id = db.new_job_id();
        let key = ObjectKey::original(job_id, &new.upload.filename);
        Recording { job_id, key, size }
    };
    let (job_id, mut upload) = store_new(db, objects, &recording, new, key).await?;
    if job_id != recording.job_id {
        // Created by a concurrent request with the same key.
        return Ok(created_upload(request, objects, job_id, &upload));
    }
    if let Some(body) = body {
        let (db, objects, recording) = (db.clone(), objects.clone(), recording.clone());
        // A separate task, because the handler ends when the client disconnects.
        let appending = actix_web::rt::spawn(async move {
            let appended = append_upload::append(&db, &objects, &recording, body).await;
            if appended.is_err() {
                // The client does not know the address of the upload, so it cannot resume.
                delete_upload(&db, &objects, recording.job_id).await?;
            }
            appended
        });
        upload = appending.await.map_err(ApiError::internal)??;
    }
    Ok(created_upload(request, objects, recording.job_id, &upload))
}

/// The response to the creation of an upload.
fn created_upload(
    request: &HttpRequest,
    objects: &Objects,
    job_id: JobId,
    upload: &ResumableUpload,
) -> HttpResponse {
    let location = format!("{}{PATH}/{job_id}", path_prefix(request, objects));
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, location));
    insert_state(&mut response, upload).finish()
}

/// Creates the job of an upload, unless a request with this key has created one; returns the
/// job that there is.
async fn store_new(
    db: &DatabaseHandle,
    objects: &Objects,
    recording: &Recording,
    new: TusUpload,
    request_key: RequestKey,
) -> Result<(JobId, ResumableUpload), ApiError> {
    let multipart_id = objects.begin_resumable(&recording.key).await?;
    let (job_id, key) = (recording.job_id, recording.key.clone());
    let lifetime = objects.limits.resumable_lifetime();
    let created = {
        let multipart_id = multipart_id.clone();
        let create = move |tx: &mut Tx<'_>| {
            if let Some(created) = request_key.take(tx)? {
                let created = serde_json::from_value(created).map_err(ApiError::internal)?;
                let upload = tx.uploads().find(created)?;
                return Ok((created, upload.ok_or_else(|| no_upload(created))?));
            }
            let mut job = pending_job(&new.upload, key.clone());
            job.extra_metadata = new.extra_metadata.clone();
            tx.jobs().create_as(job_id, &job)?;
            let metadata = new.metadata.as_ref();
            tx.uploads()
                .create_resumable(job_id, metadata, multipart_id.as_ref(), lifetime)?;
            let created = serde_json::to_value(job_id).map_err(ApiError::internal)?;
            request_key.store(tx, Some(job_id), &created)?;
            let upload = tx.uploads().find(job_id)?;
            Ok((job_id, upload.ok_or_else(|| no_upload(job_id))?))
        };
        db.write(create, |created| created).await
    };
    let is_used = created
        .as_ref()
        .is_ok_and(|(created, _)| *created == job_id);
    if !is_used && let Some(multipart_id) = multipart_id {
        let key = recording.key.clone();
        objects.abort(MultipartUpload { key, multipart_id }).await;
    }
    created
}

async fn find_upload(
    request: &HttpRequest,
    db: &DatabaseHandle,
    objects: &Objects,
) -> Result<HttpResponse, ApiError> {
    check_version(request)?;
    let (job, upload) = load(db, upload_id(request)?).await?;
    let recording = recording_of(&job)?;
    if !is_confirmed(Some(&job)) {
        check_not_expired(&upload)?;
        check_pending(job.job_id, Some(&job))?;
        if upload.received == recording.size {
            // The server stopped, or lost the database, before the upload was finished.
            finish(db, objects, &recording, &upload).await?;
        }
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header((UPLOAD_LENGTH, recording.size))
        .insert_header((CACHE_CONTROL, "no-store"));
    if let Some(metadata) = &upload.metadata {
        response.insert_header((UPLOAD_METADATA, metadata.as_str()));
    }
    Ok(insert_state(&mut response, &upload).finish())
}

async fn append(
    request: &HttpRequest,
    db: &Data<DatabaseHandle>,
    objects: &Data<Objects>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    check_version(request)?;
    let job_id = upload_id(request)?;
    let offset = header(request, &UPLOAD_OFFSET)
        .and_then(parse_size)
        .ok_or_else(|| {
            let error = FieldError::new(
                "Upload-Offset",
                "must be the number of bytes that have arrived",
            );
            ApiError::fields(Code::ValidationFailed, error)
        })?;
    let (job, mut upload) = load(db, job_id).await?;
    let recording = recording_of(&job)?;
    let is_repeated = is_confirmed(Some(&job)) && offset == upload.received;
    if !is_repeated {
        check_pending(job_id, Some(&job))?;
        check_not_expired(&upload)?;
    }
    if offset != upload.received {
        return Err(wrong_offset(&upload));
    }
    let body = body(request, payload, offset, recording.size)?;
    if !is_repeated {
        objects
            .check_space(recording.size.saturating_sub(upload.received))
            .await??;
        let (db, objects) = (db.clone(), objects.clone());
        // A separate task, because the handler ends when the client disconnects. The task
        // stores what has arrived.
        let appending = actix_web::rt::spawn(async move {
            append_upload::append(&db, &objects, &recording, body).await
        });
        upload = appending.await.map_err(ApiError::internal)??;
    }
    Ok(insert_state(&mut HttpResponse::NoContent(), &upload).finish())
}

async fn terminate(
    request: &HttpRequest,
    db: &DatabaseHandle,
    objects: &Objects,
) -> Result<HttpResponse, ApiError> {
    check_version(request)?;
    let db = db.acting_as(RequestActor::of(request).0);
    delete_upload(&db, objects, upload_id(request)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes an upload, and its job unless its recording is complete.
async fn delete_upload(
    db: &DatabaseHandle,
    objects: &Objects,
    job_id: JobId,
) -> Result<(), ApiError> {
    let delete = move |tx: &mut Tx<'_>| {
        let multipart = match tx.lock_job(job_id) {
            Ok(_) => MultipartUpload::find(tx, job_id)?,
            Err(lectern_db::Error::JobNotFound { .. }) => return Err(no_upload(job_id)),
            Err(error) => return Err(error.into()),
        };
        if tx.uploads().find(job_id)?.is_none() {
            return Err(no_upload(job_id));
        }
        if is_confirmed(tx.jobs().find(job_id)?.as_ref()) {
            tx.uploads().delete(job_id)?;
            return Ok(None);
        }
        Ok(Some((tx.jobs().delete(job_id)?, multipart)))
    };
    let db = db.one_at_a_time_for(job_id.as_uuid());
    if let Some((unneeded, multipart)) = db.write(delete, |deleted| deleted).await? {
        objects.delete_with_upload(unneeded, multipart).await;
    }
    Ok(())
}

/// Adds the headers of every response, and those that describe an error.
fn respond(result: Result<HttpResponse, ApiError>) -> HttpResponse {
    let mut response = result.unwrap_or_else(|error| {
        let mut response = error.error_response();
        if response.status() == StatusCode::PRECONDITION_FAILED {
            let versions = HeaderValue::from_static(TUS_VERSION);
            response.headers_mut().insert(TUS_VERSIONS, versions);
        }
        response
    });
    let version = HeaderValue::from_static(TUS_VERSION);
    response.headers_mut().insert(TUS_RESUMABLE, version);
    response
}

fn insert_state<'r>(
    response: &'r mut HttpResponseBuilder,
    upload: &ResumableUpload,
) -> &'r mut HttpResponseBuilder {
    let expires_at = HttpDate::from(SystemTime::from(upload.expires_at));
    response
        .insert_header((UPLOAD_OFFSET, upload.received))
        .insert_header((UPLOAD_EXPIRES, expires_at.to_string()))
}

/// Upper bound of a recording that is uploaded by this protocol, in bytes.
pub(super) fn max_size(objects: &Objects) -> u64 {
    let max_size = objects.limits.max_size;
    let of_storage = objects.storage.max_resumable_size();
    of_storage.map_or(max_size, |of_storage| of_storage.min(max_size))
}

fn header<'r>(request: &'r HttpRequest, name: &HeaderName) -> Option<&'r str> {
    // A value that is not ASCII becomes an empty text, which is invalid.
    let value = request.headers().get(name)?;
    Some(value.to_str().unwrap_or_default())
}

fn check_version(request: &HttpRequest) -> Result<(), ApiError> {
    if header(request, &TUS_RESUMABLE) == Some(TUS_VERSION) {
        return Ok(());
    }
    let detail = format!("the header Tus-Resumable must be {TUS_VERSION}");
    Err(ApiError::new(Code::TusVersionNotSupported, detail))
}

/// The id in the path. A malformed id is reported like an unknown upload.
fn upload_id(request: &HttpRequest) -> Result<JobId, ApiError> {
    let id = request.match_info().get("upload_id");
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| ApiError::new(Code::UploadNotFound, "the path has no valid upload id"))
}

async fn load(db: &DatabaseHandle, job_id: JobId) -> Result<(Job, ResumableUpload), ApiError> {
    let find = move |conn: &mut Reader<'_>| {
        let job = conn.jobs().find(job_id)?;
        Ok(job.zip(conn.uploads().find(job_id)?))
    };
    let found = db.read(find, |found| found).await?;
    found.ok_or_else(|| no_upload(job_id))
}

fn recording_of(job: &Job) -> Result<Recording, ApiError> {
    Recording::of(job).ok_or_else(|| no_upload(job.job_id))
}

/// The body of a creation, if it has one.
async fn first_part(
    request: &HttpRequest,
    mut payload: web::Payload,
    size: u64,
) -> Result<Option<Body>, ApiError> {
    let length = header(request, &CONTENT_LENGTH).and_then(parse_size);
    let has_type = media_type(request.headers()) == Some(OFFSET_OCTET_STREAM);
    let has_body = match length {
        Some(length) => length > 0,
        None if has_type => true,
        // Some clients send an empty body in chunks.
        None => payload.next().await.is_some(),
    };
    has_body
        .then(|| body(request, payload, 0, size))
        .transpose()
}

/// The body of a request, after a check of the headers that describe it.
fn body(
    request: &HttpRequest,
    payload: web::Payload,
    offset: u64,
    size: u64,
) -> Result<Body, ApiError> {
    if media_type(request.headers()) != Some(OFFSET_OCTET_STREAM) {
        let detail = format!("the header Content-Type must be {OFFSET_OCTET_STREAM}");
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    if !is_identity(request.headers()) {
        let detail = "the body must not be compressed";
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    let length = header(request, &CONTENT_LENGTH).and_then(parse_size);
    if length.is_some_and(|length| length > size.saturating_sub(offset)) {
        return Err(too_large(size));
    }
    let checksum = header(request, &UPLOAD_CHECKSUM)
        .map(TusChecksum::parse)
        .transpose()?;
    Ok(Body {
        offset,
        payload,
        checksum: checksum.map(Checksum::try_from).transpose()?,
    })
}

/// The path before the route's own, as the client sees it.
fn path_prefix<'a>(request: &'a HttpRequest, objects: &'a Objects) -> &'a str {
    match &objects.public_url {
        Some(url) => url.path().trim_end_matches('/'),
        None => mount::prefix(request),
    }
}
