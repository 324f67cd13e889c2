//! The errors of this crate, and which of them are transient.
//!
//! Errors such as [`Error::IllegalTransition`] are part of the interface: they name
//! the rule that was broken. A lookup of a missing row is `None`; a mutation of one
//! is [`Error::JobNotFound`], [`Error::ClipNotFound`] or [`Error::SegmentNotFound`].

mod classify;

use std::cell::Cell;
use std::fmt;

use diesel::result::Error as DieselError;
use lectern_domain::{ClipId, ExceededQuota, Invalid, JobId, JobStatus, LeaseId};

pub(crate) use self::classify::outage;
use self::classify::{constraint, is_conflict};

/// The error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database URL has none of the accepted forms.
    #[error(
        "not a database URL: {0}; accepted are sqlite://path, sqlite::memory: and postgres://user@host/name"
    )]
    Url(String),

    /// The database does not respond, responds too late, or cannot execute the operation
    /// at present; see [`Outage`].
    #[error("the database is not available: {doing}")]
    Unavailable {
        /// What failed, such as `could not connect`.
        doing: String,
        /// Why it is not available.
        outage: Outage,
        /// The driver's error.
        #[source]
        source: Source,
    },

    /// The job does not exist or was deleted.
    #[error("there is no job {job_id}")]
    JobNotFound {
        /// The unknown id.
        job_id: JobId,
    },

    /// The clip does not exist or was deleted.
    #[error("there is no clip {clip_id}")]
    ClipNotFound {
        /// The unknown id.
        clip_id: ClipId,
    },

    /// The transcript segment or content segment does not exist or was deleted.
    #[error("there is no segment {segment_id}")]
    SegmentNotFound {
        /// The unknown id.
        segment_id: uuid::Uuid,
    },

    /// The state machine has no transition from the job's status to the requested
    /// one.
    #[error("job {job_id} is {from} and cannot become {to}")]
    IllegalTransition {
        /// The job.
        job_id: JobId,
        /// The current status.
        from: JobStatus,
        /// The requested status.
        to: JobStatus,
    },

    /// Progress was reported on a job that is neither queued nor running.
    #[error("job {job_id} is {status}; progress is reported on queued and running jobs")]
    NotRunning {
        /// The job.
        job_id: JobId,
        /// The current status.
        status: JobStatus,
    },

    /// A job was changed since the caller read it.
    #[error("job {job_id} has been changed since version {expected}; it is at version {actual}")]
    VersionMismatch {
        /// The job.
        job_id: JobId,
        /// The version the caller read.
        expected: i64,
        /// The current version.
        actual: i64,
    },

    /// The given lease is unknown, has expired or is of another job; or the stage is leased and the write did not name its lease.
    #[error("the lease of this stage is missing, unknown or expired")]
    LeaseLost {
        /// The given lease; `None` if the write named none.
        lease_id: Option<LeaseId>,
    },

    /// Row-level security would not limit the transactions of owners, or they could not do their
    /// work; see [`Database::enable_row_security`](crate::Database::enable_row_security).
    #[error("row-level security: {reason}")]
    RowSecurity {
        /// What is missing, and how to change it.
        reason: String,
    },

    /// An idempotency key was used before for a different request.
    #[error("the idempotency key was used for a different request")]
    IdempotencyMismatch,

    /// The owner of a job may have no more; see
    /// [`Database::with_job_quota`](crate::Database::with_job_quota).
    #[error("{0}")]
    QuotaExceeded(ExceededQuota),

    /// A value breaks a rule of the domain, or a rule that involves stored rows.
    #[error(transparent)]
    Invalid(#[from] Invalid),

    /// A constraint of the database was violated. The domain's types ensure all
    /// constraints except those between rows, so this is a lost race or a bug.
    #[error("could not {doing}: a constraint was violated: {message}")]
    Constraint {
        /// The action that failed; completes "could not …".
        doing: &'static str,
        /// The kind of constraint, the same on both databases.
        kind: ConstraintKind,
        /// The constraint, as far as the database names it:
        ///
        /// | kind | PostgreSQL | SQLite |
        /// |---|---|---|
        /// | check | its name | its name |
        /// | unique | its name, `jobs_job_id_key` | its columns, `jobs.job_id`, or the name of an index on expressions |
        /// | not null | the column, `jobs.filename` | the column |
        /// | foreign key | its name | `None` |
        ///
        /// SQLite names the constraint only in its message, which is parsed.
        constraint: Option<String>,
        /// The database's message.
        message: String,
    },

    /// The rows of a job were replaced or deleted between two pages of them.
    #[error("the rows were replaced while their pages were read")]
    ReplacedMeanwhile,

    /// Events after this position were deleted after their retention, or the position is
    /// one of another database, such as this one before it was restored from a backup.
    #[error("events after the position have been deleted, or it is one of another database")]
    PositionExpired,

    /// A stored row breaks a rule of the domain.
    #[error("{table}.{column} of row {id} is invalid: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The public id of the row.
        id: uuid::Uuid,
        /// The broken rule.
        reason: String,
    },

    /// Migrations could not be read, applied or reverted.
    #[error("migrations: {0}")]
    Migration(#[source] Source),

    /// Two transactions waited for each other, or could not be serialized, and
    /// the database cancelled this one. Nothing of it was stored.
    #[error("could not {doing}: it conflicts with another transaction")]
    TransactionConflict {
        /// The action that failed.
        doing: &'static str,
        /// The driver's error.
        #[source]
        source: Source,
    },

    /// A method that writes, such as [`Database::write`](crate::Database::write),
    /// `claim`, `create_job` or `migrate`, was called within a `write` on the same
    /// database. The inner transaction would wait for the outer one, which waits for it.
    #[error(
        "a transaction was begun within `Database::write` on the same database: pass the Tx on"
    )]
    NestedWrite,

    /// The closure of [`Database::write`](crate::Database::write) returned
    /// `Ok`, but its transaction cannot be committed: a failed statement was
    /// ignored, or a statement of the caller ended the transaction.
    #[error("the transaction could not be committed: {reason}")]
    NotCommitted {
        /// Why the transaction cannot be committed.
        reason: &'static str,
    },

    /// A backup could not be written, read or restored.
    #[error("could not {doing}")]
    Backup {
        /// The action that failed.
        doing: String,
        /// The reason.
        #[source]
        source: Source,
    },

    /// Any other error of the driver.
    #[error("could not {doing}")]
    Query {
        /// The action that failed.
        doing: &'static str,
        /// The driver's error.
        #[source]
        source: Source,
    },
}

