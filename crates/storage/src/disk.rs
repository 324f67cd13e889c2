//! Local disk: what `object_store` does not do there.
//!
//! It follows symlinks, so each name is looked at before it is used: whoever
//! can put a symlink below the root must not reach what lies outside of it.
//! (Against somebody who swaps it in between two calls only the permissions of
//! the root help.)

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::{MultipartUpload, ObjectStore, PutMultipartOptions};
use walkdir::{DirEntry, WalkDir};

use crate::file::{blocking, in_batches};
use crate::key::is_part;
use crate::{Error, ObjectInfo, ObjectKey, ObjectPrefix};

/// A directory that objects lie in.
#[derive(Clone)]
pub(crate) struct Disk {
    /// Absolute, and no symlink.
    root: Arc<Path>,
    pub(crate) store: LocalFileSystem,
}

/// What a name is on disk.
enum Found {
    File,
    Directory,
    Nothing,
    /// One of its directories is a file.
    Blocked,
}

impl Disk {
    /// Makes the directory if it is missing.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let open = || {
            fs::create_dir_all(dir)?;
            let root = fs::canonicalize(dir)?;
            if root.parent().is_none() {
                // There the driver would take `C|` for a drive.
                return Err(io::Error::other("it is the root of the file system"));
            }
            let store = LocalFileSystem::new_with_prefix(&root)?
                .with_fsync(true)
                .with_automatic_cleanup(true);
            Ok(Self {
                root: root.into(),
                store,
            })
        };
        open().map_err(|error: io::Error| {
            Error::other(format!("open the storage {}", dir.display()), error)
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is an object of this name.
    pub(crate) async fn holds(&self, key: &ObjectKey) -> Result<bool, Error> {
        let (root, key) = (self.root.clone(), key.clone());
        blocking(move || Ok(matches!(look(&root, &key)?, Found::File))).await
    }

    /// The file an object is, if there is one.
    pub(crate) async fn file(&self, key: &ObjectKey) -> Result<Option<PathBuf>, Error> {
        let file = self.root.join(&**key);
        Ok(self.holds(key).await?.then_some(file))
    }

    /// Makes sure that an object may be written there.
    pub(crate) async fn allow(&self, key: &ObjectKey) -> Result<(), Error> {
        let (root, key) = (self.root.clone(), key.clone());
        blocking(move || {
            let why = match look(&root, &key)? {
                Found::File | Found::Nothing => return Ok(()),
                Found::Directory => "other objects lie below it",
                Found::Blocked => "an object lies above it",
            };
            Err(Error::NotAllowed { key, why })
        })
        .await
    }

    /// Begins to write an object aside.
    pub(crate) async fn begin(
        &self,
        path: object_store::path::Path,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        // It makes and syncs directories where it is called.
        let store = self.store.clone();
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            runtime.block_on(store.put_multipart_opts(&path, PutMultipartOptions::default()))
        })
        .await?
    }

    /// The objects below the prefix, in no particular order.
    pub(crate) async fn list(
        &self,
        prefix: &ObjectPrefix,
    ) -> Result<BoxStream<'static, Result<ObjectInfo, Error>>, Error> {
        let root = self.root.clone();
        let walk = self.walk(prefix).await?;
        let objects = walk
            .into_iter()
            .filter_map(move |entry| object(&root, entry).transpose());
        Ok(in_batches(objects))
    }

    /// Removes files that were being written and have not grown since
    /// `before`, and directories that are as old and empty.
    pub(crate) async fn remove_stale_parts(&self, before: DateTime<Utc>) -> Result<u64, Error> {
        let walk = self.walk(&ObjectPrefix::everything()).await?;
        blocking(move || {
            let mut removed = 0;
            for entry in walk.contents_first(true) {
                if let Some(entry) = present(entry)? {
                    removed += u64::from(remove_if_stale(&entry, before)?);
                }
            }
            Ok(removed)
        })
        .await
    }

    /// Everything below the prefix, symlinks as what they are.
    async fn walk(&self, prefix: &ObjectPrefix) -> Result<WalkDir, Error> {
        let mut top = self.root.to_path_buf();
        if let Some(key) = prefix.as_key() {
            let (root, key) = (self.root.clone(), key.clone());
            top.push(&*key);
            blocking(move || look(&root, &key)).await?;
        }
        Ok(WalkDir::new(top).min_depth(1).follow_links(false))
    }
}

/// Follows the name from the root, one directory after the other.
fn look(root: &Path, key: &ObjectKey) -> Result<Found, Error> {
    let mut path = PathBuf::from(root);
    let mut segments = key.split('/').peekable();
    while let Some(segment) = segments.next() {
        path.push(segment);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_missing(&error) => return Ok(Found::Nothing),
            Err(error) => return Err(Error::other(format!("look for {key}"), error)),
        };
        let refuse = |why| {
            let key = key.clone();
            Err(Error::NotAllowed { key, why })
        };
        let kind = metadata.file_type();
        let is_last = segments.peek().is_none();
        if kind.is_symlink() {
            return refuse("a symlink is in its way");
        } else if is_last && kind.is_dir() {
            return Ok(Found::Directory);
        } else if is_last && kind.is_file() {
            return Ok(Found::File);
        } else if kind.is_file() {
            return Ok(Found::Blocked);
        } else if !kind.is_dir() {
            // Opening a pipe would wait for whoever is at its other end.
            return refuse("it is neither a file nor a directory");
        }
    }
    Ok(Found::Nothing)
}

/// Removes a part or an empty directory that is older than `before`; whether it
/// was a part.
fn remove_if_stale(entry: &DirEntry, before: DateTime<Utc>) -> Result<bool, Error> {
    let kind = entry.file_type();
    let is_part = kind.is_file() && entry.file_name().to_str().is_some_and(is_part);
    if !is_part && !kind.is_dir() {
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
            if is_part {
                return fs::remove_file(entry.path()).map(|()| true);
            }
            // One with something in it stays.
            Ok(fs::remove_dir(entry.path()).is_ok())
        });
    match removed {
        Ok(removed) => Ok(removed && is_part),
        // It was finished or given up in the meantime.
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(Error::other(
            format!("remove {}", entry.path().display()),
            error,
        )),
    }
}

/// The object an entry of a directory is, if it is one.
fn object(root: &Path, entry: walkdir::Result<DirEntry>) -> Result<Option<ObjectInfo>, Error> {
    let Some(entry) = present(entry)? else {
        return Ok(None);
    };
    if !entry.file_type().is_file() {
        return Ok(None);
    }
    let name = entry.path().strip_prefix(root).ok().and_then(Path::to_str);
    // Parts of objects are among those that no key can name.
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
        Err(error) => Err(Error::other(format!("look at {key}"), error)),
    }
}

/// The entry, unless it was removed since its directory was read.
fn present(entry: walkdir::Result<DirEntry>) -> Result<Option<DirEntry>, Error> {
    match entry {
        Ok(entry) => Ok(Some(entry)),
        Err(error) if error.io_error().is_some_and(is_missing) => Ok(None),
        Err(error) => Err(Error::other("list the storage", error)),
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}
