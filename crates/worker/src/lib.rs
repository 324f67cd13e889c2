//! Takes recordings through the pipeline, on the tables and the storage of
//! Lectern.
//!
//! A [`Worker`] claims stages, works on them with real tools, and stores what
//! they found in the transaction that completes them. It is an outside program
//! as far as the tables are concerned: what it does, any crate can do that
//! imports `lectern-db`.
//!
//! # A stage of your own
//!
//! [`stages::all`] are those that come with Lectern. Another is a type that
//! implements [`StageHandler`]; it is handed a [`StageContext`] and answers [`StageOutput`].
//! The rest is the worker's: it keeps the lease, fetches the recording, tells
//! how far the stage is, tries again what may end better, and cleans up.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use lectern_db::Database;
//! use lectern_domain::{LeaseDuration, NewTranscriptSegment, Stage, WorkerName};
//! use lectern_formats::webvtt;
//! use lectern_media::{Program, Tools};
//! use lectern_storage::{Secret, Storage, StorageConfig};
//! use lectern_worker::{Failure, StageOutput, Settings, StageHandler, BlockingStorage, StageContext, Worker};
//!
//! /// Has a program listen that writes WebVTT.
//! struct Ears;
//!
//! impl StageHandler for Ears {
//!     fn stage(&self) -> Stage {
//!         Stage::Transcription
//!     }
//!
//!     fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
//!         task.tell(0.0, "listening");
//!         // Killed after two hours, when the job is called off, and when the lease is lost.
//!         let limits = task.limits(Duration::from_secs(2 * 3600));
//!         let heard = Program::new("ears").arg(task.recording()?).output(&limits)?;
//!         // No other attempt would end better.
//!         let cues = webvtt::read(&heard).map_err(|error| Failure::permanent(error.to_string()))?;
//!         let segments = cues
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
//! // The database and the storage of the service that takes the jobs.
//! let db = Database::open("postgres://lectern@db.internal/lectern")?;
//! let storage = "s3://lectures?region=eu-central-1".parse::<StorageConfig>()?;
//! let storage = storage.with_environment(|name| std::env::var(name).ok())?;
//! let storage = Storage::open(&storage, Secret::random()?)?;
//!
//! let settings = Settings {
//!     name: WorkerName::new("ears-1")?,
//!     stages: vec![Stage::Transcription],
//!     concurrency: 2,
//!     lease: LeaseDuration::new(60)?,
//!     poll: Duration::from_secs(1),
//!     scratch: "/var/tmp/ears".into(),
//!     scratch_limit: 20 << 30,
//! };
//! let works: Vec<Box<dyn StageHandler>> = vec![Box::new(Ears)];
//! let worker = Worker::new(db, BlockingStorage::new(storage)?, Tools::find()?, settings, works)?;
//! // Another thread can stop it: `worker.cancellation().cancel()`.
//! worker.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocking_storage;
mod failure;
mod keeper;
mod recordings;
mod settings;
mod side_by_side;
pub mod sidecar;
mod stage;
pub mod stages;
mod work_signal;
mod worker;

pub use blocking_storage::BlockingStorage;
pub use failure::Failure;
pub use settings::Settings;
pub use stage::{StageContext, StageHandler, StageOutput};
pub use worker::Worker;
