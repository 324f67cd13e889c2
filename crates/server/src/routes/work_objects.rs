//! The objects that a worker reads and stores under its lease.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{
    Code, FieldError, WorkObject, WorkObjectsQuery, WorkObjectsResponse, WorkUploadRequest,
    WorkUploadResponse,
};
use lectern_db::Tx;
use lectern_domain::{Clip, CutRecord, Job, JobId, LeaseId, Scope, StorageKey};
use lectern_storage::{ObjectInfo, ObjectKey};
use lectern_worker::sidecar;
use serde_json::json;

use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::IdempotentBody;
use crate::http::extract::lease_header::LeaseIdPath;
use crate::http::extract::query::Query;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::handle::Objects;
use crate::objects::signed_urls::SignedUrls;

/// Lifetime of the URLs of objects that a stage reads: as long as the longest stage may take.
const READ_URL_TTL: Duration = Duration::from_hours(24);

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/work/{lease_id}/objects")
            .get(Scope::Work, list)
            .on(Method::POST, Scope::Work, create_upload),
    ]
}

async fn list(
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    urls: SignedUrls,
    LeaseIdPath(lease_id): LeaseIdPath,
    Query(wanted): Query<WorkObjectsQuery>,
) -> ApiResult {
    let (job, clips) = leased_job(&db, lease_id).await?;
    let readable = Readable {
        job: &job,
        clips: &clips,
    };
    let found = match &wanted {
        Some(key) => match readable.check(key) {
            Some((key, owner)) => {
                let info = objects.head(&key).await?;
                info.into_iter().map(|info| (info, owner)).collect()
            }
            None => Vec::new(),
        },
        None => beside_recording(&objects, &job).await?,
    };
    let mut listed = Vec::with_capacity(found.len());
    for (info, owner) in found {
        let key = StorageKey::from(info.key);
        listed.push(WorkObject {
            url: urls
                .download((owner, job.owner_id.as_ref()), &key, None, READ_URL_TTL)
                .await,
            cut_record: readable.cut_record(&key),
            s3_key: key,
            size: info.size,
            last_modified: info.last_modified,
            etag: info.etag,
        });
    }
    ApiResponse::ok(&WorkObjectsResponse { objects: listed })
}

/// The job of a live lease, and its clips.
async fn leased_job(db: &DatabaseHandle, lease_id: LeaseId) -> Result<(Job, Vec<Clip>), ApiError> {
    let find = move |tx: &mut Tx<'_>| {
        let (job, _) = tx.work().leased(lease_id)?;
        let clips = tx.clips().for_job(job.job_id)?;
        Ok((job, clips))
    };
    db.write(find, |found| found).await
}

/// The recording of a job and the files beside it, which its owner may read.
async fn beside_recording(
    objects: &Objects,
    job: &Job,
) -> Result<Vec<(ObjectInfo, JobId)>, ApiError> {
    let owner = job.recording_owner();
    let Some((key, _)) = recording(job) else {
        return Ok(Vec::new());
    };
    let (_, name) = key.rsplit_once('/').unwrap_or(("", &key));
    let mut found = objects
        .list_beside(&key, sidecar::common_start(name))
        .await?;
    // Lists of the local disk have no etags.
    let recording = objects.head(&key).await?;
    found.retain(|info| info.key != key);
    let found = recording.into_iter().chain(found);
    Ok(found.map(|info| (info, owner)).collect())
}

/// The key of a job's recording, and the job that may read it.
fn recording(job: &Job) -> Option<(ObjectKey, JobId)> {
    let key = ObjectKey::try_from(job.original_s3_key.clone()?).ok()?;
    let owner = job.recording_owner();
    (!key.is_forbidden_to_owner(owner, job.owner_id.as_ref())).then_some((key, owner))
}

/// What a stage of a job may read.
struct Readable<'a> {
    job: &'a Job,
    clips: &'a [Clip],
}

impl Readable<'_> {
    /// The object with this key, and the job that may read it. `None` if the stage may not.
    fn check(&self, wanted: &StorageKey) -> Option<(ObjectKey, JobId)> {
        let key = ObjectKey::try_from(wanted.clone()).ok()?;
        if let Some((recording, owner)) = recording(self.job)
            && recording == key
        {
            return Some((recording, owner));
        }
        let job_id = self.job.job_id;
        let is_of_clip = || {
            let mut keys = self.clips.iter().flat_map(|clip| clip.media.storage_keys());
            keys.any(|key| key == wanted)
        };
        let is_forbidden = key.is_forbidden_to_owner(job_id, self.job.owner_id.as_ref());
        let may_read = key.job_id() == Some(job_id) || (!is_forbidden && is_of_clip());
        may_read.then_some((key, job_id))
    }

    /// How the video of a clip with this key was made.
    fn cut_record(&self, key: &StorageKey) -> Option<CutRecord> {
        let is_video = |clip: &&Clip| clip.media.s3_key.as_ref() == Some(key);
        self.clips.iter().find(is_video)?.cut.record.clone()
    }
}

async fn create_upload(
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    urls: SignedUrls,
    LeaseIdPath(lease_id): LeaseIdPath,
    IdempotentBody { body: upload, key }: IdempotentBody<WorkUploadRequest>,
) -> ApiResult {
    let size = upload.file_size.get().unsigned_abs();
    let filename = upload.filename.clone();
    let limits = objects.limits;
    check_size(&objects, size)?;
    let space_check = objects.check_space(size).await?;
    let check = move |tx: &mut Tx<'_>| {
        let is_repeated = key.take(tx)?.is_some();
        let (job, _) = tx.work().leased(lease_id)?;
        space_check?;
        if !is_repeated {
            // A repeated request gets a URL of its own, which is valid for longer.
            key.store(tx, Some(job.job_id), &json!({}))?;
        }
        Ok(job.job_id)
    };
    let job_id = db.write(check, |job_id| job_id).await?;
    let object_key = ObjectKey::of_job(job_id, &filename).map_err(|error| {
        let error = FieldError::new("filename", error.to_string());
        ApiError::fields(Code::ValidationFailed, error)
    })?;
    let url = urls.upload(&object_key, size, limits.upload_ttl).await?;
    let response = WorkUploadResponse::new(object_key.into(), url, limits.upload_ttl);
    Ok(ApiResponse::ok(&response)?.created())
}

fn check_size(objects: &Objects, size: u64) -> Result<(), ApiError> {
    let max_size = objects.limits.max_size;
    let max_size = objects
        .storage
        .max_put_size()
        .map_or(max_size, |max| max.min(max_size));
    if size > max_size {
        let error = FieldError::new("file_size", format!("must be at most {max_size} bytes"));
        return Err(ApiError::fields(Code::ValidationFailed, error));
    }
    Ok(())
}
