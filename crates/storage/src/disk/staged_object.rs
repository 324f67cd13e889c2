//! Objects that are being written.

use std::io;

use bytes::Bytes;

use super::staged_file::StagedFile;
use super::stream::blocking;
use crate::error::Error;
use crate::key::ObjectKey;

/// An object in a temporary file, which is removed when the value is dropped.
#[derive(Debug)]
pub(crate) struct StagedObject {
    key: ObjectKey,
    file: StagedFile,
}

impl StagedObject {
    pub(super) fn new(key: ObjectKey, file: StagedFile) -> Self {
        Self { key, file }
    }

    pub(crate) async fn append(self, bytes: Bytes) -> Result<Self, Error> {
        self.write(move |file| file.append(&bytes)).await
    }

    /// Waits until the content is on disk.
    pub(crate) async fn sync(self) -> Result<Self, Error> {
        self.write(|file| file.sync()).await
    }

    async fn write(
        mut self,
        write: impl FnOnce(&mut StagedFile) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, Error> {
        blocking(move || match write(&mut self.file) {
            Ok(()) => Ok(self),
            Err(error) => {
                self.file.discard();
                Err(write_error(&self.key, error))
            }
        })
        .await
    }

    /// Removes the file before returning. Dropping the value removes the file in the
    /// background instead.
    pub(crate) async fn discard(self) {
        let _ = blocking(move || {
            self.file.discard();
            Ok(())
        })
        .await;
    }

    /// Stores the object and replaces an earlier object with the same key. Blocks.
    pub(crate) fn publish(self) -> Result<(), Error> {
        let Self { key, file } = self;
        file.publish().map_err(|error| write_error(&key, error))
    }

    /// Stores the object unless an object with the same key exists. Returns whether the
    /// object was stored. Blocks.
    pub(crate) fn publish_new(self) -> Result<bool, Error> {
        let Self { key, file } = self;
        file.publish_new().map_err(|error| write_error(&key, error))
    }
}

fn write_error(key: &ObjectKey, error: io::Error) -> Error {
    Error::other(format!("write {key}"), error)
}
