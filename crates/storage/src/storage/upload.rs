//! Uploads to local disk.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::join;
use futures_util::{Stream, StreamExt as _};

use super::upload_parts::Parts;
use crate::disk::{Disk, StagedObject, UploadLock};
use crate::error::{Error, Source};
use crate::key::ObjectKey;

/// The number of bytes that are written to disk at once.
const PART_BYTES: usize = 1024 * 1024;

/// An upload that has begun. Until this value is dropped, no other upload of the same
/// object can begin; see [`Storage::begin_upload`](super::Storage::begin_upload).
#[derive(Debug)]
pub struct Upload {
    disk: Disk,
    key: ObjectKey,
    lock: UploadLock,
}

impl Upload {
    pub(super) async fn begin(disk: &Disk, key: &ObjectKey) -> Result<Self, Error> {
        Ok(Self {
            disk: disk.clone(),
            key: key.clone(),
            lock: disk.lock_upload(key).await?,
        })
    }

    /// Writes exactly `size` bytes to a temporary file beside the object, as
    /// [`Storage::put`](super::Storage::put) does. The object does not change.
    ///
    /// The temporary file is removed after an error and if the future is dropped.
    pub async fn receive<S, E>(self, size: u64, data: S) -> Result<ReceivedObject, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Source>,
    {
        receive(&self.disk, &self.key, Some(self.lock), size, data).await
    }
}

/// A complete upload in a temporary file on disk. Dropping this value before the upload is
/// published removes the file.
#[derive(Debug)]
pub struct ReceivedObject(StagedObject);

impl ReceivedObject {
    /// Stores the object and replaces an earlier object with the same key. Blocks for a few
    /// writes to disk.
    pub fn publish(self) -> Result<(), Error> {
        self.0.publish()
    }

    /// Stores the object unless an object with the same key exists. Returns whether the
    /// object was stored. Blocks for a few writes to disk.
    pub fn publish_new(self) -> Result<bool, Error> {
        self.0.publish_new()
    }
}

/// Writes a stream to a temporary file. One part is written while the next part is
/// collected, so at most two parts are in memory.
pub(super) async fn receive<S, E>(
    disk: &Disk,
    key: &ObjectKey,
    lock: Option<UploadLock>,
    size: u64,
    data: S,
) -> Result<ReceivedObject, Error>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Source>,
{
    let mut data = pin!(data.fuse());
    let mut parts = Parts::new(key, size, data.as_mut(), PART_BYTES);
    let mut part = parts.next().await?;
    let mut object = disk.stage(key, lock).await?;
    while let Some(bytes) = part {
        let (appended, next) = join(object.append(bytes), parts.next()).await;
        object = appended?;
        part = match next {
            Ok(next) => next,
            Err(error) => {
                object.discard().await;
                return Err(error);
            }
        };
    }
    object.sync().await.map(ReceivedObject)
}
