//! The recording on disk and the job created from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use lectern_db::Database;
use lectern_domain::{
    ContentType, FileSize, Job, JobId, JsonObject, NewJob, StorageKey, recording_media_type,
};
use lectern_media::CancellationToken;
use lectern_storage::ObjectKey;
use lectern_worker::{BlockingStorage, sidecar};
use serde_json::{Map, Value, json};

use super::output_manifest::OutputManifest;
use super::stage_settings::StageSettings;

/// A recording on disk.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    name: String,
    size: u64,
    modified: SystemTime,
    /// Subtitle files beside the recording, by extension.
    sidecars: Vec<(&'static str, Sidecar)>,
}

/// A subtitle file beside a recording.
#[derive(Debug)]
struct Sidecar {
    path: PathBuf,
    size: u64,
    modified: SystemTime,
}

impl Source {
    pub(super) fn new(file: &Path) -> anyhow::Result<Self> {
        let name = file.display();
        let unreadable = || format!("cannot read {name}");
        let path = file.canonicalize().with_context(unreadable)?;
        let meta = fs::metadata(&path).with_context(unreadable)?;
        ensure!(meta.is_file(), "{name} is not a file");
        ensure!(meta.len() > 0, "{name} is empty");
        // Fails before anything is copied.
        fs::File::open(&path).with_context(unreadable)?;
        Ok(Self {
            name: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            size: meta.len(),
            modified: meta.modified().with_context(unreadable)?,
            sidecars: sidecar::EXTENSIONS
                .into_iter()
                .filter_map(|extension| Some((extension, find_sidecar(&path, extension)?)))
                .collect(),
            path,
        })
    }

    /// The default output directory.
    pub(super) fn default_out_dir(&self) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default();
        PathBuf::from(format!("{}-clips", stem.to_string_lossy()))
    }

    /// Identifies a state of the recording: changes when the recording or a subtitle file
    /// beside it changes.
    fn fingerprint(&self) -> Value {
        let sidecars: Map<_, _> = self
            .sidecars
            .iter()
            .map(|(extension, file)| ((*extension).to_owned(), file.fingerprint()))
            .collect();
        json!({
            "path": self.path.to_string_lossy(),
            "size": self.size,
            "modified": milliseconds(self.modified).div_euclid(1000),
            "beside": sidecars,
        })
    }

    /// Copies the recording and its subtitles into the storage and creates a job.
    pub(super) fn create_job(
        &self,
        database: &Database,
        store: &BlockingStorage,
        manifest: &mut OutputManifest,
        state: &JsonObject,
    ) -> anyhow::Result<Job> {
        let job_id = JobId::new(database.clock());
        let key = ObjectKey::original(job_id, &self.name);
        store
            .put(&key, &self.path, &CancellationToken::new())
            .context("cannot put the recording into the storage")?;
        for (extension, file) in &self.sidecars {
            if let Some(key) = sidecar::key(&key, extension) {
                store
                    .put(&key, &file.path, &CancellationToken::new())
                    .context("cannot put the subtitles into the storage")?;
            }
        }
        let new = NewJob {
            file_size: Some(FileSize::new(self.size.try_into()?)?),
            content_type: ContentType::new(content_type(&self.path))?,
            original_s3_key: Some(StorageKey::new(key.as_str())?),
            extra_metadata: state.clone(),
            ..NewJob::new(self.name.as_str())?
        };
        let job = database.write(|tx| tx.jobs().create_as(job_id, &new))?;
        manifest.start_job(job_id)?;
        Ok(job)
    }

    /// The job of the manifest, if it was created from this recording.
    pub(super) fn previous_job(
        &self,
        database: &Database,
        manifest: &OutputManifest,
    ) -> anyhow::Result<Option<Job>> {
        let Some(job_id) = manifest.job_id() else {
            return Ok(None);
        };
        let job = database.read(|conn| conn.jobs().find(job_id))?;
        let path = |fingerprint: &Value| fingerprint.get("path").cloned();
        Ok(job.filter(|job| stored(job, "source").and_then(path) == path(&self.fingerprint())))
    }

    /// Whether the job was created from the recording in its current state.
    pub(super) fn is_up_to_date(&self, job: &Job) -> bool {
        stored(job, "source") == Some(&self.fingerprint())
    }

    /// The state of the recording and of the settings, from which the results follow.
    pub(super) fn state(&self, settings: &StageSettings) -> anyhow::Result<JsonObject> {
        let members = [
            ("source", self.fingerprint()),
            ("settings", settings.to_json()),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        Ok(JsonObject::new(Map::from_iter(members))?)
    }
}

/// The settings with which a job was created or last run.
pub(super) fn stored_settings(job: &Job) -> &Value {
    stored(job, "settings").unwrap_or(&Value::Null)
}

/// A part of the state that a job was created from.
fn stored<'j>(job: &'j Job, part: &str) -> Option<&'j Value> {
    job.extra_metadata.get().get(part)
}

impl Sidecar {
    fn fingerprint(&self) -> Value {
        // Milliseconds, because a file may be rewritten within a second without a
        // change of its size.
        json!({ "size": self.size, "modified_ms": milliseconds(self.modified) })
    }
}

/// The subtitle file with this extension, if it exists.
fn find_sidecar(recording: &Path, extension: &str) -> Option<Sidecar> {
    let path = recording.with_extension(extension);
    let meta = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
    (path != recording).then_some(Sidecar {
        path,
        size: meta.len(),
        modified: meta.modified().ok()?,
    })
}

/// Milliseconds since 1970; negative before.
fn milliseconds(time: SystemTime) -> i64 {
    let (distance, sign) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (after, 1),
        Err(before) => (before.duration(), -1),
    };
    i64::try_from(distance.as_millis()).map_or(i64::MAX, |distance| sign * distance)
}

fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    recording_media_type(&extension).unwrap_or("video/mp4")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_may_be_older_than_1970() {
        assert_eq!(milliseconds(UNIX_EPOCH + Duration::from_millis(1500)), 1500);
        assert_eq!(
            milliseconds(UNIX_EPOCH - Duration::from_millis(1500)),
            -1500
        );
    }
}
