//! Files that are written under a temporary name and renamed when they are complete.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::directory::{create_directory, is_at, is_missing, sync_directory};
use super::upload_lock::UploadLock;

/// A file beside its target, named after it with `#` and a number. It is removed when
/// the value is dropped. All methods block.
#[derive(Debug)]
pub(super) struct StagedFile {
    file: File,
    /// `None` once the file has been renamed.
    path: Option<PathBuf>,
    target: PathBuf,
    /// Released after the file was removed, because the next upload may use its name.
    lock: Option<UploadLock>,
}

impl StagedFile {
    /// Creates an empty file, and its directory if that does not exist.
    pub(super) fn create(target: PathBuf, lock: Option<UploadLock>) -> io::Result<Self> {
        let mut number = 1_u32;
        loop {
            let mut path = target.clone().into_os_string();
            path.push(format!("#{number}"));
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    return Ok(Self {
                        file,
                        path: Some(path.into()),
                        target,
                        lock,
                    });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                // A directory is removed with its last object.
                Err(error) if is_missing(&error) => create_directory(parent(&target)?)?,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Waits until the content is on disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Renames the file to its target, which it replaces.
    pub(super) fn publish(mut self) -> io::Result<()> {
        self.rename()?;
        sync_directory(parent(&self.target)?)
    }

    /// Renames the file to its target, unless that exists. Returns whether it did.
    pub(super) fn publish_new(mut self) -> io::Result<bool> {
        match fs::hard_link(self.path()?, &self.target) {
            // Dropping the file removes its temporary name.
            Ok(()) => {}
            Err(_) if fs::symlink_metadata(&self.target).is_ok() => return Ok(false),
            // Some file systems have no hard links.
            Err(_) => self.rename()?,
        }
        sync_directory(parent(&self.target)?)?;
        Ok(true)
    }

    /// Removes the file, which dropping it does in the background.
    pub(super) fn discard(mut self) {
        if let Some(remove) = self.removal() {
            remove();
        }
    }

    fn removal(&mut self) -> Option<impl FnOnce() + Send + 'static> {
        let path = self.path.take()?;
        let lock = self.lock.take();
        Some(move || {
            // What cannot be removed now is left to `Disk::remove_unfinished_files`.
            let _ = fs::remove_file(path);
            drop(lock);
        })
    }

    fn rename(&mut self) -> io::Result<()> {
        fs::rename(self.path()?, &self.target)?;
        self.path = None;
        Ok(())
    }

    /// The temporary path. Fails if the file was removed, even if another file has its
    /// name by now.
    fn path(&self) -> io::Result<&Path> {
        match &self.path {
            Some(path) if is_at(&self.file, path)? => Ok(path),
            _ => Err(io::Error::new(
                ErrorKind::NotFound,
                "the unfinished file was removed",
            )),
        }
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let Some(remove) = self.removal() else {
            return;
        };
        // The blocks of a large file are not freed at once.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

fn parent(target: &Path) -> io::Result<&Path> {
    target
        .parent()
        .ok_or_else(|| io::Error::other("an object has a directory"))
}
