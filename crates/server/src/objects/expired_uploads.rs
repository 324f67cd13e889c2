//! Clears pending jobs whose recordings have not arrived in time, and what has arrived of
//! them.

use lectern_db::{ClearedUpload, Tx, UnneededObjects};
use lectern_domain::{JobId, MultipartId};
use lectern_storage::{Error as StorageError, ObjectKey, ObjectPrefix, Storage};

use super::handle::{Objects, STORAGE_TIMEOUT, within};
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;

/// Uploads that are cleared before the database is asked for more.
pub(crate) const BATCH_SIZE: u32 = 100;

/// Clears all uploads that have expired; returns their number.
pub(crate) async fn clear(db: &DatabaseHandle, objects: &Objects) -> Result<usize, ApiError> {
    let mut cleared = 0;
    loop {
        let expired = db.read_committed(|conn| Ok(conn.uploads().expired(BATCH_SIZE)?), |ids| ids);
        let expired = expired.await?;
        let is_last = expired.len() < BATCH_SIZE as usize;
        let before = cleared;
        for job_id in expired {
            let db = db.one_at_a_time_for(job_id.as_uuid());
            let clear = move |tx: &mut Tx<'_>| Ok(tx.uploads().clear(job_id)?);
            if let Some(upload) = db.write(clear, |cleared| cleared).await? {
                cleared += 1;
                delete_objects_later(objects, &upload).await;
            }
        }
        // Another server clears them, too.
        if is_last || cleared == before {
            return Ok(cleared);
        }
    }
}

async fn delete_objects_later(objects: &Objects, upload: &ClearedUpload) {
    if let Err(error) = delete_objects(&objects.storage, upload).await {
        let (job_id, cause) = (upload.job_id, anyhow::Error::from(error));
        log::warn!(job_id:%; "cannot delete the objects of an upload that has expired: {cause:#}");
    }
}

/// Deletes what is stored of a cleared upload.
pub(crate) async fn delete_objects(
    storage: &Storage,
    upload: &ClearedUpload,
) -> Result<(), StorageError> {
    if !upload.is_unfinished {
        return Ok(());
    }
    let key = upload.recording.clone().map(ObjectKey::try_from);
    if let Some(Ok(key)) = key
        && key.job_id() == Some(upload.job_id)
    {
        storage
            .abort_resumable(&key, upload.multipart_id.as_ref())
            .await?;
        storage.delete(&key).await?;
    }
    let prefix = if upload.is_job_deleted {
        ObjectKey::job_prefix(upload.job_id)
    } else {
        ObjectPrefix::upload_tails(upload.job_id)
    };
    storage.delete_prefix(&prefix).await.map(drop)
}

/// A multipart upload in a bucket, which is to be aborted when its job is deleted.
#[derive(Debug, Clone)]
pub(crate) struct MultipartUpload {
    pub(crate) key: ObjectKey,
    pub(crate) multipart_id: MultipartId,
}

impl MultipartUpload {
    /// The multipart upload of a job that is about to be deleted.
    pub(crate) fn find(tx: &mut Tx<'_>, job_id: JobId) -> Result<Option<Self>, ApiError> {
        let Some(multipart_id) = tx
            .uploads()
            .find(job_id)?
            .and_then(|upload| upload.multipart_id)
        else {
            return Ok(None);
        };
        let key = tx.jobs().find(job_id)?.and_then(|job| job.original_s3_key);
        let key = key.and_then(|key| ObjectKey::try_from(key).ok());
        Ok(key.map(|key| Self { key, multipart_id }))
    }
}

impl Objects {
    /// Deletes the objects that no job needs after one was deleted, and the parts of its
    /// multipart upload, if it had one.
    pub(crate) async fn delete_with_upload(
        &self,
        unneeded: UnneededObjects,
        upload: Option<MultipartUpload>,
    ) {
        if let Some(upload) = upload {
            self.abort(upload).await;
        }
        self.delete(unneeded).await;
    }

    /// Deletes the parts of a multipart upload. If that fails, they stay until the
    /// bucket's lifecycle rule removes them.
    pub(crate) async fn abort(&self, upload: MultipartUpload) {
        let MultipartUpload { key, multipart_id } = upload;
        let aborted = self.storage.abort_resumable(&key, Some(&multipart_id));
        if let Err(error) = within(STORAGE_TIMEOUT, aborted).await {
            log::warn!("cannot abort the upload of {key}: {error}");
        }
    }
}
