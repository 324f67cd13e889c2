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
                Err(failed(&self.key, error))
            }
        })
        .await
    }

    /// Removes the file, which dropping the object does in the background.
    pub(crate) async fn discard(self) {
        let _ = blocking(move || {
            self.file.discard();
            Ok(())
        })
        .await;
    }

    /// Replaces the object. Blocks.
    pub(crate) fn publish(self) -> Result<(), Error> {
        let Self { key, file } = self;
        file.publish().map_err(|error| failed(&key, error))
    }

    /// Stores the object unless there is one. Returns whether it did. Blocks.
    pub(crate) fn publish_new(self) -> Result<bool, Error> {
        let Self { key, file } = self;
        file.publish_new().map_err(|error| failed(&key, error))
    }
}

fn failed(key: &ObjectKey, error: io::Error) -> Error {
    Error::other(format!("write {key}"), error)
}
