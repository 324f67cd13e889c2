//! Files as streams: what blocks happens on threads that may.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};

use crate::{Error, ObjectKey};

/// How many bytes are read at a time.
const READ: usize = 256 * 1024;
/// How many items are taken from an iterator at a time.
const BATCH: usize = 1000;

/// Reads a range of a file piece by piece, as the pieces are taken.
pub(crate) fn read(
    file: File,
    range: Range<u64>,
    key: ObjectKey,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let pieces = stream::try_unfold((file, range, key), |(mut file, mut range, key)| async {
        if range.is_empty() {
            return Ok(None);
        }
        blocking(move || {
            let len = usize::try_from(range.end - range.start).map_or(READ, |left| left.min(READ));
            let mut piece = BytesMut::zeroed(len);
            file.seek(SeekFrom::Start(range.start))
                .and_then(|_| file.read_exact(&mut piece))
                .map_err(|error| Error::other(format!("read {key}"), error))?;
            range.start += len as u64;
            Ok(Some((piece.freeze(), (file, range, key))))
        })
        .await
    });
    pieces.boxed()
}

/// The bytes of a file from outside, which is to become the object `key`, and
/// how many they are.
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

/// Takes from an iterator that blocks, on threads that may.
pub(crate) fn in_batches<T: Send + 'static>(
    items: impl Iterator<Item = Result<T, Error>> + Send + 'static,
) -> BoxStream<'static, Result<T, Error>> {
    stream::try_unfold(items, |mut items| async {
        let work = move || Ok((items.by_ref().take(BATCH).collect::<Vec<_>>(), items));
        let (batch, items) = blocking(work).await?;
        let batch = (!batch.is_empty()).then(|| stream::iter(batch));
        Ok::<_, Error>(batch.map(|batch| (batch, items)))
    })
    .try_flatten()
    .boxed()
}

/// Does what blocks on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::other("finish the work on disk", error)))
}
