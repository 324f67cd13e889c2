//! Files of resumable uploads, which are written over several requests.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::BytesMut;

use super::directory::{create_directory, is_missing, sync_directory};
use super::stream::blocking;
use super::{Disk, check_writable};
use crate::error::Error;
use crate::key::ObjectKey;

/// The number of bytes that are written to disk at once.
const BUFFER_BYTES: usize = 1024 * 1024;

/// The file of an object of which a part has arrived. It has the object's own path: until
/// the upload is complete, the job that it belongs to has no recording.
#[derive(Debug)]
pub(crate) struct PartialFile {
    key: ObjectKey,
    file: Arc<File>,
    /// Bytes in the file.
    written: u64,
    buffer: BytesMut,
}

impl PartialFile {
    /// Opens the file to append to its first `len` bytes. Whatever follows them is not
    /// known to be on disk, and is cut off.
    ///
    /// Fails with [`Error::NotFound`] if the file has fewer bytes.
    pub(crate) async fn open(disk: &Disk, key: &ObjectKey, len: u64) -> Result<Self, Error> {
        let (disk, key) = (disk.clone(), key.clone());
        blocking(move || {
            check_writable(&disk.root, &key)?;
            let path = disk.target(&key)?;
            let file = match open_file(&path, len) {
                Ok(Some(file)) => file,
                Ok(None) => return Err(Error::NotFound(key)),
                Err(error) => return Err(Error::other(format!("write {key}"), error)),
            };
            Ok(Self {
                key,
                file: Arc::new(file),
                written: len,
                buffer: BytesMut::new(),
            })
        })
        .await
    }

    /// Bytes in the file and the buffer.
    pub(crate) fn len(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    pub(crate) async fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush(false).await?;
        }
        Ok(())
    }

    /// Waits until all bytes are on disk.
    pub(crate) async fn sync(&mut self) -> Result<(), Error> {
        self.flush(true).await
    }

    async fn flush(&mut self, sync: bool) -> Result<(), Error> {
        let (file, key, offset) = (Arc::clone(&self.file), self.key.clone(), self.written);
        let bytes = self.buffer.split();
        let len = bytes.len() as u64;
        let mut buffer = blocking(move || {
            let written = file
                .write_all_at(&bytes, offset)
                .and_then(|()| if sync { file.sync_data() } else { Ok(()) });
            match written {
                Ok(()) => Ok(bytes),
                Err(error) => Err(Error::other(format!("write {key}"), error)),
            }
        })
        .await?;
        self.written += len;
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }
}

/// Opens the file at `path` with its first `len` bytes; creates it if `len` is 0. `None`
/// if it has fewer bytes.
fn open_file(path: &Path, len: u64) -> io::Result<Option<File>> {
    let mut options = File::options();
    options.write(true);
    if len == 0 {
        let parent = path
            .parent()
            .ok_or_else(|| io::Error::other("the path of the object has no parent directory"))?;
        create_directory(parent)?;
        let file = options.create(true).truncate(true).open(path)?;
        sync_directory(parent)?;
        return Ok(Some(file));
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = file.metadata()?.len();
    if found > len {
        file.set_len(len)?;
    }
    Ok((found >= len).then_some(file))
}
