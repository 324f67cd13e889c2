//! The local disk, with the checks that `object_store` does not make.
//!
//! `object_store` follows symlinks, so every path is checked before it is used: a symlink
//! below the root must not give access to files outside of the root. The check does not
//! detect a symlink that is created between the check and the use, so only trusted users
//! may have write permission below the root.

mod directory;
mod partial_file;
mod staged_file;
mod staged_object;
mod stream;
mod upload_lock;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use walkdir::{DirEntry, WalkDir};

use crate::error::Error;
use crate::key::{ObjectKey, ObjectPrefix, is_unfinished};
use crate::object::ObjectInfo;
use directory::is_missing;
use staged_file::StagedFile;
use stream::stream_in_batches;
use upload_lock::RunningUploads;

pub(crate) use partial_file::PartialFile;
pub(crate) use staged_object::StagedObject;
pub(crate) use stream::{blocking, read, read_file};
pub(crate) use upload_lock::UploadLock;

#[derive(Debug, Clone)]
pub(crate) struct Disk {
    /// Absolute and without symlinks.
    root: Arc<Path>,
    pub(crate) store: LocalFileSystem,
    running_uploads: RunningUploads,
}

/// The space on the disk of a storage, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Free space that is not reserved for the superuser.
    pub available: u64,
    /// The size of the file system.
    pub total: u64,
}

/// The kind of entry at the path of a key.
enum Entry {
    File,
    Directory,
    Missing,
    /// A parent of the path is a file.
    BelowFile,
}