impl Error {
    /// `doing` completes "could not …".
    pub(crate) fn backup(doing: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Backup {
            doing: doing.into(),
            source: source.into(),
        }
    }

    /// Whether the same call may succeed if it is made again: after a deadlock,
    /// a serialization failure or an [`Outage`].
    ///
    /// Nothing was stored, so a whole [`Database::write`](crate::Database::write)
    /// can be repeated. [`Outage::Commit`] is not transient in this sense, because it is
    /// unknown whether the transaction was committed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { outage, .. } => *outage != Outage::Commit,
            error => matches!(error, Self::TransactionConflict { .. }),
        }
    }
}

/// Why a database is not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outage {
    /// There is no connection to the database, or the connection was lost.
    Connection,
    /// The connection was lost during a commit. Only the database knows whether the
    /// transaction was committed.
    Commit,
    /// Another transaction, or on SQLite another process, held a lock for longer
    /// than [`Timeouts::lock`](crate::Timeouts::lock) (55P03).
    Locked,
    /// The statement took longer than
    /// [`Timeouts::statement`](crate::Timeouts::statement), or was cancelled
    /// (57014).
    Cancelled,
    /// The disk of the database is full (53100), or cannot be read or written.
    Disk,
    /// The database accepts no writes: a standby, or a file without write permission
    /// (25006).
    ReadOnly,
    /// The database lacks memory or connections (53200, 53300).
    Resources,
}

/// The kind of constraint that was violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// A condition on one row (`CHECK`).
    Check,
    /// A reference to a row that does not exist, or the deletion of a row that is
    /// referred to (`REFERENCES`).
    ForeignKey,
    /// A column without a value (`NOT NULL`).
    NotNull,
    /// A second row with the same key (`UNIQUE`, `PRIMARY KEY`).
    Unique,
}

impl fmt::Display for ConstraintKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Check => "check",
            Self::ForeignKey => "foreign key",
            Self::NotNull => "not null",
            Self::Unique => "unique",
        })
    }
}

/// The cause of an error, from any library.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Adds the action that failed to an error of diesel, which becomes an
/// [`Error`]: `.doing("store an order")`.
pub trait Doing<T> {
    /// `what` completes "could not …".
    fn doing(self, what: &'static str) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, DieselError> {
    fn doing(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|source| from_diesel(source, what))
    }
}

#[cfg(feature = "diesel")]
impl From<DieselError> for Error {
    /// For statements of the caller; [`Doing`] is the same with a description.
    fn from(source: DieselError) -> Self {
        from_diesel(source, "run a statement of the caller")
    }
}

fn from_diesel(source: DieselError, doing: &'static str) -> Error {
    if let Some(outage) = outage(&source) {
        if !matches!(outage, Outage::Locked | Outage::Cancelled) {
            count_outage();
        }
        return Error::Unavailable {
            doing: format!("could not {doing}"),
            outage,
            source: Box::new(source),
        };
    }
    if is_conflict(&source) {
        CONFLICTS.set(CONFLICTS.get() + 1);
        return Error::TransactionConflict {
            doing,
            source: Box::new(source),
        };
    }
    if let DieselError::DatabaseError(kind, info) = &source
        && let Some((kind, constraint)) = constraint(*kind, info.as_ref())
    {
        return Error::Constraint {
            doing,
            kind,
            constraint,
            message: info.message().to_owned(),
        };
    }
    Error::Query {
        doing,
        source: Box::new(source),
    }
}

thread_local! {
    static CONFLICTS: Cell<u64> = const { Cell::new(0) };
    static OUTAGES: Cell<u64> = const { Cell::new(0) };
}

fn count_outage() {
    OUTAGES.set(OUTAGES.get() + 1);
}

/// The number of statements of the current thread that failed because the database was
/// not available, not counting [`Outage::Locked`] and [`Outage::Cancelled`].
pub(crate) fn outages_on_this_thread() -> u64 {
    OUTAGES.get()
}

/// The number of [`Error::TransactionConflict`] on the current thread so far.
/// [`Database::write`](crate::Database::write) runs its closure again if this number has
/// grown: the closure's error is of the caller's type, so it need not show the conflict.
pub(crate) fn conflicts_on_this_thread() -> u64 {
    CONFLICTS.get()
}

impl From<ExceededQuota> for Error {
    fn from(exceeded: ExceededQuota) -> Self {
        Self::QuotaExceeded(exceeded)
    }
}
