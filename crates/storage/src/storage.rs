//! The handle on the storage.

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::pin;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use futures_util::{Stream, TryFutureExt as _};
use object_store::{
    GetOptions, GetRange, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt as _,
};

use crate::disk::Disk;
use crate::file;
use crate::s3::Bucket;
use crate::upload::{self, Parts};
use crate::{
    ByteRange, Error, Object, ObjectInfo, ObjectKey, ObjectPrefix, Secret, Signer, Source,
    StorageConfig,
};

/// Where recordings and clips lie. Cheap to clone; needs a tokio runtime.
///
/// What is written is there whole or not at all, and on disk when the call
/// returns. Of several who write one object at a time one wins.
#[derive(Clone)]
pub struct Storage(pub(crate) Backend);

#[derive(Clone)]
pub(crate) enum Backend {
    Local { disk: Disk, signer: Signer },
    S3(Bucket),
}

/// How many bytes are written at a time on local disk.
const LOCAL_PART: usize = 1024 * 1024;
/// How many bytes S3 wants at least in a part that is not the last.
const S3_PART: usize = 5 * 1024 * 1024;
/// How many bytes are in a part of the largest objects there are, of 6 TiB; no
/// announced size makes us ask for more memory.
const S3_LARGEST_PART: usize = 640 * 1024 * 1024;
/// How many parts S3 takes at most.
const S3_PARTS: u64 = 10_000;
/// How many objects are deleted at a time.
const DELETIONS: usize = 16;

impl Storage {
    /// Opens the storage. A directory is made when it is missing; a bucket has
    /// to exist, and is not asked for yet.
    ///
    /// The secret signs the URLs of objects on local disk; a service signs its
    /// own. Blocks on local disk, for a moment.
    pub fn open(config: &StorageConfig, secret: Secret) -> Result<Self, Error> {
        Ok(Self(match config {
            StorageConfig::Local { dir } => Backend::Local {
                disk: Disk::open(dir)?,
                signer: Signer::new(secret),
            },
            StorageConfig::S3(config) => Backend::S3(Bucket::open(config)?),
        }))
    }

    /// Who checks the URLs of objects on local disk; `None` when a service
    /// answers its own.
    pub fn signer(&self) -> Option<&Signer> {
        match &self.0 {
            Backend::Local { signer, .. } => Some(signer),
            Backend::S3(_) => None,
        }
    }

    /// Writes an object of exactly `size` bytes, replacing the one that is
    /// there.
    ///
    /// The bytes are taken as fast as they can be written. No more than two
    /// parts of them are in memory: one MiB each on local disk, five on S3, and
    /// a ten thousandth of an object of more than 48 GiB.
    ///
    /// Nothing is left behind after [`Error::TooLarge`], [`Error::TooShort`] and
    /// [`Error::BrokenStream`], nor when the future is dropped (unless all bytes
    /// had come: then the object may still appear). What is left when the process
    /// dies, [`Storage::remove_stale_parts`] finds.
    pub async fn put<S, E>(&self, key: &ObjectKey, size: u64, data: S) -> Result<(), Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Source>,
    {
        let part = match &self.0 {
            Backend::Local { disk, .. } => {
                disk.allow(key).await?;
                LOCAL_PART
            }
            Backend::S3(_) => usize::try_from(size.div_ceil(S3_PARTS))
                .unwrap_or(S3_LARGEST_PART)
                .clamp(S3_PART, S3_LARGEST_PART),
        };
        let mut data = pin!(data.fuse());
        let mut parts = Parts::new(key, size, data.as_mut(), part);
        let first = parts.next().await?.unwrap_or_default();
        let path = key.to_path()?;
        let failed = |error| Error::of_driver(error, format!("write {key}"));
        if size <= part as u64 {
            // Small enough for one request; but that it ends has to be seen.
            parts.next().await?;
            let written = self.driver().put(&path, first.into()).await;
            return written.map(drop).map_err(failed);
        }
        let upload = match &self.0 {
            Backend::Local { disk, .. } => disk.begin(path).await,
            Backend::S3(bucket) => bucket.store.put_multipart(&path).await,
        };
        upload::write(upload.map_err(failed)?, first, &mut parts).await
    }

    /// Writes an object that has the bytes of a file.
    pub async fn put_file(&self, key: &ObjectKey, file: &Path) -> Result<(), Error> {
        let (data, size) = file::read_file(file, key).await?;
        self.put(key, size, data).await
    }

