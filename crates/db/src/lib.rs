//! Lectern's tables on SQLite and PostgreSQL: connections, migrations and one
//! repository per table.
//!
//! ```
//! use lectern_db::Database;
//! use lectern_domain::{At, JobStatus, JobUpdate, NewJob};
//!
//! // A throwaway database in memory; sqlite://path and postgres://… are the others.
//! let db = Database::open("sqlite::memory:")?;
//! db.init()?;
//!
//! // A job needs a filename, and everything else has a default.
//! let job = db.write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?))?;
//! assert_eq!(job.status, JobStatus::Queued);
//!
//! // Lookups answer an Option.
//! let found = db.read(|conn| conn.jobs().find(job.job_id))?;
//! assert_eq!(found.as_ref(), Some(&job));
//!
//! // What an update does not mention stays as it is; each counts the version up.
//! let update = JobUpdate { status: Some(JobStatus::Running), ..JobUpdate::default() };
//! let running = db.write(|tx| tx.jobs().update(job.job_id, &update, None))?;
//! assert_eq!(running.version, 2);
//!
//! // Deleting a job takes everything below it along.
//! db.write(|tx| tx.jobs().delete(job.job_id))?;
//! assert_eq!(db.read(|conn| conn.jobs().find(job.job_id))?, None);
//! # Ok::<(), lectern_db::Error>(())
//! ```
//!
//! # Coming from SQLAlchemy
//!
//! | there | here |
//! |---|---|
//! | `create_engine`, `SessionLocal` | [`Database::open`], [`Database::connect`] |
//! | `with SessionLocal() as context:` | [`Database::read`], [`Database::write`] |
//! | `context.commit()` / `rollback()` | the closure's `Ok` / `Err` |
//! | `init_db()`, `alembic upgrade head` | [`Database::init`] |
//! | `context.get(Job, …)` | `conn.jobs().find(…)` |
//! | `job.clips` | `conn.clips().for_job(job.job_id)` |
//! | `selectinload(Job.clips)` | `conn.jobs().list_with_clips(…)` |
//! | `joinedload(Job.clips)` | `conn.jobs().with_clips(…)` |
//! | `pool_size`, `max_overflow`, `pool_recycle`, `pool_pre_ping` | [`DatabaseConfig`]; the last is always on and free on a busy connection |
//!
//! # Rules of the house
//!
//! - A closure always gives its connection back: after a value, an error or a
//!   panic.
//! - [`Database::write`] is one transaction. A changing method exists only on
//!   the [`Tx`] it gives; calling one in [`Database::read`] does not compile.
//! - A change is one guarded statement. Nothing is read, changed in memory and
//!   written back, so two callers never undo one another.
//! - Lookups answer `Option`, and a mutation says whether it found its row. A
//!   refusal is an [`Error`] that says which rule said no.
//! - The integer keys of the tables are never read: public ids are all there
//!   is.
//!
//! A changing method outside a transaction is a compile error:
//!
//! ```compile_fail,E0599
//! # let db = lectern_db::Database::open("sqlite::memory:").unwrap();
//! # let job = lectern_domain::NewJob::new("lecture.mp4").unwrap();
//! db.read(|conn| conn.jobs().create(&job));
//! ```
//!
//! # More
//!
//! Load a job with its clips, and several things in one transaction:
//!
//! ```
//! # use lectern_db::{Database, Error};
//! # use lectern_domain::{assign_positions, ClipMedia, JsonObject, NewClip, NewJob, TimeRange, Title};
//! # let db = Database::open("sqlite::memory:")?;
//! # db.init()?;
//! let (job, clips) = db.write(|tx| {
//!     let job = tx.jobs().create(&NewJob::new("lecture.mp4")?)?;
//!     let order = assign_positions([None], "clip_order")?;
//!     let clip = NewClip {
//!         title: Title::new("Why indexes help")?,
//!         time: TimeRange::new(61.5, 118.0)?,
//!         clip_order: order[0],
//!         content_segment_id: None,
//!         topic: None,
//!         importance_score: None,
//!         media: ClipMedia::default(),
//!         extra_metadata: JsonObject::default(),
//!     };
//!     tx.clips().replace_for_job(job.job_id, &[clip])?;
//!     Ok::<_, Error>(tx.jobs().with_clips(job.job_id)?.unwrap())
//! })?;
//! assert_eq!(clips[0].job_id, job.job_id);
//! assert_eq!(clips[0].time.duration(), 56.5);
//! # Ok::<(), Error>(())
//! ```
//!
//! Work on a stage: claim it, store what was found under the lease, complete it.
//! The job follows:
//!
//! ```
//! # use lectern_db::{Database, Error};
//! # use lectern_domain::{ClaimLimit, ClaimRequest, LeaseDuration, NewJob, Stage, Stages, WorkerName};
//! # let db = Database::open("sqlite::memory:")?;
//! # db.init()?;
//! db.write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?))?;
//! let claims = db.claim(&ClaimRequest {
//!     worker: WorkerName::new("whisper-1")?,
//!     stages: Stages::new(vec![Stage::Transcription])?,
//!     max: ClaimLimit::default(),
//!     lease: LeaseDuration::default(),
//! })?;
//! let (job_id, lease) = (claims[0].job.job_id, claims[0].lease_id);
//! let job = db.write(|tx| {
//!     tx.work().guard(job_id, &[Stage::Transcription], Some(lease))?;
//!     tx.transcripts().replace_for_job(job_id, &[])?;
//!     Ok::<_, Error>(tx.work().complete(lease)?.0)
//! })?;
//! let events = db.read(|conn| conn.job_events().after(job_id, 0, 100))?;
//! assert_eq!(events.last().map(|event| event.seq), Some(job.last_seq));
//! # Ok::<(), Error>(())
//! ```
//!
//! Test against a throwaway database, at a time of your choosing:
//!
//! ```
//! # use std::sync::Arc;
//! # use lectern_db::Database;
//! # use lectern_domain::{Clock, ManualClock, NewJob};
//! let clock = Arc::new(ManualClock::default());
//! let db = Database::open("sqlite::memory:")?.with_clock(clock.clone());
//! db.init()?;
//! let job = db.write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?))?;
//! assert_eq!(job.created_at, clock.now());
//! # Ok::<(), lectern_db::Error>(())
//! ```

