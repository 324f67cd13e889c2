#![doc = include_str!("../README.md")]
//!
//! # Coming from SQLAlchemy
//!
//! The names; `docs/from-sqlalchemy.md` of the repository has the code for each pattern.
//!
//! | SQLAlchemy | lectern-db |
//! |---|---|
//! | `create_engine`, `sessionmaker` | [`Database::open`], [`Database::connect`] |
//! | `with Session() as session:` | [`Database::read`], [`Database::write`] |
//! | `session.commit()`, `session.rollback()` | the closure's `Ok`, its `Err` |
//! | `session.begin_nested()` | `conn.transaction(…)` within `tx.diesel` |
//! | `session.execute(select(…))` | `conn.diesel(…)` |
//! | `init_db()`, `alembic upgrade head` | [`Database::migrate`] |
//! | `alembic downgrade -1`, `alembic current` | [`Migrations::down`], [`Migrations::status`] |
//! | `alembic check` | [`Database::drift`] |
//! | `session.get(Job, …)` | `conn.jobs().find(…)` |
//! | `job.clips` | `conn.clips().for_job(job.job_id)` |
//! | `selectinload(Job.clips)` | `conn.jobs().list_with_clips(…)` |
//! | `joinedload(Job.clips)` | `conn.jobs().with_clips(…)` |
//! | `session.add(job)`, `job.status = …`, `session.flush()` | `tx.jobs().create(…)`, `update(…)`: one statement each, no unit of work |
//! | `version_id_col`, `StaleDataError` | `job.version`, [`Error::VersionMismatch`] |
//! | `IntegrityError` | [`Error::Constraint`] |
//! | `OperationalError`, `DBAPIError.connection_invalidated` | [`Error::is_transient`] |
//! | `event.listens_for(Session, "after_commit")` | [`Database::on_commit`] |
//! | `pool_size`, `max_overflow`, `pool_recycle`, `pool_timeout` | [`DatabaseConfig`] |
//! | `pool_pre_ping` | always on; skipped for a connection used within the last second |
//!
//! There is no session that objects belong to: rows are read into plain values,
//! which never change or load anything later.
//!
//! # Rules
//!
//! - A closure always returns its connection to the pool: after a value, an error or a panic.
//! - [`Database::write`] is one transaction. A mutating method exists only on
//!   the [`Tx`] it gives; calling one in [`Database::read`] does not compile.
//! - A change is one guarded statement. Nothing is read, changed in memory and
//!   written back, so two callers never overwrite each other's changes.
//! - A lookup returns an `Option`; a mutation returns the stored value or an
//!   [`Error`] that names the missing row or the broken rule.
//! - The integer keys of the tables are never exposed: rows are identified by their public ids.
//!
//! ```compile_fail,E0599
//! # let db = lectern_db::Database::open("sqlite::memory:").unwrap();
//! # let job = lectern_db::domain::NewJob::new("lecture.mp4").unwrap();
//! db.read(|conn| conn.jobs().create(&job));
//! ```
//!
//! # Tests of your own
//!
//! With a database in memory and a clock that the test controls:
//!
//! ```
//! # use std::sync::Arc;
//! # use lectern_db::Database;
//! # use lectern_db::domain::{Clock, ManualClock, NewJob};
//! let clock = Arc::new(ManualClock::default());
//! let db = Database::open("sqlite::memory:")?.with_clock(clock.clone());
//! db.migrate()?;
//! let job = db.write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?))?;
//! assert_eq!(job.created_at, clock.now());
//! # Ok::<(), lectern_db::Error>(())
//! ```

#![cfg_attr(
    not(feature = "diesel"),
    expect(unreachable_pub, reason = "public with the feature `diesel`")
)]

mod backup;
mod connection;
mod dialect;
mod error;
mod import;
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
    Backend, Capacity, Committed, Conn, Database, DatabaseConfig, DatabaseUrl, Durability,
    PoolStats, ReadOnly, ReadWrite, Reader, RoleName, Timeouts, Tx,
};
pub use dialect::{JobLock, JobRef};
pub use error::{ConstraintKind, Error, Outage, Source};
pub use import::{
    ImportAction, ImportError, ImportMode, ImportNote, ImportSummary, SourceUrl, TableCounts,
};
/// The domain's types, in the version this crate was built with.
pub use lectern_domain as domain;
pub use migrations::{Drift, MigrationState, MigrationStatus, Migrations, Readiness};
#[cfg(feature = "diesel")]
pub use own_statements::{DbBackend, DbConnection, Doing, diesel, sql_types};
pub use repositories::{
    AddedRows, ApiKeys, AppendStart, AuditEntries, ClearedUpload, Clips, ContentSegments,
    DatabaseIdentity, IdempotencyKeys, JobEvents, Jobs, LayoutAnalyses, ProcessingLogs, RowSets,
    SetCursor, SetPage, SilenceRegions, StagePauses, StageRuns, StagedSet, TranscriptSelection,
    Transcripts, UnneededObjects, Uploads,
};
pub use work::Work;
