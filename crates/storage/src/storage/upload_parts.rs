//! Writing a stream of bytes in parts.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::future::join;
use futures_util::stream::FusedStream;
use futures_util::{Stream, StreamExt as _};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _};

use crate::error::{Error, Source};
use crate::key::ObjectKey;

/// Collects a stream into parts of equal size, and checks its length against the
/// announced size.
pub(crate) struct Parts<'a, S> {
    key: &'a ObjectKey,
    data: Pin<&'a mut S>,
    announced: u64,
    /// Bytes taken from `data`.
    received: u64,
    part_bytes: usize,
    /// Bytes in the parts returned so far.
    returned: u64,
    /// Received bytes that are not yet in a part.
    pending: Bytes,
}

impl<'a, S, E> Parts<'a, S>
where
    S: Stream<Item = Result<Bytes, E>> + FusedStream,
    E: Into<Source>,
{
    pub(crate) fn new(
        key: &'a ObjectKey,
        announced: u64,
        data: Pin<&'a mut S>,
        part_bytes: usize,
    ) -> Self {
        Self {
            key,
            data,
            announced,
            received: 0,
            part_bytes,
            returned: 0,
            pending: Bytes::new(),
        }
    }

    /// The next part; `None` when the stream has ended after the announced number of
    /// bytes. Every part has `part_bytes` bytes, except that the last part may be smaller.
    /// The bytes are copied, so that a part does not keep the sender's buffers alive.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let remaining = self.announced - self.returned;
        let size = usize::try_from(remaining)
            .map_or(self.part_bytes, |remaining| remaining.min(self.part_bytes));
        if size == 0 {
            while self.receive().await? {}
            return Ok(None);
        }
        let mut part = BytesMut::with_capacity(size);
        while part.len() < size {
            if self.pending.is_empty() {
                // Fails at the end of the stream, because announced bytes are missing.
                self.receive().await?;
            }
            let missing = size - part.len();
            part.extend_from_slice(&self.pending.split_to(self.pending.len().min(missing)));
        }
        self.returned += size as u64;
        Ok(Some(part.freeze()))
    }

    /// Waits for the next bytes. Returns false at the end of the stream, and fails if the
    /// stream ends before or continues after the announced size.
    async fn receive(&mut self) -> Result<bool, Error> {
        match self.data.next().await {
            Some(Ok(bytes)) => {
                self.received += bytes.len() as u64;
                self.pending = bytes;
                if self.received <= self.announced {
                    return Ok(true);
                }
                Err(Error::TooLarge {
                    key: self.key.clone(),
                    announced: self.announced,
                })
            }
            Some(Err(error)) => Err(Error::BrokenStream {
                key: self.key.clone(),
                source: error.into(),
            }),
            None if self.received < self.announced => Err(Error::TooShort {
                key: self.key.clone(),
                announced: self.announced,
                received: self.received,
            }),
            None => Ok(false),
        }
    }
}

/// Begins an upload. The service may have created it before the response arrives, so the request
/// goes on if this future is dropped, and then the upload is aborted.
pub(crate) async fn begin(
    store: impl ObjectStore,
    path: Path,
    key: &ObjectKey,
) -> Result<UnfinishedUpload, Error> {
    let created = tokio::spawn(async move {
        let upload = store.put_multipart(&path).await?;
        Ok(UnfinishedUpload(Some(upload)))
    });
    let created = created
        .await
        .map_err(|error| Error::other(format!("begin to write {key}"), error))?;
    created.map_err(|error| Error::driver(error, format!("write {key}")))
}

/// Writes all parts and completes the upload; aborts the upload after an error. One part is
/// written while the next part is collected, so at most two parts are in memory.
pub(crate) async fn write<S, E>(
    mut unfinished: UnfinishedUpload,
    first: Bytes,
    parts: &mut Parts<'_, S>,
) -> Result<(), Error>
where
    S: Stream<Item = Result<Bytes, E>> + FusedStream,
    E: Into<Source>,
{
    let key = parts.key;
    let Some(upload) = &mut unfinished.0 else {
        return Err(Error::other(format!("write {key}"), "the upload has ended"));
    };
    let failed = |error| Error::driver(error, format!("write {key}"));
    let mut part = first;
    let written = loop {
        match join(upload.put_part(part.into()), parts.next()).await {
            (Ok(()), Ok(Some(next))) => part = next,
            (Ok(()), Ok(None)) => break upload.complete().await.map(drop).map_err(failed),
            (Err(error), _) => break Err(failed(error)),
            (_, Err(error)) => break Err(error),
        }
    };
    if written.is_err() {
        // If the abort fails, the parts stay until the bucket's lifecycle rule removes them.
        let _ = upload.abort().await;
    }
    unfinished.0 = None;
    written
}

/// An upload that is aborted if it is dropped, for example because the client has disconnected.
/// Without the abort, S3 would keep the parts. `None` after its end.
pub(crate) struct UnfinishedUpload(Option<Box<dyn MultipartUpload>>);

impl Drop for UnfinishedUpload {
    fn drop(&mut self) {
        if let Some(mut upload) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { upload.abort().await });
        }
    }
}
