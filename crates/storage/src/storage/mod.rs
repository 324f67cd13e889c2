//! Reads, writes, lists and deletes objects.

mod list_beside;
mod owning_database;
mod resumable;
mod signed_urls;
mod trash;
mod upload;
mod upload_parts;

use std::fmt;
use std::future;
use std::path::{Path, PathBuf};
use std::pin::pin;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use futures_util::{Stream, TryFutureExt as _};
use object_store::{
    GetOptions, GetRange, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt as _,
};

use crate::config::StorageConfig;
use crate::disk::{self, Disk, DiskSpace};
use crate::error::{Error, Source};
use crate::key::{ObjectKey, ObjectPrefix};
use crate::object::{ByteRange, Object, ObjectInfo};
use crate::s3::Bucket;
use crate::url_signature::{Secret, Signer};
use upload_parts::Parts;

pub use resumable::{Append, ResumableState};
pub use signed_urls::OBJECTS_PATH;
pub use upload::{ReceivedObject, Upload};

/// A store of objects. Cheap to clone; needs a tokio runtime.
///
/// A write is atomic, and its object is on disk when the call returns. After concurrent
/// writes of one object, the object is the complete content of one of these writes.
#[derive(Clone)]
pub struct Storage(Backend);

#[derive(Clone)]
enum Backend {
    Local { disk: Disk, signer: Signer },
    S3(Bucket),
}

/// Lower bound of S3 for every part except the last.
const S3_MIN_PART_BYTES: usize = 5 * 1024 * 1024;
/// Limits the memory for a part if a client announces a size that S3 does not allow.
/// 10,000 parts of this size are more than the largest object of S3.
const S3_MAX_PART_BYTES: usize = 640 * 1024 * 1024;
/// Upper bound of S3 for the parts of one object.
const S3_MAX_PARTS: u64 = 10_000;
const CONCURRENT_DELETIONS: usize = 16;

impl Storage {
    /// Opens the storage. Creates the directory of a local storage if it does not exist. A
    /// bucket must exist, but this call sends no request to the service.
    ///
    /// `secret` signs the URLs of objects on local disk and has no effect for a bucket.
    /// Blocks briefly for a directory.
    pub fn open(config: &StorageConfig, secret: Secret) -> Result<Self, Error> {
        Ok(Self(match config {
            StorageConfig::Local { dir } => Backend::Local {
                disk: Disk::open(dir)?,
                signer: Signer::new(secret),
            },
            StorageConfig::S3(config) => Backend::S3(Bucket::open(config)?),
        }))
    }

    /// The signer of URLs of objects on local disk; `None` for a bucket, whose service
    /// verifies its own URLs.
    pub fn signer(&self) -> Option<&Signer> {
        match &self.0 {
            Backend::Local { signer, .. } => Some(signer),
            Backend::S3(_) => None,
        }
    }

    /// Writes an object of exactly `size` bytes; replaces an existing object.
    ///
    /// The stream is polled as fast as its bytes can be written. At most two parts are in
    /// memory. A part has 1 MiB on local disk. On S3, a part has 5 MiB, or more if the object
    /// would need more than 10,000 parts.
    ///
    /// After [`Error::TooLarge`], [`Error::TooShort`] and [`Error::BrokenStream`], no data
    /// remains. If the future is dropped after all bytes have arrived, the object may still
    /// be written; if the future is dropped earlier, no data remains.
    /// [`Storage::remove_unfinished_files`] removes the files that a killed process leaves.
    pub async fn put<S, E>(&self, key: &ObjectKey, size: u64, data: S) -> Result<(), Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Source>,
    {
        let bucket = match &self.0 {
            Backend::Local { disk, .. } => {
                // This check comes before the first byte of the stream is read.
                disk.check_writable(key).await?;
                let object = upload::receive(disk, key, None, size, data).await?;
                return disk::blocking(move || object.publish()).await;
            }
            Backend::S3(bucket) => bucket,
        };
        let part_bytes = usize::try_from(size.div_ceil(S3_MAX_PARTS))
            .unwrap_or(S3_MAX_PART_BYTES)
            .clamp(S3_MIN_PART_BYTES, S3_MAX_PART_BYTES);
        let mut data = pin!(data.fuse());
        let mut parts = Parts::new(key, size, data.as_mut(), part_bytes);
        let first = parts.next().await?.unwrap_or_default();
        let path = key.to_path()?;
        let failed = |error| Error::driver(error, format!("write {key}"));
        if size <= part_bytes as u64 {
            // One request is enough. Fails if the stream does not end here.
            parts.next().await?;
            let written = bucket.store.put(&path, first.into()).await;
            return written.map(drop).map_err(failed);
        }
        let upload = upload_parts::begin(bucket.store.clone(), path, key).await?;
        upload_parts::write(upload, first, &mut parts).await
    }

