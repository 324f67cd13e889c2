//! A worker on real tables, with stages that do next to nothing.

mod far;
mod storing;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lectern_domain::{
    Claim, ClipMedia, Job, JobStatus, JsonObject, LeaseDuration, NewClip, NewJob, NonNegativeInt,
    Stage, StageRun, StageRunStatus, StorageKey, SystemClock, TimeRange, Title, WorkerName,
};
use lectern_media::CancellationToken;
use lectern_storage::{ObjectKey, Secret, Storage, StorageConfig};

use super::*;
use crate::stage::{StageContext, StageOutput};
use crate::stages::{self, RecognizerSettings};

/// A job whose first stage can be worked on.
struct Bench {
    dir: tempfile::TempDir,
    db: Database,
    store: BlockingStorage,
    job: Job,
}

impl Bench {
    fn new() -> Self {
        Self::of("talks/1.mp4")
    }

    /// One whose job has its recording there.
    fn of(key: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::open("sqlite::memory:").unwrap();
        db.init().unwrap();
        let place = StorageConfig::Local {
            dir: dir.path().join("objects"),
        };
        let store = BlockingStorage::new(Storage::open(&place, Secret::random().unwrap()).unwrap())
            .unwrap();
        let new = NewJob {
            original_s3_key: Some(StorageKey::new(key).unwrap()),
            ..NewJob::new("talk.mp4").unwrap()
        };
        let job = db.write(|tx| tx.jobs().create(&new)).unwrap();
        Self {
            dir,
            db,
            store,
            job,
        }
    }

    /// Gives the job its recording.
    fn record(&self, file: &Path) {
        let key = ObjectKey::new("talks/1.mp4").unwrap();
        self.store
            .put(&key, file, &CancellationToken::new())
            .unwrap();
    }

    /// The same, of a recording that has this in it.
    fn record_content(&self, content: &str) {
        let file = self.dir.path().join("talk");
        std::fs::write(&file, content).unwrap();
        self.record(&file);
    }

    fn worker(&self, works: Vec<Box<dyn StageHandler>>) -> Worker {
        let settings = Settings {
            name: WorkerName::new("worker-1").unwrap(),
            stages: Stage::WORK.to_vec(),
            concurrency: 2,
            lease: LeaseDuration::new(60).unwrap(),
            poll: Duration::from_millis(1),
            scratch: self.dir.path().join("scratch"),
            scratch_limit: 1 << 30,
        };
        let (db, store) = (self.db.clone(), self.store.clone());
        Worker::new(db, store, Tools::find().unwrap(), settings, works).unwrap()
    }

    fn status(&self) -> JobStatus {
        let job = self.db.read(|conn| conn.jobs().find(self.job.job_id));
        job.unwrap().unwrap().status
    }

    /// Has a worker do all stages, and answers how the job ended.
    fn finish(&self, works: Vec<Box<dyn StageHandler>>) -> JobStatus {
        let worker = self.worker(works);
        let cancellation = worker.cancellation();
        thread::scope(|scope| {
            scope.spawn(|| worker.run());
            while !self.status().is_finished() {
                thread::yield_now();
            }
            cancellation.cancel();
        });
        self.status()
    }

    /// Gives a worker the first stage.
    fn claim(&self) -> Claim {
        let request = ClaimRequest {
            worker: WorkerName::new("worker-1").unwrap(),
            stages: Stages::new(vec![Stage::SilenceDetection]).unwrap(),
            max: ClaimLimit::default(),
            lease: LeaseDuration::new(60).unwrap(),
        };
        self.db.claim(&request).unwrap().remove(0)
    }

    /// Has a worker try the first stage once: what it says, and what became of
    /// the stage.
    fn attempt(
        &self,
        run: impl Fn() -> Result<StageOutput, Failure> + Send + Sync + 'static,
    ) -> (Result<(), Failure>, StageRun) {
        let worker = self.worker(vec![Box::new(Finds(run))]);
        let claim = self.claim();
        let done = worker.work_on(&claim);
        let runs = self
            .db
            .read(|conn| conn.stage_runs().for_job(self.job.job_id));
        let mut runs = runs.unwrap().into_iter();
        (done, runs.find(|run| run.stage == claim.run.stage).unwrap())
    }
}

/// The first stage; looks at nothing.
struct Finds<F>(F);

impl<F: Fn() -> Result<StageOutput, Failure> + Send + Sync> StageHandler for Finds<F> {
    fn stage(&self) -> Stage {
        Stage::SilenceDetection
    }

    fn run(&self, _: &StageContext<'_>) -> Result<StageOutput, Failure> {
        self.0()
    }
}

/// Does nothing, or asks for the recording.
struct Asks {
    stage: Stage,
    /// What it was given, where it asks.
    given: Option<Arc<Mutex<Vec<PathBuf>>>>,
    /// Whether nothing comes of it.
    fails: bool,
}

