//! The stages, one at a time, on recordings that are rendered for them.

mod compilation;
mod layout;
mod transcription;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lectern_db::Database;
use lectern_domain::{
    Job, JobStatus, LeaseDuration, LongText, NewJob, Pipelines, Stage, StageRun, StorageKey,
    WorkerName,
};
use lectern_media::{CancellationToken, Tools};
use lectern_storage::{ObjectKey, Secret, Storage, StorageConfig};
use serde_json::json;

use super::{RecognizerSettings, all};
use crate::{BlockingStorage, Settings, Worker};

/// How often is looked for what is waited for: ffmpeg needs the processors.
const LOOK: Duration = Duration::from_millis(5);

/// A job that has one stage.
struct Bench {
    dir: tempfile::TempDir,
    db: Database,
    store: BlockingStorage,
    job: Job,
}

impl Bench {
    /// One of this stage, whose recording ffmpeg renders with these options.
    fn new(stage: Stage, options: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pipelines = json!({ "default": [{ "stage": stage.as_str() }] });
        let pipelines = Arc::new(Pipelines::from_json(pipelines).unwrap());
        let db = Database::open("sqlite::memory:").unwrap();
        db.init().unwrap();
        let db = db.with_pipelines(pipelines);
        let place = StorageConfig::Local {
            dir: dir.path().join("objects"),
        };
        let store = BlockingStorage::new(Storage::open(&place, Secret::random().unwrap()).unwrap())
            .unwrap();
        let recording = ObjectKey::new("talks/1.mp4").unwrap();
        let new = NewJob {
            original_s3_key: Some(StorageKey::from(recording.clone())),
            ..NewJob::new("talk.mp4").unwrap()
        };
        let job = db.write(|tx| tx.jobs().create(&new)).unwrap();
        let bench = Self {
            dir,
            db,
            store,
            job,
        };
        let file = bench.path("talk.mkv");
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin"])
            .args(options.split_whitespace())
            .arg(&file)
            .status();
        assert!(made.unwrap().success());
        bench
            .store
            .put(&recording, &file, &CancellationToken::new())
            .unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Stores an object.
    fn put(&self, key: &str, content: &[u8]) {
        let file = self.path("object");
        std::fs::write(&file, content).unwrap();
        let key = ObjectKey::new(key).unwrap();
        self.store
            .put(&key, &file, &CancellationToken::new())
            .unwrap();
    }

    /// Has a worker do the stage, and `act` meanwhile; answers how it ended.
    fn work_while(&self, recognizers: RecognizerSettings, act: impl FnOnce()) -> JobStatus {
        let settings = Settings {
            name: WorkerName::new("worker-1").unwrap(),
            stages: Stage::WORK.to_vec(),
            concurrency: 1,
            lease: LeaseDuration::new(60).unwrap(),
            poll: Duration::from_millis(1),
            scratch: self.path("scratch"),
            scratch_limit: 1 << 30,
        };
        let (db, store) = (self.db.clone(), self.store.clone());
        let (tools, works) = (Tools::find().unwrap(), all(recognizers, None));
        let worker = Worker::new(db, store, tools, settings, works).unwrap();
        let cancellation = worker.cancellation();
        thread::scope(|scope| {
            scope.spawn(|| worker.run());
            act();
            while !self.job().status.is_finished() {
                thread::sleep(LOOK);
            }
            cancellation.cancel();
        });
        self.job().status
    }

    fn work(&self, recognizers: RecognizerSettings) -> JobStatus {
        self.work_while(recognizers, || {})
    }

    fn job(&self) -> Job {
        let job = self.db.read(|conn| conn.jobs().find(self.job.job_id));
        job.unwrap().unwrap()
    }

    fn run(&self) -> StageRun {
        let job_id = self.job.job_id;
        let runs = self.db.read(|conn| conn.stage_runs().for_job(job_id));
        runs.unwrap().remove(0)
    }

    /// What the stage said when it was completed.
    fn note(&self) -> String {
        let job_id = self.job.job_id;
        let log = self.db.read(|conn| conn.processing_logs().for_job(job_id));
        let messages = log.unwrap().into_iter();
        let messages: Vec<_> = messages.filter_map(|entry| entry.data.message).collect();
        messages.iter().map(LongText::as_str).collect()
    }

    /// Has a script of the shell transcribe; it is told the sound, and what it may
    /// write. It is named as one names it who stands where the worker does.
    fn script(&self, text: &str) -> RecognizerSettings {
        let file = self.path("asr.sh");
        std::fs::write(&file, text).unwrap();
        let here = std::env::current_dir().unwrap();
        let up: PathBuf = here.ancestors().skip(1).map(|_| Path::new("..")).collect();
        let file = up.join(file.strip_prefix("/").unwrap());
        RecognizerSettings {
            command: Some(format!("sh {} {{audio}} {{out}}", file.display())),
            ..RecognizerSettings::default()
        }
    }
}
