//! The recording on disk and the job created from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use lectern_db::Database;
use lectern_domain::{
    ContentType, FileSize, Job, JobId, JsonObject, NewJob, StorageKey, recording_media_type,
};
use lectern_media::CancellationToken;
use lectern_storage::ObjectKey;
use lectern_worker::sidecar::{self, PassedOver};
use lectern_worker::{BlockingStorage, JobObjects as _};
use serde_json::{Map, Value, json};

use super::output_manifest::OutputManifest;
use super::stage_settings::StageSettings;
use super::transcript_file::{self, FilesBeside, TranscriptFile, file_name, milliseconds};

/// A recording on disk.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    name: String,
    size: u64,
    modified: SystemTime,
    transcripts: Vec<TranscriptFile>,
    /// Files that look like a transcript but are not read.
    passed_over: Vec<PassedOver>,
}

impl Source {
    /// `transcript` is the file to take the transcript from; `None`: the files beside the
    /// recording.
    pub(super) fn new(file: &Path, transcript: Option<&Path>) -> anyhow::Result<Self> {
        let name = file.display();
        let unreadable = || format!("cannot read {name}");
        let path = file.canonicalize().with_context(unreadable)?;
        let meta = fs::metadata(&path).with_context(unreadable)?;
        ensure!(meta.is_file(), "{name} is not a file");
        ensure!(meta.len() > 0, "{name} is empty");
        // Fails before anything is copied.
        fs::File::open(&path).with_context(unreadable)?;
        let name = file_name(&path);
        let FilesBeside {
            transcripts,
            passed_over,
        } = match transcript {
            Some(transcript) => FilesBeside {
                transcripts: vec![TranscriptFile::given(transcript, &name)?],
                passed_over: Vec::new(),
            },
            None => transcript_file::beside(file, &path)?,
        };
        Ok(Self {
            name,
            size: meta.len(),
            modified: meta.modified().with_context(unreadable)?,
            transcripts,
            passed_over,
            path,
        })
    }

    /// The default output directory.
    pub(super) fn default_out_dir(&self) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default();
        PathBuf::from(format!("{}-clips", stem.to_string_lossy()))
    }

    /// Identifies a state of the recording: changes when the recording or a file with its
    /// transcript changes. The worker reads the names and times of the
    /// files from it, by the ends of the names of their copies.
    fn fingerprint(&self) -> Value {
        let transcripts: Map<_, _> = self
            .transcripts
            .iter()
            .map(|file| (file.suffix.clone(), file.fingerprint()))
            .collect();
        json!({
            "path": self.path.to_string_lossy(),
            "size": self.size,
            "modified": milliseconds(self.modified).div_euclid(1000),
            "beside": transcripts,
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
        for file in &self.transcripts {
            let stem = sidecar::stem(key.as_str());
            let key = ObjectKey::new(format!("{stem}{}", file.suffix))?;
            store
                .put(&key, &file.path, &CancellationToken::new())
                .context("cannot put the subtitles into the storage")?;
        }
        let new = NewJob {
            file_size: Some(FileSize::new(self.size.try_into()?)?),
            content_type: ContentType::new(content_type(&self.path))?,
            original_s3_key: Some(StorageKey::new(key.as_str())?),
            extra_metadata: self.job_metadata(state)?,
            ..NewJob::new(self.name.as_str())?
        };
        let job = database.write(|tx| tx.jobs().create_as(job_id, &new))?;
        manifest.start_job(job_id)?;
        Ok(job)
    }

    /// The metadata of a job: the state, and the files that are not read, which the notes of the
    /// transcription name. They are no part of the state, because the results do not follow from
    /// them.
    pub(super) fn job_metadata(&self, state: &JsonObject) -> anyhow::Result<JsonObject> {
        let mut metadata = state.get().clone();
        if !self.passed_over.is_empty() {
            let files = self.passed_over.iter().take(sidecar::MAX_PASSED_OVER);
            let files: Map<_, _> = files
                .map(|file| (file.name.clone(), json!(file.reason)))
                .collect();
            metadata.insert(sidecar::METADATA_KEY.to_owned(), Value::Object(files));
        }
        Ok(JsonObject::new(metadata)?)
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

fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    recording_media_type(&extension).unwrap_or("video/mp4")
}
