//! Temporary space that is bounded, and cleaned even after a crash.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

/// What the directories of processes are called, before the random part.
const PREFIX: &str = "lectern-";
/// The file whose lock says that the directory's process is alive.
const LOCK: &str = ".lock";

/// There is more in the scratch space than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("temporary files take {used} bytes, more than the limit of {limit}")]
pub struct ScratchFull {
    /// How many bytes there are.
    pub used: u64,
    /// How many there may be.
    pub limit: u64,
}

/// A place for the temporary files of this process, shared by its clones and
/// removed with the last of them.
///
/// Each process has a directory of its own under the root and holds a lock in
/// it. The operating system lets go of the lock when the process dies, however
/// it dies; the next who starts removes what nobody holds.
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
pub struct Scratch(Arc<Held>);

#[derive(Debug)]
struct Held {
    root: PathBuf,
    dir: PathBuf,
    limit: u64,
    _lock: File,
}

impl Scratch {
    /// Makes a directory under `root` for files of `limit_bytes` in total, and
    /// removes those of processes that are dead. `root` is made when it is
    /// missing; in one that exists, only what was made here is touched.
    pub fn new(root: impl Into<PathBuf>, limit_bytes: u64) -> io::Result<Self> {
        let root = root.into();
        fs::create_dir_all(&root)?;
        // Held by one at a time: a directory that is just being made has no
        // lock yet and would look dead.
        let door = lock_file(&root.join(format!("{PREFIX}{LOCK}")))?;
        door.lock()?;
        sweep(&root)?;
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&root)?;
        let lock = lock_file(&dir.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self(Arc::new(Held {
            root,
            dir: dir.keep(),
            limit: limit_bytes,
            _lock: lock,
        })))
    }

    /// An empty directory that is removed, with all that is in it by then, when
    /// the value is dropped. Its name begins with `name` and is unique.
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

    /// How many bytes there are in all directories of this process.
    pub fn used(&self) -> u64 {
        bytes_in(&self.0.dir)
    }

    /// Whether there is room left. While a child runs that was given this
    /// space in its [`Limits`](crate::Limits), it is asked four times a second,
    /// so the limit can be passed by what is written in a quarter of one.
    pub fn check(&self) -> Result<(), ScratchFull> {
        let (used, limit) = (self.used(), self.0.limit);
        if used > limit {
            return Err(ScratchFull { used, limit });
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.dir) {
            let (dir, root) = (self.dir.display(), self.root.display());
            log::warn!("{dir} stays until the next start on {root}: {error}");
        }
    }
}

/// A directory for one piece of work, removed when it is dropped.
#[derive(Debug)]
pub struct ScratchDir {
    dir: TempDir,
    // The lock is kept as long as there is something to protect.
    _scratch: Scratch,
}

impl ScratchDir {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Removes the directories whose lock nobody holds.
fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !ours || !entry.file_type()?.is_dir() {
            continue;
        }
        let dir = entry.path();
        let swept = match File::open(dir.join(LOCK)) {
            Ok(lock) => match lock.try_lock() {
                Ok(()) => remove(&dir),
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => Err(error),
            },
            // Its process died before it made the lock, or half removed it: the
            // lock goes last, so there is nothing in it that is not ours.
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir(&dir),
            Err(error) => Err(error),
        };
        match swept {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::warn!("{} was left as it is: {error}", dir.display());
            }
            _ => log::info!("removed {}, whose process is gone", dir.display()),
        }
    }
    Ok(())
}

/// Removes a process's directory, the lock last: what is interrupted here is
/// taken up by the next sweep.
fn remove(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_file(dir.join(LOCK))?;
    match fs::remove_dir(dir) {
        // Somebody who starts just now has swept it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Opens the file to be locked, which is made if it is missing.
fn lock_file(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

/// Bytes of all files in a directory. What disappears meanwhile counts nothing,
/// and symlinks are not followed.
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
