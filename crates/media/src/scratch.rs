//! Temporary files with a size limit, removed even after a crash.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

/// Prefix of the directory of a process; a random part follows.
const PREFIX: &str = "lectern-";
/// Lock file in the directory of a process, locked as long as the process lives.
const LOCK_FILE: &str = ".lock";

/// The scratch space holds more than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("temporary files take {used} bytes, more than the limit of {limit}")]
pub struct ScratchFull {
    /// Bytes in use.
    pub used: u64,
    /// Bytes allowed.
    pub limit: u64,
}

/// The temporary files of this process. Clones share one directory, which is
/// removed when the last clone is dropped.
///
/// Each process has its own directory below the root, and holds a lock on a file
/// in it. The operating system releases the lock when the process ends, even after
/// a crash. A process that starts removes the directories that are not locked.
///
/// ```
/// use lectern_media::Scratch;
///
/// let root = tempfile::tempdir()?;
/// let scratch = Scratch::new(root.path(), 1_000)?;
/// let dir = scratch.dir("cut")?;
/// std::fs::write(dir.path().join("clip.mp4"), [0; 1_001])?;
/// assert_eq!(scratch.check().unwrap_err().used, 1_001);
/// drop(dir);
/// assert_eq!(scratch.check(), Ok(()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scratch(Arc<ProcessDir>);

#[derive(Debug)]
struct ProcessDir {
    root: PathBuf,
    dir: PathBuf,
    limit_bytes: u64,
    _lock: File,
}

impl Scratch {
    /// Creates a directory below `root`, whose files may have `limit_bytes` in
    /// total, and removes the directories of dead processes. Creates `root` if it is
    /// missing. Does not touch other files and directories in `root`.
    pub fn new(root: impl Into<PathBuf>, limit_bytes: u64) -> io::Result<Self> {
        let root = root.into();
        fs::create_dir_all(&root)?;
        // One process at a time may start here: a directory that was just created
        // is not locked yet and would look abandoned.
        let start_lock = open_lock_file(&root.join(format!("{PREFIX}{LOCK_FILE}")))?;
        start_lock.lock()?;
        remove_abandoned(&root)?;
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&root)?;
        let lock = open_lock_file(&dir.path().join(LOCK_FILE))?;
        lock.lock()?;
        Ok(Self(Arc::new(ProcessDir {
            root,
            dir: dir.keep(),
            limit_bytes,
            _lock: lock,
        })))
    }

    /// Creates an empty directory that is removed with its content when the
    /// returned value is dropped. The name of the directory is unique and starts with
    /// `name`, in which `_` replaces all but ASCII letters and digits.
    pub fn dir(&self, name: &str) -> io::Result<ScratchDir> {
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .take(50)
            .collect();
        let dir = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir_in(&self.0.dir)?;
        Ok(ScratchDir {
            dir,
            _scratch: self.clone(),
        })
    }

    /// Bytes that all directories of this process may hold.
    pub(crate) fn limit(&self) -> u64 {
        self.0.limit_bytes
    }

    /// Bytes in all directories of this process.
    pub fn used(&self) -> u64 {
        bytes_in(&self.0.dir)
    }

    /// Fails if more than the limit is in use. While a child process runs with this
    /// scratch space in its [`Limits`](crate::Limits), the limit is checked every
    /// 250 ms; the child can exceed it by the bytes that it writes in that time.
    pub fn check(&self) -> Result<(), ScratchFull> {
        let (used, limit) = (self.used(), self.0.limit_bytes);
        if used > limit {
            return Err(ScratchFull { used, limit });
        }
        Ok(())
    }
}

impl Drop for ProcessDir {
    fn drop(&mut self) {
        if let Err(error) = remove_process_dir(&self.dir) {
            let (dir, root) = (self.dir.display(), self.root.display());
            log::warn!(
                "failed to remove {dir} (the next process to use {root} tries again): {error}"
            );
        }
    }
}

/// A directory for one piece of work. Dropping the value removes the directory.
#[derive(Debug)]
pub struct ScratchDir {
    dir: TempDir,
    // Keeps the process's directory locked while this directory exists.
    _scratch: Scratch,
}

impl ScratchDir {
    /// The directory's path.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Removes the directories of dead processes: those whose lock is free.
fn remove_abandoned(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !is_ours || !entry.file_type()?.is_dir() {
            continue;
        }
        let dir = entry.path();
        let removed = match File::open(dir.join(LOCK_FILE)) {
            Ok(lock) => match lock.try_lock() {
                Ok(()) => remove_process_dir(&dir),
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => Err(error),
            },
            // The process died before it created the lock file, or while it
            // removed the directory. The lock file is removed last, so the
            // directory is empty or not ours.
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir(&dir),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::warn!("failed to remove {}: {error}", dir.display());
            }
            _ => log::info!("removed {}, whose process has ended", dir.display()),
        }
    }
    Ok(())
}

/// Removes a process's directory, its lock file last: if the removal is interrupted,
/// the next process that starts completes it.
fn remove_process_dir(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == LOCK_FILE {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_file(dir.join(LOCK_FILE))?;
    match fs::remove_dir(dir) {
        // A process that is starting has removed the directory.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Opens a file to lock, creating it if it is missing.
fn open_lock_file(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

/// Total size of the files below a directory. Symlinks are not followed; files
/// that disappear meanwhile count as empty.
fn bytes_in(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}