#![cfg_attr(
    not(feature = "diesel"),
    expect(unreachable_pub, reason = "public with the feature `diesel`")
)]

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

mod connection;
mod dialect;
mod error;
mod migrations;
#[cfg(feature = "diesel")]
mod own_statements;
mod repositories;
#[cfg(not(feature = "diesel"))]
#[rustfmt::skip]
mod schema;
#[cfg(feature = "diesel")]
#[rustfmt::skip]
#[expect(missing_docs, reason = "diesel prints the file, and `table!` documents no module")]
pub mod schema;
mod sql;
mod work;

pub use connection::{
    Backend, Capacity, Committed, Conn, Database, DatabaseConfig, DatabaseUrl, PoolStats, ReadOnly,
    ReadWrite, Reader, Tx,
};
pub use dialect::{JobLock, JobRef};
pub use error::{ConstraintKind, Error, Source};
/// The domain's types, in the version this crate was built with.
pub use lectern_domain as domain;
pub use migrations::{Drift, MigrationState, MigrationStatus, Migrations};
#[cfg(feature = "diesel")]
pub use own_statements::{DbBackend, DbConnection, Doing, diesel, sql_types};
pub use repositories::{
    Clips, ContentSegments, IdempotencyKeys, JobEvents, Jobs, LayoutAnalyses, ProcessingLogs,
    SilenceRegions, StageRuns, Transcripts,
};
pub use work::Work;
