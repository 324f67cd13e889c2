//! Bytes on their way into the storage.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::future::join;
use futures_util::stream::FusedStream;
use futures_util::{Stream, StreamExt as _};
use object_store::MultipartUpload;

use crate::{Error, ObjectKey, Source};

/// The bytes of an object as they come, in parts of one size, and held against
/// the size that was announced.
pub(crate) struct Parts<'a, S> {
    key: &'a ObjectKey,
    data: Pin<&'a mut S>,
    announced: u64,
    received: u64,
    /// How many bytes a part has.
    part: usize,
    /// How many bytes the parts so far had.
    handed_on: u64,
    /// What came and did not fit into the part before.
    rest: Bytes,
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
        part: usize,
    ) -> Self {
        Self {
            key,
            data,
            announced,
            received: 0,
            part,
            handed_on: 0,
            rest: Bytes::new(),
        }
    }

    /// The next part, full unless it is the last one; `None` after as many
    /// bytes as were announced, and the end. The bytes are copied, so that a
    /// part holds on to no buffer of the sender, whatever pieces it sends.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let left = self.announced - self.handed_on;
        let size = usize::try_from(left).map_or(self.part, |left| left.min(self.part));
        if size == 0 {
            while self.receive().await? {}
            return Ok(None);
        }
        let mut part = BytesMut::with_capacity(size);
        while part.len() < size {
            if self.rest.is_empty() {
                // The end is an error here: something is missing.
                self.receive().await?;
            }
            let room = size - part.len();
            part.extend_from_slice(&self.rest.split_to(self.rest.len().min(room)));
        }
        self.handed_on += size as u64;
        Ok(Some(part.freeze()))
    }

    /// Waits for the next piece; false at the end, which must not come too
    /// early.
    async fn receive(&mut self) -> Result<bool, Error> {
        match self.data.next().await {
            Some(Ok(bytes)) => {
                self.received += bytes.len() as u64;
                self.rest = bytes;
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

/// Writes all parts and makes them an object, or leaves nothing behind. While
/// one part is being written the next one is gathered, so there are two at most.
pub(crate) async fn write<S, E>(
    upload: Box<dyn MultipartUpload>,
    first: Bytes,
    parts: &mut Parts<'_, S>,
) -> Result<(), Error>
where
    S: Stream<Item = Result<Bytes, E>> + FusedStream,
    E: Into<Source>,
{
    let mut upload = Unfinished(Some(upload));
    let Some(driver) = &mut upload.0 else {
        return Ok(());
    };
    let key = parts.key;
    let failed = |error| Error::of_driver(error, format!("write {key}"));
    let mut part = first;
    let written = loop {
        match join(driver.put_part(part.into()), parts.next()).await {
            (Ok(()), Ok(Some(next))) => part = next,
            (Ok(()), Ok(None)) => break driver.complete().await.map(drop).map_err(failed),
            (Err(error), _) => break Err(failed(error)),
            (_, Err(error)) => break Err(error),
        }
    };
    if written.is_err() {
        // What cannot be removed now is found by `remove_stale_parts`, or by
        // the bucket's own rules.
        let _ = driver.abort().await;
    }
    upload.0 = None;
    written
}

/// An upload that is given up when its future is dropped, as when the sender
/// goes away: not every storage forgets it by itself.
struct Unfinished(Option<Box<dyn MultipartUpload>>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(mut upload) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { upload.abort().await });
        }
    }
}
