//! The fixture of the crate's tests: a job with a database and a storage.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use lectern_db::Database;
use lectern_domain::{
    Clip, ClipMedia, Job, JobStatus, LeaseDuration, NewClip, NewJob, NonNegativeInt,
    ProcessingOptions, Stage, StageRun, StorageKey, TimeRange, WorkerName,
};
use lectern_media::{CancellationToken, FrameRate, RecordingLimits, Tools, VideoStream};
use lectern_storage::{ObjectKey, Secret, Storage, StorageConfig};

use crate::blocking_storage::BlockingStorage;
use crate::job_objects::JobObjects as _;
use crate::settings::Settings;
use crate::stage_handler::StageHandler;
use crate::supervision::StageTimeLimit;
use crate::work_source::DatabaseWork;
use crate::worker::Worker;

/// The key of a job's recording.
pub(crate) const RECORDING_KEY: &str = "talks/1.mp4";
/// Time between two polls of the database: polling without a pause would take
/// processor time from ffmpeg.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A video track in full HD.
pub(crate) const VIDEO: VideoStream = VideoStream {
    index: 0,
    codec: String::new(),
    width: 1920,
    height: 1080,
    rotation: 0,
    pixel_aspect: 1.0,
    frame_rate: FrameRate {
        frames: 25,
        seconds: 1,
    },
    variable_frame_rate: false,
    may_be_interlaced: false,
    is_interlaced: false,
    combed: None,
    hdr: None,
};

/// A job in an in-memory database, and a storage in a temporary directory.
pub(crate) struct Fixture {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) db: Database,
    pub(crate) storage: BlockingStorage,
    pub(crate) job: Job,
    /// The time limit of the fixture's workers.
    pub(crate) time_limit: StageTimeLimit,
    /// The options of the fixture's workers.
    pub(crate) options: ProcessingOptions,
    /// The programs of the fixture's workers.
    pub(crate) tools: Tools,
}

pub(crate) fn memory_database() -> Database {
    let db = Database::open("sqlite::memory:").unwrap();
    db.migrate().unwrap();
    db
}

/// A storage in a directory.
pub(crate) fn local_storage(dir: &Path) -> BlockingStorage {
    let config = StorageConfig::Local {
        dir: dir.join("objects"),
    };
    let storage = Storage::open(&config, Secret::random().unwrap()).unwrap();
    BlockingStorage::new(storage).unwrap()
}

impl Fixture {
    /// A fixture whose job has a recording with this key; the object is not stored.
    pub(crate) fn new(db: Database, recording_key: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage = local_storage(dir.path());
        let new = NewJob {
            original_s3_key: Some(StorageKey::new(recording_key).unwrap()),
            ..NewJob::new("talk.mp4").unwrap()
        };
        let job = db.write(|tx| tx.jobs().create(&new)).unwrap();
        Self {
            dir,
            db,
            storage,
            job,
            time_limit: StageTimeLimit::default(),
            options: ProcessingOptions::default(),
            tools: Tools::find().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Stores an object.
    pub(crate) fn put(&self, key: &str, content: &[u8]) {
        let file = self.path("object");
        std::fs::write(&file, content).unwrap();
        self.put_file(key, &file);
    }

    pub(crate) fn put_file(&self, key: &str, file: &Path) {
        let key = ObjectKey::new(key).unwrap();
        let token = CancellationToken::new();
        self.storage.put(&key, file, &token).unwrap();
    }

    /// Renders the job's recording with ffmpeg.
    pub(crate) fn render_recording(&self, options: &str) {
        let file = self.path("talk.mkv");
        let rendered = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin"])
            .args(options.split_whitespace())
            .arg(&file)
            .status();
        assert!(rendered.unwrap().success());
        self.put_file(RECORDING_KEY, &file);
    }

    /// The stages of the database.
    pub(crate) fn source(&self) -> DatabaseWork {
        DatabaseWork::new(self.db.clone(), self.storage.clone())
    }

    pub(crate) fn worker(
        &self,
        handlers: Vec<Box<dyn StageHandler>>,
        concurrency: usize,
    ) -> Worker {
        let settings = Settings {
            name: WorkerName::new("worker-1").unwrap(),
            stages: Stage::WORK.to_vec(),
            concurrency,
            lease: LeaseDuration::new(60).unwrap(),
            poll_interval: Duration::from_millis(1),
            scratch_dir: self.path("scratch"),
            scratch_limit: 1 << 30,
            recording_limits: RecordingLimits::default(),
            options: self.options.clone(),
            time_limit: self.time_limit,
        };
        Worker::new(self.source(), self.tools.clone(), settings, handlers).unwrap()
    }

    /// Runs the worker, and `act` meanwhile, until the job is finished. Returns
    /// the job's status.
    pub(crate) fn run_until_finished(&self, worker: &Worker, act: impl FnOnce()) -> JobStatus {
        thread::scope(|scope| {
            scope.spawn(|| worker.run());
            act();
            while !self.job().status.is_finished() {
                thread::sleep(POLL_INTERVAL);
            }
            worker.cancellation().cancel();
        });
        self.job().status
    }

    /// Reads the job from the database.
    pub(crate) fn job(&self) -> Job {
        let job = self.db.read(|conn| conn.jobs().find(self.job.job_id));
        job.unwrap().unwrap()
    }

    pub(crate) fn stage_run(&self, stage: Stage) -> StageRun {
        let job_id = self.job.job_id;
        let runs = self.db.read(|conn| conn.stage_runs().for_job(job_id));
        let mut runs = runs.unwrap().into_iter();
        runs.find(|run| run.stage == stage).unwrap()
    }

    pub(crate) fn set_clips(&self, clips: &[NewClip]) {
        let job_id = self.job.job_id;
        let stored = self
            .db
            .write(|tx| tx.clips().replace_for_job(job_id, clips));
        stored.unwrap();
    }

    pub(crate) fn clips(&self) -> Vec<Clip> {
        let job_id = self.job.job_id;
        self.db.read(|conn| conn.clips().for_job(job_id)).unwrap()
    }
}

/// A clip without metadata. `time` is its start and end in seconds.
pub(crate) fn new_clip(order: i32, title: &str, time: (f64, f64), media: ClipMedia) -> NewClip {
    let time = TimeRange::new(time.0, time.1).unwrap();
    NewClip {
        media,
        clip_order: NonNegativeInt::new(order).unwrap(),
        ..NewClip::new(title, time).unwrap()
    }
}
