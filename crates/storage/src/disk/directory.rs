//! Creates directories that survive a crash, and identifies the files in them.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Creates a directory and its missing parents, and waits until the new directories are
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

/// Whether `path` still names the open file or directory.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let at_path = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let open = file.metadata()?;
    Ok((open.dev(), open.ino()) == (at_path.dev(), at_path.ino()))
}

pub(super) fn is_missing(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}
