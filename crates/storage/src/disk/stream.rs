//! Files as asynchronous streams: blocking calls run on blocking threads.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};

use crate::error::Error;
use crate::key::ObjectKey;

/// Upper bound of the bytes of one read.
const READ_BYTES: usize = 256 * 1024;
/// Upper bound of the items taken from an iterator in one blocking call.
const BATCH_ITEMS: usize = 1000;

/// Reads a range of a file as a stream.
pub(crate) fn read(
    file: File,
    range: Range<u64>,
    key: ObjectKey,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let chunks = stream::try_unfold((file, range, key), |(mut file, mut range, key)| async {
        if range.is_empty() {
            return Ok(None);
        }
        blocking(move || {
            let len = usize::try_from(range.end - range.start)
                .map_or(READ_BYTES, |left| left.min(READ_BYTES));
            let mut chunk = BytesMut::zeroed(len);
            file.seek(SeekFrom::Start(range.start))
                .and_then(|_| file.read_exact(&mut chunk))
                .map_err(|error| Error::other(format!("read {key}"), error))?;
            range.start += len as u64;
            Ok(Some((chunk.freeze(), (file, range, key))))
        })
        .await
    });
    chunks.boxed()
}

/// Opens a file outside of the storage and returns its content and its size in bytes. Error
/// messages name `key`, the object that the caller writes from the file.
pub(crate) async fn read_file(
    file: &Path,
    key: &ObjectKey,
) -> Result<(BoxStream<'static, Result<Bytes, Error>>, u64), Error> {
    let (file, key) = (file.to_owned(), key.clone());
    blocking(move || {
        let open = || {
            let file = File::open(&file)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        };
        let (file, size) = open().map_err(|error: io::Error| {
            Error::other(format!("read {} into {key}", file.display()), error)
        })?;
        Ok((read(file, 0..size, key), size))
    })
    .await
}

/// Turns a blocking iterator into a stream. The stream runs the iterator on threads of the
/// blocking pool.
pub(crate) fn stream_in_batches<T: Send + 'static>(
    items: impl Iterator<Item = Result<T, Error>> + Send + 'static,
) -> BoxStream<'static, Result<T, Error>> {
    stream::try_unfold(items, |mut items| async {
        let work = move || Ok((items.by_ref().take(BATCH_ITEMS).collect::<Vec<_>>(), items));
        let (batch, items) = blocking(work).await?;
        let batch = (!batch.is_empty()).then(|| stream::iter(batch));
        Ok::<_, Error>(batch.map(|batch| (batch, items)))
    })
    .try_flatten()
    .boxed()
}

/// Runs blocking work on a thread of the blocking pool.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::other("finish the work on disk", error)))
}