    /// Begins to read an object, or some of it.
    pub async fn get(&self, key: &ObjectKey, range: Option<ByteRange>) -> Result<Object, Error> {
        let mut options = GetOptions::default();
        if let Some(range) = range {
            let info = self.head(key).await?;
            let size = info.ok_or_else(|| Error::NotFound(key.clone()))?.size;
            let range = range.within(size).ok_or_else(|| Error::OutOfRange {
                key: key.clone(),
                size,
            })?;
            options.range = Some(GetRange::Bounded(range));
        } else if !self.holds(key).await? {
            return Err(Error::NotFound(key.clone()));
        }
        let found = self
            .driver()
            .get_opts(&key.to_path()?, options)
            .await
            .map_err(|error| Error::of_key(error, "read", key))?;
        let range = found.range.clone();
        let stream = match found.payload {
            GetResultPayload::File(file, _) => file::read(file, range.clone(), key.clone()),
            GetResultPayload::Stream(stream) => {
                let key = key.clone();
                stream
                    .map_err(move |error| Error::of_key(error, "read", &key))
                    .boxed()
            }
        };
        Ok(Object {
            info: info(key.clone(), found.meta),
            range,
            stream,
        })
    }

    /// What is known of an object, if there is one.
    pub async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, Error> {
        if !self.holds(key).await? {
            return Ok(None);
        }
        match self.driver().head(&key.to_path()?).await {
            Ok(meta) => Ok(Some(info(key.clone(), meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::of_key(error, "look for", key)),
        }
    }

    /// The file an object on local disk is, for a program that reads files; it
    /// must not be written to. `None` when there is no such object, or it is
    /// not on this machine: [`Storage::get`] reads it then.
    pub async fn local_file(&self, key: &ObjectKey) -> Result<Option<PathBuf>, Error> {
        match &self.0 {
            Backend::Local { disk, .. } => disk.file(key).await,
            Backend::S3(_) => Ok(None),
        }
    }

    /// Deletes an object. One that is not there is as good as deleted.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        if !self.holds(key).await? {
            return Ok(());
        }
        match self.driver().delete(&key.to_path()?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::of_key(error, "delete", key)),
        }
    }

    /// Deletes all objects below a prefix; how many that were. When it fails,
    /// some of them may be gone.
    pub async fn delete_prefix(&self, prefix: &ObjectPrefix) -> Result<u64, Error> {
        self.list(prefix)
            .map_ok(|info| async move { self.delete(&info.key).await })
            .try_buffer_unordered(DELETIONS)
            .try_fold(0, |deleted, ()| async move { Ok(deleted + 1) })
            .await
    }

    /// The objects below a prefix, in no particular order. Lists of local disk
    /// have no etags. What is being written is not in them, and neither is what
    /// no [`ObjectKey`] can name, or a symlink leads to.
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
                    Err(error) => return stream::once(async { Err(error) }).boxed(),
                };
                bucket
                    .store
                    .list(Some(&prefix))
                    .map_err(move |error| Error::of_driver(error, doing.clone()))
                    .try_filter_map(|meta| async move {
                        let key = ObjectKey::new(meta.location.as_ref());
                        Ok(key.ok().map(|key| info(key, meta)))
                    })
                    .boxed()
            }
        }
    }

    /// Removes from local disk what a crash left half written and nobody has
    /// written to since `before`; how many files that were.
    ///
    /// An S3-compatible service keeps such parts out of sight, and removes them
    /// by a rule of the bucket (`AbortIncompleteMultipartUpload`); there this
    /// does nothing.
    pub async fn remove_stale_parts(&self, before: DateTime<Utc>) -> Result<u64, Error> {
        match &self.0 {
            Backend::Local { disk, .. } => disk.remove_stale_parts(before).await,
            Backend::S3(_) => Ok(0),
        }
    }

    fn driver(&self) -> &dyn ObjectStore {
        match &self.0 {
            Backend::Local { disk, .. } => &disk.store,
            Backend::S3(bucket) => &bucket.store,
        }
    }

    /// Whether it is worth asking the driver: on local disk it is asked only
    /// for files.
    async fn holds(&self, key: &ObjectKey) -> Result<bool, Error> {
        match &self.0 {
            Backend::Local { disk, .. } => disk.holds(key).await,
            Backend::S3(_) => Ok(true),
        }
    }
}

impl fmt::Debug for Storage {
    /// Shows where it is; the driver would show the id of a key, too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Backend::Local { disk, .. } => write!(f, "Storage(file://{})", disk.root().display()),
            Backend::S3(bucket) => write!(f, "Storage({})", bucket.address()),
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
