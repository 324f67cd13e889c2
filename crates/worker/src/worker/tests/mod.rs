//! A worker on real tables, with trivial handlers.

mod completion;
mod deadline;
mod remote_storage;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use lectern_domain::{
    ClipMedia, JobStatus, LeaseDuration, Stage, StageRun, StageRunStatus, StorageKey, SystemClock,
    WorkerName,
};
use lectern_storage::ObjectKey;

use super::*;
use crate::stage_handler::StageContext;
use crate::stage_output::StageOutput;
use crate::stages::{self, RecognizerSettings};
use crate::testing::{Fixture, RECORDING_KEY, memory_database, new_clip};
use crate::work_source::ClaimedStage;

fn fixture() -> Fixture {
    Fixture::new(memory_database(), RECORDING_KEY)
}

impl Fixture {
    /// Runs all stages with these handlers, and returns the job's status.
    fn run_job(&self, handlers: Vec<Box<dyn StageHandler>>) -> JobStatus {
        let worker = self.worker(handlers, 2);
        self.run_until_finished(&worker, || {})
    }

    /// Claims the first stage.
    fn claim(&self) -> ClaimedStage {
        let request = ClaimRequest {
            worker: WorkerName::new("worker-1").unwrap(),
            stages: Stages::new(vec![Stage::SilenceDetection]).unwrap(),
            max: ClaimLimit::default(),
            lease: LeaseDuration::new(60).unwrap(),
        };
        self.db.claim(&request).unwrap().remove(0).into()
    }

    /// Makes one attempt at the first stage. Returns the result, and the run
    /// afterwards.
    fn attempt(
        &self,
        run: impl Fn() -> Result<StageOutput, Failure> + Send + Sync + 'static,
    ) -> (Result<(), Failure>, StageRun) {
        let worker = self.worker(vec![Box::new(FirstStage(run))], 1);
        let result = worker.run_claim(&self.claim());
        (result, self.stage_run(Stage::SilenceDetection))
    }
}

fn empty_output() -> StageOutput {
    StageOutput::unchanged()
}

/// A handler of the first stage that calls a function.
struct FirstStage<F>(F);

impl<F: Fn() -> Result<StageOutput, Failure> + Send + Sync> StageHandler for FirstStage<F> {
    fn stage(&self) -> Stage {
        Stage::SilenceDetection
    }

    fn run(&self, _: &StageContext<'_>) -> Result<StageOutput, Failure> {
        self.0()
    }
}

/// The paths of the recordings that handlers got.
type Recordings = Arc<Mutex<Vec<PathBuf>>>;

/// A handler that may ask for the recording, and may fail.
struct TestHandler {
    stage: Stage,
    /// Gets the recording's path. `None` if the handler does not ask for it.
    recordings: Option<Recordings>,
    fails: bool,
}

impl TestHandler {
    /// A handler that does nothing.
    fn idle(stage: Stage) -> Box<dyn StageHandler> {
        Box::new(Self {
            stage,
            recordings: None,
            fails: false,
        })
    }
}

impl StageHandler for TestHandler {
    fn stage(&self) -> Stage {
        self.stage
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        if let Some(recordings) = &self.recordings {
            recordings.lock().push(context.recording()?.to_owned());
        }
        if self.fails {
            return Err(Failure::transient("on purpose"));
        }
        Ok(empty_output())
    }
}

/// Runs all stages of a job. The stages in `readers` ask for the recording, which is
/// missing if `content` is `None`. Returns the job's status and the paths that the
/// readers got.
fn run_all_stages(readers: &[Stage], content: Option<&str>) -> (JobStatus, Vec<PathBuf>) {
    let fixture = fixture();
    if let Some(content) = content {
        fixture.put(RECORDING_KEY, content.as_bytes());
    }
    let recordings = Recordings::default();
    let handlers = Stage::WORK.iter().map(|stage| -> Box<dyn StageHandler> {
        let is_reader = readers.contains(stage);
        Box::new(TestHandler {
            stage: *stage,
            recordings: is_reader.then(|| Arc::clone(&recordings)),
            fails: false,
        })
    });
    let status = fixture.run_job(handlers.collect());
    let recordings = recordings.lock().clone();
    (status, recordings)
}

