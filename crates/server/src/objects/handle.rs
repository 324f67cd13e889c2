//! Where recordings and clips lie, as handlers use it.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use anyhow::Context as _;
use futures_util::{Stream, TryStreamExt as _, stream};
use lectern_api::Code;
use lectern_domain::JobId;
use lectern_storage::{
    Error as StorageError, ObjectInfo, ObjectKey, Secret, Storage, StorageConfig,
};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;
use url::Url;

use super::error::STORAGE_UNAVAILABLE;
use super::upload_limits::UploadLimits;
use crate::http::error::ApiError;

/// How long a request waits for the storage to answer, when that is all it
/// waits for.
const STORAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many turns there are: enough that jobs seldom share one.
const JOB_LOCKS: usize = 1024;

/// How long an object may take that is held whole: 32 MiB over a thin line do.
const TRANSFER_TIMEOUT: Duration = Duration::from_mins(1);

/// Where recordings and clips lie.
#[derive(Clone)]
pub(crate) struct Objects {
    pub(crate) storage: Storage,
    pub(crate) limits: UploadLimits,
    /// Where clients reach the server, if that is not for them to say.
    pub(crate) public_url: Option<Url>,
    /// One for each job, or a few that share it.
    job_locks: Arc<[Mutex<()>]>,
    /// Removed when the server is gone.
    _temporary: Option<Arc<TempDir>>,
}

impl Objects {
    /// What is configured or else, for objects, a temporary directory.
    pub(crate) fn new(
        storage: Option<Storage>,
        limits: UploadLimits,
        public_url: Option<Url>,
    ) -> anyhow::Result<Self> {
        let (storage, temporary) = if let Some(storage) = storage {
            (storage, None)
        } else {
            let dir = tempfile::Builder::new().prefix("lectern-").tempdir();
            let dir = dir.context("cannot make a temporary directory for objects")?;
            let place = StorageConfig::Local {
                dir: dir.path().to_owned(),
            };
            (Storage::open(&place, Secret::random()?)?, Some(dir))
        };
        Ok(Self {
            storage,
            limits,
            public_url,
            job_locks: (0..JOB_LOCKS).map(|_| Mutex::new(())).collect(),
            _temporary: temporary.map(Arc::new),
        })
    }

    /// What is known of an object, if there is one.
    pub(crate) async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, ApiError> {
        within(STORAGE_TIMEOUT, self.storage.head(key)).await
    }

    /// An object that is to be held whole. `None` when there is none, or it has
    /// more than `limit` bytes.
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
                log::warn!("{key} is not read: it has {size} bytes, and {limit} are allowed");
                return Ok(None);
            }
            let chunks: Vec<_> = object.stream.try_collect().await?;
            Ok(Some(chunks.concat().into()))
        };
        within(TRANSFER_TIMEOUT, reading).await
    }

    /// Writes an object that is held whole.
    pub(crate) async fn write(&self, key: &ObjectKey, bytes: web::Bytes) -> Result<(), ApiError> {
        let size = bytes.len() as u64;
        let bytes = stream::iter([Ok::<_, StorageError>(bytes)]);
        within(TRANSFER_TIMEOUT, self.storage.put(key, size, bytes)).await
    }

    /// Waits for the turn to decide what becomes of a job's recording, which
    /// lasts until it is dropped: whether it is exchanged, confirmed or deleted.
    /// A file that is put beside it has the turn as well, so that none comes
    /// after the job has gone.
    /// (Other servers on the same disk have their own turns.)
    pub(crate) async fn lock_job(&self, job_id: JobId) -> MutexGuard<'_, ()> {
        // The last bits of an id are random.
        let [.., high, low] = job_id.as_uuid().into_bytes();
        let place = usize::from(u16::from_be_bytes([high, low])) % JOB_LOCKS;
        self.job_locks[place].lock().await
    }

    /// The same for those who do not wait long.
    pub(crate) async fn try_lock_job(&self, job_id: JobId) -> Result<MutexGuard<'_, ()>, ApiError> {
        let lock_job = timeout(STORAGE_TIMEOUT, self.lock_job(job_id)).await;
        lock_job.map_err(|_| ApiError::new(Code::Overloaded, STORAGE_UNAVAILABLE))
    }

    /// Writes an object of exactly `size` bytes from the body of a request. Once
    /// all bytes are here `authorize` says whether they may become the object; what
    /// it gives is kept until they have.
    pub(crate) async fn receive<T>(
        &self,
        key: &ObjectKey,
        size: u64,
        body: web::Payload,
        authorize: impl AsyncFn() -> Result<T, ApiError>,
    ) -> Result<(), ApiError> {
        let authorized = RefCell::new(None);
        let authorize = async || {
            let authorization = authorize().await?;
            authorized.replace(Some(authorization));
            Ok(())
        };
        let body = self.chunks(body, &authorize);
        Ok(self.storage.put(key, size, body).await?)
    }

    /// The pieces of a body as they come, and `authorize` at their end. It fails when
    /// none comes for a while.
    fn chunks(
        &self,
        body: web::Payload,
        authorize: &impl AsyncFn() -> Result<(), ApiError>,
    ) -> impl Stream<Item = Result<web::Bytes, ApiError>> {
        let idle_timeout = self.limits.idle_timeout;
        let malformed = |detail| ApiError::new(Code::MalformedBody, detail);
        stream::try_unfold(Box::pin(body), move |mut body| async move {
            match timeout(idle_timeout, stream::StreamExt::next(&mut body)).await {
                Ok(Some(Ok(chunk))) => Ok(Some((chunk, body))),
                Ok(Some(Err(_))) => Err(malformed("the connection ended before the body did")),
                Ok(None) => authorize().await.map(|()| None),
                Err(_) => Err(malformed("nothing came of the body for too long")),
            }
        })
    }

    /// Removes what a job owned. When that fails or takes long, the answer to
    /// whoever deleted the job does not wait for it: `lectern gc` finds it.
    pub(crate) async fn remove(&self, job_id: JobId) {
        let objects = self.clone();
        // On its own, so that it goes on when the client does not wait.
        let removal = actix_web::rt::spawn(async move {
            // An upload that is coming to its end leaves its object first.
            let _turn = objects.lock_job(job_id).await;
            match objects
                .storage
                .delete_prefix(&ObjectKey::job_prefix(job_id))
                .await
            {
                Ok(count) => log::debug!(job_id:%; "{count} objects deleted"),
                Err(error) => {
                    let cause = anyhow::Error::from(error);
                    log::warn!(job_id:%; "the job's objects are left to gc: {cause:#}");
                }
            }
        });
        if timeout(STORAGE_TIMEOUT, removal).await.is_err() {
            log::warn!(job_id:%; "the job's objects are still being deleted");
        }
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({:?})", self.storage)
    }
}

/// Waits for the storage, but not for ever.
async fn within<T>(
    idle_timeout: Duration,
    answer: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, ApiError> {
    match timeout(idle_timeout, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(ApiError::new(Code::Overloaded, STORAGE_UNAVAILABLE)),
    }
}
