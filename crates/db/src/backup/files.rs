//! Files of databases and backups.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The path with a suffix after the name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Creates an empty file that only its owner can read. Replaces an existing file.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    remove_if_exists(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

pub(super) fn remove_if_exists(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_file(path))
}

pub(super) fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Returns when the content of a file is on disk.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Returns when the entry of a file in its directory is on disk.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let absolute = std::path::absolute(path)?;
    absolute.parent().map_or(Ok(()), sync)
}