#[test]
fn all_stages_get_the_same_recording() {
    let (status, recordings) =
        run_all_stages(&[Stage::Transcription, Stage::Compilation], Some("moov"));
    assert_eq!(status, JobStatus::Completed);
    let [first, second] = recordings.as_slice() else {
        panic!("{recordings:?}")
    };
    assert_eq!(first, second);
    assert!(first.ends_with(RECORDING_KEY), "{first:?}");
}

#[test]
fn stages_that_do_not_ask_for_the_recording_run_without_it() {
    let (status, recordings) = run_all_stages(&[], None);
    assert_eq!((status, recordings), (JobStatus::Completed, vec![]));
}

#[test]
fn a_missing_recording_fails_the_stage_that_asks_for_it() {
    let (status, recordings) = run_all_stages(&[Stage::ContentAnalysis], None);
    assert_eq!((status, recordings), (JobStatus::Failed, vec![]));
}

#[test]
fn after_a_failure_the_recording_is_looked_up_again() {
    let fixture = fixture();
    fixture.put(RECORDING_KEY, b"moov");
    let recordings = Recordings::default();
    let handler = TestHandler {
        stage: Stage::SilenceDetection,
        recordings: Some(Arc::clone(&recordings)),
        fails: true,
    };
    let worker = fixture.worker(vec![Box::new(handler)], 1);
    let claim = fixture.claim();
    let failed = worker.run_claim(&claim);
    assert!(
        matches!(failed, Err(Failure::Transient { .. })),
        "{failed:?}"
    );
    std::fs::remove_file(&recordings.lock()[0]).unwrap();
    let missing = worker.run_claim(&claim);
    assert!(
        matches!(missing, Err(Failure::Permanent { .. })),
        "{missing:?}"
    );
    assert_eq!(recordings.lock().len(), 1);
}

#[test]
fn a_recording_among_the_files_of_another_job_is_refused() {
    let other = ObjectKey::original(JobId::new(&SystemClock), "talk.mp4");
    let fixture = Fixture::new(memory_database(), &other);
    let (result, run) = fixture.attempt(|| Ok(empty_output()));
    assert!(
        matches!(result, Err(Failure::Permanent { .. })),
        "{result:?}"
    );
    assert!(run.error.unwrap().contains("another job"));
}

#[test]
fn subtitles_from_a_client_are_kept() {
    let fixture = fixture();
    fixture.render_recording("-f lavfi -i sine=duration=2");
    let job_id = fixture.job.job_id;
    let key = |name: &str| StorageKey::new(format!("jobs/{job_id}/{name}")).unwrap();
    let from_client = key("subtitles/1.vtt");
    let from_worker = key("clips/old.vtt");
    let clips: Vec<_> = [&from_client, &from_worker]
        .into_iter()
        .zip(0..)
        .map(|(key, i)| {
            let media = ClipMedia {
                subtitle_s3_key: Some(key.clone()),
                ..ClipMedia::default()
            };
            let start = f64::from(i);
            new_clip(i, "A tone", (start, start + 1.0), media)
        })
        .collect();
    fixture.set_clips(&clips);
    let mut handlers = stages::all(RecognizerSettings::default(), None);
    for handler in &mut handlers {
        if handler.stage() != Stage::Compilation {
            *handler = TestHandler::idle(handler.stage());
        }
    }
    assert_eq!(fixture.run_job(handlers), JobStatus::Completed);
    let clips = fixture.clips();
    let [first, second] = clips.as_slice() else {
        panic!("{clips:?}")
    };
    assert_eq!(first.media.subtitle_s3_key, Some(from_client));
    let replaced = key(&format!("clips/{}.vtt", second.clip_id));
    assert_eq!(second.media.subtitle_s3_key, Some(replaced));
}
