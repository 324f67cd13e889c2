//! The error that all readers return.

use lectern_domain::Invalid;

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct FormatError {
    /// The line on which the error was found, counted from 1.
    pub line: usize,
    /// The reason, without quoting the file.
    pub message: String,
}

impl FormatError {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }

    /// A value on `line` that violates a rule of the domain.
    pub(crate) fn invalid(line: usize, invalid: &Invalid) -> Self {
        Self::new(line, invalid.to_string())
    }
}