    /// Writes an object with the content of a file.
    pub async fn put_file(&self, key: &ObjectKey, file: &Path) -> Result<(), Error> {
        let (data, size) = disk::read_file(file, key).await?;
        self.put(key, size, data).await
    }

    /// Begins an upload to local disk. Until the upload is dropped, no other upload of the
    /// same object can begin in this process. The same is true for other processes if the
    /// file system has locks for directories; NFS, for example, has none.
    ///
    /// Fails with [`Error::UploadInProgress`] while another upload of the object is
    /// running, and with [`Error::NotAllowed`] for a bucket, to which clients upload
    /// directly.
    pub async fn begin_upload(&self, key: &ObjectKey) -> Result<Upload, Error> {
        match &self.0 {
            Backend::Local { disk, .. } => Upload::begin(disk, key).await,
            Backend::S3(_) => Err(Error::NotAllowed {
                key: key.clone(),
                reason: "a bucket receives its uploads itself",
            }),
        }
    }

    /// The space on the local disk. `None` for a bucket, and while the directory of the
    /// storage does not exist.
    pub async fn disk_space(&self) -> Result<Option<DiskSpace>, Error> {
        match &self.0 {
            Backend::Local { disk, .. } => disk.space().await,
            Backend::S3(_) => Ok(None),
        }
    }

    /// Begins to read an object, or a range of its bytes.
    pub async fn get(&self, key: &ObjectKey, range: Option<ByteRange>) -> Result<Object, Error> {
        let mut options = GetOptions::default();
        if let Some(range) = range {
            let info = self.head(key).await?;
            let size = info.ok_or_else(|| Error::NotFound(key.clone()))?.size;
            let range = range.resolve(size).ok_or_else(|| Error::OutOfRange {
                key: key.clone(),
                size,
            })?;
            options.range = Some(GetRange::Bounded(range));
        } else if !self.can_exist(key).await? {
            return Err(Error::NotFound(key.clone()));
        }
        let found = self
            .driver()
            .get_opts(&key.to_path()?, options)
            .await
            .map_err(|error| Error::driver_for_key(error, "read", key))?;
        let range = found.range.clone();
        let stream = match found.payload {
            GetResultPayload::File(file, _) => disk::read(file, range.clone(), key.clone()),
            GetResultPayload::Stream(stream) => {
                let key = key.clone();
                stream
                    .map_err(move |error| Error::driver_for_key(error, "read", &key))
                    .boxed()
            }
        };
        Ok(Object {
            info: info(key.clone(), found.meta),
            range,
            stream,
        })
    }

