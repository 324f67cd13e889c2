//! The objects of a job, as a stage reads and writes them.

use std::path::{Path, PathBuf};

use lectern_media::CancellationToken;
use lectern_storage::{ObjectInfo, ObjectKey};

use crate::failure::Failure;

/// Checks a copy that is in progress: gets the bytes written so far and the size of the object.
pub type CheckCopy<'c> = dyn FnMut(u64, u64) -> Result<(), Failure> + 'c;

/// The objects that a stage reads and writes: its recording, the files beside it, and those of
/// its job. Blocks, so it must not be used on a thread of an async runtime.
pub trait JobObjects: Send + Sync {
    /// Stores a file. Cancellation takes effect soon, and discards the part that was sent.
    fn put(
        &self,
        key: &ObjectKey,
        file: &Path,
        cancellation: &CancellationToken,
    ) -> Result<(), Failure>;

    /// The path of an object, if the storage is a local directory.
    fn local_file(&self, key: &ObjectKey) -> Result<Option<PathBuf>, Failure>;

    /// The metadata of an object. `None` if it does not exist.
    fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, Failure>;

    /// The objects beside the recording `key` whose names begin with `start`; see
    /// [`Storage::list_beside`](lectern_storage::Storage::list_beside).
    fn list_beside(&self, key: &ObjectKey, start: &str) -> Result<Vec<ObjectInfo>, Failure>;

    /// Reads an object into memory. `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`Failure::Permanent`] if the object has more than `max_bytes`.
    fn read(
        &self,
        key: &ObjectKey,
        max_bytes: u64,
        cancellation: &CancellationToken,
    ) -> Result<Option<Vec<u8>>, Failure>;

    /// Copies an object into a file, and stops when `check` fails. It is called before the
    /// first byte and after each piece.
    fn copy_checked(
        &self,
        key: &ObjectKey,
        to: &Path,
        check: &mut CheckCopy<'_>,
    ) -> Result<(), Failure>;

    /// Copies an object into a file.
    fn copy(
        &self,
        key: &ObjectKey,
        to: &Path,
        cancellation: &CancellationToken,
    ) -> Result<(), Failure> {
        self.copy_checked(key, to, &mut |_, _| {
            if cancellation.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            Ok(())
        })
    }
}
