//! Why the service of a worker refused something.

use lectern_db::Error;
use lectern_domain::{Invalid, error_chain};

use crate::failure::Failure;

/// Why the service of a worker refused something. The texts are for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// The worker does not have the stage any more.
    #[error("the lease was lost")]
    LeaseLost,
    /// The service does not answer. It may, later.
    #[error("{0}")]
    Unavailable(String),
    /// The service answered, but could not do it. It may be able to in a moment.
    #[error("{0}")]
    Failing(String),
    /// The service does not accept what was sent, and would not the next time.
    #[error("{0}")]
    Refused(String),
    /// The worker may not do this.
    #[error("{0}")]
    NotAllowed(String),
    /// Another attempt at the stage may succeed.
    #[error("{0}")]
    Other(String),
}

impl From<Error> for WorkError {
    fn from(error: Error) -> Self {
        let text = error_chain(&error);
        match error {
            Error::LeaseLost { .. } | Error::JobNotFound { .. } => Self::LeaseLost,
            Error::Unavailable { .. } => Self::Unavailable(text),
            // Such as after a deadlock, or on a full disk.
            Error::Query { .. } => Self::Failing(text),
            error if error.is_transient() => Self::Failing(text),
            Error::Constraint { .. } | Error::Invalid(_) => Self::Refused(text),
            _ => Self::Other(text),
        }
    }
}

impl From<Invalid> for WorkError {
    fn from(error: Invalid) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<WorkError> for Failure {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::LeaseLost => Self::Cancelled,
            WorkError::Refused(_) | WorkError::NotAllowed(_) => Self::permanent(error.to_string()),
            _ => Self::transient(error.to_string()),
        }
    }
}
