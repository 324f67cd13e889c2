//! Blocking access to the asynchronous storage.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::{Aborted, abortable};
use lectern_db::UnneededObjects;
use lectern_media::CancellationToken;
use lectern_storage::{Error, ObjectInfo, ObjectKey, Storage};
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;
use crate::job_objects::{CheckCopy, JobObjects};
use crate::sidecar::check_size;

/// Blocking access to the asynchronous storage. Cheap to clone. Must not be used on
/// a thread of an async runtime.
#[derive(Debug, Clone)]
pub struct BlockingStorage {
    storage: Storage,
    runtime: Arc<Runtime>,
}

impl BlockingStorage {
    /// Starts a thread for the storage's runtime, which all clones share.
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

    /// Deletes the objects that no job needs after a job was deleted.
    pub fn remove(&self, unneeded: &UnneededObjects) -> Result<(), Failure> {
        let kept = unneeded.except.as_ref();
        let kept = kept.and_then(|key| ObjectKey::new(key.as_str()).ok());
        for job_id in &unneeded.of_jobs {
            let prefix = ObjectKey::job_prefix(*job_id);
            let deletion = self.storage.delete_prefix_except(&prefix, kept.as_ref());
            self.runtime.block_on(deletion)?;
        }
        Ok(())
    }
}

impl JobObjects for BlockingStorage {
    fn put(
        &self,
        key: &ObjectKey,
        file: &Path,
        cancellation: &CancellationToken,
    ) -> Result<(), Failure> {
        let (put, handle) = abortable(self.storage.put_file(key, file));
        let _callback = cancellation.on_cancel(move || handle.abort());
        match self.runtime.block_on(put) {
            Ok(put) => Ok(put?),
            Err(Aborted) => Err(Failure::Cancelled),
        }
    }

    fn local_file(&self, key: &ObjectKey) -> Result<Option<PathBuf>, Failure> {
        Ok(self.runtime.block_on(self.storage.local_file(key))?)
    }

    fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, Failure> {
        Ok(self.runtime.block_on(self.storage.head(key))?)
    }

    fn list_beside(&self, key: &ObjectKey, start: &str) -> Result<Vec<ObjectInfo>, Failure> {
        Ok(self
            .runtime
            .block_on(self.storage.list_beside(key, start))?)
    }

    fn read(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
        cancellation: &CancellationToken,
    ) -> Result<Option<Vec<u8>>, Failure> {
        self.runtime.block_on(async {
            let mut object = match self.storage.get(key, None).await {
                Ok(object) => object,
                Err(Error::NotFound(_) | Error::NotAllowed { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            check_size(key.as_str(), object.info.size, max_bytes)?;
            let mut content = Vec::new();
            while let Some(bytes) = object.stream.next().await {
                if cancellation.is_cancelled() {
                    return Err(Failure::Cancelled);
                }
                content.extend_from_slice(&bytes?);
                // A local file may grow while it is read.
                check_size(key.as_str(), content.len() as u64, max_bytes)?;
            }
            Ok(Some(content))
        })
    }

    fn copy_checked(
        &self,
        key: &ObjectKey,
        to: &Path,
        check: &mut CheckCopy<'_>,
    ) -> Result<(), Failure> {
        let mut file = File::create(to)?;
        let mut written = 0;
        self.runtime.block_on(async {
            let mut object = self.storage.get(key, None).await?;
            check(written, object.info.size)?;
            while let Some(bytes) = object.stream.next().await {
                let bytes = bytes?;
                file.write_all(&bytes)?;
                written += bytes.len() as u64;
                check(written, object.info.size)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::TcpListener;
    use std::thread;

    use lectern_storage::{Secret, StorageConfig};

    use super::*;
    use crate::testing::local_storage;

    /// A storage in an S3 bucket at the address of `listener`.
    pub(crate) fn bucket(listener: &TcpListener) -> BlockingStorage {
        let address = listener.local_addr().unwrap();
        let url = format!("s3://talks?endpoint=http://{address}");
        let config = url.parse::<StorageConfig>().unwrap();
        let config = config.with_environment(|name| name.contains("KEY").then(|| "x".to_owned()));
        let storage = Storage::open(&config.unwrap(), Secret::random().unwrap()).unwrap();
        BlockingStorage::new(storage).unwrap()
    }

    #[test]
    fn cancelling_an_upload_does_not_wait_for_its_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (storage, cancellation) = (bucket(&listener), CancellationToken::new());
        let key = ObjectKey::new("talks/1.mp4").unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "moov").unwrap();
        thread::scope(|scope| {
            let silent_server = scope.spawn(|| {
                let connection = listener.accept().unwrap();
                cancellation.cancel();
                connection
            });
            let put = storage.put(&key, file.path(), &cancellation);
            assert!(matches!(put, Err(Failure::Cancelled)), "{put:?}");
            drop(silent_server.join().unwrap());
        });
    }

    #[test]
    fn reading_more_than_the_limit_fails() {
        let dir = tempfile::tempdir().unwrap();
        let storage = local_storage(dir.path());
        let cancellation = CancellationToken::new();
        let key = ObjectKey::new("talks/1.json").unwrap();
        assert!(storage.read(&key, 4, &cancellation).unwrap().is_none());
        let file = dir.path().join("file");
        std::fs::write(&file, "four").unwrap();
        storage.put(&key, &file, &cancellation).unwrap();
        let read = storage.read(&key, 4, &cancellation).unwrap();
        assert_eq!(read.unwrap(), b"four");
        let read = storage.read(&key, 3, &cancellation);
        assert!(matches!(read, Err(Failure::Permanent { .. })), "{read:?}");
        cancellation.cancel();
        let read = storage.read(&key, 4, &cancellation);
        assert!(matches!(read, Err(Failure::Cancelled)), "{read:?}");
    }
}
