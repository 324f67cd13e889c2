//! Runs the stages of the pipeline, on the tables and the storage of Lectern.
//!
//! A [`Worker`] claims stages, runs their handlers with real tools, and stores
//! the results in the transaction that completes the stage. It has no special
//! access to the tables: any crate that imports `lectern-db` can do the same.
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
//!     LeaseDuration, NewTranscriptSegment, ProcessingOptions, Stage, WorkerName,
//! };
//! use lectern_formats::webvtt;
//! use lectern_media::{Program, RecordingLimits, Tools};
//! use lectern_storage::{Secret, Storage, StorageConfig};
//! use lectern_worker::{
//!     BlockingStorage, Failure, Settings, StageContext, StageHandler, StageOutput,
//!     StageTimeLimit, Worker,
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
//!         // Stored in the transaction that completes the stage, or not at all.
//!         Ok(StageOutput::new(move |tx, job_id| {
//!             tx.transcripts().replace_for_job(job_id, &segments).map(drop)
//!         }))
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
//! let worker = Worker::new(db, storage, Tools::find()?, settings, handlers)?;
//! // Another thread can stop it: `worker.cancellation().cancel()`.
//! worker.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocking_storage;
mod chapters;
mod failure;
mod heard_sound;
mod parallel;
mod recording_cache;
mod settings;
pub mod sidecar;
mod stage_handler;
pub mod stages;
mod supervision;
#[cfg(test)]
mod testing;
mod worker;

pub use blocking_storage::BlockingStorage;
pub use failure::Failure;
pub use settings::Settings;
pub use stage_handler::{Notes, StageContext, StageHandler, StageOutput};
pub use supervision::StageTimeLimit;
pub use worker::Worker;
