//! Permissions of the files that the program writes.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::{geteuid, umask};

/// The permissions of everyone but the owner.
const NOT_OWNER: u32 = 0o077;

/// The mode bit of directories such as `/tmp`.
const STICKY: u32 = 0o1000;

/// While this exists, only the owner can read the files and directories that this
/// process and its children create. Only one may exist at a time, because the umask
/// belongs to the process.
#[derive(Debug)]
pub(crate) struct PrivateFiles {
    umask: Mode,
}

impl PrivateFiles {
    /// Makes new files private, and an existing data directory with the files in it.
    pub(crate) fn begin(data_dir: &Path) -> Self {
        let private = Self {
            umask: umask(Mode::RWXG | Mode::RWXO),
        };
        match restrict(data_dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(true) => {}
            Ok(false) => log::warn!(
                "other users can read the data directory {0}; its permissions are left as they \
                 are, because not only Lectern may use it: chmod 700 {0}",
                data_dir.display()
            ),
            Err(error) => log::warn!(
                "cannot make the data directory {} private: {error}",
                data_dir.display()
            ),
        }
        private
    }
}

impl Drop for PrivateFiles {
    fn drop(&mut self) {
        umask(self.umask);
    }
}

/// Removes the permissions of other users from the directory and its files. Changes
/// nothing and returns false if the directory may be used by others than Lectern.
fn restrict(data_dir: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(data_dir)?;
    if metadata.mode() & NOT_OWNER == 0 {
        return Ok(true);
    }
    let entries: Vec<_> = fs::read_dir(data_dir)?.collect::<Result<_, _>>()?;
    let is_ours = metadata.uid() == geteuid().as_raw()
        && metadata.mode() & STICKY == 0
        && entries.iter().all(|entry| is_our_name(&entry.file_name()));
    if !is_ours {
        return Ok(false);
    }
    entries.iter().try_for_each(restrict_file)?;
    set_owner_only(data_dir, metadata.mode())?;
    Ok(true)
}

/// Removes the permissions of other users from a file. A directory is left alone: its
/// parent keeps other users out.
fn restrict_file(entry: &DirEntry) -> io::Result<()> {
    let metadata = entry.metadata()?;
    if metadata.is_file() {
        set_owner_only(&entry.path(), metadata.mode())?;
    }
    Ok(())
}

fn set_owner_only(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !NOT_OWNER))
}

/// Whether Lectern gives files in its data directory this name.
fn is_our_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    matches!(&*name, ".env" | "secret" | "objects" | "scratch")
        || name.starts_with("secret.")
        || name.starts_with("lectern.db")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn files_are_private_until_the_guard_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let create = |name: &str| {
            let path = dir.path().join(name);
            fs::write(&path, "").unwrap();
            mode(&path)
        };
        let before = create("before");
        let private = PrivateFiles::begin(&dir.path().join("new"));
        assert_eq!(create("private"), 0o600);
        drop(private);
        assert_eq!(create("after"), before);
    }

    #[test]
    fn a_directory_with_only_files_of_lectern_becomes_private() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("lectern.db");
        fs::write(&database, "").unwrap();
        fs::create_dir(dir.path().join("objects")).unwrap();
        let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        open(dir.path(), 0o755).unwrap();
        open(&database, 0o644).unwrap();
        assert!(restrict(dir.path()).unwrap());
        assert_eq!((mode(dir.path()), mode(&database)), (0o700, 0o600));

        open(dir.path(), 0o750).unwrap();
        open(&database, 0o640).unwrap();
        fs::write(dir.path().join("thesis.tex"), "").unwrap();
        assert!(!restrict(dir.path()).unwrap());
        assert_eq!((mode(dir.path()), mode(&database)), (0o750, 0o640));
    }
}
