//! Runs the stages of the pipeline.
//!
//! A [`Worker`] claims stages from a [`WorkSource`], runs their handlers with real tools, and
//! stores the results. With [`DatabaseWork`] it uses the tables and the storage, and completes a
//! stage in the transaction that stores its output. It has no special access to the tables: any
//! crate that imports `lectern-db` can do the same. With [`RemoteWork`] it uses the API of a
//! server, and needs neither the database nor the storage.
//!
//! # A custom stage
//!
//! [`stages::all`] has the handlers that come with Lectern. A custom handler is a
//! type that implements [`StageHandler`]: it gets a [`StageContext`] and returns a
//! [`StageOutput`]. The worker renews the lease, fetches the recording, reports
//! the progress, retries transient failures, and removes temporary files.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use lectern_db::Database;
//! use lectern_domain::{
//!     LeaseDuration, NewTranscriptSegment, ProcessingOptions, Stage, TranscriptSource, WorkerName,
//! };
//! use lectern_formats::webvtt;
//! use lectern_media::{Program, RecordingLimits, Tools};
//! use lectern_storage::{Secret, Storage, StorageConfig};
//! use lectern_worker::{
//!     BlockingStorage, DatabaseWork, Failure, OutputRows, Settings, StageContext, StageHandler,
//!     StageOutput, StageTimeLimit, Worker,
//! };
//!
//! /// Transcribes with a program that prints WebVTT.
//! struct SpeechToText;
//!
//! impl StageHandler for SpeechToText {
//!     fn stage(&self) -> Stage {
//!         Stage::Transcription
//!     }
//!
//!     fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
//!         context.report_progress(0.0, "transcribing");
//!         // Ends at the stage's deadline, when the job is cancelled or the lease is lost.
//!         let limits = context.limits();
//!         let output = Program::new("speech-to-text").arg(context.recording()?).output(&limits)?;
//!         // Another attempt would fail in the same way.
//!         let transcript =
//!             webvtt::read(&output).map_err(|error| Failure::permanent(error.to_string()))?;
//!         let segments = transcript
//!             .cues
//!             .into_iter()
//!             .map(NewTranscriptSegment::try_from)
//!             .collect::<Result<Vec<_>, _>>()?;
//!         // Stored when the stage is completed, or not at all.
//!         let source = TranscriptSource::Recognizer;
//!         Ok(OutputRows::Transcript { segments, source }.into())
//!     }
//! }
//!
//! // The database and the storage of the service that accepts the jobs.
//! let db = Database::open("postgres://lectern@db.internal/lectern")?;
//! let storage = "s3://lectures?region=eu-central-1".parse::<StorageConfig>()?;
//! let storage = storage.with_environment(|name| std::env::var(name).ok())?;
//! let storage = BlockingStorage::new(Storage::open(&storage, Secret::random()?)?)?;
//!
//! let settings = Settings {
//!     name: WorkerName::new("transcriber-1")?,
//!     stages: vec![Stage::Transcription],
//!     concurrency: 2,
//!     lease: LeaseDuration::new(60)?,
//!     poll_interval: Duration::from_secs(1),
//!     scratch_dir: "/var/tmp/transcriber".into(),
//!     scratch_limit: 20 << 30,
//!     recording_limits: RecordingLimits::default(),
//!     options: ProcessingOptions::default(),
//!     time_limit: StageTimeLimit { factor: 4.0, floor: Duration::from_hours(2) },
//! };
//! let handlers: Vec<Box<dyn StageHandler>> = vec![Box::new(SpeechToText)];
//! let source = DatabaseWork::new(db, storage);
//! let worker = Worker::new(source, Tools::find()?, settings, handlers)?;
//! // Another thread can stop it: `worker.cancellation().cancel()`.
//! worker.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocking_storage;
mod chapters;
mod failure;
mod heard_sound;
mod job_objects;
mod parallel;
mod recording_cache;
mod remote;
mod settings;
pub mod sidecar;
mod stage_handler;
mod stage_output;
pub mod stages;
mod supervision;
#[cfg(test)]
mod testing;
mod work_source;
mod worker;

pub use blocking_storage::BlockingStorage;
pub use failure::Failure;
pub use job_objects::{CheckCopy, JobObjects};
pub use remote::RemoteWork;
pub use settings::Settings;
pub use stage_handler::{StageContext, StageHandler};
pub use stage_output::{Notes, OutputRows, StageOutput};
pub use supervision::StageTimeLimit;
pub use work_source::{
    ClaimedStage, DatabaseWork, OutputKind, StoredOutputs, WorkError, WorkSource,
};
pub use worker::Worker;
