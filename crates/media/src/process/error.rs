//! Errors of child processes.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use crate::scratch::ScratchFull;

/// Why a program did not run to a successful end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// The program does not exist.
    #[error("program {0:?} not found")]
    NotFound(String),

    /// The program was ended because its time was up.
    #[error("exceeded its time limit of {} s", .limit.as_secs_f64())]
    TimedOut {
        /// The time limit of the whole task, which may have run several programs.
        limit: Duration,
    },

    /// The program was ended because of its cancellation token.
    #[error("was cancelled")]
    Cancelled,

    /// The program was ended because the scratch space is full.
    #[error(transparent)]
    NoSpace(#[from] ScratchFull),

    /// The program ended with an error.
    #[error("{program} failed ({status}){}{stderr_tail}", if .stderr_tail.is_empty() { "" } else { ": " })]
    Failed {
        /// Name of the program, without its directory.
        program: String,
        /// Exit code or signal.
        status: ExitStatus,
        /// The last lines of stderr, at most 20 lines and 4 KiB.
        stderr_tail: String,
    },

    /// The operating system refused to start or watch the program.
    #[error("failed to {doing} {program}")]
    Io {
        /// The action that failed, such as `start`.
        doing: &'static str,
        /// Name of the program, without its directory.
        program: String,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
}

impl ChildError {
    /// The last lines of stderr, if the program ran and failed.
    pub fn stderr_tail(&self) -> Option<&str> {
        match self {
            Self::Failed { stderr_tail, .. } => Some(stderr_tail),
            _ => None,
        }
    }
}
