//! Single stages, on recordings that ffmpeg renders.

mod chapters;
mod clip_picture;
mod compilation;
mod content_analysis;
mod layout_analysis;
mod segmentation;
mod silence_detection;
mod transcription;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lectern_domain::{JobStatus, LongText, Pipelines, Stage, StageRun};
use serde_json::{Value, json};

use super::{RecognizerSettings, all};
use crate::testing::{self, RECORDING_KEY, memory_database};

/// A job whose pipeline has a single stage.
struct StageFixture {
    fixture: testing::Fixture,
    stage: Stage,
}

impl Deref for StageFixture {
    type Target = testing::Fixture;

    fn deref(&self) -> &Self::Target {
        &self.fixture
    }
}

impl StageFixture {
    /// A job with this stage, and a recording that ffmpeg renders with `options`.
    fn new(stage: Stage, options: &str) -> Self {
        Self::with_pipeline(&json!([{ "stage": stage.as_str() }]), stage, options)
    }

    /// A job with this pipeline, for tests of `stage`.
    fn with_pipeline(steps: &Value, stage: Stage, options: &str) -> Self {
        let pipelines = json!({ "default": steps });
        let pipelines = Arc::new(Pipelines::from_json(pipelines).unwrap());
        let db = memory_database().with_pipelines(pipelines);
        let fixture = testing::Fixture::new(db, RECORDING_KEY);
        fixture.render_recording(options);
        Self { fixture, stage }
    }

    /// Runs the stage, and `act` meanwhile. Returns the job's status.
    fn run_stage_while(&self, recognizers: RecognizerSettings, act: impl FnOnce()) -> JobStatus {
        let worker = self.worker(all(recognizers, None), 1);
        self.run_until_finished(&worker, act)
    }

    fn run_stage(&self, recognizers: RecognizerSettings) -> JobStatus {
        self.run_stage_while(recognizers, || {})
    }

    fn stage_run(&self) -> StageRun {
        self.fixture.stage_run(self.stage)
    }

    /// The notes of the completed stage.
    fn notes(&self) -> String {
        let job_id = self.job.job_id;
        let log = self.db.read(|conn| conn.processing_logs().for_job(job_id));
        let messages = log.unwrap().into_iter();
        let messages: Vec<_> = messages.filter_map(|entry| entry.data.message).collect();
        messages.iter().map(LongText::as_str).collect()
    }

    /// A recognizer that is a shell script. Its arguments are the audio file and
    /// the output file. The path of the script is relative to the working
    /// directory, in which the command has to run.
    fn script_recognizer(&self, text: &str) -> RecognizerSettings {
        let file = self.path("asr.sh");
        std::fs::write(&file, text).unwrap();
        let here = std::env::current_dir().unwrap();
        let to_root: PathBuf = here.ancestors().skip(1).map(|_| Path::new("..")).collect();
        let file = to_root.join(file.strip_prefix("/").unwrap());
        RecognizerSettings {
            command: Some(format!("sh {} {{audio}} {{out}}", file.display())),
            ..RecognizerSettings::default()
        }
    }
}
