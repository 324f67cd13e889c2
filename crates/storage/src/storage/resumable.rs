//! Resumable uploads: objects that are written over several requests, perhaps by several
//! processes.
//!
//! On local disk the bytes are appended to a file. In a bucket they become the parts of a
//! multipart upload. All parts but the last have the same size; the bytes after the last
//! full part are stored in an object of their own, the tail, until they are enough.
//!
//! The caller stores the state of the upload, and lets one process append at a time.

use bytes::{Bytes, BytesMut};
use lectern_domain::{AppendedBytes, MultipartId, PartEtag};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::{ObjectStoreExt as _, PutPayload};

use super::{Backend, S3_MAX_PARTS, S3_MIN_PART_BYTES, Storage};
use crate::disk::PartialFile;
use crate::error::Error;
use crate::key::ObjectKey;
use crate::s3::Bucket;

/// Upper bound of a part, which is in memory until it is stored. With 10,000 parts, an
/// upload has at most 312 GiB.
const MAX_PART_BYTES: u64 = 32 << 20;
/// Upper bound of S3 for an object that is sent in one request.
const S3_MAX_PUT_BYTES: u64 = 5 << 30;

/// What of a resumable upload is stored.
#[derive(Debug, Clone, Default)]
pub struct ResumableState {
    /// Bytes of the whole object.
    pub size: u64,
    /// Bytes that are stored.
    pub received: u64,
    /// The id that [`Storage::begin_resumable`] returned.
    pub multipart_id: Option<MultipartId>,
    /// The number of parts in a bucket.
    pub parts: usize,
    /// The object with the bytes after the last part.
    pub tail: Option<ObjectKey>,
}

/// An object to which bytes are appended.
#[derive(Debug)]
pub struct Append {
    target: Target,
    received: u64,
}

#[derive(Debug)]
enum Target {
    File(PartialFile),
    Parts(Box<Parts>),
}

/// The parts of a multipart upload.
struct Parts {
    bucket: Bucket,
    key: ObjectKey,
    multipart_id: String,
    size: u64,
    part_bytes: usize,
    /// Number of stored parts.
    stored: usize,
    /// Stored parts that [`Append::sync`] has not returned yet.
    new: Vec<PartEtag>,
    /// Bytes after the stored parts.
    buffer: BytesMut,
    /// Where the tail is stored.
    tail: ObjectKey,
}

impl Storage {
    /// Upper bound of an object that is sent in one request; `None` on local disk.
    pub fn max_put_size(&self) -> Option<u64> {
        match &self.0 {
            Backend::Local { .. } => None,
            Backend::S3(_) => Some(S3_MAX_PUT_BYTES),
        }
    }

    /// Upper bound of a resumable upload; `None` on local disk.
    pub fn max_resumable_size(&self) -> Option<u64> {
        match &self.0 {
            Backend::Local { .. } => None,
            Backend::S3(_) => Some(MAX_PART_BYTES * S3_MAX_PARTS),
        }
    }

    /// Memory that an [`Append`] to an object of `size` bytes needs, in bytes. `None` if it
    /// is small: on local disk.
    pub fn append_memory(&self, size: u64) -> Option<usize> {
        match &self.0 {
            Backend::Local { .. } => None,
            Backend::S3(_) => Some(part_bytes(size)),
        }
    }

    /// Begins a resumable upload of an object. Returns the id of a multipart upload in a
    /// bucket, and `None` on local disk, where nothing has to begin.
    pub async fn begin_resumable(&self, key: &ObjectKey) -> Result<Option<MultipartId>, Error> {
        let bucket = match &self.0 {
            Backend::Local { disk, .. } => {
                disk.check_writable(key).await?;
                return Ok(None);
            }
            Backend::S3(bucket) => bucket,
        };
        let id = bucket.store.create_multipart(&key.to_path()?).await;
        let id = id.map_err(|error| Error::driver(error, format!("begin to write {key}")))?;
        Ok(Some(MultipartId::new(id)?))
    }

