//! Directories that survive a crash, and the files in them.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Creates a directory and those above it, unless they exist, and waits until they are
/// on disk.
pub(super) fn create_directory(dir: &Path) -> io::Result<()> {
    let created = match (fs::create_dir(dir), dir.parent()) {
        (Err(error), Some(parent)) if is_missing(&error) => {
            create_directory(parent)?;
            fs::create_dir(dir)
        }
        (created, _) => created,
    };
    match (created, dir.parent()) {
        (Ok(()), Some(parent)) => sync_directory(parent),
        (Err(error), _) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        (created, _) => created,
    }
}

/// Waits until the names in a directory are on disk.
pub(super) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Whether an open file or directory is the one at this path.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let open = file.metadata()?;
    Ok((open.dev(), open.ino()) == (here.dev(), here.ino()))
}

pub(super) fn is_missing(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}
