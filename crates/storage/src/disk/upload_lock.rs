//! Locks that allow one upload of an object at a time.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::directory::{create_directory, is_at, is_missing};
use crate::key::{ObjectKey, is_unfinished};

/// The objects that are being uploaded in this process.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningUploads(Arc<Mutex<HashSet<ObjectKey>>>);

/// The right to upload an object. Dropping this value releases the right.
///
/// A lock on the object's directory excludes other processes. The operating system
/// releases the lock when this process ends. On file systems without such locks, such
/// as NFS, only uploads of the same process are excluded. Concurrent uploads then write
/// files with different names, so the object is always the complete file of one upload.
#[derive(Debug)]
pub(crate) struct UploadLock {
    key: ObjectKey,
    running: RunningUploads,
    directory: Option<File>,
}

impl RunningUploads {
    /// Acquires the right to upload an object to the file `target`; `None` while another
    /// upload has the right. Blocks briefly.
    pub(super) fn lock(&self, key: &ObjectKey, target: &Path) -> io::Result<Option<UploadLock>> {
        if !self.0.lock().insert(key.clone()) {
            return Ok(None);
        }
        let mut lock = UploadLock {
            key: key.clone(),
            running: self.clone(),
            directory: None,
        };
        let Some(dir) = target.parent() else {
            return Ok(Some(lock));
        };
        match lock_directory(dir)? {
            DirectoryLock::Locked(file) => lock.directory = Some(file),
            DirectoryLock::Unsupported => return Ok(Some(lock)),
            DirectoryLock::Taken => return Ok(None),
        }
        // Removes the files that an upload of this object left when its process was killed.
        for path in unfinished_files(dir, target)? {
            match fs::remove_file(path) {
                Err(error) if !is_missing(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(Some(lock))
    }
}

impl Drop for UploadLock {
    fn drop(&mut self) {
        // The directory is unlocked first: as soon as the key is removed, another upload
        // of this process may try to lock the directory.
        self.directory = None;
        self.running.0.lock().remove(&self.key);
    }
}

enum DirectoryLock {
    /// Locked until the file is closed.
    Locked(File),
    /// Another upload holds the lock.
    Taken,
    /// The file system does not support the lock.
    Unsupported,
}

/// Creates a directory if it does not exist, and locks the directory.
fn lock_directory(dir: &Path) -> io::Result<DirectoryLock> {
    loop {
        create_directory(dir)?;
        let file = match File::open(dir) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => continue,
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            // Another process may have removed the directory before it was locked.
            Ok(()) if !is_at(&file, dir)? => {}
            Ok(()) => return Ok(DirectoryLock::Locked(file)),
            Err(TryLockError::WouldBlock) => return Ok(DirectoryLock::Taken),
            Err(TryLockError::Error(_)) => return Ok(DirectoryLock::Unsupported),
        }
    }
}

/// The unfinished files of the object whose file is `target`.
fn unfinished_files(dir: &Path, target: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_unfinished = name.to_str().is_some_and(|name| {
            is_unfinished(name)
                && name.rsplit_once('#').map(|(object, _)| object.as_ref()) == target.file_name()
        });
        if is_unfinished && entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}
