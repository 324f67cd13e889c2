//! The routes' access to the storage.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use anyhow::Context as _;
use futures_util::{TryStreamExt as _, stream};
use lectern_api::Code;
use lectern_db::UnneededObjects;
use lectern_domain::JobId;
use lectern_storage::{
    Error as StorageError, ObjectInfo, ObjectKey, Secret, Storage, StorageConfig,
};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;
use url::Url;

use super::error::STORAGE_UNAVAILABLE;
use super::running_appends::RunningAppends;
use super::upload_limits::UploadLimits;
use crate::http::error::ApiError;
use crate::http::memory_budget::MemoryBudget;

/// Upper bound of the wait for a single operation of the storage.
pub(super) const STORAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Number of job locks. Jobs that share a lock wait for each other, which is rare with
/// this number.
const JOB_LOCK_COUNT: usize = 1024;

/// Upper bound of the time to read or write an object that is held in memory: enough
/// for 32 MiB over a slow connection.
const TRANSFER_TIMEOUT: Duration = Duration::from_mins(1);

/// Memory for the parts of resumable uploads to a bucket, in bytes: each is in memory until
/// it is stored.
const PART_MEMORY: usize = 64 << 20;

/// The storage, with its limits and a lock per job.
#[derive(Clone)]
pub(crate) struct Objects {
    pub(crate) storage: Storage,
    pub(crate) limits: UploadLimits,
    /// Public URL of the server; `None`: the address that each request was sent to.
    pub(crate) public_url: Option<Url>,
    pub(super) running_appends: RunningAppends,
    pub(super) part_memory: MemoryBudget,
    /// The id of a job selects the lock of the job; several jobs may share a lock.
    job_locks: Arc<[Mutex<()>]>,
    /// The directory of the objects when no storage is configured; removed when the last
    /// clone is dropped.
    _temporary: Option<Arc<TempDir>>,
}

impl Objects {
    /// Keeps objects in `storage`; with `None`, in a new temporary directory.
    pub(crate) fn new(
        storage: Option<Storage>,
        limits: UploadLimits,
        public_url: Option<Url>,
    ) -> anyhow::Result<Self> {
        let (storage, temporary) = if let Some(storage) = storage {
            (storage, None)
        } else {
            let dir = tempfile::Builder::new().prefix("lectern-").tempdir();
            let dir = dir.context("cannot create a temporary directory for objects")?;
            let location = StorageConfig::Local {
                dir: dir.path().to_owned(),
            };
            (Storage::open(&location, Secret::random()?)?, Some(dir))
        };
        Ok(Self {
            storage,
            limits,
            public_url,
            running_appends: RunningAppends::default(),
            part_memory: MemoryBudget::new(PART_MEMORY),
            job_locks: (0..JOB_LOCK_COUNT).map(|_| Mutex::new(())).collect(),
            _temporary: temporary.map(Arc::new),
        })
    }

    /// The metadata of an object, if it exists.
    pub(crate) async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, ApiError> {
        within(STORAGE_TIMEOUT, self.storage.head(key)).await
    }

    /// The objects beside `key` whose names begin with `start`; see [`Storage::list_beside`].
    pub(crate) async fn list_beside(
        &self,
        key: &ObjectKey,
        start: &str,
    ) -> Result<Vec<ObjectInfo>, ApiError> {
        within(STORAGE_TIMEOUT, self.storage.list_beside(key, start)).await
    }

    /// Reads an object into memory. `None` when the object does not exist or exceeds
    /// `limit` bytes.
    pub(crate) async fn read(
        &self,
        key: &ObjectKey,
        limit: usize,
    ) -> Result<Option<web::Bytes>, ApiError> {
        let reading = async {
            let object = match self.storage.get(key, None).await {
                Err(
                    StorageError::NotFound(_)
                    | StorageError::Invalid(_)
                    | StorageError::NotAllowed { .. },
                ) => {
                    return Ok(None);
                }
                object => object?,
            };
            let size = object.info.size;
            if size > limit as u64 {
                log::warn!("{key} is ignored: it has {size} bytes, more than {limit}");
                return Ok(None);
            }
            let chunks: Vec<_> = object.stream.try_collect().await?;
            Ok(Some(chunks.concat().into()))
        };
        within(TRANSFER_TIMEOUT, reading).await
    }

    pub(crate) async fn write(&self, key: &ObjectKey, bytes: web::Bytes) -> Result<(), ApiError> {
        let size = bytes.len() as u64;
        let bytes = stream::iter([Ok::<_, StorageError>(bytes)]);
        within(TRANSFER_TIMEOUT, self.storage.put(key, size, bytes)).await
    }

    /// Locks a job's objects until the guard is dropped. Code that adds or deletes
    /// objects of a job holds the lock, so that no object is written after the job was
    /// deleted. The lock does not exclude other servers that use the same storage.
    async fn lock_job(&self, job_id: JobId) -> MutexGuard<'_, ()> {
        // The last bits of a UUIDv7 are random.
        let [.., high, low] = job_id.as_uuid().into_bytes();
        let index = usize::from(u16::from_be_bytes([high, low])) % JOB_LOCK_COUNT;
        self.job_locks[index].lock().await
    }

    /// Locks a job's objects. Fails if the lock is not free within
    /// [`STORAGE_TIMEOUT`].
    pub(crate) async fn try_lock_job(&self, job_id: JobId) -> Result<MutexGuard<'_, ()>, ApiError> {
        let lock = timeout(STORAGE_TIMEOUT, self.lock_job(job_id)).await;
        lock.map_err(|_| ApiError::new(Code::Overloaded, STORAGE_UNAVAILABLE))
    }

    /// Deletes objects in a background task. Returns when the task has ended, or after
    /// [`STORAGE_TIMEOUT`] while the task continues. `lectern gc` deletes the objects that
    /// remain after a failure.
    pub(crate) async fn delete(&self, unneeded: UnneededObjects) {
        let objects = self.clone();
        // A separate task, so that the deletion continues when the client disconnects.
        let removal = actix_web::rt::spawn(async move {
            let kept = unneeded.except.and_then(|key| ObjectKey::new(key).ok());
            for job_id in unneeded.of_jobs {
                objects.delete_of_job(job_id, kept.as_ref()).await;
            }
        });
        if timeout(STORAGE_TIMEOUT, removal).await.is_err() {
            log::warn!("the objects of a deleted job are still being deleted");
        }
    }

    async fn delete_of_job(&self, job_id: JobId, kept: Option<&ObjectKey>) {
        // A request that is adding a file finishes first.
        let _lock = self.lock_job(job_id).await;
        let prefix = ObjectKey::job_prefix(job_id);
        match self.storage.delete_prefix_except(&prefix, kept).await {
            Ok(count) => log::debug!(job_id:%; "{count} objects deleted"),
            Err(error) => {
                let cause = anyhow::Error::from(error);
                log::warn!(job_id:%; "cannot delete the job's objects, which `lectern gc` will remove: {cause:#}");
            }
        }
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({:?})", self.storage)
    }
}

/// Waits for an operation of the storage; fails if the operation takes longer than
/// `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    operation: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, ApiError> {
    match timeout(limit, operation).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(ApiError::new(Code::Overloaded, STORAGE_UNAVAILABLE)),
    }
}