    /// Continues a resumable upload. `tail` is where the bytes that are too few for a part
    /// are stored in a bucket; it must differ in each append, so that an append that is not
    /// recorded changes nothing.
    pub async fn append(
        &self,
        key: &ObjectKey,
        state: &ResumableState,
        tail: ObjectKey,
    ) -> Result<Append, Error> {
        let target = match &self.0 {
            Backend::Local { disk, .. } => {
                Target::File(PartialFile::open(disk, key, state.received).await?)
            }
            Backend::S3(bucket) => {
                Target::Parts(Box::new(Parts::open(bucket, key, state, tail).await?))
            }
        };
        Ok(Append {
            target,
            received: state.received,
        })
    }

    /// Makes an object of the parts of a resumable upload that has received all bytes.
    /// Succeeds if it was completed before.
    pub async fn complete_resumable(
        &self,
        key: &ObjectKey,
        size: u64,
        multipart_id: Option<&MultipartId>,
        parts: Vec<PartEtag>,
    ) -> Result<(), Error> {
        let (Backend::S3(bucket), Some(id)) = (&self.0, multipart_id) else {
            return Ok(());
        };
        let parts = parts.into_iter().map(|etag| PartId {
            content_id: etag.into_string(),
        });
        let path = key.to_path()?;
        let id = id.as_str().to_owned();
        let completed = bucket
            .store
            .complete_multipart(&path, &id, parts.collect())
            .await;
        let Err(error) = completed else {
            return Ok(());
        };
        // The service does not know the upload any more once it is complete.
        match self.head(key).await? {
            Some(object) if object.size == size => Ok(()),
            _ => Err(Error::driver(error, format!("complete {key}"))),
        }
    }

    /// Deletes what is stored of an unfinished resumable upload, except for its tail.
    pub async fn abort_resumable(
        &self,
        key: &ObjectKey,
        multipart_id: Option<&MultipartId>,
    ) -> Result<(), Error> {
        let bucket = match &self.0 {
            Backend::Local { .. } => return self.delete(key).await,
            Backend::S3(bucket) => bucket,
        };
        let Some(id) = multipart_id else {
            return Ok(());
        };
        let id = id.as_str().to_owned();
        match bucket.store.abort_multipart(&key.to_path()?, &id).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::driver_for_key(error, "abort the upload of", key)),
        }
    }
}

impl Append {
    /// Bytes of the object from its start, including those that are not stored yet.
    pub fn len(&self) -> u64 {
        match &self.target {
            Target::File(file) => file.len(),
            Target::Parts(parts) => parts.len(),
        }
    }

    /// Whether the object has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends bytes. Stores a part in a bucket when there are enough bytes for it.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        match &mut self.target {
            Target::File(file) => file.append(&bytes).await,
            Target::Parts(parts) => parts.append(bytes).await,
        }
    }

    /// Returns what is stored, without storing a tail: on local disk all bytes, in a bucket
    /// all full parts. `None` if no more is stored than before. The caller records the
    /// result before it acknowledges any byte.
    pub async fn sync(&mut self) -> Result<Option<AppendedBytes>, Error> {
        match &mut self.target {
            Target::File(file) => {
                if file.len() == self.received {
                    return Ok(None);
                }
                file.sync().await?;
                self.received = file.len();
                Ok(Some(AppendedBytes {
                    received: self.received,
                    ..AppendedBytes::default()
                }))
            }
            Target::Parts(parts) => {
                // A tail of an earlier append is needed until a part includes its bytes.
                let end = parts.end_of_parts();
                if end <= self.received {
                    return Ok(None);
                }
                self.received = end;
                Ok(Some(AppendedBytes {
                    received: end,
                    parts: std::mem::take(&mut parts.new),
                    has_tail: false,
                }))
            }
        }
    }

    /// Stores all bytes. `None` if they were stored before.
    pub async fn finish(mut self) -> Result<Option<AppendedBytes>, Error> {
        if self.len() <= self.received {
            return Ok(None);
        }
        match &mut self.target {
            Target::File(_) => self.sync().await,
            Target::Parts(parts) => {
                let has_tail = parts.store_rest().await?;
                Ok(Some(AppendedBytes {
                    received: parts.len(),
                    parts: std::mem::take(&mut parts.new),
                    has_tail,
                }))
            }
        }
    }
}

