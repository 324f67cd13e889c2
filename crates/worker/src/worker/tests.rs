//! A worker on real tables, with stages that do next to nothing.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use lectern_domain::{JobStatus, LeaseDuration, NewJob, StorageKey, WorkerName};
use lectern_storage::{Secret, Storage, StorageConfig};

use super::*;

/// Does nothing, or asks for the recording.
struct Asks {
    stage: Stage,
    /// What it was given, where it asks.
    given: Option<Arc<Mutex<Vec<PathBuf>>>>,
}

impl StageWork for Asks {
    fn stage(&self) -> Stage {
        self.stage
    }

    fn run(&self, task: &Task<'_>) -> Result<Findings, Failure> {
        if let Some(given) = &self.given {
            given.lock().unwrap().push(task.recording()?.to_owned());
        }
        Ok(Findings::new(|_, _| Ok(())))
    }
}

/// Has a worker do all stages of a job, of which these ask for the recording;
/// answers how the job ended, and what they were given.
fn work(asking: &[Stage], recording: Option<&str>) -> (JobStatus, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open("sqlite::memory:").unwrap();
    db.init().unwrap();
    let place = StorageConfig::Local {
        dir: dir.path().join("objects"),
    };
    let store = Store::new(Storage::open(&place, Secret::random().unwrap()).unwrap()).unwrap();
    let key = ObjectKey::new("talks/1.mp4").unwrap();
    if let Some(content) = recording {
        let file = dir.path().join("talk");
        std::fs::write(&file, content).unwrap();
        store.put(&key, &file).unwrap();
    }
    let new = NewJob {
        original_s3_key: Some(StorageKey::from(key)),
        ..NewJob::new("talk.mp4").unwrap()
    };
    let job = db.write(|tx| tx.jobs().create(&new)).unwrap();
    let given = Arc::default();
    let works = Stage::WORK.iter().map(|stage| -> Box<dyn StageWork> {
        Box::new(Asks {
            stage: *stage,
            given: asking.contains(stage).then(|| Arc::clone(&given)),
        })
    });
    let settings = Settings {
        name: WorkerName::new("worker-1").unwrap(),
        stages: Stage::WORK.to_vec(),
        concurrency: 2,
        lease: LeaseDuration::new(60).unwrap(),
        poll: Duration::from_millis(1),
        scratch: dir.path().join("scratch"),
        scratch_limit: 1 << 20,
    };
    let tools = Tools::find().unwrap();
    let worker = Worker::new(db.clone(), store, tools, settings, works.collect()).unwrap();
    let bell = worker.bell();
    let status = || {
        db.read(|conn| conn.jobs().find(job.job_id))
            .unwrap()
            .unwrap()
            .status
    };
    thread::scope(|scope| {
        scope.spawn(|| worker.run());
        while !status().is_finished() {
            thread::yield_now();
        }
        bell.stop();
    });
    let given = given.lock().unwrap().clone();
    (status(), given)
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