    /// The metadata of an object; `None` if it does not exist.
    pub async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, Error> {
        if !self.can_exist(key).await? {
            return Ok(None);
        }
        match self.driver().head(&key.to_path()?).await {
            Ok(meta) => Ok(Some(info(key.clone(), meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::driver_for_key(error, "look for", key)),
        }
    }

    /// The file of an object on local disk, for programs that read files. The caller must
    /// not change the file. `None` for a bucket, and if the object does not exist.
    pub async fn local_file(&self, key: &ObjectKey) -> Result<Option<PathBuf>, Error> {
        match &self.0 {
            Backend::Local { disk, .. } => disk.file(key).await,
            Backend::S3(_) => Ok(None),
        }
    }

    /// Deletes an object. Succeeds if the object does not exist.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        if !self.can_exist(key).await? {
            return Ok(());
        }
        match self.driver().delete(&key.to_path()?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::driver_for_key(error, "delete", key)),
        }
    }

    /// Deletes all objects below a prefix and returns their number. After an error, some of
    /// the objects may have been deleted.
    pub async fn delete_prefix(&self, prefix: &ObjectPrefix) -> Result<u64, Error> {
        self.delete_prefix_except(prefix, None).await
    }

    /// As [`delete_prefix`](Self::delete_prefix), but keeps the object `kept`.
    pub async fn delete_prefix_except(
        &self,
        prefix: &ObjectPrefix,
        kept: Option<&ObjectKey>,
    ) -> Result<u64, Error> {
        self.list(prefix)
            .try_filter(|info| future::ready(Some(&info.key) != kept))
            .map_ok(|info| async move { self.delete(&info.key).await })
            .try_buffer_unordered(CONCURRENT_DELETIONS)
            .try_fold(0, |deleted, ()| async move { Ok(deleted + 1) })
            .await
    }

    /// The objects below a prefix, in any order. On local disk the list has no etags and
    /// omits unfinished files, symlinks and files whose names are not valid keys.
    pub fn list(&self, prefix: &ObjectPrefix) -> BoxStream<'static, Result<ObjectInfo, Error>> {
        match &self.0 {
            Backend::Local { disk, .. } => {
                let (disk, prefix) = (disk.clone(), prefix.clone());
                async move { disk.list(&prefix).await }
                    .try_flatten_stream()
                    .boxed()
            }
            Backend::S3(bucket) => {
                let doing = format!("list {prefix}/");
                let prefix = match prefix.to_path() {
                    Ok(prefix) => prefix,
                    Err(error) => return stream::once(async { Err(error.into()) }).boxed(),
                };
                bucket
                    .store
                    .list(Some(&prefix))
                    .map_err(move |error| Error::driver(error, doing.clone()))
                    .try_filter_map(|meta| async move {
                        let key = ObjectKey::new(meta.location.as_ref());
                        Ok(key.ok().map(|key| info(key, meta)))
                    })
                    .boxed()
            }
        }
    }

    /// Removes the unfinished files that a crash has left on local disk, if they were last
    /// written to before `before`. Returns the number of removed files.
    ///
    /// Does nothing for a bucket: the service hides unfinished uploads, and a lifecycle
    /// rule (`AbortIncompleteMultipartUpload`) removes them.
    pub async fn remove_unfinished_files(&self, before: DateTime<Utc>) -> Result<u64, Error> {
        match &self.0 {
            Backend::Local { disk, .. } => disk.remove_unfinished_files(before).await,
            Backend::S3(_) => Ok(0),
        }
    }

    /// The driver: the implementation of `object_store` for this backend.
    fn driver(&self) -> &dyn ObjectStore {
        match &self.0 {
            Backend::Local { disk, .. } => &disk.store,
            Backend::S3(bucket) => &bucket.store,
        }
    }

    /// Whether the object may exist. On local disk this check precedes every call of the
    /// driver, because the driver follows symlinks. For a bucket the result is always true,
    /// because the check would take a request to the service.
    async fn can_exist(&self, key: &ObjectKey) -> Result<bool, Error> {
        match &self.0 {
            Backend::Local { disk, .. } => disk.exists(key).await,
            Backend::S3(_) => Ok(true),
        }
    }
}

impl fmt::Debug for Storage {
    /// Shows the location only, because the driver would show the id of an access key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Backend::Local { disk, .. } => write!(f, "Storage(file://{})", disk.root().display()),
            Backend::S3(bucket) => write!(f, "Storage({})", bucket.url()),
        }
    }
}

fn info(key: ObjectKey, meta: ObjectMeta) -> ObjectInfo {
    ObjectInfo {
        key,
        size: meta.size,
        last_modified: meta.last_modified,
        etag: meta.e_tag,
    }
}