impl Parts {
    async fn open(
        bucket: &Bucket,
        key: &ObjectKey,
        state: &ResumableState,
        tail: ObjectKey,
    ) -> Result<Self, Error> {
        let invalid = |reason| Error::other(format!("continue to write {key}"), reason);
        let id = state.multipart_id.as_ref();
        let id = id.ok_or_else(|| invalid("it has no multipart upload"))?;
        let mut parts = Self {
            bucket: bucket.clone(),
            key: key.clone(),
            multipart_id: id.as_str().to_owned(),
            size: state.size,
            part_bytes: part_bytes(state.size),
            stored: state.parts,
            new: Vec::new(),
            buffer: BytesMut::new(),
            tail,
        };
        if let Some(tail) = &state.tail {
            let failed = |error| Error::driver_for_key(error, "read", tail);
            let object = bucket.store.get(&tail.to_path()?).await.map_err(failed)?;
            // A tail is at most as large as a part.
            parts
                .buffer
                .extend_from_slice(&object.bytes().await.map_err(failed)?);
        }
        if parts.len() != state.received {
            return Err(invalid("its parts do not have the recorded size"));
        }
        Ok(parts)
    }

    /// Bytes in the stored parts.
    fn end_of_parts(&self) -> u64 {
        (self.stored as u64 * self.part_bytes as u64).min(self.size)
    }

    fn len(&self) -> u64 {
        self.end_of_parts() + self.buffer.len() as u64
    }

    async fn append(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            let missing = self.part_bytes - self.buffer.len();
            self.buffer
                .extend_from_slice(&bytes.split_to(missing.min(bytes.len())));
            if self.buffer.len() == self.part_bytes {
                self.store_part().await?;
            }
        }
        Ok(())
    }

    /// Stores the buffer as the next part.
    async fn store_part(&mut self) -> Result<(), Error> {
        let path = self.key.to_path()?;
        let bytes = self.buffer.split().freeze();
        let payload = PutPayload::from(bytes.clone());
        let stored = self
            .bucket
            .store
            .put_part(&path, &self.multipart_id, self.stored, payload)
            .await;
        match stored {
            Ok(part) => {
                self.new.push(PartEtag::new(part.content_id)?);
                self.stored += 1;
                Ok(())
            }
            Err(error) => {
                // The buffer may have bytes of an earlier append, which are acknowledged.
                self.buffer = bytes.into();
                Err(Error::driver_for_key(error, "write", &self.key))
            }
        }
    }

    /// Stores the buffer: the end of the object as the last part, anything else as the
    /// tail. Returns whether there is a tail.
    async fn store_rest(&mut self) -> Result<bool, Error> {
        if self.buffer.is_empty() {
            return Ok(false);
        }
        if self.len() == self.size {
            self.store_part().await?;
            return Ok(false);
        }
        let bytes = self.buffer.clone().freeze();
        let put = self
            .bucket
            .store
            .put(&self.tail.to_path()?, bytes.into())
            .await;
        put.map_err(|error| Error::driver(error, format!("write {}", self.tail)))?;
        Ok(true)
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("key", &self.key)
            .field("stored", &self.stored)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Bytes of each part but the last of an object of `size` bytes.
fn part_bytes(size: u64) -> usize {
    usize::try_from(size.div_ceil(S3_MAX_PARTS).min(MAX_PART_BYTES))
        .unwrap_or(usize::MAX)
        .max(S3_MIN_PART_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_of_any_allowed_size_fits_into_the_parts() {
        for size in [
            1,
            5 << 20,
            10 << 30,
            49 << 30,
            MAX_PART_BYTES * S3_MAX_PARTS,
        ] {
            let part = part_bytes(size);
            assert!((S3_MIN_PART_BYTES..=32 << 20).contains(&part), "{size}");
            assert!(size.div_ceil(part as u64) <= S3_MAX_PARTS, "{size}");
        }
    }
}
