//! Refuses a storage that contains files which no URL may serve.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};

/// Fails if the directory of the storage contains one of the `private` files or
/// directories, or is one of them. Each comes with its role, for the error.
pub(super) fn check(storage: &Path, private: &[(&str, &Path)]) -> anyhow::Result<()> {
    let root = resolve(storage)?;
    for (role, path) in private {
        // Neither a symlink nor its target may be in the storage.
        let target = resolve(path)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let link = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Some(resolve(parent)?.join(name)),
            _ => None,
        };
        if target.starts_with(&root) || link.is_some_and(|link| link.starts_with(&root)) {
            bail!(
                "LECTERN_STORAGE: {} contains {role} ({}), which its URLs would serve; use a \
                 directory with nothing but objects",
                storage.display(),
                path.display()
            );
        }
    }
    Ok(())
}

/// The absolute path, without symlinks, of a file that may not exist yet.
fn resolve(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path)
        .with_context(|| format!("cannot find the directory of {}", path.display()))?;
    for ancestor in absolute.ancestors() {
        let (Ok(mut real), Ok(rest)) = (ancestor.canonicalize(), absolute.strip_prefix(ancestor))
        else {
            continue;
        };
        // A path that does not exist is no symlink, so `..` leads to its parent.
        for component in rest.components() {
            match component {
                Component::ParentDir => drop(real.pop()),
                component => real.push(component),
            }
        }
        return Ok(real);
    }
    Ok(absolute)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_storage_around_a_private_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("data/objects")).unwrap();
        fs::create_dir(path("elsewhere")).unwrap();
        fs::write(path("data/lectern.db"), "").unwrap();
        symlink(path("data/lectern.db"), path("elsewhere/linked.db")).unwrap();
        symlink(path("data"), path("link")).unwrap();
        let is_refused = |storage: &str, private: &str| {
            check(&path(storage), &[("the database", &path(private))]).is_err()
        };
        for (storage, private) in [
            ("data", "data"),
            ("data", "data/lectern.db"),
            ("data", "data/new/lectern.db"),
            ("link", "data/lectern.db"),
            ("data", "link/lectern.db"),
            ("data", "elsewhere/linked.db"),
            ("elsewhere", "elsewhere/linked.db"),
            ("data", "data/new/../../data/lectern.db"),
            ("", "data/lectern.db"),
        ] {
            assert!(is_refused(storage, private), "{storage} and {private}");
        }
        for (storage, private) in [
            ("data/objects", "data/lectern.db"),
            ("data/objects", "data"),
            ("new", "data"),
            ("dat", "data/lectern.db"),
            ("link/objects", "link/lectern.db"),
        ] {
            assert!(!is_refused(storage, private), "{storage} and {private}");
        }
    }
}
