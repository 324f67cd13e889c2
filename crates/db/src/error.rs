//! What can go wrong with the database, and what may not be done to it.
//!
//! Refusals ([`Error::IllegalTransition`] and its neighbours) are part of the
//! interface and say which rule said no. A row that is not there is no error:
//! lookups answer `None`, mutations say that they found nothing.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use lectern_domain::{Invalid, JobId, JobStatus, LeaseId};

/// The error of everything in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address of the database is none of the accepted ones.
    #[error(
        "not a database URL: {0}; accepted are sqlite://path, sqlite::memory: and postgres://user@host/name"
    )]
    Url(String),

    /// The database does not answer, or not in time. Worth trying again.
    #[error("the database is not available: {doing}")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// What the driver said.
        #[source]
        source: Source,
    },

    /// A job cannot go from the status it has to the one it was to get.
    #[error("job {job_id} is {from} and cannot become {to}")]
    IllegalTransition {
        /// The job.
        job_id: JobId,
        /// The status it has.
        from: JobStatus,
        /// The status it was to get.
        to: JobStatus,
    },

    /// Progress was reported on a job that is neither queued nor running.
    #[error("job {job_id} is {status}; progress is reported on queued and running jobs")]
    NotRunning {
        /// The job.
        job_id: JobId,
        /// The status it has.
        status: JobStatus,
    },

    /// A job was changed since the caller read it.
    #[error("job {job_id} has been changed since version {expected}; it is at version {actual}")]
    VersionMismatch {
        /// The job.
        job_id: JobId,
        /// The version the caller knows.
        expected: i64,
        /// The version it has.
        actual: i64,
    },

    /// A lease does not exist, has expired or was given to another worker; or a
    /// stage is leased and the write came without its lease.
    #[error("the lease is not, or no longer, the one this stage is worked on under")]
    LeaseLost {
        /// The lease that was shown, if one was.
        lease_id: Option<LeaseId>,
    },

    /// An idempotency key was used before, for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,

    /// A value does not fit the rows that are stored.
    #[error(transparent)]
    Invalid(#[from] Invalid),

    /// A rule of the database was broken. The domain's types make sure of all
    /// rules but the ones between rows, so this is a race lost or a bug.
    #[error("a constraint refused to {doing}: {message}")]
    Constraint {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        message: String,
    },

    /// A stored row does not fit the domain's types.
    #[error("{table}.{column} of row {id} does not fit: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The public id of the row.
        id: uuid::Uuid,
        /// What does not fit.
        reason: String,
    },

    /// Migrations could not be read, applied or reverted.
    #[error("migrations: {0}")]
    Migration(#[source] Source),

    /// Any other error of the driver.
    #[error("could not {doing}")]
    Query {
        /// What was being done.
        doing: &'static str,
        /// What the driver said.
        #[source]
        source: DieselError,
    },
}

/// The cause of an error, whatever library it came from.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Says what was being done when the driver failed.
pub(crate) trait Doing<T> {
    /// `what` completes "could not …".
    fn doing(self, what: &'static str) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, DieselError> {
    fn doing(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|source| from_diesel(source, what))
    }
}

fn from_diesel(source: DieselError, doing: &'static str) -> Error {
    use DatabaseErrorKind::{
        CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation,
    };
    if is_outage(&source) {
        return Error::Unavailable {
            doing: doing.to_owned(),
            source: Box::new(source),
        };
    }
    match source {
        DieselError::DatabaseError(
            CheckViolation | ForeignKeyViolation | NotNullViolation | UniqueViolation,
            info,
        ) => Error::Constraint {
            doing,
            message: info.message().to_owned(),
        },
        _ => Error::Query { doing, source },
    }
}

/// Whether the driver's error says "not now" rather than "never".
fn is_outage(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | DieselError::BrokenTransactionManager => true,
        // SQLite: another process held the write lock longer than busy_timeout.
        DieselError::DatabaseError(_, info) => info.message().starts_with("database is locked"),
        _ => false,
    }
}
