//! The storage, for those who wait for it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::{Aborted, abortable};
use lectern_domain::JobId;
use lectern_media::CancellationToken;
use lectern_storage::{Error, ObjectKey, Storage};
use tokio::runtime::{Builder, Runtime};

use crate::Failure;

/// The storage behind calls that return when they are done. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BlockingStorage {
    storage: Storage,
    runtime: Arc<Runtime>,
}

impl BlockingStorage {
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

    /// Stores a file. Nobody who cancels waits for the end of it: what of the
    /// file has been sent by then is thrown away.
    pub fn put(
        &self,
        key: &ObjectKey,
        file: &Path,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let (put, handle) = abortable(self.storage.put_file(key, file));
        let _link = cancel.on_cancel(move || handle.abort());
        match self.runtime.block_on(put) {
            Ok(put) => Ok(put?),
            Err(Aborted) => Err(Failure::Cancelled),
        }
    }

    /// Removes everything a job owns.
    pub fn remove(&self, job_id: JobId) -> Result<(), Failure> {
        let owned = ObjectKey::job_prefix(job_id);
        self.runtime.block_on(self.storage.delete_prefix(&owned))?;
        Ok(())
    }

    /// The file that an object is, where the storage is a directory.
    pub fn local_file(&self, key: &ObjectKey) -> Result<Option<PathBuf>, Failure> {
        Ok(self.runtime.block_on(self.storage.local_file(key))?)
    }

    /// The content of an object of no more than `most` bytes; `None` where there is
    /// no object.
    ///
    /// # Errors
    ///
    /// When it is longer, for one: that stays so.
    pub fn read(
        &self,
        key: &ObjectKey,
        most: u64,
        cancel: &CancellationToken,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let check = |size: u64| {
            if size > most {
                let most = most >> 20;
                return Err(Failure::permanent(format!(
                    "{key} is longer than {most} MiB"
                )));
            }
            Ok(())
        };
        self.runtime.block_on(async {
            let mut object = match self.storage.get(key, None).await {
                Ok(object) => object,
                Err(Error::NotFound(_) | Error::NotAllowed { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            check(object.info.size)?;
            let mut content = Vec::new();
            while let Some(bytes) = object.stream.next().await {
                if cancel.is_cancelled() {
                    return Err(Failure::Cancelled);
                }
                content.extend_from_slice(&bytes?);
                // Some grow while they are read.
                check(content.len() as u64)?;
            }
            Ok(Some(content))
        })
    }

    /// Copies an object into a file.
    pub fn copy(
        &self,
        key: &ObjectKey,
        to: &Path,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        self.copy_while(key, to, |_, _| {
            if cancel.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            Ok(())
        })
    }

    /// The same for as long as `go_on` says so, which is asked before it begins
    /// and again and again, and told how many bytes there are, and of how many.
    pub(crate) fn copy_while(
        &self,
        key: &ObjectKey,
        to: &Path,
        mut go_on: impl FnMut(u64, u64) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut file = File::create(to)?;
        let mut written = 0;
        self.runtime.block_on(async {
            let mut object = self.storage.get(key, None).await?;
            go_on(written, object.info.size)?;
            while let Some(bytes) = object.stream.next().await {
                let bytes = bytes?;
                file.write_all(&bytes)?;
                written += bytes.len() as u64;
                go_on(written, object.info.size)?;
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

    /// A bucket for which whoever has the listener answers.
    pub(crate) fn bucket(listener: &TcpListener) -> BlockingStorage {
        let address = listener.local_addr().unwrap();
        let place = format!("s3://talks?endpoint=http://{address}");
        let place = place.parse::<StorageConfig>().unwrap();
        let place = place.with_environment(|name| name.contains("KEY").then(|| "x".to_owned()));
        let storage = Storage::open(&place.unwrap(), Secret::random().unwrap()).unwrap();
        BlockingStorage::new(storage).unwrap()
    }

    #[test]
    fn whoever_cancels_does_not_wait_until_all_is_stored() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (store, cancel) = (bucket(&listener), CancellationToken::new());
        let key = ObjectKey::new("talks/1.mp4").unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "moov").unwrap();
        thread::scope(|scope| {
            let silent = scope.spawn(|| {
                let connection = listener.accept().unwrap();
                cancel.cancel();
                connection
            });
            let put = store.put(&key, file.path(), &cancel);
            assert!(matches!(put, Err(Failure::Cancelled)), "{put:?}");
            drop(silent.join().unwrap());
        });
    }

    #[test]
    fn no_more_is_read_than_may_be() {
        let dir = tempfile::tempdir().unwrap();
        let place = StorageConfig::Local {
            dir: dir.path().join("objects"),
        };
        let storage = Storage::open(&place, Secret::random().unwrap()).unwrap();
        let (store, cancel) = (
            BlockingStorage::new(storage).unwrap(),
            CancellationToken::new(),
        );
        let key = ObjectKey::new("talks/1.json").unwrap();
        assert!(store.read(&key, 4, &cancel).unwrap().is_none());
        let file = dir.path().join("file");
        std::fs::write(&file, "four").unwrap();
        store.put(&key, &file, &cancel).unwrap();
        assert_eq!(store.read(&key, 4, &cancel).unwrap().unwrap(), b"four");
        let read = store.read(&key, 3, &cancel);
        assert!(matches!(read, Err(Failure::Permanent { .. })), "{read:?}");
        cancel.cancel();
        let read = store.read(&key, 4, &cancel);
        assert!(matches!(read, Err(Failure::Cancelled)), "{read:?}");
    }
}