impl Disk {
    /// Creates the directory if it does not exist.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let open = || {
            fs::create_dir_all(dir)?;
            let root = fs::canonicalize(dir)?;
            if root.parent().is_none() {
                // With this root, `object_store` would interpret the key `C|` as a Windows
                // drive.
                return Err(io::Error::other("it is the root of the file system"));
            }
            let store = LocalFileSystem::new_with_prefix(&root)?
                .with_fsync(true)
                .with_automatic_cleanup(true);
            Ok(Self {
                root: root.into(),
                store,
                running_uploads: RunningUploads::default(),
            })
        };
        open().map_err(|error: io::Error| {
            Error::other(format!("open the storage {}", dir.display()), error)
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) async fn exists(&self, key: &ObjectKey) -> Result<bool, Error> {
        let (root, key) = (self.root.clone(), key.clone());
        blocking(move || Ok(matches!(find(&root, &key)?, Entry::File))).await
    }

    /// The file of an object; `None` if the object does not exist.
    pub(crate) async fn file(&self, key: &ObjectKey) -> Result<Option<PathBuf>, Error> {
        let file = self.root.join(&**key);
        Ok(self.exists(key).await?.then_some(file))
    }

    /// Fails if no object with this key can be written.
    pub(crate) async fn check_writable(&self, key: &ObjectKey) -> Result<(), Error> {
        let (root, key) = (self.root.clone(), key.clone());
        blocking(move || check_writable(&root, &key)).await
    }

    /// Acquires the right to upload an object.
    pub(crate) async fn lock_upload(&self, key: &ObjectKey) -> Result<UploadLock, Error> {
        let (disk, key) = (self.clone(), key.clone());
        blocking(move || {
            check_writable(&disk.root, &key)?;
            match disk.running_uploads.lock(&key, &disk.target(&key)?) {
                Ok(Some(lock)) => Ok(lock),
                Ok(None) => Err(Error::UploadInProgress(key)),
                Err(error) => Err(Error::other(format!("write {key}"), error)),
            }
        })
        .await
    }

    /// Moves the file of an object, then removes its former directories if they are empty.
    pub(crate) async fn rename(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), Error> {
        let (root, from, to) = (self.root.clone(), from.clone(), to.clone());
        blocking(move || {
            let Entry::File = find(&root, &from)? else {
                return Err(Error::NotFound(from));
            };
            let (source, target) = (root.join(&*from), root.join(&*to));
            let dir = target.parent().unwrap_or(&root);
            fs::create_dir_all(dir)
                .and_then(|()| fs::rename(&source, &target))
                .map_err(|error| Error::other(format!("move {from} to {to}"), error))?;
            let parents = source.ancestors().skip(1).take_while(|dir| *dir != &*root);
            for dir in parents {
                // Fails if the directory is not empty.
                if fs::remove_dir(dir).is_err() {
                    break;
                }
            }
            Ok(())
        })
        .await
    }

    /// Begins to write an object to a temporary file.
    pub(crate) async fn stage(
        &self,
        key: &ObjectKey,
        lock: Option<UploadLock>,
    ) -> Result<StagedObject, Error> {
        let (disk, key) = (self.clone(), key.clone());
        blocking(move || {
            check_writable(&disk.root, &key)?;
            match StagedFile::create(disk.target(&key)?, lock) {
                Ok(file) => Ok(StagedObject::new(key, file)),
                Err(error) => Err(Error::other(format!("write {key}"), error)),
            }
        })
        .await
    }

    /// The path to write an object to.
    fn target(&self, key: &ObjectKey) -> Result<PathBuf, Error> {
        let path = self.root.join(&**key);
        // The object is read through `object_store`, which interprets a name such as `C:` as
        // a Windows drive and appends a slash.
        match self.store.path_to_filesystem(&key.to_path()?) {
            Ok(found) if found.as_os_str() == path.as_os_str() => Ok(path),
            _ => Err(Error::NotAllowed {
                key: key.clone(),
                reason: "it has the name of a drive",
            }),
        }
    }

    /// The space on the disk; `None` if the root does not exist.
    pub(crate) async fn space(&self) -> Result<Option<DiskSpace>, Error> {
        let root = self.root.clone();
        blocking(move || match rustix::fs::statvfs(&*root) {
            Ok(space) => Ok(Some(DiskSpace {
                available: space.f_bavail.saturating_mul(space.f_frsize),
                total: space.f_blocks.saturating_mul(space.f_frsize),
            })),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(Error::other(
                format!("read the free space of {}", root.display()),
                error,
            )),
        })
        .await
    }

    /// The objects below the prefix, in any order.
    pub(crate) async fn list(
        &self,
        prefix: &ObjectPrefix,
    ) -> Result<BoxStream<'static, Result<ObjectInfo, Error>>, Error> {
        let root = self.root.clone();
        let walk = self.walk(prefix).await?;
        let objects = walk
            .into_iter()
            .filter_map(move |entry| object_info(&root, entry).transpose());
        Ok(stream_in_batches(objects))
    }

    /// The objects directly in the directory whose names begin with `start` in any case, at
    /// most `max`.
    pub(crate) async fn list_named(
        &self,
        directory: &ObjectPrefix,
        start: &str,
        max: usize,
    ) -> Result<Vec<ObjectInfo>, Error> {
        let (root, start) = (self.root.clone(), start.to_lowercase());
        let walk = self.walk(directory).await?.max_depth(1);
        blocking(move || {
            let mut objects = Vec::new();
            for entry in walk {
                let is_named = entry.as_ref().map_or(true, |entry| {
                    let name = entry.file_name().to_string_lossy();
                    let name = name.to_lowercase();
                    let rest = name.strip_prefix(&start);
                    rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
                });
                if is_named && let Some(object) = object_info(&root, entry)? {
                    objects.push(object);
                }
                if objects.len() >= max {
                    break;
                }
            }
            Ok(objects)
        })
        .await
    }

    /// Removes unfinished files that were last written to before `before`, and empty
    /// directories that were last changed before `before`. Returns the number of removed
    /// files.
    pub(crate) async fn remove_unfinished_files(
        &self,
        before: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let walk = self.walk(&ObjectPrefix::everything()).await?;
        blocking(move || {
            let mut removed = 0;
            for entry in walk.contents_first(true) {
                if let Some(entry) = existing(entry)? {
                    removed += u64::from(remove_if_stale(&entry, before)?);
                }
            }
            Ok(removed)
        })
        .await
    }

    /// Visits everything below the prefix without following symlinks.
    async fn walk(&self, prefix: &ObjectPrefix) -> Result<WalkDir, Error> {
        let mut start = self.root.to_path_buf();
        if let Some(key) = prefix.as_key() {
            let (root, key) = (self.root.clone(), key.clone());
            start.push(&*key);
            blocking(move || find(&root, &key)).await?;
        }
        Ok(WalkDir::new(start).min_depth(1).follow_links(false))
    }
}

