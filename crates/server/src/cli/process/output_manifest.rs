//! The manifest of an output directory, and atomic writes.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use lectern_domain::{JobId, JsonObject};

/// The first line is the job's id. A line that begins with `{` is the state of the
/// recording that the files were made from; it is there only while they are complete.
/// Each other line is the name of a file written by this program.
const MANIFEST_FILE: &str = ".lectern-job";

/// Records which job an output directory belongs to, and which files in it this
/// program wrote. All other files are the user's and are not touched.
#[derive(Debug)]
pub(super) struct OutputManifest {
    dir: PathBuf,
    job_id: Option<JobId>,
    /// The state of the recording and of the settings from which all files were made.
    made_from: Option<JsonObject>,
    files: BTreeSet<PathBuf>,
}

impl OutputManifest {
    /// Reads the manifest of a directory; empty when there is none.
    pub(super) fn read(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(MANIFEST_FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let mut lines = text.lines();
        let job_id = lines.next().and_then(|line| line.trim().parse().ok());
        let (states, files): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with('{'));
        Ok(Self {
            dir: dir.to_owned(),
            job_id,
            made_from: states.first().and_then(|line| parse_object(line)),
            files: files
                .into_iter()
                .map(PathBuf::from)
                .filter(|name| is_inside(name))
                .collect(),
        })
    }

    /// Whether all files were made from this state of the recording and are still there.
    pub(super) fn is_made_from(&self, state: &JsonObject) -> bool {
        let is_there = |name: &PathBuf| self.dir.join(name).is_file();
        self.made_from.as_ref() == Some(state) && self.files.iter().all(is_there)
    }

    pub(super) fn job_id(&self) -> Option<JobId> {
        self.job_id
    }

    /// Assigns the directory to another job. Files of the previous job stay until
    /// they are replaced.
    pub(super) fn start_job(&mut self, job_id: JobId) -> anyhow::Result<()> {
        self.job_id = Some(job_id);
        self.made_from = None;
        self.write()
    }

    /// Checks that none of these names belongs to a file of the user.
    pub(super) fn check<'n>(
        &self,
        names: impl IntoIterator<Item = &'n Path>,
    ) -> anyhow::Result<()> {
        for name in names {
            let file = self.dir.join(name);
            if !self.files.contains(name) && file.symlink_metadata().is_ok() {
                bail!(
                    "{} was not written by `lectern process`; move it and run the same command \
                     again",
                    file.display()
                );
            }
        }
        Ok(())
    }

    /// Records files that are about to be written.
    pub(super) fn record_files(&mut self, names: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
        self.check(names.iter().map(PathBuf::as_path))?;
        self.made_from = None;
        self.files.extend(names.iter().cloned());
        self.write()
    }

    /// Removes the recorded files whose names are not in `names`.
    pub(super) fn keep_only(&mut self, names: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
        for name in self.files.difference(names) {
            let file = self.dir.join(name);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).context(format!("cannot remove {}", file.display()));
                }
                _ => {}
            }
        }
        self.files.clone_from(names);
        self.write()
    }

    /// Records that the files are complete, and from what they were made.
    pub(super) fn finish(&mut self, made_from: &JsonObject) -> anyhow::Result<()> {
        self.made_from = Some(made_from.clone());
        self.write()
    }

    fn write(&self) -> anyhow::Result<()> {
        let job_id = self.job_id.map(|job_id| job_id.to_string());
        let mut text = job_id.unwrap_or_default();
        if let Some(state) = &self.made_from {
            text.push('\n');
            text.push_str(&state.clone().into_value().to_string());
        }
        for name in &self.files {
            text.push('\n');
            text.push_str(&name.to_string_lossy());
        }
        write_atomically(&self.dir.join(MANIFEST_FILE), text.as_bytes())
    }
}

fn parse_object(line: &str) -> Option<JsonObject> {
    JsonObject::new(serde_json::from_str(line).ok()?).ok()
}

/// Whether a path stays inside the directory.
fn is_inside(name: &Path) -> bool {
    name.file_name().is_some()
        && name
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// Writes a temporary file and renames it, so that no partial file is visible.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .inspect_err(|_| {
            // The temporary file may not exist.
            let _ = fs::remove_file(&part);
        })
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use lectern_domain::SystemClock;
    use serde_json::json;

    use super::*;

    fn names(names: &[&str]) -> BTreeSet<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn recorded_files_are_removed_unless_they_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = OutputManifest::read(dir.path()).unwrap();
        manifest.start_job(JobId::new(&SystemClock)).unwrap();
        manifest.record_files(&names(&["a", "b"])).unwrap();
        for name in ["a", "b", "mine"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        let mut reread = OutputManifest::read(dir.path()).unwrap();
        assert_eq!(
            (reread.job_id, &reread.files),
            (manifest.job_id, &manifest.files)
        );
        reread.record_files(&names(&["b", "c"])).unwrap();
        reread.keep_only(&names(&["b", "c"])).unwrap();
        let is_there = |name: &str| dir.path().join(name).exists();
        assert!(!is_there("a") && is_there("b") && is_there("mine"));
        assert_eq!(
            OutputManifest::read(dir.path()).unwrap().files,
            names(&["b", "c"])
        );
    }

    #[test]
    fn complete_files_are_known_by_the_state_of_their_recording() {
        let dir = tempfile::tempdir().unwrap();
        let state = |size| parse_object(&json!({ "size": size }).to_string()).unwrap();
        let (state, other) = (state(1), state(2));
        let reread = || OutputManifest::read(dir.path()).unwrap();
        let mut manifest = reread();
        manifest.start_job(JobId::new(&SystemClock)).unwrap();
        manifest.record_files(&names(&["a"])).unwrap();
        fs::write(dir.path().join("a"), "").unwrap();
        assert!(!reread().is_made_from(&state));
        manifest.finish(&state).unwrap();
        assert!(reread().is_made_from(&state) && !reread().is_made_from(&other));

        fs::remove_file(dir.path().join("a")).unwrap();
        assert!(!reread().is_made_from(&state));
        fs::write(dir.path().join("a"), "").unwrap();
        // Writing them again begins.
        reread().record_files(&names(&["a"])).unwrap();
        assert!(!reread().is_made_from(&state));
    }

    #[test]
    fn files_of_the_user_are_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine"), "").unwrap();
        let mut manifest = OutputManifest::read(dir.path()).unwrap();
        let error = manifest.record_files(&names(&["a", "mine"])).unwrap_err();
        assert!(
            error.to_string().contains("mine was not written"),
            "{error}"
        );
        fs::remove_file(dir.path().join("mine")).unwrap();
        manifest.record_files(&names(&["a", "mine"])).unwrap();
    }

    #[test]
    fn names_outside_the_directory_are_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let text = "\n../up\n/etc/passwd\nclips/../../up\n\nclips/a.mp4\n";
        fs::write(dir.path().join(MANIFEST_FILE), text).unwrap();
        let manifest = OutputManifest::read(dir.path()).unwrap();
        assert_eq!(manifest.files, names(&["clips/a.mp4"]));
    }
}
