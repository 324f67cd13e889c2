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

    /// The file that an object is, where the storage is a directory.
    pub fn local_file(&self, key: &ObjectKey) -> Result<Option<PathBuf>, Failure> {
        Ok(self.runtime.block_on(self.storage.local_file(key))?)
    }

    /// Copies an object into a file.
    pub fn copy(&self, key: &ObjectKey, to: &Path, cancel: &Cancel) -> Result<(), Failure> {
        self.copy_while(key, to, |_| {
            if cancel.is_cancelled() {
                return Err(Failure::Stopped);
            }
            Ok(())
        })
    }

    /// The same for as long as `go_on` says so, which is asked again and again
    /// and told how many bytes there are.
    pub(crate) fn copy_while(
        &self,
        key: &ObjectKey,
        to: &Path,
        mut go_on: impl FnMut(u64) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut file = File::create(to)?;
        let mut written = 0;
        self.runtime.block_on(async {
            let mut object = self.storage.get(key, None).await?.stream;
            while let Some(bytes) = object.next().await {
                go_on(written)?;
                let bytes = bytes?;
                file.write_all(&bytes)?;
                written += bytes.len() as u64;
            }
            Ok(())
        })
    }
}