/// Fails if no object with this key can be written.
fn check_writable(root: &Path, key: &ObjectKey) -> Result<(), Error> {
    let reason = match find(root, key)? {
        Entry::File | Entry::Missing => return Ok(()),
        Entry::Directory => "there are objects below it",
        Entry::BelowFile => "a part of its path is an object",
    };
    let key = key.clone();
    Err(Error::NotAllowed { key, reason })
}

/// Finds the entry of a key, checking each part of its path for symlinks.
fn find(root: &Path, key: &ObjectKey) -> Result<Entry, Error> {
    let mut path = PathBuf::from(root);
    let mut segments = key.split('/').peekable();
    while let Some(segment) = segments.next() {
        path.push(segment);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_missing(&error) => return Ok(Entry::Missing),
            Err(error) => return Err(Error::other(format!("look for {key}"), error)),
        };
        let refuse = |reason| {
            let key = key.clone();
            Err(Error::NotAllowed { key, reason })
        };
        let kind = metadata.file_type();
        let is_last = segments.peek().is_none();
        if kind.is_symlink() {
            return refuse("its path has a symlink");
        } else if is_last && kind.is_dir() {
            return Ok(Entry::Directory);
        } else if is_last && kind.is_file() {
            return Ok(Entry::File);
        } else if kind.is_file() {
            return Ok(Entry::BelowFile);
        } else if !kind.is_dir() {
            // Opening a pipe would block until another process opens it.
            return refuse("it is neither a file nor a directory");
        }
    }
    Ok(Entry::Missing)
}

/// Removes an unfinished file or an empty directory that was last changed before
/// `before`. Returns whether a file was removed.
fn remove_if_stale(entry: &DirEntry, before: DateTime<Utc>) -> Result<bool, Error> {
    let kind = entry.file_type();
    let is_unfinished_file =
        kind.is_file() && entry.file_name().to_str().is_some_and(is_unfinished);
    if !is_unfinished_file && !kind.is_dir() {
        return Ok(false);
    }
    let removed = entry
        .metadata()
        .map_err(io::Error::from)
        .and_then(|metadata| metadata.modified())
        .and_then(|modified| {
            if DateTime::<Utc>::from(modified) >= before {
                return Ok(false);
            }
            if is_unfinished_file {
                return fs::remove_file(entry.path()).map(|()| true);
            }
            // Fails if the directory is not empty.
            Ok(fs::remove_dir(entry.path()).is_ok())
        });
    match removed {
        Ok(removed) => Ok(removed && is_unfinished_file),
        // The upload was finished or cancelled in the meantime.
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(Error::other(
            format!("remove {}", entry.path().display()),
            error,
        )),
    }
}

/// The object of a directory entry; `None` if the entry is not an object.
fn object_info(root: &Path, entry: walkdir::Result<DirEntry>) -> Result<Option<ObjectInfo>, Error> {
    let Some(entry) = existing(entry)? else {
        return Ok(None);
    };
    if !entry.file_type().is_file() {
        return Ok(None);
    }
    let name = entry.path().strip_prefix(root).ok().and_then(Path::to_str);
    // This skips unfinished files, too, because their names are not valid keys.
    let Some(key) = name.and_then(|name| ObjectKey::new(name).ok()) else {
        return Ok(None);
    };
    let metadata = entry.metadata().map_err(io::Error::from);
    match metadata.and_then(|metadata| Ok((metadata.len(), metadata.modified()?))) {
        Ok((size, modified)) => Ok(Some(ObjectInfo {
            key,
            size,
            last_modified: modified.into(),
            etag: None,
        })),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(Error::other(format!("read the metadata of {key}"), error)),
    }
}

/// The entry; `None` if the entry was removed after its directory was read.
fn existing(entry: walkdir::Result<DirEntry>) -> Result<Option<DirEntry>, Error> {
    match entry {
        Ok(entry) => Ok(Some(entry)),
        Err(error) if error.io_error().is_some_and(is_missing) => Ok(None),
        Err(error) => Err(Error::other("list the storage", error)),
    }
}
