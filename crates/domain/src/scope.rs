//! What a caller may do: the scopes of routes and keys.

use std::fmt;

use crate::value::string_enum::string_enum;

string_enum! {
    /// A set of operations that a key may or may not call.
    Scope {
        /// Read jobs, their outputs, events, results and statistics.
        JobsRead = "jobs:read",
        /// Create, change, cancel, retry and delete jobs, upload recordings, and edit single
        /// rows of outputs.
        JobsWrite = "jobs:write",
        /// Store what a stage has found, report progress, and append to the log.
        OutputsWrite = "outputs:write",
        /// Claim stages, extend, complete, release and fail them.
        Work = "work",
        /// Pause and resume stages.
        WorkManage = "work:manage",
        /// Read the metrics.
        Metrics = "metrics",
        /// Read who changed what.
        AuditRead = "audit:read",
    }
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone: the response is no secret, or the URL is signed.
    Public,
    /// Callers with any key.
    AnyKey,
    /// Callers with a key of this scope.
    Scope(Scope),
    /// Callers with a key of this scope, or with a token for watching the job in the path.
    ScopeOrWatchToken(Scope),
}

impl From<Scope> for Access {
    fn from(scope: Scope) -> Self {
        Self::Scope(scope)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Public => "public",
            Self::AnyKey => "any key",
            Self::Scope(scope) => scope.as_str(),
            Self::ScopeOrWatchToken(scope) => return write!(f, "{scope} or watch token"),
        })
    }
}
