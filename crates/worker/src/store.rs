//! The storage, for those who wait for it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use lectern_media::Cancel;
use lectern_storage::{ObjectKey, Storage};
use tokio::runtime::{Builder, Runtime};

use crate::Failure;

/// The storage behind calls that return when they are done. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    storage: Storage,
    runtime: Arc<Runtime>,
}

impl Store {
    /// Takes a thread for itself.
    pub fn new(storage: Storage) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("storage")
            .enable_all()
            .build()?;
        Ok(Self {
            storage,
            runtime: Arc::new(runtime),
        })
    }

    /// Stores a file.
    pub fn put(&self, key: &ObjectKey, file: &Path) -> Result<(), Failure> {
        Ok(self.runtime.block_on(self.storage.put_file(key, file))?)
    }

    /// A file with the bytes of an object: its own, where the storage is a
    /// directory, or else a copy in `dir`.
    pub fn get(&self, key: &ObjectKey, dir: &Path, cancel: &Cancel) -> Result<PathBuf, Failure> {
        if let Some(file) = self.runtime.block_on(self.storage.local_file(key))? {
            return Ok(file);
        }
        let extension = Path::new(key.as_str()).extension();
        let copy = dir
            .join("recording")
            .with_extension(extension.unwrap_or_default());
        self.copy(key, &copy, cancel)?;
        Ok(copy)
    }

    /// Copies an object into a file.
    pub fn copy(&self, key: &ObjectKey, to: &Path, cancel: &Cancel) -> Result<(), Failure> {
        let mut file = File::create(to)?;
        self.runtime.block_on(async {
            let mut object = self.storage.get(key, None).await?.stream;
            while let Some(bytes) = object.next().await {
                if cancel.is_cancelled() {
                    return Err(Failure::Stopped);
                }
                file.write_all(&bytes?)?;
            }
            Ok(())
        })
    }
}
