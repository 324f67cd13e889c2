//! Files that are written under a temporary name and renamed when they are complete.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::directory::{create_directory, is_at, is_missing, sync_directory};
use super::upload_lock::UploadLock;

/// A temporary file in the directory of its target. The name is the name of the target,
/// `#` and a number. Dropping the value removes the file unless it was renamed. All
/// methods block.
#[derive(Debug)]
pub(super) struct StagedFile {
    file: File,
    /// `None` once the file has been renamed.
    path: Option<PathBuf>,
    target: PathBuf,
    /// Released after the file was removed, because the next upload may use the same name.
    lock: Option<UploadLock>,
}

impl StagedFile {
    /// Creates an empty file. Creates the directory, too, if it does not exist.
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
                // The directory does not exist yet, or was removed with its last object.
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

    /// Renames the file to its target. An existing target is replaced.
    pub(super) fn publish(mut self) -> io::Result<()> {
        self.rename()?;
        sync_directory(parent(&self.target)?)
    }

    /// Renames the file to its target unless the target exists. Returns whether the file
    /// was renamed.
    pub(super) fn publish_new(mut self) -> io::Result<bool> {
        match fs::hard_link(self.path()?, &self.target) {
            // Dropping `self` removes the temporary name.
            Ok(()) => {}
            Err(_) if fs::symlink_metadata(&self.target).is_ok() => return Ok(false),
            // Some file systems have no hard links.
            Err(_) => self.rename()?,
        }
        sync_directory(parent(&self.target)?)?;
        Ok(true)
    }

    /// Removes the file before returning. Dropping the value removes the file in the
    /// background, if there is a Tokio runtime.
    pub(super) fn discard(mut self) {
        if let Some(remove) = self.removal() {
            remove();
        }
    }

    fn removal(&mut self) -> Option<impl FnOnce() + Send + 'static> {
        let path = self.path.take()?;
        let lock = self.lock.take();
        Some(move || {
            // After an error, `Disk::remove_unfinished_files` removes the file later.
            let _ = fs::remove_file(path);
            drop(lock);
        })
    }

    fn rename(&mut self) -> io::Result<()> {
        fs::rename(self.path()?, &self.target)?;
        self.path = None;
        Ok(())
    }

    /// The temporary path. Fails if the file was removed, even if another file now has the
    /// same path.
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
        // Removing a large file may take long, because its blocks are freed.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

fn parent(target: &Path) -> io::Result<&Path> {
    target
        .parent()
        .ok_or_else(|| io::Error::other("the path of the object has no parent directory"))
}