impl StageHandler for Asks {
    fn stage(&self) -> Stage {
        self.stage
    }

    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
        if let Some(given) = &self.given {
            given.lock().unwrap().push(task.recording()?.to_owned());
        }
        if self.fails {
            return Err(Failure::transient("it was in the way"));
        }
        Ok(StageOutput::new(|_, _| Ok(())))
    }
}

/// Has a worker do all stages of a job, of which these ask for the recording;
/// answers how the job ended, and what they were given.
fn work(asking: &[Stage], recording: Option<&str>) -> (JobStatus, Vec<PathBuf>) {
    let bench = Bench::new();
    if let Some(content) = recording {
        bench.record_content(content);
    }
    let given = Arc::default();
    let works = Stage::WORK.iter().map(|stage| -> Box<dyn StageHandler> {
        Box::new(Asks {
            stage: *stage,
            given: asking.contains(stage).then(|| Arc::clone(&given)),
            fails: false,
        })
    });
    let status = bench.finish(works.collect());
    let given = given.lock().unwrap().clone();
    (status, given)
}

#[test]
fn a_stage_that_asks_for_the_recording_is_given_it() {
    let (status, given) = work(&[Stage::Transcription, Stage::Compilation], Some("moov"));
    assert_eq!(status, JobStatus::Completed);
    let [first, second] = given.as_slice() else {
        panic!("{given:?}")
    };
    assert_eq!(first, second);
    assert!(first.ends_with("talks/1.mp4"), "{first:?}");
}

#[test]
fn stages_that_do_not_ask_for_the_recording_need_none() {
    let (status, given) = work(&[], None);
    assert_eq!((status, given), (JobStatus::Completed, vec![]));
}

#[test]
fn a_recording_that_is_gone_fails_the_job_at_the_stage_that_asks() {
    let (status, given) = work(&[Stage::ContentAnalysis], None);
    assert_eq!((status, given), (JobStatus::Failed, vec![]));
}

#[test]
fn after_a_failure_the_recording_is_looked_for_anew() {
    let bench = Bench::new();
    bench.record_content("moov");
    let given = Arc::<Mutex<Vec<PathBuf>>>::default();
    let worker = bench.worker(vec![Box::new(Asks {
        stage: Stage::SilenceDetection,
        given: Some(Arc::clone(&given)),
        fails: true,
    })]);
    let claim = bench.claim();
    let failed = worker.work_on(&claim);
    assert!(
        matches!(failed, Err(Failure::Transient { .. })),
        "{failed:?}"
    );
    std::fs::remove_file(&given.lock().unwrap()[0]).unwrap();
    let gone = worker.work_on(&claim);
    assert!(matches!(gone, Err(Failure::Permanent { .. })), "{gone:?}");
    assert_eq!(given.lock().unwrap().len(), 1);
}

#[test]
fn what_another_job_is_made_of_is_not_worked_on() {
    let other = ObjectKey::original(JobId::new(&SystemClock), "talk.mp4");
    let (done, run) = Bench::of(&other).attempt(|| Ok(StageOutput::new(|_, _| Ok(()))));
    assert!(matches!(done, Err(Failure::Permanent { .. })), "{done:?}");
    assert!(run.error.unwrap().contains("another job"));
}

#[test]
fn subtitles_that_a_client_gave_a_clip_stay() {
    let bench = Bench::new();
    let job_id = bench.job.job_id;
    let file = bench.dir.path().join("tone.wav");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "sine=duration=2"])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    bench.record(&file);
    let corrected = StorageKey::new(format!("jobs/{job_id}/subtitles/1.vtt")).unwrap();
    let others = StorageKey::new(format!("jobs/{job_id}/clips/old.vtt")).unwrap();
    let clips: Vec<_> = [&corrected, &others]
        .into_iter()
        .enumerate()
        .map(|(i, key)| NewClip {
            content_segment_id: None,
            title: Title::new("A tone").unwrap(),
            topic: None,
            importance_score: None,
            time: TimeRange::new(i as f64, i as f64 + 1.0).unwrap(),
            media: ClipMedia {
                subtitle_s3_key: Some(key.clone()),
                ..ClipMedia::default()
            },
            clip_order: NonNegativeInt::new(i32::try_from(i).unwrap()).unwrap(),
            extra_metadata: JsonObject::default(),
        })
        .collect();
    let stored = bench
        .db
        .write(|tx| tx.clips().replace_for_job(job_id, &clips));
    stored.unwrap();
    let mut works = stages::all(RecognizerSettings::default(), None);
    for work in &mut works {
        let stage = work.stage();
        if stage != Stage::Compilation {
            *work = Box::new(Asks {
                stage,
                given: None,
                fails: false,
            });
        }
    }
    assert_eq!(bench.finish(works), JobStatus::Completed);
    let clips = bench.db.read(|conn| conn.clips().for_job(job_id)).unwrap();
    let [first, second] = clips.as_slice() else {
        panic!("{clips:?}")
    };
    assert_eq!(first.media.subtitle_s3_key, Some(corrected));
    let ours = format!("jobs/{job_id}/clips/{}.vtt", second.clip_id);
    assert_eq!(second.media.subtitle_s3_key.as_deref(), Some(ours.as_str()));
}
